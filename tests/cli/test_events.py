import polars as pl
import pytest


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'events.db'}"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "today.csv"
    path.write_text("user_id,item_id,label,time\nu1,i3,1,1700000000\nu2,i4,0,1700000100\nu1,i5,1,1700000200\n")
    return path


def test_events_are_added_once_counted_exported_and_forgotten(shell, model, file, url, tmp_path):
    assert "3 events added" in shell("events", "add", model, file, "--store", url).err
    assert shell("events", "add", model, file, "--store", url, "--json").json["duplicates"] == 3
    found = shell("events", "facts", "--store", url, "--json").json
    assert (found["events"], found["users"]) == (3, 2)
    out = tmp_path / "clicks.parquet"
    assert shell("events", "export", out, "--store", url).code == 0
    assert sorted(pl.read_parquet(out)["item"].to_list()) == ["i3", "i4", "i5"]
    assert shell("events", "forget", "u1", "--store", url, "--json").json["events"] == 2
    assert shell("events", "facts", "--store", url, "--json").json["events"] == 1


def test_a_store_is_copied_and_put_back(shell, model, file, url, tmp_path):
    shell("events", "add", model, file, "--store", url)
    copy, back = tmp_path / "copy.db", f"sqlite:///{tmp_path / 'back.db'}"
    assert "3 events of 2 users copied" in shell("events", "backup", copy, "--store", url).err
    assert shell("events", "restore", copy, "--store", back, "--json").json["events"] == 3
    assert shell("events", "restore", copy, "--store", url).code == 2, "a store is there"
    assert "pg_dump" in shell("events", "backup", copy, "--store", "postgresql://db/x").err


def test_states_are_replayed_and_old_events_folded(shell, model, file, url):
    shell("events", "add", model, file, "--store", url)
    before = shell("interest", model, "u1", "--store", url, "--json").json["point"]
    assert shell("events", "replay", model, "--store", url, "--json").json == {"users": 2}
    assert shell("interest", model, "u1", "--store", url, "--json").json["point"] == before
    assert shell("events", "compact", model, "--days", 1, "--store", url, "--json").json == {"events": 3}
    assert shell("interest", model, "u1", "--store", url, "--json").json["point"] == before


def test_what_is_wrong_is_said(shell, model, file, url, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("user_id,item_id,label,time\nu1,i3,7,1700000000\n")
    said = shell("events", "add", model, bad, "--store", url)
    assert said.code == 1
    assert "label" in said.err
    assert shell("events", "add", model, file, "--store", "nowhere").code == 2
    assert shell("events", "export", tmp_path / "clicks.csv", "--store", url).code == 2
