import json

import pytest


@pytest.fixture
def store(shell, model, files, tmp_path):
    url = f"sqlite:///{tmp_path / 'events.db'}"
    said = shell("events", "add", model, events_file(tmp_path), "--store", url, "--json")
    assert said.json == {"accepted": 3, "duplicates": 0, "conflicts": 0}, said.err
    return url


def events_file(folder):
    path = folder / "today.csv"
    path.write_text("user_id,item_id,label,time\nu1,i3,1,1700000000\nu1,i4,0,1700000100\nnew,i5,1,1700000200\n")
    return path


def test_what_events_did_in_words_json_and_html(shell, model, store, tmp_path):
    said = shell("interest", model, "u1", "--store", store)
    assert said.code == 0, said.err
    assert "2 events moved the point" in said.out
    plain = shell("interest", model, "u1", "--store", store, "--json").json
    assert [row["item"] for row in plain["trajectory"]] == ["i3", "i4"]
    assert shell("interest", model, "new", "--store", store, "--out", tmp_path / "new.html").code == 0
    assert "<svg" not in (tmp_path / "new.html").read_text(), "one event is no way"


def test_those_without_events_are_where_they_were_and_strangers_are_refused(shell, model, store):
    said = shell("interest", model, "u2", "--store", store)
    assert "No event yet" in said.out
    assert shell("interest", model, "nobody", "--store", store).code == 1


def test_recommendations_and_portraits_start_from_there(shell, model, store):
    asked = ("recommend", model, "u1", "--n", 40, "--json")
    before, after = shell(*asked).json, shell(*asked, "--store", store).json
    assert {"i3", "i4"}.isdisjoint(row["item_id"] for row in after), "what was shown is not shown again"
    assert [row["distance"] for row in before] != [row["distance"] for row in after]
    assert shell("recommend", model, "new").code == 1
    assert len(shell("recommend", model, "new", "--store", store, "--json").json) == 10
    asked = ("portrait", model, "u1", "--no-details", "--json")
    assert shell(*asked).json != shell(*asked, "--store", store).json
    assert json.loads(shell("portrait", model, "new", "--store", store, "--json").out)["subject"] == "user new"
