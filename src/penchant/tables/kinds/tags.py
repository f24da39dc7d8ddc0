"""Any number of values: genres, topics."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from jaxtyping import Bool, Float32

from penchant._spec import FIRST, MISSING, UNSEEN, Bag, Block
from penchant.errors import Problem
from penchant.tables._field import Field
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
from penchant.tables.kinds._values import Values

__all__ = ["Tags"]


@dataclass(frozen=True)
class Tags(Kind):
    """A set of values, from a list or from text with a delimiter. Order and repetition do not count.

    A null is missing; an empty list is a known "none of them".
    """

    form = "bag"

    values: Values
    """The known tags."""

    @classmethod
    def fit(cls, field: Field, column: pl.Series) -> "Tags":
        """Learn the tags; a tag is counted once a row."""
        return cls(field, Values.fit(_each(column, field.delimiter), field.min_count))

    def extended(self, column: pl.Series) -> "Tags":
        """New tags come last."""
        more = _each(column, self.field.delimiter)
        return Tags(self.field, self.values.extended(more, self.field.min_count))

    @classmethod
    def problems(cls, field: Field, column: pl.Series, table: str) -> list[Problem]:
        """Cells that are neither a list of text or whole numbers nor, with a delimiter, text."""
        dtype = column.dtype
        fix = "Set kind = 'category', or give 'a|b|c' and delimiter = '|'"
        if dtype == pl.Object:
            wanted = (list, tuple, np.ndarray, pl.Series)
            return odd_objects(table, column, wanted, "list", "Give lists in all rows, or 'a|b|c' in all rows")
        if dtype == pl.Null or (is_text(column) and field.delimiter is not None):
            return []
        present = column.is_not_null().to_numpy()
        got = first(column, present)
        if is_text(column):
            fix = "Set delimiter = '|' (or what stands between the tags)"
            return cells(table, column, present, f"list expected, got text {got}", fix)
        inner = element(column)
        if inner is None:
            return cells(table, column, present, f"list expected, got {got}", fix)
        if is_text(inner) or inner.dtype.is_integer() or inner.dtype in (pl.Null, pl.Boolean):
            return []
        message = f"lists of text or whole numbers expected, got {got}"
        return cells(table, column, present, message, "Set kind = 'vector', or cast the elements")

    def block(self) -> Block:
        """A bag of codes; one coordinate a tag."""
        return Block(self.field.name, "bag", self.values.size, len(self.values), "binary")

    def encode(self, column: pl.Series) -> Encoded:
        """A bag: the row's codes in rising order, each once; `MISSING` alone where null."""
        lists = _lists(column, self.field.delimiter)
        missing = np.flatnonzero(lists.is_null().to_numpy())
        lengths = lists.list.len().fill_null(0).cast(pl.Int64).to_numpy()
        codes = self.values.codes(lists.filter(lists.list.len() > 0).explode())
        size = self.values.size
        keys = np.repeat(np.arange(len(column)), lengths) * size + codes
        keys = np.sort(np.concatenate([keys, missing * size + MISSING]))  # by row, then by code
        keys = keys[np.diff(keys, prepend=-1) != 0]  # np.unique hashes, which is sixty times slower here
        offsets = np.zeros(len(column) + 1, dtype=np.int64)
        np.cumsum(np.bincount(keys // size, minlength=len(column)), out=offsets[1:])
        return Bag(keys % size, offsets)

    def counts(self, column: pl.Series) -> Counts:
        """Missing rows, and rows with an unseen tag."""
        encoded = self.encode(column)
        assert isinstance(encoded, Bag)
        missing = int((encoded.values == MISSING).sum())
        return Counts(missing, int((encoded.values == UNSEEN).sum()), 0)

    def portrait(self, encoded: Encoded) -> Float32[np.ndarray, "n width"]:
        """Multi-hot; NaN where missing. Unseen tags have no coordinate."""
        assert isinstance(encoded, Bag)
        n = len(encoded.offsets) - 1
        hot = np.zeros((n, len(self.values)), dtype=np.float32)
        rows = np.repeat(np.arange(n), np.diff(encoded.offsets))
        known = encoded.values >= FIRST
        hot[rows[known], encoded.values[known] - FIRST] = 1.0
        hot[rows[encoded.values == MISSING]] = np.nan
        return hot

    def labels(self) -> tuple[str, ...]:
        """The tags."""
        return self.values.labels()

    def decode(self, portrait: Float32[np.ndarray, "n width"]) -> pl.Series:
        """Lists of the tags with a value of at least 0.5."""
        rows, places = np.nonzero(portrait >= 0.5)
        tags = self.values.take(places.astype(np.int64))
        offsets = np.zeros(len(portrait) + 1, dtype=np.int64)
        np.cumsum(np.bincount(rows, minlength=len(portrait)), out=offsets[1:])
        unknown = pa.array(self._unknown(portrait))
        lists = pa.LargeListArray.from_arrays(pa.array(offsets), tags.to_arrow(), mask=unknown)
        return pl.Series(self.field.name, lists)

    def words(self, value: Float32[np.ndarray, " width"]) -> str:
        """The tags with a value of at least 0.5."""
        tags = self.decode(value[None])[0]
        if tags is None:
            return UNKNOWN
        return ", ".join(map(str, tags)) or "none"

    def state(self) -> dict[str, Any]:
        """The tags."""
        return self.values.state()

    @classmethod
    def from_state(cls, field: Field, state: dict[str, Any]) -> "Tags":
        """The kind that gave this state."""
        return cls(field, Values.from_state(state))

    def _unknown(self, portrait: Float32[np.ndarray, "n width"]) -> Bool[np.ndarray, " n"]:
        return np.isnan(portrait).any(axis=1) if len(self.values) else np.ones(len(portrait), dtype=bool)


def _each(column: pl.Series, delimiter: str | None) -> pl.Series:
    """The tags of all rows, each once a row."""
    lists = _lists(column, delimiter).drop_nulls().list.unique()
    return lists.filter(lists.list.len() > 0).explode()


def _lists(column: pl.Series, delimiter: str | None) -> pl.Series:
    """The column as lists without nulls, blanks at the ends and empty parts."""
    dtype = column.dtype
    if dtype == pl.Null:
        return column.cast(pl.List(pl.String))
    if dtype == pl.Object:
        column = pl.Series(column.name, [None if o is None else [str(t) for t in o] for o in column.to_list()])
    elif is_text(column):
        text = column.cast(pl.String)
        column = text.str.split(delimiter) if delimiter is not None else text.reshape((-1, 1)).arr.to_list()
        column = column.set(text.is_null(), None)
    elif isinstance(dtype, pl.Array):
        column = column.arr.to_list()
    inner = element(column)
    if inner is not None and (is_text(inner) or inner.dtype == pl.Null):
        part = pl.element().cast(pl.String).str.strip_chars()
        return column.list.eval(part.filter(part != ""))
    return column.list.drop_nulls()
