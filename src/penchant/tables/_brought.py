"""Histories that rows bring along, as people write them, laid end to end."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Bool, Float64, Int64

from penchant.errors import DataError, Problem
from penchant.tables.kinds._base import excerpt

__all__ = ["Brought", "brought"]

_SIGNS = ("liked", "disliked")
_ENTRY = {"item", "liked", "time"}
_DAY = dt.timedelta(days=1)
_NEVER = 2**63
"""No time in any unit is as large; infinity is."""


class Brought(NamedTuple):
    """Entries of all rows, the oldest of each row first."""

    ids: list[Any]
    """Which items."""
    row: Int64[np.ndarray, " n"]
    """Who brought it."""
    liked: Bool[np.ndarray, " n"]
    """And was it liked?"""
    time: Float64[np.ndarray, " n"]
    """When: days since 1970, or a number as it was given; NaN where it was not said."""
    wins: Int64[np.ndarray, " n"]
    """Of entries of one item the one with the largest number counts."""


class _Entries(NamedTuple):
    """Entries of one row."""

    ids: list[Any]
    liked: list[bool]
    time: list[float]
    overruled: int
    """So many of the first ones count more than the others: dislikes that are apart from likes."""


def brought(given: Sequence[Any], name: str) -> Brought:
    """Read what rows bring along (see `Histories.of_rows`).

    Arguments:
        given: one history a row.
        name: the field's, for what is said of errors.

    Raises:
        DataError: something that is no history, with the row.
    """
    every = [_entries(one, number, name) for number, one in enumerate(given)]
    sizes = np.array([len(one.ids) for one in every], dtype=np.int64)
    row = np.repeat(np.arange(len(every)), sizes)
    turn = np.arange(len(row))
    first = np.array([one.overruled for one in every], dtype=np.int64)
    dislikes = turn - np.repeat(np.cumsum(sizes) - sizes, sizes) < np.repeat(first, sizes)
    return Brought(
        [value for one in every for value in one.ids],
        row,
        np.array([value for one in every for value in one.liked], dtype=bool),
        np.array([value for one in every for value in one.time], dtype=np.float64),
        turn + len(turn) * dislikes,
    )


def _entries(one: Any, number: int, name: str) -> _Entries:
    if one is None:
        return _Entries([], [], [], 0)
    if _is_list(one) and len(one) and all(isinstance(entry, Mapping) for entry in one):
        return _in_full(one, number, name)
    signs = dict(one) if isinstance(one, Mapping) else {"liked": one}
    given = [value for value in signs.values() if value is not None]
    if not all(map(_is_list, given)) or not set(signs) <= set(_SIGNS):
        message = f"ids of liked items, or liked and disliked ones, expected, got {excerpt(one)}"
        fix = (
            f'Give {{"{name}": ["…"]}}, {{"{name}": {{"liked": ["…"], "disliked": ["…"]}}}} or, the oldest first, '
            f'{{"{name}": [{{"item": "…", "liked": true}}]}}'
        )
        raise DataError([Problem("rows of users", message, name, (number,), 1, fix)])
    liked, disliked = ([] if signs.get(sign) is None else list(signs[sign]) for sign in _SIGNS)
    n = len(disliked) + len(liked)
    return _Entries(disliked + liked, [False] * len(disliked) + [True] * len(liked), [math.nan] * n, len(disliked))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence | pl.Series | np.ndarray) and not isinstance(value, str | bytes)


def _in_full(entries: Sequence[Mapping[str, Any]], number: int, name: str) -> _Entries:
    """Entries as mappings; where each says when, in that order."""
    liked, time = [], []
    for entry in entries:
        sign, when = entry.get("liked", True), _moment(entry.get("time"))
        if "item" not in entry or not set(entry) <= _ENTRY or sign not in (0, 1) or when is None:
            message = f"an entry of item, liked (true or false) and time expected, got {excerpt(entry)}"
            fix = f'Give {{"{name}": [{{"item": "…", "liked": true, "time": "2024-05-17"}}]}}; an item is all it needs'
            raise DataError([Problem("rows of users", message, name, (number,), 1, fix)])
        liked.append(bool(sign))
        time.append(when)
    order = list(range(len(time)))
    if not any(map(math.isnan, time)):
        order.sort(key=time.__getitem__)
    return _Entries([entries[j]["item"] for j in order], [liked[j] for j in order], [time[j] for j in order], 0)


def _moment(value: Any) -> float | None:
    """A time as a number: days for dates, else as it is; NaN for none, None for something else."""
    if value is None:
        return math.nan
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, dt.datetime):
        start = dt.datetime(1970, 1, 1, tzinfo=value.tzinfo and dt.UTC)
        return (value - start) / _DAY
    if isinstance(value, dt.date):
        return (value - dt.date(1970, 1, 1)) / _DAY
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) >= _NEVER:
        return None
    return float(value)
