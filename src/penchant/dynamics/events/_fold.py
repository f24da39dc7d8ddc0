"""States from events: the one place where a filter is applied.

in order    the new events are not before the state's time       -> folded onto the state
late        one of them is before it                             -> folded again, from the last snapshot before it
new space   there is no state                                    -> folded from the beginning, or from a base
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Protocol

from penchant.dynamics.events import _sql as sql
from penchant.dynamics.events._rows import Place, Row, logged
from penchant.dynamics.events.contract import Apply, Id, Logged, State, StoreOptions
from penchant.errors import ConfigError


class Session(Protocol):
    """A transaction on a connection, in the words of `_sql`."""

    def rows(self, statement: str, *values: object) -> list[Row]:
        """Run a statement with values bound, and fetch its rows."""
        ...

    def many(self, statement: str, rows: Sequence[Row]) -> int:
        """Run a statement for each row; returns how many rows changed."""
        ...


class Folding:
    """Brings states of one space up to date, within a transaction that holds the users' locks.

    Arguments:
        users: numbers of the tables, and whose they are.
    """

    def __init__(self, session: Session, apply: Apply, options: StoreOptions, users: Mapping[int, Id]) -> None:
        self.session, self.apply, self.options, self.users = session, apply, options, users
        self.snapshots: list[Row] = []

    def advance(self) -> dict[Id, State]:
        """Fold what the states do not hold yet; returns the states of all users who have one."""
        uids = list(self.users)
        places = {row[0]: _place(row) for row in self.session.rows(sql.STATES_OF, uids, self.apply.space)}
        starts = self._bases([uid for uid in uids if uid not in places])
        rows = self.session.rows(sql.PENDING, self.apply.space, uids)
        pending = {uid: list(group) for uid, group in groupby(rows, key=lambda row: row[2])}
        moved: dict[int, Place] = {}
        for uid, user in self.users.items():
            new = [logged(row, user) for row in pending.get(uid, ())]
            if uid in places and new:
                moved[uid] = self._onto(uid, places[uid], new)
            elif uid not in places and (new or uid in starts):
                moved[uid] = self._folded(uid, starts.get(uid), new)
        self._write(moved)
        found = {uid: place.state for uid, place in {**places, **moved}.items()}
        return {self.users[uid]: found[uid] for uid in uids if uid in found}

    def rebase(self, before: float) -> None:
        """Fold the events before a time into the bases that the later ones start from."""
        starts = self._bases(list(self.users))
        for uid, user in self.users.items():
            events = [logged(row, user) for row in self.session.rows(sql.BEFORE, uid, before)]
            if events:
                start = starts.get(uid)
                state = self._step(user, start and start.state, events)
                self.session.rows(sql.DROP_UP_TO, uid, self.apply.space, state.version)
                self._put_base(uid, state)

    def _onto(self, uid: int, place: Place, new: list[Logged]) -> Place:
        first, user = new[0].event.time, self.users[uid]
        if first >= place.state.time:
            return self._folded(uid, place, new)
        seen = max(place.seen, *(offset for offset, _ in new))
        self.session.rows(sql.DROP_LATER, uid, self.apply.space, first)
        rows = self.session.rows(sql.SNAPSHOT_BEFORE, uid, self.apply.space, first)
        start = _snapshot(rows[0]) if rows else None
        after = (start.state.time, start.state.time, start.last) if start else (float("-inf"), float("-inf"), 0)
        events = [logged(row, user) for row in self.session.rows(sql.SINCE, uid, *after)]
        return self._folded(uid, start, events)._replace(seen=seen)

    def _folded(self, uid: int, start: Place | None, events: list[Logged]) -> Place:
        """Fold events onto a place, in pieces that end where a snapshot is due."""
        place = start
        for piece in _pieces(events, start.state.version if start else 0, self.options.snapshot_every):
            state = self._step(self.users[uid], place and place.state, piece)
            seen = max(place.seen if place else 0, *(offset for offset, _ in piece))
            place = Place(state, piece[-1].offset, seen)
            if state.version % self.options.snapshot_every == 0:
                self.snapshots.append((uid, self.apply.space, state.version, state.time, place.last, 0, state.data))
        assert place is not None, "a start or an event"
        return place

    def _step(self, user: Id, state: State | None, events: Sequence[Logged]) -> State:
        data = self.apply.step(user, None if state is None else state.data, [event for _, event in events])
        if not isinstance(data, bytes):
            raise ConfigError(f"apply.step gave {type(data).__name__}: bytes expected")
        return State(data, (state.version if state else 0) + len(events), float(events[-1].event.time))

    def _write(self, moved: Mapping[int, Place]) -> None:
        space = self.apply.space
        rows = [(uid, space, s.version, s.time, last, seen, s.data) for uid, (s, last, seen) in moved.items()]
        self.session.many(sql.PUT_STATE, rows)
        self.session.many(sql.PUT_SNAPSHOT, self.snapshots)
        kept = self.options.snapshot_every * self.options.snapshots
        self.session.many(sql.DROP_OLDER, [(row[0], space, row[2] - kept) for row in self.snapshots])
        self.snapshots = []

    def _bases(self, uids: list[int]) -> dict[int, Place]:
        """What folded pasts there are, those of other spaces carried over."""
        if not uids:
            return {}
        found = {row[0]: _snapshot(row) for row in self.session.rows(sql.BASES, uids, self.apply.space)}
        if self.apply.carry is None:
            return found
        missing = [uid for uid in uids if uid not in found]
        others = {row[0]: row for row in self.session.rows(sql.OTHER_BASES, missing, self.apply.space)}  # the longest
        for uid, space, version, time, data in others.values():
            carried = self.apply.carry(self.users[uid], space, bytes(data))
            if carried is not None:
                state = State(carried, version, time)
                self._put_base(uid, state)
                found[uid] = Place(state, 0, 0)
        return found

    def _put_base(self, uid: int, state: State) -> None:
        row = (uid, self.apply.space, state.version, state.time, 0, 1, state.data)
        self.session.many(sql.PUT_SNAPSHOT, [row])


def _place(row: Row) -> Place:
    _, version, time, last, seen, data = row
    return Place(State(bytes(data), version, time), last, seen)


def _snapshot(row: Row) -> Place:
    _, version, time, last, data = row
    return Place(State(bytes(data), version, time), last, last)


def _pieces(events: list[Logged], version: int, every: int) -> Iterator[list[Logged]]:
    start = 0
    while start < len(events):
        end = start + every - (version + start) % every
        yield events[start:end]
        start = end
