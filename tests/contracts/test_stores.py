"""Every event store keeps the laws of `penchant.testing.check_store`."""

import hashlib
from dataclasses import replace
from itertools import count

import pytest

from penchant.dynamics.events import KINDS, Apply, Event, SQLiteStore, open_store
from penchant.testing.stores import chain, check_apply, check_store


@pytest.mark.parametrize("kind", KINDS)
def test_laws(kind, store_url):
    url = store_url(kind)
    check_store(lambda: open_store(url))


class Doubling(SQLiteStore):
    """Takes an id sent again for a new one."""

    def append(self, events, *, apply=None):
        batch = list(events)
        there = {event.id for _, event in self.events()}
        return super().append([replace(e, id=e.id + "'") if e.id in there else e for e in batch], apply=apply)


class Forgetful(SQLiteStore):
    def append(self, events, *, apply=None):
        super().append(list(events)[:1], apply=apply)
        return super().append(events)


class Remembering(SQLiteStore):
    def forget(self, *users):
        return super().forget(*users[1:])


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (Doubling, "counts once"),
        (Forgetful, "new events are accepted"),
        (Remembering, "nobody is left"),
    ],
)
def test_broken_ones_are_caught(broken, law, tmp_path):
    with pytest.raises(AssertionError, match=law):
        check_store(lambda: broken(tmp_path / "events.db"))


EVENTS = [Event(f"e{n}", 1, n, 1, float(n)) for n in range(5)]


def test_a_chain_is_a_fold():
    check_apply(chain(), EVENTS)


_calls = count()


@pytest.mark.parametrize(
    ("step", "law"),
    [
        (lambda user, data, events: hashlib.sha256(repr((data, events)).encode()).digest(), "bit for bit"),
        (lambda user, data, events: str(next(_calls)).encode(), "the same arguments"),
        (lambda user, data, events: "text", "is bytes"),
    ],
)
def test_filters_that_are_no_folds_are_caught(step, law):
    with pytest.raises(AssertionError, match=law):
        check_apply(Apply("broken", step), EVENTS)
