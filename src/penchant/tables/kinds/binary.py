"""Yes or no, or one of two values."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Float32

from penchant._spec import Block
from penchant.errors import Problem
from penchant.tables._field import Field
from penchant.tables.kinds._base import (
    UNKNOWN,
    Counts,
    Encoded,
    Kind,
    cells,
    excerpt,
    first,
    is_text,
    odd_objects,
)

__all__ = ["Binary"]

_FIX = "Give two values, or set kind = 'category'"


@dataclass(frozen=True)
class Binary(Kind):
    """True and false, 1 and 0, or two values of which the second in order is 1 ("F" 0, "M" 1).

    A value other than these two counts as unseen and is encoded as missing.
    """

    form = "dense"

    zero: str | None
    """The value that is 0, as text; None where the training rows have none."""
    one: str | None
    """The value that is 1, as text; None where the training rows have but one."""
    type: Literal["bool", "int", "float", "str"]
    """What values are decoded to."""

    @classmethod
    def fit(cls, field: Field, column: pl.Series) -> "Binary":
        """Learn the two values."""
        kind = _type(column)
        numbers = column.drop_nulls().unique().sort()
        found = [v for v in _texts(numbers).to_list() if v is not None]
        if kind == "bool" or (kind != "str" and set(found) <= {"0", "1"}):
            found = ["0", "1"]
        zero, one = [*found[:2], None, None][:2]
        return cls(field, zero, one, kind)

    def extended(self, column: pl.Series) -> "Binary":
        """A second value where there was but one; where there was none, as if fitted now."""
        if self.zero is None:
            return Binary.fit(self.field, column)
        if self.one is not None:
            return self
        others = _texts(column).drop_nulls().unique().sort()
        others = others.filter(others != self.zero)
        return replace(self, one=others[0]) if len(others) else self

    @classmethod
    def problems(cls, field: Field, column: pl.Series, table: str) -> list[Problem]:
        """Cells with a third value, or of no single value at all."""
        dtype = column.dtype
        if dtype == pl.Object:
            return odd_objects(table, column, (str, int), "one of two values", _FIX)
        present = column.is_not_null().to_numpy()
        if not (dtype.is_numeric() or is_text(column) or dtype in (pl.Boolean, pl.Null)):
            return cells(table, column, present, f"one of two values expected, got {dtype}", _FIX)
        if dtype.is_float() and (wrong := (~column.is_finite()).fill_null(False).to_numpy()).any():
            got = first(column, wrong)
            return cells(table, column, wrong, f"one of two values expected, got {got}", "Write null there")
        texts = _texts(column)
        common = texts.drop_nulls().value_counts(sort=True)[texts.name]
        if len(common) <= 2:
            return []
        two = common.head(2).to_list()
        other = (~texts.is_in(two)).fill_null(False).to_numpy()
        got = first(texts, other)
        message = f"two values expected ({excerpt(two[0])} and {excerpt(two[1])} are the most frequent), got {got}"
        return cells(table, column, other, message, _FIX)

    def block(self) -> Block:
        """One number, 0 or 1."""
        return Block(self.field.name, "dense", 1, 1, "binary")

    def encode(self, column: pl.Series) -> Encoded:
        """(n, 1): 0 or 1; NaN where missing or unseen."""
        texts = _texts(column)
        if self.type == "bool" and is_text(column):
            texts = texts.str.to_lowercase().replace({"true": "1", "false": "0"})
        encoded = np.full(len(column), np.nan, dtype=np.float32)
        for number, value in enumerate((self.zero, self.one)):
            if value is not None:
                encoded[(texts == value).fill_null(False).to_numpy()] = number
        return encoded[:, None]

    def counts(self, column: pl.Series) -> Counts:
        """Missing and unseen rows."""
        missing = column.null_count()
        encoded = self.encode(column)
        assert isinstance(encoded, np.ndarray)
        return Counts(missing, int(np.isnan(encoded).sum()) - missing, 0)

    def portrait(self, encoded: Encoded) -> Float32[np.ndarray, "n width"]:
        """The number itself."""
        assert isinstance(encoded, np.ndarray)
        return encoded

    def labels(self) -> tuple[str, ...]:
        """The value that is 1; the field's heading where it is yes or no."""
        return (self.field.heading if self._yes_no or self.one is None else self.one,)

    def decode(self, portrait: Float32[np.ndarray, "n width"]) -> pl.Series:
        """The nearer of the two values."""
        value = portrait[:, 0]
        one = self.one if self.one is not None else self.zero
        places = pl.Series((value >= 0.5).astype(np.int64)).set(pl.Series(np.isnan(value)), None)
        series = pl.Series(self.field.name, [self.zero, one], dtype=pl.String).gather(places)
        if self.type == "str":
            return series
        number = series.cast(pl.Float64 if self.type == "float" else pl.Int64)
        return number.cast(pl.Boolean) if self.type == "bool" else number

    def words(self, value: Float32[np.ndarray, " width"]) -> str:
        """The nearer of the two values; yes or no."""
        if np.isnan(value[0]) or self.zero is None:
            return UNKNOWN
        if self._yes_no:
            return "yes" if value[0] >= 0.5 else "no"
        return self.one if value[0] >= 0.5 and self.one is not None else self.zero

    def state(self) -> dict[str, Any]:
        """The two values and their type."""
        return {"zero": self.zero, "one": self.one, "type": self.type}

    @classmethod
    def from_state(cls, field: Field, state: dict[str, Any]) -> "Binary":
        """The kind that gave this state."""
        return cls(field, state["zero"], state["one"], state["type"])

    @property
    def _yes_no(self) -> bool:
        return self.type != "str" and (self.zero, self.one) == ("0", "1")


def _type(column: pl.Series) -> Literal["bool", "int", "float", "str"]:
    dtype = column.dtype
    if dtype == pl.Boolean:
        return "bool"
    if dtype.is_integer():
        return "int"
    return "float" if dtype.is_numeric() else "str"


def _texts(column: pl.Series) -> pl.Series:
    """Each value as text, so that true, 1 and 1.0 are one."""
    if column.dtype == pl.Boolean:
        return column.cast(pl.Int8).cast(pl.String)
    if column.dtype.is_float() or column.dtype.is_decimal():
        numbers = column.cast(pl.Float64)
        return numbers.cast(pl.String).str.replace(r"\.0$", "").replace({"-0": "0"})
    if column.dtype == pl.Object:
        return pl.Series(column.name, [None if o is None else str(o) for o in column.to_list()], dtype=pl.String)
    return column.cast(pl.String)
