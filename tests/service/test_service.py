import threading
import time
from dataclasses import replace

import pytest

from penchant.errors import ConfigError
from penchant.service import ServiceSettings
from penchant.service.service import Service


def test_a_model_is_needed():
    with pytest.raises(ConfigError, match="model"):
        Service(ServiceSettings())


def hold(service, kind, until):
    """Let the computations of a kind wait."""
    batcher = service.batchers[kind]
    compute = batcher._compute
    batcher._compute = lambda asked: until.wait(10) and compute(asked)


def in_threads(work, count):
    got = []
    threads = [threading.Thread(target=lambda: got.append(work())) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, got


def test_more_than_it_can_do_is_refused_at_once_and_the_rest_answered(settings, run):
    may = threading.Event()
    with run(replace(settings, queue=3, batch=1)) as live:
        hold(live.service, "recommend", may)
        threads, got = in_threads(lambda: live.ask("/v1/recommend", {"user": "u1", "n": 1}), 12)
        while len(got) < 8:
            time.sleep(0.01)
        assert {response.status_code for response in got} == {503}
        assert all(int(response.headers["retry-after"]) >= 1 for response in got)
        assert live.ask("/readyz").status_code == 200, "the loop is free"
        may.set()
        for thread in threads:
            thread.join()
        assert sorted(response.status_code for response in got) == [200] * 4 + [503] * 8


def test_what_takes_too_long_is_given_up(settings, run, problem_in):
    may = threading.Event()
    with run(replace(settings, deadline_s=0.3)) as live:
        hold(live.service, "portrait" if "portrait" in live.service.batchers else "read", may)
        response = live.ask("/v1/portrait", {"user": "u1"})
        may.set()
        assert problem_in(response)["status"] == 504


def test_what_has_begun_is_finished_when_it_ends(settings, run):
    may = threading.Event()
    with run(settings) as live:
        hold(live.service, "recommend", may)
        threads, got = in_threads(lambda: live.ask("/v1/recommend", {"user": "u1", "n": 1}), 3)
        while live.service.desk.waiting < 3:
            time.sleep(0.005)
        live.server.handle_exit(15, None)
        assert not live.service.ready
        time.sleep(0.05)
        may.set()
        for thread in threads:
            thread.join()
    assert [response.status_code for response in got] == [200] * 3


def test_many_at_once_get_what_each_would_get_alone(live, same):
    users = [{"age": age} for age in range(20, 60)]
    alone = [live.ask("/v1/recommend", {"user": user, "n": 5}).json() for user in users]
    together = {}
    threads = [
        threading.Thread(target=lambda n=n, user=user: together.__setitem__(
            n, live.ask("/v1/recommend", {"user": user, "n": 5}).json()))
        for n, user in enumerate(users)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same([together[n] for n in range(len(users))], alone)
