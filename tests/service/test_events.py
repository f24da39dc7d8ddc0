import sqlite3
import time
from dataclasses import replace

import pytest

from penchant.dynamics.events import open_store
from penchant.errors import (
    BusyStoreError,
    FullStoreError,
    NewerFormatError,
    StorageError,
    UnreachableStoreError,
)
from penchant.service.service import Service


def event(number, user="u1", **changes):
    return {"id": f"e{number}", "user": user, "item": "i3", "label": 1, "time": time.time() - 100, **changes}


@pytest.fixture
def stored(settings, run, models, tmp_path):
    url = f"sqlite:///{tmp_path / 'events.db'}"
    options = {"store": url, "model": str(models / "a.penchant"), "models": str(models)}
    with run(replace(settings, **options)) as live:
        yield live


def test_events_move_users_once(stored):
    before = stored.ask("/v1/recommend", {"user": "u1", "n": 50, "exclude_seen": False}).json()["items"]
    events = [event(n) for n in range(3)]
    assert stored.ask("/v1/events", {"events": events}).json() == {"accepted": 3, "duplicates": [], "conflicts": []}
    after = stored.ask("/v1/recommend", {"user": "u1", "n": 50, "exclude_seen": False}).json()["items"]
    distance = [{item["item"]: item["distance"] for item in items}["i3"] for items in (before, after)]
    assert distance[1] < distance[0]
    again = stored.ask("/v1/events", {"events": events[:2]}).json()
    assert again == {"accepted": 0, "duplicates": ["e0", "e1"], "conflicts": []}
    assert stored.ask("/v1/recommend", {"user": "u1", "n": 50, "exclude_seen": False}).json()["items"] == after
    assert stored.ask("/v1/events", {"events": [event(0, label=0)]}).json()["conflicts"] == ["e0"]
    assert stored.ask("/v1/interest/u1").json()["interest"]["events"] == 3


def test_new_users_are_served_and_forgotten(stored):
    who = "new/user ?#é"
    path = "new%2Fuser%20%3F%23%C3%A9"
    assert stored.ask("/v1/recommend", {"user": who}).status_code == 404
    assert stored.ask("/v1/events", {"events": [event(1, who)]}).json()["accepted"] == 1
    assert stored.ask("/v1/recommend", {"user": who}).status_code == 200
    assert stored.ask(f"/v1/interest/{path}").status_code == 200
    assert stored.http.delete(f"/v1/users/{path}").json()["events"] == 1
    assert stored.ask("/v1/recommend", {"user": who}).status_code == 404
    assert stored.http.delete(f"/v1/users/{path}").json()["events"] == 0


def test_events_that_are_refused_are_named(stored, problem_in):
    response = stored.ask("/v1/events", {"events": [event(1), event(2, time=9e12), event(3, weight=-1.0)]})
    assert response.status_code == 422
    response = stored.ask("/v1/events", {"events": [event(1), event(2, time=9e12)]})
    assert "/events/1/time" in [one["field"] for one in problem_in(response)["errors"]]
    assert stored.service.store.facts().events == 0


def test_users_keep_their_place_when_the_model_is_switched(stored):
    stored.ask("/v1/events", {"events": [event(n) for n in range(4)]})
    assert stored.ask("/v1/models", {"name": "b.penchant"}).status_code == 200
    interest = stored.ask("/v1/interest/u1").json()
    assert interest["interest"]["events"] == 4
    assert interest["model"]["version"] == stored.service.models.serving.first.version


def test_events_that_come_while_a_model_is_loaded_are_caught_up(stored, tmp_path):
    stored.ask("/v1/models", {"name": "b.penchant"})
    other = stored.service.models.serving.first
    with open_store(f"sqlite:///{tmp_path / 'events.db'}") as store:  # as another worker does, in another space
        from penchant.dynamics.events import Event

        store.append([Event("x1", user="u2", item="i3", label=1, time=time.time() - 50)])
    stored.service._catch_up()
    assert stored.service.store.state("u2", other.following(stored.service.store).filter.space) is not None


@pytest.mark.parametrize(
    ("error", "status", "after", "said"),
    [
        (BusyStoreError, 503, "1", "Other writers"),
        (UnreachableStoreError, 503, "2", "cannot be reached"),
        (FullStoreError, 507, None, "keep it"),
        (NewerFormatError, 503, None, "another version"),
        (StorageError, 503, None, "in the log"),
    ],
)
def test_a_store_that_fails_is_said_and_what_passes_is_to_be_asked_again(
    stored, problem_in, monkeypatch, error, status, after, said
):
    def fail(*_, **__):
        raise error("/secret/events.db: what it was")

    monkeypatch.setattr(stored.service.store, "append", fail)
    response = stored.ask("/v1/events", {"events": [event(1)]})
    assert (response.status_code, response.headers.get("retry-after")) == (status, after)
    assert said in problem_in(response)["detail"]
    assert "secret" not in response.text
    assert "penchant_store_failures_total" in stored.ask("/metrics").text

    def unreached(*_):
        raise UnreachableStoreError("where users are is asked of the store")

    monkeypatch.setattr(stored.service.store, "states", unreached)
    assert problem_in(stored.ask("/v1/recommend", {"user": "u1"}))["status"] == 503
    assert stored.ask("/v1/recommend", {"user": {"age": 30}}).status_code == 200, "who is in no store needs none"


def test_a_full_disk_keeps_what_it_has_and_takes_the_rest_when_there_is_room(stored, problem_in):
    assert stored.ask("/v1/events", {"events": [event(0)]}).status_code == 200
    with stored.service.store._writer.use() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    refused = None
    for start in range(1, 20_000, 500):
        batch = {"events": [event(n) for n in range(start, start + 500)]}
        refused = stored.ask("/v1/events", batch)
        if refused.status_code != 200:
            break
    assert problem_in(refused)["status"] == 507
    assert stored.ask("/v1/recommend", {"user": "u1"}).status_code == 200
    with stored.service.store._writer.use() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    assert stored.ask("/v1/events", batch).json()["accepted"] == 500
    assert stored.service.store.facts().events == start + 500


def test_a_store_that_is_brought_to_another_format_while_it_is_served(stored, problem_in, settings, tmp_path):
    with sqlite3.connect(tmp_path / "events.db") as connection:
        connection.execute("UPDATE penchant_meta SET value = 999 WHERE name = 'format'")
    connection.close()
    response = stored.ask("/v1/events", {"events": [event(1)]})
    assert (response.status_code, "another version" in problem_in(response)["detail"]) == (503, True)
    assert stored.ask("/v1/recommend", {"user": {"age": 30}}).status_code == 200
    with pytest.raises(NewerFormatError, match="format 999"):
        Service(replace(settings, store=f"sqlite:///{tmp_path / 'events.db'}"))


def test_a_clock_that_jumps_refuses_or_takes_what_its_time_says(stored, monkeypatch, problem_in):
    now = time.time()
    monkeypatch.setattr(stored.service.store, "_clock", lambda: now - 86_400)
    refused = problem_in(stored.ask("/v1/events", {"events": [event(1)]}))
    assert refused["status"] == 422
    assert "future" in refused["errors"][0]["message"]
    monkeypatch.setattr(stored.service.store, "_clock", lambda: now + 86_400)
    assert stored.ask("/v1/events", {"events": [event(1)]}).json()["accepted"] == 1


def test_without_a_store_there_are_no_such_routes(settings, run):
    with run(settings) as live:
        assert live.ask("/v1/events", {"events": [event(1)]}).status_code == 404
