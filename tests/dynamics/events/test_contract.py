"""Any sequence of calls on any store is what a plain list says; the laws one by one are in tests/contracts."""

from dataclasses import replace
from itertools import count

import pytest
from event_oracle import Plain
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penchant.dynamics.events import KINDS, Event, SQLiteStore, StoreOptions, open_store
from penchant.errors import DataError
from penchant.testing.stores import chain

USERS = ["a", "b", 1, "1"]
APPLIES = {"one": replace(chain("one"), carry=None), "two": replace(chain("two"), carry=None)}
OPTIONS = StoreOptions(snapshot_every=3, snapshots=2)

some = st.builds(
    Event,
    id=st.integers(0, 60).map("e{}".format),
    user=st.sampled_from(USERS),
    item=st.sampled_from(["x", 1]),
    label=st.integers(0, 1),
    time=st.integers(0, 30).map(float),
)
appends = st.tuples(st.just("append"), st.lists(some, min_size=1, max_size=9), st.sampled_from(["one", "two", None]))
times = st.integers(0, 20).map(float)
deeds = st.one_of(
    appends,
    appends,
    appends,
    st.tuples(st.just("replay"), st.sampled_from(["one", "two"])),
    st.tuples(st.just("advance"), st.sampled_from(["one", "two"])),
    st.tuples(st.just("compact"), times),
    st.tuples(st.just("purge"), times),
    st.tuples(st.just("forget"), st.sampled_from(USERS)),
    st.tuples(st.just("reopen")),
)


def do(store, plain, deed, *words):
    """One call on both; they say the same."""
    if deed == "append":
        batch, space = words
        expected = plain.append(batch)
        if expected is None:
            with pytest.raises(DataError, match="compacted or purged"):
                store.append(batch, apply=APPLIES.get(space))
        else:
            done = store.append(batch, apply=APPLIES.get(space))
            assert (done.accepted, [*done.duplicates], [*done.conflicts]) == expected
            if space:
                assert done.states.items() <= plain.states(USERS, APPLIES[space]).items()
    elif deed in ("compact", "purge"):
        assert getattr(store, deed)(*words, *APPLIES.values()) == getattr(plain, deed)(*words)
    elif deed == "forget":
        store.forget(*words)
        plain.forget(*words)
    elif deed == "replay":
        store.replay(APPLIES[words[0]])
        assert store.states(USERS, words[0]) == plain.states(USERS, APPLIES[words[0]])
    elif deed == "advance":
        assert store.advance(USERS, APPLIES[words[0]]) == plain.states(USERS, APPLIES[words[0]])
    else:
        store.close()


def held_against(url, sequence):
    plain = Plain()
    with open_store(url, options=OPTIONS) as store:
        for deed in sequence:
            do(store, plain, *deed)
            assert [event for _, event in store.events()] == plain.log
        for space, apply in APPLIES.items():
            expected = plain.states(USERS, apply)
            assert store.advance(USERS, apply) == expected
            assert store.states(USERS, space) == expected
            store.replay(apply)
            assert store.states(USERS, space) == expected
        assert set(store.users()) == {event.user for event in (*plain.log, *plain.folded)}


SHARED = [HealthCheck.function_scoped_fixture]
"""Each example has a store of its own all the same."""

_files = count()


@settings(max_examples=60, suppress_health_check=SHARED)
@given(sequence=st.lists(deeds, min_size=3, max_size=14))
def test_any_sequence_on_sqlite(tmp_path, sequence):
    held_against(f"sqlite:///{tmp_path / str(next(_files))}", sequence)


@settings(max_examples=8, suppress_health_check=SHARED)
@given(sequence=st.lists(deeds, min_size=3, max_size=14))
def test_any_sequence_on_postgresql(store_url, sequence):
    held_against(store_url("postgresql"), sequence)


def test_the_label_says_the_kind_where_none_is_given():
    assert Event("e", "u", "i", 1, 0.0).kind == "like"
    assert Event("e", "u", "i", 0, 0.0).kind == "dislike"
    assert Event("e", "u", "i", 0, 0.0, "impression").kind == "impression"


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_is_closed_when_it_is_left_and_opens_again(store_url, kind):
    with open_store(store_url(kind)) as store:
        store.append([Event("e", "u", "i", 1, 0.0)])
    assert store.facts().events == 1, "a later call opens it again"
    assert store.state("u", "space") is None
    store.close()


def test_what_was_compacted_under_another_model_is_carried_over_or_does_not_count(tmp_path):
    old, new = chain("old"), chain("new")
    past, late = [Event(f"e{n}", "u", n, 1, float(n)) for n in range(6)], Event("e9", "u", 9, 1, 9.0)
    with SQLiteStore(tmp_path / "events.db") as store:
        store.append(past, apply=old)
        store.compact(4.0, old)
        folded = new.carry("u", "old", old.step("u", None, past[:4]))
        store.append([late], apply=new)
        expected = new.step("u", folded, [*past[4:], late])
        assert store.state("u", "new").data == expected
        assert store.state("u", "new").version == 7
        store.replay(new)
        assert store.state("u", "new").data == expected
        alone = replace(chain("third"), carry=None)
        found = store.advance(["u"], alone)["u"]
        assert (found.data, found.version) == (alone.step("u", None, [*past[4:], late]), 3)
