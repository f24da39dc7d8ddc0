"""Events, users and states as rows of the tables, and back."""

import json
from typing import Any, NamedTuple

from penchant.dynamics.events.contract import Event, Id, Logged, State

Row = tuple[Any, ...]


def key(value: Id) -> str:
    """An id as text that keeps its type: i7 is the number, s7 the text; for text that cannot be stored, nobody's."""
    if not isinstance(value, str):
        return f"i{value}"
    return f"s{value}" if storable(value) else ""


def storable(text: str) -> bool:
    """Can databases keep it? Text with NUL or with half a character (a lone surrogate) is in none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def id_of(text: str) -> Id:
    """The id that `key` was given."""
    return text[1:] if text[0] == "s" else int(text[1:])


def content(event: Event) -> Row:
    """All of an event but its id, as it is stored: equal rows are equal events."""
    situation = None if event.context is None else json.dumps(event.context, sort_keys=True, separators=(",", ":"))
    user, item = key(event.user), key(event.item)
    return user, item, event.label, event.kind, float(event.time), float(event.weight), situation


def logged(row: Row, user: Id) -> Logged:
    """An event of a row of the log."""
    offset, identity, _, item, label, kind, time, weight, situation = row
    context = None if situation is None else json.loads(situation)
    return Logged(offset, Event(identity, user, id_of(item), label, time, kind, weight, context))


class Place(NamedTuple):
    """A state, and where in its user's events it stands."""

    state: State
    last: int
    """Offset of the latest event in it, in the order of (time, offset)."""
    seen: int
    """Highest offset of those in it."""
