"""What a store of events promises, and the small types it speaks in.

    log       events in the order in which they were acknowledged; an *offset* counts them, and is never used twice
    state     what a filter made of one user's events, folded in the order of (time, offset); opaque bytes to the store
    space     the fingerprint of the model whose space a state is a point of; every space has states of its own

One truth: a state is the fold of its user's events, bit for bit, whatever the order in which they came.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from typing_extensions import Self  # noqa: UP035 - checked at run time on every Python

__all__ = [
    "Appended",
    "Apply",
    "Event",
    "EventStore",
    "Forgotten",
    "Id",
    "Logged",
    "State",
    "StoreFacts",
    "StoreOptions",
]

Id = str | int
"""Of a user or an item; text "7" is another one than the number 7."""


@dataclass(frozen=True, slots=True)
class Event:
    """A user liked, disliked or passed over an item. Checked when it is appended, not when it is made."""

    id: str
    """Given by whoever saw it happen: sent again, it has no second effect."""
    user: Id
    """Who."""
    item: Id
    """What."""
    label: int
    """1: liked. 0: not."""
    time: float
    """When it happened: seconds since 1970 (UTC)."""
    kind: str | None = None
    """like (label 1), dislike or impression (shown and ignored; both label 0). None: like or dislike, by the label."""
    weight: float = 1.0
    """How much it counts, above 0."""
    context: Mapping[str, Any] | None = None
    """The situation: names to text, numbers, true or false, None. Kept as it is; nothing here reads it."""

    def __post_init__(self) -> None:
        if self.kind is None:
            object.__setattr__(self, "kind", "like" if self.label == 1 else "dislike")


class Logged(NamedTuple):
    """An event with its place in the log."""

    offset: int
    """Above 0; grows from one acknowledged batch to the next."""
    event: Event
    """As it was given."""


@dataclass(frozen=True, slots=True)
class State:
    """What a filter made of a user's events so far."""

    data: bytes
    """The filter's own; `penchant.dynamics.events.pack` makes it from arrays."""
    version: int
    """How many events it holds."""
    time: float
    """Of the latest of them, in seconds since 1970."""


Step = Callable[[Id, bytes | None, Sequence[Event]], bytes]
"""``step(user, data, events)``: the state's bytes after these events, in their order; None: there were none before."""


@dataclass(frozen=True, slots=True)
class Apply:
    """A filter, as the store uses it.

    It must be a fold: ``step(u, step(u, s, first), rest) == step(u, s, first + rest)``, bit for bit, and depend on
    nothing but its arguments. `penchant.testing.check_apply` holds it against that. It runs inside the transaction,
    and perhaps twice (the first time undone): it must not write anything of its own, nor call the store.
    """

    space: str
    """Fingerprint of the model; states of other spaces are neither read nor changed."""
    step: Step
    """The fold; see above."""
    carry: Callable[[Id, str, bytes], bytes | None] | None = None
    """``carry(user, space, data)``: a folded past of another space, re-encoded into this one. None, or an answer of
    None: what was compacted under another model does not count in this one."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch; all of it is durable when this is returned."""

    accepted: int
    """How many events are new in the log."""
    duplicates: tuple[str, ...]
    """Ids that were there already, with the same content: without effect."""
    conflicts: tuple[str, ...]
    """Ids that were there already with other content: without effect, the first content stays."""
    offsets: Mapping[str, int]
    """The place in the log of every id accepted or found."""
    states: Mapping[Id, State] = field(default_factory=dict)
    """With ``apply``: the states of the batch's users after it."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much of a user there was."""

    users: int
    """Users that were known."""
    events: int
    """Events deleted from the log."""
    states: int
    """States and snapshots deleted, of every space."""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What a store holds."""

    format: int
    """Version of its tables."""
    events: int
    """Events in the log."""
    users: int
    """Users with events or states."""
    offset: int
    """The latest place in the log; 0: none yet."""
    horizon: float
    """Events before this time are folded or purged, and no longer accepted; the lowest number: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """Limits at the door, and how states are kept."""

    ahead: float = 300.0
    """Seconds by which an event may lie in the future of this machine's clock; it keeps its time."""
    max_age: float = float("inf")
    """Seconds by which an event may lie in the past."""
    max_batch: int = 10_000
    """Events in one batch."""
    max_id: int = 256
    """Characters of a text id."""
    max_context: int = 4096
    """Bytes of an event's context, as JSON."""
    snapshot_every: int = 64
    """Events of a user from one snapshot of the state to the next: an event that comes late is applied from there."""
    snapshots: int = 4
    """Snapshots kept for a user and space; an event that is later still is applied from the beginning."""
    timeout: float = 5.0
    """Seconds to wait for another writer."""


class EventStore(ABC):
    """Events and the states made of them: durable, idempotent, replayable. Safe to share between threads.

    Every method that writes is one transaction: done and durable when it returns, or without effect when it raises
    (`compact`, `purge` and `replay` go through the users in pages, each a transaction, and can be called again).
    All raise StorageError when the store cannot be reached, is full, busy or damaged; the next call connects again,
    and sending a batch again is always safe.
    """

    @abstractmethod
    def append(self, events: Iterable[Event], *, apply: Apply | None = None) -> Appended:
        """Add a batch to the log, whole or not at all; with ``apply``, bring its users' states up to date with it.

        Raises:
            DataError: every problem of every event, by number and field; nothing was added. Nothing is clamped:
                an event outside the limits of time is refused, and so is one before the horizon of `compact`.
        """

    @abstractmethod
    def events(self, user: Id | None = None, *, after: int = 0, limit: int | None = None) -> Iterator[Logged]:
        """The log in the order of offsets, as far as it is acknowledged at the first step; read in pages.

        Whoever remembers the last offset and asks for what is ``after`` it misses none.
        """

    @abstractmethod
    def states(self, users: Iterable[Id], space: str) -> dict[Id, State]:
        """The states of those users who have one in this space."""

    def state(self, user: Id, space: str) -> State | None:
        """One user's state in this space, or None."""
        return self.states([user], space).get(user)

    @abstractmethod
    def advance(self, users: Iterable[Id], apply: Apply) -> dict[Id, State]:
        """Bring states up to date with the log (they are, unless events were added without ``apply``)."""

    @abstractmethod
    def replay(self, apply: Apply, users: Iterable[Id] | None = None) -> int:
        """Make states again from the log, None: everyone's; returns how many users. They come out bit-equal."""

    @abstractmethod
    def compact(self, before: float, *applies: Apply) -> int:
        """Fold events before a time into what each state starts from, and delete them; returns how many.

        States stay as they are, and are bit-equal to a replay still. States of spaces that no ``apply`` is given
        for are dropped where they would need the deleted events. From then on earlier events are refused.

        Raises:
            ConfigError: no ``apply``, two of one space, or a time that is not finite or lies in the future.
        """

    @abstractmethod
    def purge(self, before: float, *applies: Apply) -> int:
        """Delete events before a time and all that was made of them; returns how many. Earlier ones are refused then.

        The states of the users concerned are made again from the events that are left: at once for the spaces
        given, at the next `append`, `advance` or `replay` for others. What was compacted up to a later time stays.

        Raises:
            ConfigError: two ``applies`` of one space, or a time that is not finite or lies in the future.
        """

    @abstractmethod
    def forget(self, *users: Id) -> Forgotten:
        """Delete all there is of users, then rewrite the store's files so that their bytes are gone too.

        No mark of them is left: should their events be sent again, they are new.

        Raises:
            StorageError: also when they are deleted but a reader keeps the files from being rewritten: call
                `vacuum` once it is done.
        """

    @abstractmethod
    def retire(self, space: str) -> int:
        """Delete the states of a space that is no longer used; returns how many. Events stay.

        So does a compacted past that no other space has taken over: call it again once the newer model's states are
        there for everyone (`advance` or `replay`).
        """

    @abstractmethod
    def vacuum(self) -> None:
        """Rewrite the store's files without what was deleted."""

    @abstractmethod
    def users(self) -> Iterator[Id]:
        """Everyone with events or states, in the order in which they came."""

    @abstractmethod
    def export(self, path: str | Path) -> int:
        """Write the log as Parquet (user, item, label, time, weight), for the next training; returns the rows.

        Written beside and renamed. Read in pages, so that a log larger than memory is exported too.

        Raises:
            DataError: a column of ids that mixes text and whole numbers.
            StorageError: it cannot be written; an older file is as it was.
        """

    @abstractmethod
    def facts(self) -> StoreFacts:
        """What the store holds."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections; a later call opens them again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
