"""Writers and servers killed at random moments leave what was acknowledged, once, and states that are replays."""

import pytest


@pytest.mark.parametrize(("kind", "victim"), [("sqlite", "writer"), ("postgresql", "writer"), ("postgresql", "server")])
def test_a_kill_leaves_whole_batches_once_and_states_that_are_replays(benchmark_module, request, kind, victim):
    if kind == "postgresql":
        request.getfixturevalue("postgres")  # skipped where there is none
    found = benchmark_module("_event_kills").kills(kind, 2 if victim == "server" else 5, seed=1, victim=victim)
    assert found["acknowledged"] > 0, "they had begun"
    assert (found["lost or doubled"], found["torn batches"], found["states unlike replay"]) == (0, 0, 0)
