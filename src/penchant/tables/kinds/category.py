"""One value of several: an occupation, a language."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float32

from penchant._spec import FIRST, MISSING, UNSEEN, Block
from penchant.errors import Problem
from penchant.tables._field import Field
from penchant.tables.kinds._base import UNKNOWN, Counts, Encoded, Kind
from penchant.tables.kinds._values import Values, value_problems

__all__ = ["Category"]


@dataclass(frozen=True)
class Category(Kind):
    """One of the values of the training rows; any other is unseen. One coordinate of the portrait a value."""

    form = "code"

    values: Values
    """The known values."""

    @classmethod
    def fit(cls, field: Field, column: pl.Series) -> "Category":
        """Learn the values."""
        return cls(field, Values.fit(column, field.min_count))

    def extended(self, column: pl.Series) -> "Category":
        """New values come last."""
        return Category(self.field, self.values.extended(column, self.field.min_count))

    @classmethod
    def problems(cls, field: Field, column: pl.Series, table: str) -> list[Problem]:
        """Cells that are neither text nor a whole number."""
        return value_problems(table, column)

    def block(self) -> Block:
        """One code; one coordinate a value."""
        return Block(self.field.name, "code", self.values.size, len(self.values), "categorical")

    def encode(self, column: pl.Series) -> Encoded:
        """(n,) codes."""
        return self.values.codes(column)

    def counts(self, column: pl.Series) -> Counts:
        """Missing and unseen rows."""
        codes = self.values.codes(column)
        return Counts(int((codes == MISSING).sum()), int((codes == UNSEEN).sum()), 0)

    def portrait(self, encoded: Encoded) -> Float32[np.ndarray, "n width"]:
        """One-hot; NaN where the value is missing or unseen."""
        assert isinstance(encoded, np.ndarray)
        hot = np.zeros((len(encoded), len(self.values)), dtype=np.float32)
        known = np.flatnonzero(encoded >= FIRST)
        hot[known, encoded[known] - FIRST] = 1.0
        hot[encoded < FIRST] = np.nan
        return hot

    def labels(self) -> tuple[str, ...]:
        """The values."""
        return self.values.labels()

    def decode(self, portrait: Float32[np.ndarray, "n width"]) -> pl.Series:
        """The likeliest value."""
        known = ~np.isnan(portrait).any(axis=1) if len(self.values) else np.zeros(len(portrait), dtype=bool)
        places = np.full(len(portrait), -1, dtype=np.int64)
        if known.any():
            places[known] = portrait[known].argmax(axis=1)
        return self.values.take(places).alias(self.field.name)

    def words(self, value: Float32[np.ndarray, " width"]) -> str:
        """The likeliest value."""
        best = self.decode(value[None])[0]
        return UNKNOWN if best is None else str(best)

    def state(self) -> dict[str, Any]:
        """The values."""
        return self.values.state()

    @classmethod
    def from_state(cls, field: Field, state: dict[str, Any]) -> "Category":
        """The kind that gave this state."""
        return cls(field, Values.from_state(state))
