"""Numbers: ages, prices, counts."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float32, Float64

from penchant._spec import Block
from penchant.errors import Problem
from penchant.tables._field import Field
from penchant.tables.kinds._base import UNKNOWN, Counts, Encoded, Kind, cells, first, is_text, odd_objects
from penchant.tables.kinds._scale import Scaler

__all__ = ["Numeric"]

_EXACT = 2.0**53
_FIX = "Give numbers, with null where there is none"


@dataclass(frozen=True)
class Numeric(Kind):
    """A number, scaled to [0, 1] over the range of the training rows and clipped there.

    Whole numbers decode to whole numbers. Precision is that of float32 over the range.
    """

    form = "dense"

    scaler: Scaler
    """The fitted range."""
    whole: bool
    """Whether the training rows held whole numbers."""

    @classmethod
    def fit(cls, field: Field, column: pl.Series) -> "Numeric":
        """Learn the range."""
        numbers = _numbers(column)
        numbers = numbers[np.isfinite(numbers)]
        scaler = Scaler.fit(numbers, field.scale)
        whole = column.dtype.is_integer() and max(-scaler.low, scaler.high) <= _EXACT
        return cls(field, scaler, whole)

    def extended(self, column: pl.Series) -> "Numeric":
        """The same; where no row had a value before, as if fitted now."""
        return self if self.scaler.knots else Numeric.fit(self.field, column)

    @classmethod
    def problems(cls, field: Field, column: pl.Series, table: str) -> list[Problem]:
        """Cells that are no finite number."""
        dtype = column.dtype
        if dtype == pl.Object:
            return odd_objects(table, column, (int, float), "a number", _FIX)
        if is_text(column):
            text = column.cast(pl.String)
            wrong = (text.cast(pl.Float64, strict=False).is_null() & text.is_not_null()).to_numpy()
            if not wrong.any():
                wrong = text.is_not_null().to_numpy()
                message = f"a number expected, got text {first(text, wrong)}"
                return cells(table, column, wrong, message, "Cast the column to numbers")
            message = f"a number expected, got {first(text, wrong)}"
            return cells(table, column, wrong, message, _FIX)
        if not (dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)):
            kind = "'date'" if dtype in (pl.Date, pl.Datetime) else "'vector' or 'tags'"
            fix = f"Set kind = {kind}" if dtype in (pl.Date, pl.Datetime, pl.List, pl.Array) else "Cast it to numbers"
            return cells(table, column, column.is_not_null().to_numpy(), f"a number expected, got {dtype}", fix)
        if not dtype.is_float():
            return []
        wrong = column.is_not_null().to_numpy() & ~np.isfinite(_numbers(column))
        got = first(column, wrong)
        return cells(table, column, wrong, f"a finite number expected, got {got}", "Write null where there is none")

    def block(self) -> Block:
        """One number."""
        return Block(self.field.name, "dense", 1, 1, "square")

    def encode(self, column: pl.Series) -> Encoded:
        """(n, 1) in [0, 1]; NaN where missing."""
        return self.scaled(_numbers(column))

    def scaled(self, numbers: Float64[np.ndarray, " n"]) -> Float32[np.ndarray, "n 1"]:
        """Numbers, NaN where missing, as networks read them."""
        return self.scaler.forward(numbers).astype(np.float32)[:, None]

    def counts(self, column: pl.Series) -> Counts:
        """Missing and clipped rows."""
        numbers = _numbers(column)
        return Counts(int(np.isnan(numbers).sum()), 0, int(self.scaler.outside(numbers).sum()))

    def portrait(self, encoded: Encoded) -> Float32[np.ndarray, "n width"]:
        """The number itself."""
        assert isinstance(encoded, np.ndarray)
        return encoded

    def labels(self) -> tuple[str, ...]:
        """The field's heading."""
        return (self.field.heading,)

    def decode(self, portrait: Float32[np.ndarray, "n width"]) -> pl.Series:
        """Numbers in the field's own unit."""
        numbers = self.scaler.backward(portrait[:, 0])
        if not self.whole:
            return pl.Series(self.field.name, numbers, nan_to_null=True)
        return pl.Series(self.field.name, np.rint(numbers), nan_to_null=True).cast(pl.Int64)

    def words(self, value: Float32[np.ndarray, " width"]) -> str:
        """The number with its unit."""
        number = float(self.scaler.backward(value)[0])
        if math.isnan(number):
            return UNKNOWN
        text = f"{number:.0f}" if self.whole else readable(number, self.scaler.high - self.scaler.low)
        return f"{text} {self.field.unit}" if self.field.unit else text

    def state(self) -> dict[str, Any]:
        """The range and whether numbers are whole."""
        return {**self.scaler.state(), "whole": self.whole}

    @classmethod
    def from_state(cls, field: Field, state: dict[str, Any]) -> "Numeric":
        """The kind that gave this state."""
        return cls(field, Scaler.from_state(field.scale, state), bool(state["whole"]))


def readable(number: float, span: float) -> str:
    """A number with as many decimals as tell about a hundredth of its range.

    Example:
        >>> readable(3.14159, 10.0), readable(1.5e9, 1e10)
        ('3.1', '1.5e+09')
    """
    size = max(abs(number), span)
    if size >= 1e7 or 0 < size < 1e-4 or not math.isfinite(span):
        return f"{number:.3g}"
    decimals = max(0, 2 - math.floor(math.log10(span))) if span > 0 else 6
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _numbers(column: pl.Series) -> Float64[np.ndarray, " n"]:
    """The column as float64, NaN where null."""
    if column.dtype == pl.Struct:  # polars would cast its fields
        raise TypeError(f"a number expected, got {column.dtype}")
    return column.cast(pl.Float64, strict=False).to_numpy().astype(np.float64, copy=False)
