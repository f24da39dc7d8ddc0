import json
from dataclasses import replace

import pytest

from penchant import Penchant, simulate
from penchant.service.explorer.start import busiest, facts_of
from penchant.service.models import load

HTML = {"accept": "text/html"}


def test_it_says_what_the_model_is(live, page_in):
    page = page_in(live.http.get("/", headers=HTML))
    assert "40 users and 50 items" in page.text
    assert "AUC" in page.text
    assert "/model" in page.links()
    values = json.loads(live.http.get("/start.json").content)
    assert values["facts"]["pairs"] == live.service.models.serving.first.fitted.seen.height
    assert len(values["users"]) == len(values["items"]) == 6


def test_examples_have_the_most_likes(live):
    loaded = live.service.models.serving.first
    found = busiest(loaded, "item", 50)
    likes = [one["likes"] for one in found]
    assert likes == sorted(likes, reverse=True)
    assert sum(likes) == facts_of(loaded)["likes"]


def test_a_model_without_the_portrait_term_says_so(odd, page_in):
    assert "without the portrait term" in page_in(odd.http.get("/", headers=HTML)).text


@pytest.mark.parametrize("path", ["/", "/model", "/user?id=u1"])
def test_a_model_of_likes_alone(live, page_in, tmp_path, settings, run, path):
    """A ranking neck, no validation rows: no AUC, nothing held out."""
    tables = simulate(n_users=12, n_items=15, n_interactions=150, rng=3).tables
    likes = tables.with_interactions(tables.interactions.filter(tables.interactions["label"] == 1))
    Penchant.preset("ranking", epochs=1, rng=1, space__dim=8).fit(likes).save(tmp_path / "r.penchant")
    assert facts_of(load(tmp_path / "r.penchant"))["measure"] == "ndcg"
    with run(replace(settings, model=str(tmp_path / "r.penchant"))) as ranking:
        page_in(ranking.http.get(path, headers=HTML))
