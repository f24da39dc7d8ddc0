"""The clock of stores stores what it says, and its filter is a fold."""

import math

import pytest

from penchant.dynamics.events import KINDS, Event, open_store
from penchant.testing.stores import check_apply


@pytest.mark.parametrize("kind", KINDS)
def test_all_events_are_stored_and_timed(benchmark_module, store_url, kind):
    module, url = benchmark_module("_event_speed"), store_url(kind)
    found = module.speed(url, 250, 100, users=7)
    assert set(found) == {"events_per_s", "p99_ms", "recovery_s_per_million"}
    assert all(math.isfinite(figure) and figure > 0 for figure in found.values())
    with open_store(url) as store:
        assert store.facts().events == 250, "the last batch is a shorter one"
        states = store.states(store.users(), module.APPLY.space).values()
        assert sum(state.version for state in states) == 250


def test_its_filter_is_a_fold(benchmark_module):
    check_apply(benchmark_module("_event_speed").APPLY, [Event(str(n), 1, 2, 1, n / 3) for n in range(6)])
