"""The known values of a category, of tags or of an id, and their codes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Int64

from penchant._spec import FIRST, MISSING, UNSEEN
from penchant.errors import Problem
from penchant.tables.kinds._base import cells, first, is_text, odd_objects

__all__ = ["Values", "canonical", "value_problems"]

_HASHED = 1024
"""Columns up to this length are looked up by bisection: serving one row must not hash a million values."""
_EXACT = 2.0**53


@dataclass(frozen=True, eq=False)
class Values:
    """Distinct values by falling count, ties by value; the value at place j has code ``FIRST + j``."""

    series: pl.Series
    """(count) the values, Int64 or String."""

    @classmethod
    def fit(cls, column: pl.Series, min_count: int) -> "Values":
        """The values of a column that occur at least ``min_count`` times."""
        plain = canonical(column).drop_nulls().alias("value")
        counted = pl.DataFrame({"value": plain}).group_by("value").len("n").filter(pl.col("n") >= min_count)
        return cls(counted.sort(["n", "value"], descending=[True, False])["value"].rechunk())

    @classmethod
    def of(cls, column: pl.Series) -> "Values":
        """A column of distinct values, in its own order."""
        return cls(canonical(column).alias("value").rechunk())

    def extended(self, column: pl.Series, min_count: int) -> "Values":
        """These, then those of a column that are not among them; text where either is text."""
        more, known = Values.fit(column, min_count).series, self.series
        if not len(more):
            return self
        if not len(known):
            return Values(more)
        if known.dtype != more.dtype:
            if known.dtype == pl.Int64 and more.cast(pl.Int64, strict=False).null_count() == 0:
                more = more.cast(pl.Int64)
            else:
                known, more = known.cast(pl.String), more.cast(pl.String)
        fresh = more.filter(~more.is_in(known.implode())).unique(maintain_order=True)
        return Values(pl.concat([known, fresh]).rechunk()) if len(fresh) else self

    def __len__(self) -> int:
        return len(self.series)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Values):
            return NotImplemented
        return self.series.dtype == other.series.dtype and self.series.equals(other.series)

    def __hash__(self) -> int:
        return hash((len(self.series), self.series.dtype))

    @property
    def size(self) -> int:
        """How many codes there are, `UNSEEN` and `MISSING` included."""
        return FIRST + len(self)

    def codes(self, column: pl.Series) -> Int64[np.ndarray, " n"]:
        """The code of each value: `MISSING` where null, `UNSEEN` where it is not known."""
        plain = canonical(column).cast(self.series.dtype, strict=False)
        if not len(self):
            codes = np.full(len(column), UNSEEN, dtype=np.int64)
        elif len(column) <= _HASHED:
            codes = self._bisect(plain)
        else:
            places = pl.int_range(FIRST, self.size, eager=True)
            codes = plain.replace_strict(self.series, places, default=UNSEEN, return_dtype=pl.Int64).to_numpy()
        return np.where(column.is_null().to_numpy(), np.int64(MISSING), codes)

    def take(self, places: Int64[np.ndarray, " n"]) -> pl.Series:
        """The values at places counted from 0; null where the place is negative."""
        if not (places < 0).any():
            return self.series.gather(places)
        found = pl.Series(places)
        return self.series.gather(found.set(found < 0, None))

    def labels(self) -> tuple[str, ...]:
        """Each value as text."""
        return tuple(self.series.cast(pl.String).to_list())

    def state(self) -> dict[str, Any]:
        """The values and their type."""
        kind = "int" if self.series.dtype == pl.Int64 else "str"
        return {"type": kind, "values": self.series.to_list()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Values":
        """The values that gave this state."""
        kind: Literal["int", "str"] = state["type"]
        return cls(pl.Series("value", state["values"], dtype=pl.Int64 if kind == "int" else pl.String))

    @cached_property
    def _sorted(self) -> tuple[pl.Series, Int64[np.ndarray, " count"]]:
        order = self.series.arg_sort()
        return self.series.gather(order), order.to_numpy().astype(np.int64)

    @property
    def python_type(self) -> type:
        """Of the values: whole numbers or text."""
        return int if self.series.dtype == pl.Int64 else str

    @cached_property
    def code_of(self) -> dict[Any, int]:
        """The code of each value."""
        return {value: FIRST + place for place, value in enumerate(self.series.to_list())}

    def _bisect(self, plain: pl.Series) -> Int64[np.ndarray, " n"]:
        ordered, order = self._sorted
        known = plain.is_not_null().to_numpy()
        codes = np.full(len(plain), UNSEEN, dtype=np.int64)
        wanted = plain.drop_nulls()
        if len(wanted):
            at = np.minimum(np.asarray(ordered.search_sorted(wanted)), len(self) - 1)
            same = (ordered.gather(pl.Series(at)) == wanted).to_numpy()
            codes[known] = np.where(same, order[at] + FIRST, UNSEEN)
        return codes


def canonical(column: pl.Series) -> pl.Series:
    """A column as Int64 or String. Whole floats are integers, integers beyond 64 bits text; fractions become null.

    Raises: TypeError: a column of neither text nor numbers.
    """
    dtype = column.dtype
    if dtype == pl.Object:
        texts = (None if o is None else str(o).encode(errors="backslashreplace").decode() for o in column.to_list())
        return pl.Series(column.name, texts, dtype=pl.String)
    if dtype == pl.Boolean or is_text(column) or dtype == pl.Null:
        return column.cast(pl.String)
    if not dtype.is_numeric():
        raise TypeError(f"text or whole numbers expected, got {dtype}")
    whole = column.cast(pl.Int64, strict=False)
    if dtype.is_float() or dtype.is_decimal():
        return whole.set(whole.cast(pl.Float64) != column.cast(pl.Float64), None)
    return whole if whole.null_count() == column.null_count() else column.cast(pl.String)  # ids made by hashing


def value_problems(table: str, column: pl.Series) -> list[Problem]:
    """Cells that can be no value of a category or id: fractions, NaN, lists, dates."""
    dtype = column.dtype
    if dtype == pl.Object:
        fix = "Give one type: all text or all whole numbers"
        return odd_objects(table, column, (str, int), "text or a whole number", fix)
    if is_text(column) or dtype.is_integer() or dtype in (pl.Boolean, pl.Null):
        return []
    present = column.is_not_null().to_numpy()
    if not dtype.is_numeric():
        message = f"text or whole numbers expected, got {dtype} such as {first(column, present)}"
        kind = "date" if dtype in (pl.Date, pl.Datetime) else "tags" if dtype in (pl.List, pl.Array) else None
        fix = f"Set kind = {kind!r}, or cast the column" if kind else "Cast the column to text or whole numbers"
        return cells(table, column, present, message, fix)
    numbers = column.cast(pl.Float64).fill_null(0.0).to_numpy()
    with np.errstate(invalid="ignore"):
        wrong = ~np.isfinite(numbers) | (numbers != np.floor(numbers)) | (np.abs(numbers) > _EXACT)
    if not wrong.any():
        return []
    message = f"text or whole numbers expected, got {numbers[int(np.argmax(wrong))]}"
    return cells(table, column, wrong & present, message, "Set kind = 'numeric', or write null where there is none")
