"""A ready embedding: a list of numbers of one length."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float32, Float64

from penchant._spec import Block
from penchant.errors import DataError, Problem
from penchant.tables._field import SECTIONS, Field
from penchant.tables.kinds._base import (
    UNKNOWN,
    Counts,
    Encoded,
    Kind,
    cells,
    element,
    first,
    is_text,
    odd_objects,
)
from penchant.tables.kinds.numeric import readable

__all__ = ["Vector"]

_WORDS = 8
"""Longer vectors are cut when people read them."""


@dataclass(frozen=True)
class Vector(Kind):
    """Numbers that belong together; each axis is scaled to [0, 1] over its range in the training rows."""

    form = "dense"

    low: tuple[float, ...]
    """Least training value of each axis."""
    high: tuple[float, ...]
    """Greatest training value of each axis."""

    @classmethod
    def fit(cls, field: Field, column: pl.Series) -> "Vector":
        """Learn length and ranges."""
        lists = _lists(column, field.delimiter).drop_nulls()
        size = _length(lists)
        matrix = _matrix(lists.filter(lists.list.len() == size), size)
        matrix = matrix[np.isfinite(matrix).all(axis=1)]
        if not len(matrix):
            return cls(field, (0.0,) * size, (0.0,) * size)
        return cls(field, tuple(matrix.min(axis=0).tolist()), tuple(matrix.max(axis=0).tolist()))

    def extended(self, column: pl.Series) -> "Vector":
        """The same; where no row had a value before, as if fitted now."""
        return self if self.low else Vector.fit(self.field, column)

    @classmethod
    def problems(cls, field: Field, column: pl.Series, table: str) -> list[Problem]:
        """Cells that are no list of finite numbers, or not of the usual length."""
        return cls._problems(field, column, table, None)

    def problems_here(self, column: pl.Series, table: str) -> list[Problem]:
        """Cells that are no list of finite numbers, or not as long as those of the training rows, however many are."""
        return self._problems(self.field, column, table, len(self.low))

    @classmethod
    def _problems(cls, field: Field, column: pl.Series, table: str, known: int | None) -> list[Problem]:
        dtype = column.dtype
        if dtype == pl.Object:
            wanted = (list, tuple, np.ndarray, pl.Series)
            return odd_objects(table, column, wanted, "list of numbers", "Give lists of numbers in all rows")
        if dtype == pl.Null:
            return []
        present = column.is_not_null().to_numpy()
        got = first(column, present)
        if is_text(column) and field.delimiter is None:
            fix = "Set delimiter = ',' (or what stands between the numbers)"
            return cells(table, column, present, f"list of numbers expected, got text {got}", fix)
        if not (is_text(column) or _of_numbers(column)):
            return cells(table, column, present, f"list of numbers expected, got {got}", "Set another kind")
        lists = _lists(column, field.delimiter)
        lengths = lists.list.len().fill_null(0).cast(pl.Int64).to_numpy()
        size = _length(lists.drop_nulls()) if known is None else known
        odd = present & (lengths != size)
        length = int(lengths[int(np.argmax(odd))]) if odd.any() else 0
        fix = "Give vectors of one length, or null where there is none"
        said = f"{size} numbers expected" if known is None else _expected(size)
        found = cells(table, column, odd, f"{said}, got {length}", fix)
        wrong = np.zeros(len(column), dtype=bool)
        same = np.flatnonzero(present & ~odd)
        matrix = _matrix(lists.gather(same), size)
        wrong[same] = ~np.isfinite(matrix).all(axis=1)
        got = first(column, wrong)
        return found + cells(table, column, wrong, f"finite numbers expected, got {got}", "Write null for the row")

    def block(self) -> Block:
        """As many numbers as the vector has."""
        return Block(self.field.name, "dense", len(self.low), len(self.low), "square")

    def encode(self, column: pl.Series) -> Encoded:
        """(n, size) in [0, 1]; NaN where missing, 0.5 along a constant axis."""
        return self.placed(self._numbers(column))

    def placed(self, numbers: Float64[np.ndarray, "n size"]) -> Float32[np.ndarray, "n size"]:
        """A matrix of one's own, NaN where missing, as networks read it."""
        low, high = np.array(self.low), np.array(self.high)
        np.clip(numbers, low, high, out=numbers)
        with np.errstate(over="ignore"):
            if not np.isfinite(high - low).all():  # the range is that of all floats: work with halves
                numbers, low, high = numbers / 2, low / 2, high / 2
        numbers -= low
        numbers /= np.where(high > low, high - low, 1.0)
        constant = np.flatnonzero(low == high)
        numbers[:, constant] += 0.5  # NaN stays
        return numbers.astype(np.float32)

    def counts(self, column: pl.Series) -> Counts:
        """Missing rows, and rows with an axis out of its range."""
        numbers = self._numbers(column)
        missing = np.isnan(numbers).any(axis=1) if numbers.shape[1] else column.is_null().to_numpy()
        with np.errstate(invalid="ignore"):
            outside = ((numbers < np.array(self.low)) | (numbers > np.array(self.high))).any(axis=1)
        return Counts(int(missing.sum()), 0, int((outside & ~missing).sum()))

    def portrait(self, encoded: Encoded) -> Float32[np.ndarray, "n width"]:
        """The numbers themselves."""
        assert isinstance(encoded, np.ndarray)
        return encoded

    def labels(self) -> tuple[str, ...]:
        """The heading with the number of the axis."""
        return tuple(f"{self.field.heading}[{axis}]" for axis in range(len(self.low)))

    def decode(self, portrait: Float32[np.ndarray, "n width"]) -> pl.Series:
        """Lists of numbers in their own units."""
        missing = np.isnan(portrait).any(axis=1) if self.low else np.ones(len(portrait), dtype=bool)
        u = np.clip(portrait.astype(np.float64), 0.0, 1.0)
        low, high = np.array(self.low), np.array(self.high)
        numbers = np.clip((1 - u) * low + u * high, low, high)
        series = pl.Series(self.field.name, numbers, dtype=pl.Array(pl.Float64, len(self.low))).arr.to_list()
        return series.set(pl.Series(missing), None) if missing.any() else series

    def words(self, value: Float32[np.ndarray, " width"]) -> str:
        """The first numbers."""
        numbers = self.decode(value[None])[0]
        if numbers is None:
            return UNKNOWN
        shown = [
            readable(x, high - low) for x, low, high in zip(numbers.head(_WORDS), self.low, self.high, strict=False)
        ]
        text = "(" + ", ".join([*shown, "…"] if len(numbers) > _WORDS else shown) + ")"
        return f"{text} {self.field.unit}" if self.field.unit else text

    def state(self) -> dict[str, Any]:
        """The ranges."""
        return {"low": list(self.low), "high": list(self.high)}

    @classmethod
    def from_state(cls, field: Field, state: dict[str, Any]) -> "Vector":
        """The kind that gave this state."""
        return cls(field, tuple(map(float, state["low"])), tuple(map(float, state["high"])))

    def _numbers(self, column: pl.Series) -> Float64[np.ndarray, "n size"]:
        """The column as a matrix; a row of NaN where missing, or where a number is."""
        lists = _lists(column, self.field.delimiter)
        size = len(self.low)
        numbers = np.full((len(column), size), np.nan)
        present = lists.is_not_null().to_numpy()
        odd = present & (lists.list.len().fill_null(size) != size).to_numpy()
        if odd.any():
            got = len(lists[int(np.argmax(odd))])
            raise DataError(cells(SECTIONS[self.field.side], column, odd, f"{_expected(size)}, got {got}"))
        numbers[present] = _matrix(lists.drop_nulls(), size)
        if size:
            numbers[np.isnan(numbers).any(axis=1)] = np.nan
        return numbers


def _expected(size: int) -> str:
    return f"vectors of {size} numbers expected (as in the training rows)"


def _of_numbers(column: pl.Series) -> bool:
    inner = element(column)
    return inner is not None and (inner.dtype.is_numeric() or inner.dtype == pl.Null)


def _lists(column: pl.Series, delimiter: str | None) -> pl.Series:
    """The column as lists of float64; parts that are no number become null."""
    dtype = column.dtype
    wanted = pl.List(pl.Float64)
    if dtype == pl.Object:
        rows = [None if o is None else [float(x) for x in o] for o in column.to_list()]
        return pl.Series(column.name, rows, dtype=wanted)
    if is_text(column):
        text = column.cast(pl.String).str.strip_chars("[]() \t\n")
        parts = text.str.split(delimiter if delimiter is not None else ",").list.eval(
            pl.element().str.strip_chars().filter(pl.element().str.strip_chars() != "")
        )
        return parts.set(column.is_null(), None).cast(wanted, strict=False)
    return column.cast(wanted, strict=False)


def _length(lists: pl.Series) -> int:
    """The most frequent length; among equals the one met first. Empty lists, often meant as missing, do not count."""
    lengths = Counter(length for length in lists.list.len().to_list() if length)
    return int(lengths.most_common(1)[0][0]) if lengths else 0


def _matrix(lists: pl.Series, size: int) -> Float64[np.ndarray, "n size"]:
    """Lists of one length as a matrix; NaN for a null inside."""
    if not size or not len(lists):
        return np.zeros((len(lists), size))
    flat = lists.explode().to_numpy()
    return flat.astype(np.float64, copy=False).reshape(len(lists), size)
