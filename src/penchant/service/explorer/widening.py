"""Which change of one feature lets an item reach the most users: every change that is at hand is tried, and counted."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from penchant.estimator.queries import resolve
from penchant.portraits import in_words
from penchant.service.explorer.controls import Control
from penchant.service.explorer.filled import Filled, query_of
from penchant.service.explorer.standing import reach_of_points
from penchant.service.models import Loaded
from penchant.tables.kinds import Binary, Category, Date, Numeric, Tags

__all__ = ["widenings"]

_VALUES = 40
"""Values of a category, or tags, that are tried: the most frequent ones."""
_STEPS = 9
"""Numbers and days that are tried, evenly over what is known."""
_USERS = 200_000
"""With more users the search would take seconds."""


def widenings(loaded: Loaded, filled: Filled, row: Mapping[str, Any], most: int = 3) -> list[dict[str, Any]] | None:
    """The changes of one feature each that reach more users, the most first, one a feature.

    Arguments:
        row: the item, column to value.

    Returns: of each ``name`` (heading), ``kind`` (set, add or drop), ``value`` in words, ``reach``, ``query`` (the form
    with the change); None: there are too many users to try.
    """
    if len(loaded.fitted.known["user"].points) > _USERS:
        return None
    tried = [(control, kind, value) for control in filled.controls.values() for kind, value in _others(control, row)]
    rows = [dict(row), *({**row, control.name: value} for control, _, value in tried)]
    reach = reach_of_points(loaded, resolve(loaded.fitted, "item", rows).points)
    found: dict[str, dict[str, Any]] = {}
    for at in np.argsort(-reach[1:], kind="stable"):
        control, kind, value = tried[at]
        if control.name in found or reach[1 + at] <= reach[0] or len(found) == most:
            continue
        found[control.name] = _told(filled, control, kind, value, int(reach[1 + at]))
    return list(found.values())


def _others(control: Control, row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What else a feature could be."""
    kind, now = control.kind, set(control.written(row.get(control.name)))
    match kind:
        case Numeric() | Date() if kind.scaler.knots:
            steps = np.linspace(0, 1, _STEPS, dtype=np.float32)[:, None]
            yield from (("set", value) for value in dict.fromkeys(kind.decode(steps).to_list()))
        case Binary() | Category():
            values = (
                [one for one, _ in control.told()["choices"]]
                if isinstance(kind, Binary)
                else control.labels.head(_VALUES)
            )
            yield from (("set", value) for value in values if value not in now)
        case Tags():
            yield from (("drop", sorted(now - {tag})) for tag in sorted(now))
            yield from (("add", sorted({*now, tag})) for tag in control.labels.head(_VALUES) if tag not in now)


def _told(filled: Filled, control: Control, kind: str, value: Any, reach: int) -> dict[str, Any]:
    changed = Filled(filled.controls, filled.start, ())
    changed.values = {**filled.values, control.name: value}
    shown = value
    if kind != "set":
        shown = sorted(set(control.written(filled.values[control.name])) ^ set(value))
    unit = f" {control.field.unit}" if control.field.unit else ""
    return {
        "name": control.field.heading,
        "field": control.name,
        "kind": kind,
        "value": in_words(shown) + unit,
        "reach": reach,
        "query": [list(pair) for pair in query_of(changed)],
    }
