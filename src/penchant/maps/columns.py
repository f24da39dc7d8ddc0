"""What a map can be coloured by: the features of the schema, and numbers of the model's own such as likes.

Of several tags the one counts that is rarest among the words that are shown: it tells most. Dates are years with
decimals. Ids, texts and vectors colour nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Float, Float32, Int16, Int64

from penchant._spec import FIRST, Bag
from penchant.maps._base64 import encoded
from penchant.tables import SideEncoder
from penchant.tables.kinds import Binary, Category, Date, Encoded, Kind, Numeric, Tags
from penchant.tables.kinds.date import times_of

__all__ = ["CategoryColumn", "MapColumn", "MapSide", "NumberColumn", "map_columns"]

SideName = Literal["item", "user"]

_WORDS = 12
"""Colours that people can tell apart: the eleven most frequent words, and "other"."""
OTHER, OTHERS = "other", "all others"
"""The last word, where there are more; the second where the first is a value."""
_DAYS = 366.0
"""Of a year, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class MapSide:
    """Users or items that are on a map, row by row."""

    side: SideName
    """Which."""
    ids: tuple[str | int, ...]
    """Their keys."""
    labels: tuple[str | None, ...]
    """What people read; None: the key."""
    frame: pl.DataFrame
    """Their features, as in the tables."""
    encoder: SideEncoder
    """Knows the fields."""
    points: Float[np.ndarray, "n k"]
    """Where they lie in the space."""
    numbers: Mapping[str, tuple[Float[np.ndarray, " n"], str]]
    """More to colour by: name to values (NaN: missing) and unit."""

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class CategoryColumn:
    """One word of several for each point."""

    name: str
    """What people read; different for each column of a map."""
    side: Literal["item", "user", "both"]
    """Whose feature it is."""
    values: Int16[np.ndarray, " n"]
    """Place in ``words``; -1 where missing, and of the other side."""
    words: tuple[str, ...]
    """The most frequent first; the last is "other" where there are more than twelve."""

    def to_dict(self) -> dict[str, Any]:
        """As in the JSON form."""
        facts = {"name": self.name, "side": self.side, "kind": "category"}
        return facts | {"values": encoded(self.values), "words": list(self.words)}


@dataclass(frozen=True, slots=True, eq=False)
class NumberColumn:
    """A number for each point."""

    name: str
    """What people read; different for each column of a map."""
    side: Literal["item", "user", "both"]
    """Whose feature it is."""
    values: Float32[np.ndarray, " n"]
    """NaN where missing, and of the other side."""
    low: float
    """The least of them."""
    high: float
    """The greatest."""
    unit: str
    """What people read after a value; may be empty."""

    def to_dict(self) -> dict[str, Any]:
        """As in the JSON form."""
        facts = {"name": self.name, "side": self.side, "kind": "number", "values": encoded(self.values)}
        return facts | {"low": self.low, "high": self.high, "unit": self.unit}


MapColumn = CategoryColumn | NumberColumn


def map_columns(sides: Sequence[MapSide]) -> tuple[MapColumn, ...]:
    """The columns of a map whose points are the rows of ``sides``, one after the other; several may be of users, with
    one encoder. What is missing everywhere is left out."""
    starts = np.cumsum([0, *map(len, sides)])
    found = list(_numbers(sides, starts))
    for name in dict.fromkeys(side.side for side in sides):
        own = [place for place, side in enumerate(sides) if side.side == name]
        rows = np.concatenate([np.arange(starts[place], starts[place + 1]) for place in own])
        for kind in sides[own[0]].encoder.kinds:
            columns = [sides[place].frame[kind.field.name] for place in own]
            column = _of_kind(kind, name, columns, rows, int(starts[-1]))
            if column is not None:
                found.append(column)
    return tuple(_renamed(found))


def _of_kind(
    kind: Kind, side: SideName, columns: Sequence[pl.Series], rows: Int64[np.ndarray, " m"], total: int
) -> MapColumn | None:
    """A field of the schema; None where there is nothing to colour by."""
    if isinstance(kind, Numeric | Date):
        unit = (kind.field.unit or "") if isinstance(kind, Numeric) else "year"
        wide = np.full(total, np.nan)
        wide[rows] = np.concatenate([_plain_numbers(kind, column) for column in columns])
        return _number(kind.field.heading, side, wide, unit)
    if isinstance(kind, Binary | Category | Tags):
        codes = np.full(total, -1, dtype=np.int64)
        codes[rows] = _coded(kind, [kind.encode(column) for column in columns])
        return _category(kind.field.heading, side, codes, _words(kind))
    return None


def _plain_numbers(kind: Numeric | Date, column: pl.Series) -> Float[np.ndarray, " n"]:
    """Numbers in their own unit; of dates the year, with decimals."""
    if isinstance(kind, Numeric):
        return column.cast(pl.Float64, strict=False).to_numpy()
    times = times_of(column, kind.field.format)
    return (times.dt.year() + (times.dt.ordinal_day() - 1) / _DAYS).cast(pl.Float64).to_numpy()


def _words(kind: Binary | Category | Tags) -> Sequence[str]:
    """A word for each code."""
    if isinstance(kind, Binary):
        return [kind.words(np.array([end], dtype=np.float32)) for end in (0.0, 1.0)]
    return kind.labels()


def _coded(kind: Binary | Category | Tags, parts: Sequence[Encoded]) -> Int64[np.ndarray, " m"]:
    """A place among the words for each row, -1 where there is none."""
    if isinstance(kind, Tags):
        return _telling([part for part in parts if isinstance(part, Bag)], len(_words(kind)))
    values = np.concatenate([part for part in parts if isinstance(part, np.ndarray)])
    if isinstance(kind, Binary):
        return np.where(np.isnan(values[:, 0]), -1, np.nan_to_num(values[:, 0])).astype(np.int64)
    return np.maximum(values - FIRST, -1)


def _telling(bags: Sequence[Bag], n_words: int) -> Int64[np.ndarray, " m"]:
    """Of each row's tags the rarest of those that will be shown; else the most frequent of the rest."""
    lengths = np.concatenate([np.diff(bag.offsets) for bag in bags])
    values = np.concatenate([bag.values for bag in bags])
    known = values >= FIRST
    rows, tags = np.repeat(np.arange(len(lengths)), lengths)[known], values[known] - FIRST
    by_count = np.argsort(-np.bincount(tags, minlength=n_words), kind="stable")
    order = np.concatenate([by_count[: _WORDS - 1][::-1], by_count[_WORDS - 1 :]])
    rank = np.empty(n_words, dtype=np.int64)
    rank[order] = np.arange(n_words)
    best = np.full(len(lengths), n_words)
    np.minimum.at(best, rows, rank[tags])
    found: Int64[np.ndarray, " m"] = np.append(order, -1)[best]
    return found


def _category(name: str, side: SideName, codes: Int64[np.ndarray, " n"], words: Sequence[str]) -> MapColumn | None:
    """The most frequent words, and one for the rest."""
    there = codes >= 0
    if not there.any():
        return None
    counts = np.bincount(codes[there], minlength=len(words))
    order = [int(code) for code in np.argsort(-counts, kind="stable") if counts[code]]
    shown = order if len(order) <= _WORDS else order[: _WORDS - 1]
    place = np.full(len(words) + 1, len(shown))
    place[shown] = np.arange(len(shown))
    place[-1] = -1
    told = [words[code] for code in shown]
    if len(order) > len(shown):
        told.append(OTHER if OTHER not in told else OTHERS)
    return CategoryColumn(name, side, place[codes].astype(np.int16), tuple(told))


def _number(name: str, side: Any, values: Float[np.ndarray, " n"], unit: str) -> MapColumn | None:
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    single = np.where(np.isfinite(values), values, np.nan).astype(np.float32)
    return NumberColumn(name, side, single, float(known.min()), float(known.max()), unit)


def _numbers(sides: Sequence[MapSide], starts: Int64[np.ndarray, " s"]) -> Iterator[MapColumn]:
    """The model's own numbers: one column of both sides where both have them."""
    total = int(starts[-1])
    for name in dict.fromkeys(name for side in sides for name in side.numbers):
        values, unit, whose = np.full(total, np.nan), "", set()
        for side, start in zip(sides, starts, strict=False):
            if name in side.numbers and len(side):
                values[int(start) : int(start) + len(side)], unit = side.numbers[name]
                whose.add(side.side)
        column = _number(name, "both" if len(whose) > 1 else next(iter(whose), "both"), values, unit)
        if column is not None:
            yield column


def _renamed(columns: Sequence[MapColumn]) -> Iterator[MapColumn]:
    """Names that are there once: of the sides, and where need be of a number."""
    used: set[str] = set()
    names = [column.name for column in columns]
    for column in columns:
        name = column.name if names.count(column.name) == 1 else f"{column.name} ({column.side}s)"
        tried, number = name, 2
        while tried in used:
            tried, number = f"{name} ({number})", number + 1
        used.add(tried)
        yield replace(column, name=tried)
