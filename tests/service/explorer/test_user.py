import json
import time
from dataclasses import replace

import pytest

from penchant.dynamics.events import Event, SQLiteStore
from penchant.errors import StorageError

HTML = {"accept": "text/html"}
HERE = {**HTML, "sec-fetch-site": "same-origin"}


def values(live, **query):
    response = live.http.get("/user.json", params=query)
    assert response.status_code == 200, response.text
    return json.loads(response.content)


def test_the_portrait_is_that_of_the_library(live, model):
    bars = values(live, id="u1")["portrait"]["bars"]["rows"]
    rows = {(one["feature"], one["value"]): one for one in model.portrait("u1", details=False).features.to_dicts()}
    assert {(one["feature"], one["value"]) for one in bars} == set(rows)
    for one in bars:
        assert one["share"] == pytest.approx(rows[one["feature"], one["value"]]["share"], rel=1e-3, abs=1e-5)
        assert one["proved_low"] <= one["found_low"] + 1e-5
        assert one["found_high"] <= one["proved_high"] + 1e-5


def test_ranges_widen_with_the_reach(live, page_in):
    def width(reach):
        rows = values(live, id="u1", reach=reach)["portrait"]["bars"]["rows"]
        return sum(one["proved_high"] - one["proved_low"] for one in rows)

    assert width(5) <= width(25) <= width(100)
    assert "/user?id=u1&reach=25#portrait" in page_in(live.http.get("/user?id=u1", headers=HTML)).links()
    assert live.http.get("/user.json?id=u1&reach=x").status_code == 422


def test_three_clicks_from_the_start_to_why(live, page_in):
    """What does u2 like, and why was i7 recommended: search, open, why; every step a link or a form of the page."""
    start = page_in(live.http.get("/", headers=HTML))
    form = next(one for one in start.all("form") if one.get("action") == "/search")
    assert (form["method"], next(one["name"] for one in start.all("input"))) == ("get", "q")
    first = live.http.get("/search", params={"q": "u2"}, headers=HTML, follow_redirects=True)
    user = page_in(first)
    assert "What this user would like" in user.text
    whys = [link for link in user.links() if "why=" in link]
    assert len(whys) == 10
    second = page_in(live.http.get(whys[0], headers=HTML))
    assert "Why this user would" in second.text
    third = live.http.get("/user", params={"id": "u2", "why": "i7"}, headers=HTML)  # the form: any item
    assert "i7" in page_in(third).text


def test_an_explanation_of_what_is_not_there(live, page_in):
    page = page_in(live.http.get("/user", params={"id": "u1", "why": "no<such>"}, headers=HTML))
    assert "There is no item “no<such>”" in page.text


def test_a_user_without_history_and_one_of_events_alone(live, page_in):
    events = [
        {"id": f"n{n}", "user": "newcomer", "item": f"i{n}", "label": n % 2, "time": time.time() + n}
        for n in range(1, 6)
    ]
    assert live.ask("/v1/events", {"events": events}).json()["accepted"] == 5
    page = page_in(live.http.get("/user?id=newcomer", headers=HTML))
    assert "in no table" in page.text
    assert "No past likes of this user are known" in page.text
    assert "5 events moved the point" in page.text
    found = values(live, id="newcomer")
    assert [one["name"] for one in found["interest"]["trajectory"]] == [f"i{n}" for n in range(1, 6)]
    assert {one["item"] for one in found["recommended"]}.isdisjoint({f"i{n}" for n in range(1, 6)})


def test_without_events_and_without_a_store(live, odd, page_in):
    assert "No event of this user has come yet" in page_in(live.http.get("/user?id=u5", headers=HTML)).text
    assert "runs without a store" in page_in(odd.http.get("/user?id=x.json", headers=HTML)).text


def test_a_model_without_the_portrait_term_is_not_to_be_trusted(odd, page_in):
    assert "Do not trust this one" in page_in(odd.http.get("/user?id=x.json", headers=HTML)).text


def test_a_store_that_fails_is_told_in_words(settings, run, page_in, tmp_path, monkeypatch):
    with run(replace(settings, store=f"sqlite:///{tmp_path / 'e.db'}")) as live:

        def fail(*_, **__):
            raise StorageError("the disk of the secret machine is gone")

        monkeypatch.setattr(SQLiteStore, "states", fail)
        page = page_in(live.http.get("/user?id=u1", headers=HTML), 503)
        assert "store of events cannot be reached" in page.text
        assert "secret machine" not in page.text
        monkeypatch.undo()
        page_in(live.http.get("/user?id=u1", headers=HTML))


def test_forgetting_asks_first_and_is_noted(keyed, page_in):
    live, keys = keyed
    live.service.store.append([Event(id="f1", user="u7", item="i1", label=1, time=1.0)])
    ops = {"authorization": f"Bearer {keys['ops']}", **HTML}
    user = page_in(live.http.get("/user?id=u7", headers=ops))
    assert "/forget?id=u7" in user.links()
    reader = page_in(live.http.get("/user?id=u7", headers={**ops, "authorization": f"Bearer {keys['read']}"}))
    assert "/forget?id=u7" not in reader.links()
    page = page_in(live.http.get("/forget?id=u7", headers=ops))
    assert "cannot be undone" in page.text
    assert len(list(live.service.store.events("u7"))) == 1
    done = page_in(live.http.post("/forget", data={"id": "u7"}, headers=ops))
    assert "1 events" in done.text
    assert not list(live.service.store.events("u7"))


def test_forgetting_without_a_store_or_an_id(odd, live, page_in):
    page_in(odd.http.post("/forget", data={"id": "x.json"}, headers=HERE), 409)
    page_in(live.http.post("/forget", data={}, headers=HERE), 422)
    page_in(live.http.post("/forget", data={"id": "u1"}, headers=HTML), 403)
    page_in(live.http.post("/forget", content=b"\xff", headers=HERE), 422)
    assert "nothing to forget" in page_in(odd.http.get("/forget?id=x.json", headers=HTML)).text
