"""The contract, written in the statements of `_sql`: all that the two databases have in common."""

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from penchant.dynamics.events import _sql as sql
from penchant.dynamics.events._fold import Folding, Session
from penchant.dynamics.events._parquet import Columns, write
from penchant.dynamics.events._rows import Row, content, id_of, key, logged
from penchant.dynamics.events._tables import check_format
from penchant.dynamics.events.checks import check_events, problem
from penchant.dynamics.events.contract import (
    Appended,
    Apply,
    Event,
    EventStore,
    Forgotten,
    Id,
    Logged,
    State,
    StoreFacts,
    StoreOptions,
)
from penchant.errors import ConfigError, DataError

__all__ = ["RacedError", "SQLStore"]

T = TypeVar("T")

_PAGE = 2000
_USERS = 200
"""Users in one transaction of those that go through all of them."""


class RacedError(Exception):
    """Another writer was there between two statements: the transaction is to run again."""


class SQLStore(EventStore):
    """An event store on a database that runs transactions.

    Attributes:
        name: as errors name it.
    """

    name: str

    def __init__(self, options: StoreOptions, clock: Callable[[], float]) -> None:
        self.options, self._clock = options, clock

    @abstractmethod
    def _write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in a transaction, and make it durable; it may run again where others were in the way."""

    @abstractmethod
    def _read(self, work: Callable[[Session], T]) -> T:
        """Run a statement that reads."""

    @abstractmethod
    def _acknowledged(self) -> int:
        """The offset up to which nothing will be added any more."""

    # ------------------------------------------------------------------ the log

    def append(self, events: Iterable[Event], *, apply: Apply | None = None) -> Appended:
        """Add a batch; see `EventStore.append`."""
        batch = list(events)
        check_events(batch, self.options, self._clock())
        if not batch:
            return Appended(0, (), (), {})
        contents = [content(event) for event in batch]
        return self._write(lambda session: self._append(session, batch, contents, apply))

    def _append(self, session: Session, batch: list[Event], contents: list[Row], apply: Apply | None) -> Appended:
        session.rows(sql.SIDE_BY_SIDE)
        horizon = self._horizon(session)
        known = {row[1]: row[2:] for row in session.rows(sql.KNOWN, [event.id for event in batch])}
        fresh: list[int] = []
        duplicates: list[str] = []
        conflicts: list[str] = []
        for number, (event, row) in enumerate(zip(batch, contents, strict=True)):
            if event.id not in known:
                known[event.id] = row
                fresh.append(number)
            else:
                (duplicates if known[event.id] == row else conflicts).append(event.id)
        _check_horizon([n for n in fresh if batch[n].time < horizon], horizon)
        names = {known[identity][0] for identity in (*(batch[n].id for n in fresh), *duplicates)}
        uids = _lock(session, sorted(names), {contents[n][0] for n in fresh})
        session.many(sql.ADD_EVENT, [(batch[n].id, uids[contents[n][0]], *contents[n][1:]) for n in fresh])
        places: dict[str, int] = dict(session.rows(sql.OFFSETS, [*(batch[n].id for n in fresh), *duplicates]))
        states = self._folding(session, apply, uids).advance() if apply else {}
        return Appended(len(fresh), tuple(duplicates), tuple(conflicts), places, states)

    def _horizon(self, session: Session) -> float:
        """Before which events are refused. Raises: OtherFormatError: somebody brought the tables to another format."""
        meta: dict[str, float] = dict(session.rows(sql.META))
        check_format(session, self.name, int(meta["format"]))
        return meta["horizon"]

    def _folding(self, session: Session, apply: Apply, uids: Mapping[str, int]) -> Folding:
        return Folding(session, apply, self.options, {uid: id_of(name) for name, uid in uids.items()})

    def events(self, user: Id | None = None, *, after: int = 0, limit: int | None = None) -> Iterator[Logged]:
        """The log in the order of offsets; see `EventStore.events`."""
        end, left = self._acknowledged(), math.inf if limit is None else limit
        while left > 0 and after < end:
            rows = self._page(user, after, end, int(min(left, _PAGE)))
            yield from (logged(row, id_of(row[2])) for row in rows)
            if not rows:
                return
            after, left = rows[-1][0], left - len(rows)

    def _page(self, user: Id | None, after: int, end: int, size: int) -> list[Row]:
        if user is None:
            return self._read(lambda session: session.rows(sql.PAGE, after, end, size))
        return self._read(lambda session: session.rows(sql.PAGE_OF_USER, after, end, key(user), size))

    def export(self, path: str | Path) -> int:
        """The log as Parquet; see `EventStore.export`."""
        types = self._read(lambda session: session.rows(sql.USER_TYPES) + session.rows(sql.ITEM_TYPES))
        return write(Path(path), Columns.of(*types), self.events(), _PAGE)

    def users(self) -> Iterator[Id]:
        """Everyone, in pages."""
        for page in self._everyone():
            yield from (id_of(name) for _, name in page)

    def facts(self) -> StoreFacts:
        """What the store holds."""
        meta: dict[str, Any] = dict(self._read(lambda session: session.rows(sql.META)))
        ((events, users, offset),) = self._read(lambda session: session.rows(sql.COUNTS))
        return StoreFacts(int(meta["format"]), events, users, offset, meta["horizon"])

    # ------------------------------------------------------------------ states

    def states(self, users: Iterable[Id], space: str) -> dict[Id, State]:
        """The states there are; see `EventStore.states`."""
        names = [key(user) for user in users]
        rows = self._read(lambda session: session.rows(sql.STATES, names, space))
        return {id_of(name): State(bytes(data), version, moment) for name, version, moment, data in rows}

    def advance(self, users: Iterable[Id], apply: Apply) -> dict[Id, State]:
        """Bring states up to date; see `EventStore.advance`."""
        names = sorted({key(user) for user in users})
        return self._write(lambda session: self._folding(session, apply, _lock(session, names)).advance())

    def replay(self, apply: Apply, users: Iterable[Id] | None = None) -> int:
        """Make states again; see `EventStore.replay`."""
        if users is None:
            pages: Iterator[list[int]] = ([uid for uid, _ in page] for page in self._everyone())
        else:
            names = [key(user) for user in users]
            pages = _paged([uid for uid, _ in self._read(lambda session: session.rows(sql.UIDS, names))])
        return self._in_pages(pages, lambda session, page: self._replay(session, apply, page))

    def _in_pages(self, pages: Iterator[list[int]], work: Callable[[Session, list[int]], int]) -> int:
        """Do it for some users at a time, each time a transaction; returns the sum of what it says."""
        done = 0
        for page in pages:
            done += self._write(partial(_swapped, work, page))
        return done

    def _replay(self, session: Session, apply: Apply, page: list[int]) -> int:
        uids = _lock_uids(session, page)
        session.rows(sql.DROP_STATES_OF, list(uids.values()), apply.space)
        session.rows(sql.DROP_SNAPSHOTS_OF, list(uids.values()), apply.space)
        self._folding(session, apply, uids).advance()
        return len(uids)

    def retire(self, space: str) -> int:
        """Delete a space's states; see `EventStore.retire`."""

        def work(session: Session) -> int:
            session.many(sql.RETIRE_SNAPSHOTS, [(space,)])
            return session.many(sql.RETIRE_STATES, [(space,)])

        return self._write(work)

    # ------------------------------------------------------------------ deleting

    def compact(self, before: float, *applies: Apply) -> int:
        """Fold old events into what states start from; see `EventStore.compact`."""
        if not applies:
            raise ConfigError("compact(): give the filter of each model in use: without one, old events would be lost")
        self._raise_horizon(before, applies)
        uids = self._read(lambda session: session.rows(sql.WITH_EVENTS_BEFORE, before))
        pages = _paged([uid for (uid,) in uids])
        folded = self._in_pages(pages, lambda session, page: self._compact(session, before, applies, page))
        self.vacuum()
        return folded

    def _compact(self, session: Session, before: float, applies: Sequence[Apply], page: list[int]) -> int:
        uids = _lock_uids(session, page)
        for apply in applies:
            folding = self._folding(session, apply, uids)
            folding.advance()
            folding.rebase(before)
        numbers, spaces = list(uids.values()), [apply.space for apply in applies]
        session.rows(sql.KEEP_STATES, numbers, spaces)
        session.rows(sql.KEEP_SNAPSHOTS, numbers, spaces)
        return session.many(sql.DROP_BEFORE, [(numbers, before)])

    def purge(self, before: float, *applies: Apply) -> int:
        """Delete old events and what was made of them; see `EventStore.purge`."""
        self._raise_horizon(before, applies)

        def concerned(session: Session) -> list[Row]:
            return session.rows(sql.WITH_EVENTS_BEFORE, before) + session.rows(sql.WITH_BASES_BEFORE, before)

        pages = _paged(sorted({uid for (uid,) in self._read(concerned)}))
        gone = self._in_pages(pages, lambda session, page: self._purge(session, before, applies, page))
        self.vacuum()
        return gone

    def _purge(self, session: Session, before: float, applies: Sequence[Apply], page: list[int]) -> int:
        uids = _lock_uids(session, page)
        numbers = list(uids.values())
        gone = session.many(sql.DROP_BEFORE, [(numbers, before)])
        session.rows(sql.DROP_STATES, numbers)
        session.rows(sql.DROP_SNAPSHOTS_BEFORE, numbers, before)
        left = {uid for (uid,) in session.rows(sql.WITH_EVENTS, numbers) + session.rows(sql.WITH_BASES, numbers)}
        session.rows(sql.DROP_USERS, [uid for uid in numbers if uid not in left])
        for apply in applies:
            self._folding(session, apply, {name: uid for name, uid in uids.items() if uid in left}).advance()
        return gone

    def _raise_horizon(self, before: float, applies: Sequence[Apply]) -> None:
        """Refuse earlier events from now on; waits for batches under way, so that none slips in behind."""
        if not (math.isfinite(before) and before <= self._clock()):
            raise ConfigError(f"before = {before!r}: a time that has passed expected, in seconds since 1970")
        if len({apply.space for apply in applies}) < len(applies):
            raise ConfigError("two filters of one space: give one for each space")

        def work(session: Session) -> None:
            session.rows(sql.ALONE)
            session.rows(sql.RAISE_HORIZON, before, before)

        self._write(work)

    def forget(self, *users: Id) -> Forgotten:
        """Delete all there is of users; see `EventStore.forget`."""
        names = sorted({key(user) for user in users})
        gone = self._write(lambda session: _forget(session, names))
        self.vacuum()
        return gone

    def _everyone(self) -> Iterator[list[Row]]:
        page = self._users_after(0)
        while page:
            yield page
            page = self._users_after(page[-1][0])

    def _users_after(self, last: int) -> list[Row]:
        return self._read(lambda session: session.rows(sql.USERS_PAGE, last, _USERS))


def _swapped(work: Callable[[Session, list[int]], int], page: list[int], session: Session) -> int:
    return work(session, page)


def _lock(session: Session, names: list[str], new: set[str] | None = None) -> dict[str, int]:
    """Numbers of users by name, their rows held until the transaction ends; in one order, so that nobody deadlocks.

    Arguments:
        new: those who are to be there; added where they are not.
    """
    if new:
        session.many(sql.ADD_USER, [(name,) for name in sorted(new)])
    uids = {name: uid for uid, name in session.rows(sql.LOCK, names)}
    if new and not new <= uids.keys():
        raise RacedError("a user was forgotten meanwhile")
    return uids


def _lock_uids(session: Session, uids: list[int]) -> dict[str, int]:
    return {name: uid for uid, name in session.rows(sql.LOCK_UIDS, uids)}


def _forget(session: Session, names: list[str]) -> Forgotten:
    uids = list(_lock(session, names).values())
    events = session.many(sql.DROP_EVENTS, [(uids,)])
    states = session.many(sql.DROP_STATES, [(uids,)]) + session.many(sql.DROP_SNAPSHOTS, [(uids,)])
    return Forgotten(session.many(sql.DROP_USERS, [(uids,)]), events, states)


def _check_horizon(late: list[int], horizon: float) -> None:
    if late:
        message = f"it lies before {horizon:.0f}, up to which the log was compacted or purged"
        raise DataError([problem("time", message, late)])


def _paged(uids: list[int]) -> Iterator[list[int]]:
    return (uids[start : start + _USERS] for start in range(0, len(uids), _USERS))
