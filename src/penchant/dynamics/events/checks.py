"""Events held against the limits at the door: every problem of a batch in one error."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from penchant.dynamics.events._rows import storable
from penchant.dynamics.events.contract import Event, StoreOptions
from penchant.errors import DataError, Problem

__all__ = ["check_events"]

_LABELS = {"like": 1, "dislike": 0, "impression": 0}
_INT64 = range(-(2**63), 2**63)
_SHOWN = 5
_LATEST = 253_402_300_800.0  # the year 10000: above it, seconds were taken for milliseconds, or worse


def check_events(events: Sequence[Event], options: StoreOptions, now: float) -> None:
    """Refuse a batch that has a problem.

    Arguments:
        events: the batch.
        options: the limits.
        now: this machine's time in seconds since 1970.

    Raises:
        DataError: one problem for each field and reason, with the numbers of the events concerned (from 0).
    """
    if len(events) > options.max_batch:
        message = f"{len(events):,} events in one batch, at most {options.max_batch:,} expected"
        raise DataError([Problem("events", message, fix="Send them in several batches")])
    found: dict[tuple[str, str], list[int]] = {}
    for number, event in enumerate(events):
        for field, message in _problems(event, options, now):
            found.setdefault((field, message), []).append(number)
    if found:
        raise DataError(problem(field, message, rows) for (field, message), rows in found.items())


def problem(field: str, message: str, rows: Sequence[int]) -> Problem:
    """What is wrong with a field of some events of a batch."""
    return Problem("events", message, column=field, rows=tuple(rows[:_SHOWN]), n_rows=len(rows))


def _problems(event: Any, options: StoreOptions, now: float) -> Iterator[tuple[str, str]]:
    if not isinstance(event, Event):
        yield "event", f"an Event expected, got {type(event).__name__}"
        return
    for field, value, check in (
        ("id", event.id, _event_id),
        ("user", event.user, _id),
        ("item", event.item, _id),
    ):
        if message := check(value, options.max_id):
            yield field, message
    checks: tuple[tuple[str, Callable[[], str | None]], ...] = (
        ("label", lambda: _label(event)),
        ("kind", lambda: _kind(event)),
        ("time", lambda: _time(event.time, options, now)),
        ("weight", lambda: _weight(event.weight)),
        ("context", lambda: _context(event.context, options.max_context)),
    )
    for field, reason in checks:
        if message := reason():
            yield field, message


def _event_id(value: Any, longest: int) -> str | None:
    return _id(value, longest) if isinstance(value, str) else f"text expected, got {_shown(value)}"


def _id(value: Any, longest: int) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return None if value in _INT64 else "a whole number of at most 64 bits expected"
    if not isinstance(value, str):
        return f"text or a whole number expected, got {_shown(value)}"
    if not value:
        return "it is empty"
    if len(value) > longest:
        return f"at most {longest} characters expected"
    return None if storable(value) else "text without NUL and lone surrogates expected"


def _shown(value: Any) -> str:
    """A value in an error, cut: it comes from outside."""
    text = repr(value) if isinstance(value, str | int | float | None) else type(value).__name__
    return text if len(text) <= 40 else f"{text[:40]}…"


def _label(event: Event) -> str | None:
    sound = isinstance(event.label, int) and not isinstance(event.label, bool) and event.label in (0, 1)
    return None if sound else f"0 or 1 expected, got {_shown(event.label)}"


def _kind(event: Event) -> str | None:
    if not isinstance(event.kind, str) or event.kind not in _LABELS:
        return f"like, dislike or impression expected, got {_shown(event.kind)}"
    if _label(event) is None and _LABELS[event.kind] != event.label:
        return f"{event.kind} goes with label {_LABELS[event.kind]}, got {_shown(event.label)}"
    return None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _time(value: Any, options: StoreOptions, now: float) -> str | None:
    if not _number(value):
        return f"seconds since 1970 expected, got {_shown(value)}"
    if value > now + options.ahead:
        hint = ": are these milliseconds?" if value > _LATEST else ""
        return f"it lies more than {options.ahead:g} seconds in the future{hint}"
    if value < 0:
        return "it lies before 1970"
    if value < now - options.max_age:
        return f"it lies more than {options.max_age:g} seconds in the past"
    return None


def _weight(value: Any) -> str | None:
    return None if _number(value) and value > 0 else f"a finite number above 0 expected, got {_shown(value)}"


def _context(value: Any, longest: int) -> str | None:
    if value is None:
        return None
    scalars = (str, int, float, bool, type(None))
    if not isinstance(value, dict) or not all(isinstance(k, str) and isinstance(v, scalars) for k, v in value.items()):
        return "names to text, numbers, true, false or None expected"
    if any(isinstance(v, float) and not math.isfinite(v) for v in value.values()):
        return "finite numbers expected"
    if any(type(v) is int and v not in _INT64 for v in value.values()):
        return "whole numbers of at most 64 bits expected"
    size = len(json.dumps(value))
    return None if size <= longest else f"at most {longest:,} bytes of JSON expected, got {size:,}"
