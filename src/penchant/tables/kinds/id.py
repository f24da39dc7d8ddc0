"""Who it is: the key itself, or any other name with very many values (a zip code, an author)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float32

from penchant._spec import MISSING, UNSEEN, Block
from penchant.errors import Problem
from penchant.tables._field import Field
from penchant.tables.kinds._base import Counts, Encoded, Kind
from penchant.tables.kinds._values import Values, value_problems

__all__ = ["Id"]


@dataclass(frozen=True)
class Id(Kind):
    """A name that networks look up and portraits leave out: with no coordinates it cannot be read back."""

    form = "code"

    values: Values
    """The known values."""

    @classmethod
    def fit(cls, field: Field, column: pl.Series) -> "Id":
        """Learn the values."""
        return cls(field, Values.fit(column, field.min_count))

    def extended(self, column: pl.Series) -> "Id":
        """New values come last."""
        return Id(self.field, self.values.extended(column, self.field.min_count))

    @classmethod
    def problems(cls, field: Field, column: pl.Series, table: str) -> list[Problem]:
        """Cells that are neither text nor a whole number."""
        return value_problems(table, column)

    def block(self) -> Block:
        """One code; no coordinate."""
        return Block(self.field.name, "code", self.values.size, 0, "none")

    def encode(self, column: pl.Series) -> Encoded:
        """(n,) codes."""
        return self.values.codes(column)

    def counts(self, column: pl.Series) -> Counts:
        """Missing and unseen rows."""
        codes = self.values.codes(column)
        return Counts(int((codes == MISSING).sum()), int((codes == UNSEEN).sum()), 0)

    def portrait(self, encoded: Encoded) -> Float32[np.ndarray, "n width"]:
        """(n, 0): nothing."""
        assert isinstance(encoded, np.ndarray)
        return np.zeros((len(encoded), 0), dtype=np.float32)

    def labels(self) -> tuple[str, ...]:
        """None."""
        return ()

    def decode(self, portrait: Float32[np.ndarray, "n width"]) -> pl.Series:
        """Nulls: an id is not in the portrait."""
        return self.values.series.clear(len(portrait)).alias(self.field.name)

    def words(self, value: Float32[np.ndarray, " width"]) -> str:
        """Nothing."""
        return ""

    def state(self) -> dict[str, Any]:
        """The values."""
        return self.values.state()

    @classmethod
    def from_state(cls, field: Field, state: dict[str, Any]) -> "Id":
        """The kind that gave this state."""
        return cls(field, Values.from_state(state))
