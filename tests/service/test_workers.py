"""Several workers on one socket and one store: what one does the others see; one that is killed is replaced."""

import contextlib
import os
import re
import shutil
import signal
import sys
import time

import httpx
import pytest

from penchant.testing.servers import PostgresServer

NOW = time.time() - 1000
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="stops processes and reads /proc")


def asked(method, url, body=None):
    """Patient: a machine with much to do answers late."""
    return httpx.request(method, url, json=body, timeout=60)


def until(holds, seconds=180.0):
    """Wait until something holds; give what it gave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            if found := holds():
                return found
        time.sleep(0.02)
    raise AssertionError("it never was so")


def pids(url):
    """The workers that serve, as the metrics tell."""
    text = asked("GET", f"{url}/metrics").text
    return {int(pid) for pid in re.findall(r'^penchant_up\{pid="(\d+)"\} 1', text, re.MULTILINE)}


def alive(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"
    return False


@contextlib.contextmanager
def only(url, pid):
    """Meanwhile one worker answers, since the others stand still."""
    others = pids(url) - {pid}
    for other in others:
        os.kill(other, signal.SIGSTOP)
    try:
        yield
    finally:
        for other in others:
            os.kill(other, signal.SIGCONT)


def event(number, user):
    return {"id": f"e{number}", "user": user, "item": "i3", "label": 1, "time": NOW + number}


@pytest.fixture(scope="module")
def database():
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="module")
def two(process, database, postgres, folder, tmp_path_factory):
    """Two workers on PostgreSQL with a folder of models: their URL, and their parent."""
    models = shutil.copytree(folder, tmp_path_factory.mktemp("two") / "models")
    words = ["--workers", 2, "--store", database.fresh(), "--models", models, "--log-level", "error"]
    with process(models / "a.penchant", *words) as (url, parent):
        until(lambda: len(pids(url)) == 2)
        yield url, parent


def test_what_one_worker_did_the_other_sees(two):
    url, _ = two
    one, other = sorted(pids(url))
    with only(url, one):
        assert asked("GET", f"{url}/v1/interest/new").status_code == 404
        done = asked("POST", f"{url}/v1/events", {"events": [event(n, "new") for n in range(3)]})
        assert done.json()["accepted"] == 3
    with only(url, other):
        assert asked("GET", f"{url}/v1/interest/new").json()["interest"]["events"] == 3
        again = asked("POST", f"{url}/v1/events", {"events": [event(2, "new"), event(3, "new")]}).json()
        assert (again["accepted"], again["duplicates"]) == (1, ["e2"])
        assert asked("DELETE", f"{url}/v1/users/new").json() == {"users": 1, "events": 4, "states": 1}
    with only(url, one):
        assert asked("GET", f"{url}/v1/interest/new").status_code == 404


def test_both_follow_a_switch_and_keep_users_where_their_events_put_them(two):
    url, _ = two
    one, other = sorted(pids(url))
    with only(url, other):
        asked("POST", f"{url}/v1/events", {"events": [event(n, "u5") for n in range(10, 14)]})
    with only(url, one):
        before = asked("GET", f"{url}/v1/model").json()["first"]
        assert asked("POST", f"{url}/v1/models", {"name": "b.penchant"}).status_code == 200
    with only(url, other):
        now = until(
            lambda: (found := asked("GET", f"{url}/v1/model").json()["first"])["name"] == "b.penchant" and found
        )
        assert now["version"] != before["version"]
        answer = asked("GET", f"{url}/v1/interest/u5").json()
        assert (answer["interest"]["events"], answer["model"]["version"]) == (4, now["version"])
    with only(url, one):
        assert asked("GET", f"{url}/v1/model").json()["first"]["version"] == now["version"]


def test_a_killed_worker_is_replaced_and_the_other_answers_meanwhile(two):
    url, _ = two
    before = pids(url)
    os.kill(min(before), signal.SIGKILL)
    until(lambda: not alive(min(before)))
    assert asked("POST", f"{url}/v1/recommend", {"user": "u1"}).status_code == 200
    (new,) = until(lambda: len(now := pids(url)) == 2 and now - before)
    with only(url, new):
        assert until(lambda: asked("POST", f"{url}/v1/recommend", {"user": "u1"}).status_code == 200)
        assert asked("GET", f"{url}/v1/model").json()["first"]["name"] == "b.penchant", "what was switched to"


def test_they_outlast_their_database(two, database):
    url, parent = two
    database.kill()
    refused = asked("POST", f"{url}/v1/events", {"events": [event(20, "u6")]})
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert asked("POST", f"{url}/v1/recommend", {"user": {"age": 30}}).status_code == 200
    before = pids(url)
    os.kill(min(before), signal.SIGKILL)  # its successors cannot start for now
    until(lambda: not alive(min(before)))
    time.sleep(1.0)
    assert parent.poll() is None
    database.start()
    assert until(lambda: asked("POST", f"{url}/v1/events", {"events": [event(20, "u6")]}).status_code == 200)
    until(lambda: len(pids(url)) == 2)
    for pid in pids(url):
        with only(url, pid):
            assert asked("GET", f"{url}/v1/interest/u6").json()["interest"]["events"] == 1


def test_workers_end_when_their_parent_is_gone(two):
    url, parent = two
    workers = pids(url)
    parent.kill()
    parent.wait()
    until(lambda: not any(map(alive, workers)))
    with pytest.raises(httpx.TransportError):
        asked("GET", f"{url}/readyz")


def test_workers_that_cannot_start_are_said(process, models):
    weights = models / "a.penchant" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(AssertionError) as found, process(models / "a.penchant", "--workers", 2):
        pass
    assert "a worker cannot start" in str(found.value)
    assert "truncated" in str(found.value)
    assert "Traceback" not in str(found.value)
