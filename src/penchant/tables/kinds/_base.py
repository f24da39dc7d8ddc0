"""What every kind of field can do: be fitted, encode, and be read back."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Float32, Int64, Shaped

from penchant._spec import Bag, Block, Form
from penchant.errors import Problem
from penchant.tables._field import Field

__all__ = [
    "UNKNOWN",
    "Counts",
    "Encoded",
    "Kind",
    "cells",
    "element",
    "excerpt",
    "first",
    "is_text",
    "odd_objects",
]

Encoded = Float32[np.ndarray, "_ _"] | Int64[np.ndarray, "_"] | Bag
"""An encoded column, by form: (n, size) dense numbers, (n) codes, or a bag of n rows."""

UNKNOWN = "unknown"
"""What people read where a value is missing."""


class Counts(NamedTuple):
    """How many rows of a column are not what the training rows were."""

    missing: int
    """Rows without a value."""
    unseen: int
    """Rows with a value that is not known from the training rows."""
    clipped: int
    """Rows with a number outside the range of the training rows."""


@dataclass(frozen=True)
class Kind(ABC):
    """A field fitted to its training rows; it never changes.

    Laws (held by `penchant.testing.check_kind`): ``decode(portrait(encode(x)))`` is x for each x of the
    training rows, a missing value stays missing, dense values and portraits lie in [0, 1], and a kind
    restored from its state is equal. Of a `lossy` kind the first holds for nothing and everything alone: what is read
    back of x is known, and encodes nearer to x than to the other rows, on the average.
    """

    form: ClassVar[Form]
    """How the field reaches a network."""
    lossy: ClassVar[bool] = False
    """Whether less than the value is read back: then only that much comes near to it when it is encoded again."""

    field: Field
    """The field that was fitted."""

    @classmethod
    @abstractmethod
    def fit(cls, field: Field, column: pl.Series) -> "Kind":
        """Learn range or values from the training rows (nulls are skipped)."""

    @classmethod
    @abstractmethod
    def problems(cls, field: Field, column: pl.Series, table: str) -> list[Problem]:
        """The cells that are not of this kind, rows named; ``table`` is the name that people know."""

    def problems_here(self, column: pl.Series, table: str) -> list[Problem]:
        """`problems`, held against what was learned where that says more."""
        return self.problems(self.field, column, table)

    def extended(self, column: pl.Series) -> "Kind":
        """What is to be known of later training rows, too, without a change to what is known.

        New values come after the known ones: codes and coordinates stay. Scales stay as well, unless there was nothing
        to learn one from, and what is beyond them is clipped.
        """
        return self

    @abstractmethod
    def block(self) -> Block:
        """The field as a network sees it."""

    @abstractmethod
    def encode(self, column: pl.Series) -> Encoded:
        """A column as numbers, codes or a bag, by the kind's form; a missing value has NaN or `MISSING`."""

    @abstractmethod
    def counts(self, column: pl.Series) -> Counts:
        """How many rows are missing, unseen or clipped."""

    @abstractmethod
    def portrait(self, encoded: Encoded) -> Float32[np.ndarray, "n width"]:
        """Coordinates in [0, 1] for the portrait vector; NaN where there is nothing to compare with."""

    @abstractmethod
    def labels(self) -> tuple[str, ...]:
        """A word for each coordinate of the portrait."""

    @abstractmethod
    def decode(self, portrait: Float32[np.ndarray, "n width"]) -> pl.Series:
        """Portraits back to the field's own values and units; null where NaN."""

    @abstractmethod
    def words(self, value: Float32[np.ndarray, " width"]) -> str:
        """One portrait for people to read, "24 years"."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What was learned, as JSON can hold it without loss."""

    @classmethod
    @abstractmethod
    def from_state(cls, field: Field, state: dict[str, Any]) -> "Kind":
        """The kind that gave this state."""


def cells(
    table: str, column: pl.Series, wrong: Shaped[np.ndarray, " n"], message: str, fix: str | None = None
) -> list[Problem]:
    """One problem that names the rows where ``wrong`` is true; none where there is no such row."""
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return []
    shown = tuple(int(row) for row in rows[:5])
    return [Problem(table, message, column=column.name, rows=shown, n_rows=len(rows), fix=fix)]


def excerpt(value: object) -> str:
    """A value as it stands in a message: quoted, and cut where it is long."""
    if isinstance(value, pl.Series):
        value = value.to_list()
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"


def first(column: pl.Series, wrong: Shaped[np.ndarray, " n"]) -> str:
    """The first cell concerned as it stands in a message; nothing where there is none."""
    if not wrong.any():
        return ""
    try:
        return excerpt(column[int(np.argmax(wrong))])
    except (ValueError, OverflowError, pl.exceptions.PanicException):  # a date beyond Python's years
        return f"a value beyond those of {column.dtype}"


def is_text(column: pl.Series) -> bool:
    """Whether a column holds text, however it is stored."""
    return column.dtype in (pl.String, pl.Categorical, pl.Enum)


def element(column: pl.Series) -> pl.Series | None:
    """An empty series of the type that a column's lists hold; None where it holds no lists."""
    dtype = column.dtype
    return pl.Series([], dtype=dtype.inner) if isinstance(dtype, pl.List | pl.Array) else None


def odd_objects(table: str, column: pl.Series, wanted: tuple[type, ...], word: str, fix: str) -> list[Problem]:
    """The cells of a column of mixed Python objects that are not of the types wanted."""
    objects = column.to_list()
    odd = np.array([o is not None and not isinstance(o, wanted) for o in objects], dtype=bool)
    if not odd.any():  # each is fine by itself, but they have no type in common
        odd = np.array([o is not None for o in objects], dtype=bool)
    got = excerpt(objects[int(np.argmax(odd))]) if len(objects) else ""
    return cells(table, column, odd, f"{word} expected, got {got}", fix)
