"""The laws of an event store: nothing counts twice, nothing is lost, and a state is the fold of its events."""

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl

from penchant.dynamics.events import Apply, Event, EventStore, Id, State
from penchant.errors import DataError, Problem

__all__ = ["chain", "check_apply", "check_store"]

_NOW = float(int(time.time())) - 1000.0


def chain(space: str = "chain") -> Apply:
    """A filter that shows what it was given: each state hashes the one before it and the next event.

    Any event that is lost, doubled or out of place gives other bytes.
    """

    def step(user: Id, data: bytes | None, events: Sequence[Event]) -> bytes:
        found = data if data is not None else repr((space, user)).encode()
        for event in events:
            found = hashlib.sha256(found + repr(event).encode()).digest()
        return found

    return Apply(space, step, carry=lambda user, other, data: hashlib.sha256(space.encode() + data).digest())


def check_apply(apply: Apply, events: Sequence[Event]) -> None:
    """Hold a filter against what a store asks of it: it is a fold, and depends on nothing but its arguments.

    Arguments:
        events: some of one user, in the order of their times; three at least.

    Raises:
        AssertionError: naming the law that is broken.
    """
    user = events[0].user
    whole = apply.step(user, None, events)
    assert isinstance(whole, bytes), "a state is bytes"
    assert apply.step(user, None, events) == whole, "the same arguments give the same bytes"
    for cut in range(1, len(events)):
        data = apply.step(user, apply.step(user, None, events[:cut]), events[cut:])
        assert data == whole, f"step(step(first {cut}), rest) is step(all), bit for bit"


def check_store(connect: Callable[[], EventStore]) -> None:
    """Hold an event store against the laws.

    Arguments:
        connect: opens the store; each call the same one, empty before the first, with the usual limits.

    Raises:
        AssertionError: naming the law that is broken.
    """
    for law in (
        _check_log,
        _check_refusal,
        _check_states,
        _check_late,
        _check_spaces,
        _check_compaction,
        _check_carrying,
        _check_purge,
    ):
        with _emptied(connect) as store:
            law(store)
    _check_lasting(connect)
    with _emptied(connect) as store:
        _check_forgetting(store)
        _check_export(store)


@contextmanager
def _emptied(connect: Callable[[], EventStore]) -> Iterator[EventStore]:
    with connect() as store:
        store.forget(*store.users())
        yield store
        store.forget(*store.users())
        assert not list(store.users()), "nobody is left when all are forgotten"


_numbers = iter(range(10**9))


def _event(user: Id, second: float, label: int = 1, item: Id = "tea") -> Event:
    return Event(f"law-{next(_numbers)}", user, item, label, _NOW + second)


def _replayed(store: EventStore, apply: Apply, users: Sequence[Id]) -> dict[Id, State]:
    """What the states are to be: folded here from what the log holds."""
    found = {}
    for user in users:
        events = sorted(store.events(user), key=lambda one: (one.event.time, one.offset))
        if events:
            data = apply.step(user, None, [event for _, event in events])
            found[user] = State(data, len(events), events[-1].event.time)
    return found


def _check_log(store: EventStore) -> None:
    pairs: list[tuple[Id, Id]] = [(7, "7"), ("7", 7), (7, 8)]
    batch = [_event(user, second, item=item) for second, (user, item) in enumerate(pairs)]
    context = {"place": "home", "n": 1, "x": 0.1}
    batch.append(replace(_event("é", 1.5, 0), kind="impression", weight=0.5, context=context))
    done = store.append(batch)
    assert done.accepted == len(batch), "new events are accepted"
    assert list(done.offsets.values()) == sorted(done.offsets.values()), "offsets grow within a batch"
    log = [event for _, event in store.events()]
    assert log == batch, "events come back in their order, equal, with ids of their types"
    assert [event for _, event in store.events("7")] == batch[1:2], "a user's events; text is not a number"
    first = done.offsets[batch[0].id]
    assert [e for _, e in store.events(after=first, limit=2)] == batch[1:3], "what is after an offset, up to a limit"
    again = store.append([*batch, _event(1, 5)])
    assert (again.accepted, again.duplicates) == (1, tuple(e.id for e in batch)), "an id sent again counts once"
    assert all(again.offsets[e.id] == done.offsets[e.id] for e in batch), "a duplicate has the offset it had"
    changed = replace(batch[0], item="another")
    assert store.append([changed]).conflicts == (changed.id,), "an id with other content is a conflict"
    assert next(store.events(limit=1)).event == batch[0], "and the first content stays"
    twice = _event(1, 6)
    assert store.append([twice, twice]).accepted == 1, "an id twice in one batch counts once"
    assert set(store.users()) == {7, "7", "é", 1}, "users are those with events"


def _refused(store: EventStore, events: Sequence[Event], apply: Apply | None = None) -> tuple[Problem, ...]:
    """What is wrong with a batch; nothing where it is taken."""
    try:
        store.append(events, apply=apply)
    except DataError as error:
        return tuple(error.problems)
    return ()


def _check_refusal(store: EventStore) -> None:
    good = _event(1, 0)
    bad = [replace(good, id=""), replace(good, id="x", label=2), replace(good, id="y", time=float("nan"))]
    bad.append(replace(good, id="z", time=time.time() + 1e6))
    problems = _refused(store, [good, *bad])
    assert problems, "a batch with wrong events is refused"
    assert {p.column for p in problems} == {"id", "label", "time"}, "every field that is wrong is named"
    assert {row for p in problems for row in p.rows} == {1, 2, 3, 4}, "and every event"
    assert not list(store.events()), "a refused batch leaves nothing"
    assert store.append([]).accepted == 0, "an empty batch is no mistake"


def _check_states(store: EventStore) -> None:
    apply = chain()
    users: list[Id] = [1, "1", 2]
    for second in range(40):
        done = store.append([_event(user, second) for user in users[: second % 3 + 1]], apply=apply)
        known = store.states(users, apply.space)
        assert done.states.items() <= known.items(), "the states after the batch are given back"
    expected = _replayed(store, apply, users)
    assert store.states(users, apply.space) == expected, "a state is the fold of its user's events"
    assert store.state(9, apply.space) is None, "who has no events has no state"
    store.append([event for _, event in store.events(limit=5)], apply=apply)
    assert store.states(users, apply.space) == expected, "events sent again do not move a state"

    def broken(*_: object) -> bytes:
        raise RuntimeError("broken")

    try:
        store.append([_event(3, 1)], apply=replace(apply, step=broken))
    except RuntimeError:
        assert not list(store.events(3)), "a filter that fails leaves nothing of the batch"
    else:
        raise AssertionError("a filter's own error is not hidden")
    assert store.replay(apply) == 3, "replay goes through all users"
    assert store.states(users, apply.space) == expected, "replay gives the same bits"


def _check_late(store: EventStore) -> None:
    apply = chain()
    seconds = [(37 * k) % 101 for k in range(101)]
    for start in range(0, 101, 7):
        store.append([_event(1, float(second)) for second in seconds[start : start + 7]], apply=apply)
    store.append([_event(1, 50.0), _event(1, 50.0)], apply=apply)
    store.append([_event(1, 200.0)])
    store.append([_event(1, 0.5)], apply=apply)
    assert store.states([1], apply.space) == _replayed(store, apply, [1]), "late events are applied at their time"


def _check_spaces(store: EventStore) -> None:
    old, new = chain("old"), chain("new")
    store.append([_event(1, 0), _event(2, 0)], apply=old)
    store.append([_event(1, 1)], apply=new)
    assert store.state(1, "new") == _replayed(store, new, [1])[1], "another space begins with the whole log"
    assert store.state(2, "new") is None, "states of one space are not those of another"
    assert store.advance([1, 2], old) == _replayed(store, old, [1, 2]), "advance catches up"
    assert store.retire("old") == 2, "a space is retired with its states"
    assert store.state(1, "old") is None, "and is gone"
    assert store.advance([1], old) == _replayed(store, old, [1]), "its states can be made again"


def _check_compaction(store: EventStore) -> None:
    apply = chain()
    store.append([_event(user, second) for user in (1, 2) for second in range(20)], apply=apply)
    before = store.states([1, 2], apply.space)
    kept = [one for one in store.events() if one.event.time >= _NOW + 12]
    folded = [one.event for one in store.events() if one.event.time < _NOW + 12]
    assert store.compact(_NOW + 12, apply) == len(folded), "events before are folded"
    assert list(store.events()) == kept, "and the others stay"
    store.replay(apply)
    assert store.states([1, 2], apply.space) == before, "states after compaction are what they were, replayed too"
    problems = _refused(store, [folded[0]], apply)
    assert problems, "a folded event sent again would count twice"
    assert problems[0].column == "time", "a folded event sent again is refused by its time"
    late = _event(1, 12.5)
    store.append([late], apply=apply)
    moved = store.states([1], apply.space)
    store.replay(apply)
    assert store.states([1], apply.space) == moved, "a late event after compaction: state is replay"


def _check_carrying(store: EventStore) -> None:
    """A compacted past outlives its space until another one has it."""
    old, new = chain("old"), chain("new")
    store.append([_event(user, 13 + second) for user in (1, 2) for second in range(5)], apply=old)
    store.compact(_NOW + 16, old)
    assert old.carry is not None
    assert new.carry is not None
    store.advance([1], new)
    store.retire("old")
    found = store.advance([1, 2], new)
    assert found[1].version == found[2].version == 5, "what is not carried over yet is kept when a space is retired"
    assert found == store.states([1, 2], "new"), "and then it is there"
    store.retire("old")
    assert store.advance([2], Apply("third", new.step))[2].version == 2, "and what is carried over is not kept twice"


def _check_purge(store: EventStore) -> None:
    apply = chain()
    store.append([_event(1, 20 + second) for second in range(20)] + [_event(2, 21)], apply=apply)
    assert store.purge(_NOW + 30, apply) == 11, "events before are deleted"
    assert store.states([1, 2], apply.space) == _replayed(store, apply, [1, 2]), "states hold what is left"
    assert list(store.users()) == [1], "who has no events left is gone"


def _check_lasting(connect: Callable[[], EventStore]) -> None:
    apply = chain()
    with _emptied(connect) as store:
        store.append([_event(user, 50 + second) for user in (1, "1") for second in range(10)], apply=apply)
        log, states, facts = list(store.events()), store.states([1, "1"], apply.space), store.facts()
        with connect() as other:
            assert list(other.events()) == log, "the log is there for whoever opens the store"
            assert other.states([1, "1"], apply.space) == states, "and so are the states"
            assert other.facts() == facts, "and what it says of itself"
            other.append([_event(2, 60)])
        assert len(list(store.events(after=facts.offset))) == 1, "what another connection adds is seen"


def _check_forgetting(store: EventStore) -> None:
    apply = chain()
    store.append([_event(user, 50) for user in (1, 2)], apply=apply)
    last = store.facts().offset
    gone = store.forget(2, "nobody")
    assert (gone.users, gone.events, gone.states) == (1, 1, 1), "what there was is counted"
    assert not list(store.events(2)), "events are forgotten"
    assert store.state(2, apply.space) is None, "and states"
    assert list(store.users()) == [1], "and the user"
    done = store.append([_event(2, 51)], apply=apply)
    assert min(done.offsets.values()) > last, "an offset is never used twice"
    assert done.states == _replayed(store, apply, [2]), "who comes back is new"


def _check_export(store: EventStore) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        rows = store.export(path)
        table = pl.read_parquet(path)
        assert [file.name for file in Path(folder).iterdir()] == [path.name], "nothing is left beside an export"
    assert table.columns == ["user", "item", "label", "time", "weight"], "an export has the columns of interactions"
    expected = [(e.user, e.item, e.label, e.time, e.weight) for _, e in store.events()]
    assert (rows, table.rows()) == (len(expected), expected), "an export holds the log"
