"""The demo with data of our own in MovieLens' place; with MovieLens itself it is run by `.ci/run`."""

import re

import pytest

from penchant import Penchant, simulate, tables
from penchant.cli import demo


@pytest.fixture
def films(monkeypatch):
    made = simulate(n_users=60, n_items=40, n_interactions=1500, rng=3).tables
    titled = made.items.with_columns(title="<b>Film</b> " + made.items["item_id"])
    from dataclasses import replace

    films = replace(made, items=titled, schema=replace(made.schema, item_name="title"))
    monkeypatch.setattr(tables, "movielens_100k", lambda: films)
    monkeypatch.setattr(demo, "NEWCOMER", {"age": 24, "role": "healer"})


def test_the_demo_leaves_a_model_and_a_report_that_needs_no_network(shell, films, tmp_path):
    said = shell("demo", "--out", tmp_path / "demo", "--epochs", 2, "--quiet", "--json")
    assert said.code == 0, said.err
    assert {row["model"] for row in said.json["figures"]} == {"penchant", "logistic regression", "popularity"}
    assert Penchant.load(tmp_path / "demo" / "model.penchant").history_.height == 2
    page = (tmp_path / "demo" / "report.html").read_text()
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page), "nothing is loaded from elsewhere"
    body = page.split("</head>")[1]
    for told in ("What a user likes", "Whom a film is for", "a user with age 24", "logistic regression"):
        assert told in body
    assert body.count('role="img"') + body.count("role='img'") == 5
    assert "<b>Film</b>" not in re.sub(r"<script.*?</script>", "", body, flags=re.DOTALL), "titles are text, not HTML"


def test_it_is_told_in_words_too_and_can_be_run_again(shell, films, tmp_path):
    for _ in range(2):
        said = shell("demo", "--out", tmp_path / "demo", "--epochs", 1, "--quiet")
        assert said.code == 0, said.err
    for told in ("Recommended to user", "would like", "logistic regression"):
        assert told in said.out
    assert "report.html" in said.err


def test_a_file_is_no_folder(shell, tmp_path):
    (tmp_path / "demo").write_text("")
    assert shell("demo", "--out", tmp_path / "demo").code == 2
