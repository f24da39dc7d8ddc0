"""Keys of users and items: whole numbers or text, the same on both sides of a reference."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from penchant.errors import Problem
from penchant.tables.kinds._base import cells, excerpt, first, odd_objects
from penchant.tables.kinds._values import canonical

__all__ = ["is_key", "key_problems", "settled_key", "twice", "unknown_keys"]

_EXACT = 2.0**53
_FIX = "Give text or whole numbers"


def is_key(dtype: pl.DataType) -> bool:
    """Whether a column of this type can hold keys (whole floats and decimals are whole numbers)."""
    return dtype.is_numeric() or dtype in (pl.String, pl.Categorical, pl.Enum, pl.Null)


def settled_key(column: pl.Series) -> pl.Series:
    """Keys as Int64, or as text where they are text or too large; null where a cell is no key."""
    keys = canonical(column)
    return keys.set(_too_large(column), None) if column.dtype.is_float() else keys


def key_problems(column: pl.Series, table: str, fix: str) -> list[Problem]:
    """Cells that are no key; ``fix`` is what to do about those that are empty."""
    if column.dtype == pl.Object:
        return odd_objects(table, column, (str, int), "text or whole numbers as keys", "Give all keys one type")
    present = column.is_not_null().to_numpy()
    if not is_key(column.dtype):
        got = f"{column.dtype} such as {first(column, present)}" if present.any() else f"{column.dtype}"
        message = f"text or whole numbers expected as keys, got {got}"
        return cells(table, column, np.ones(len(column), dtype=bool), message, _FIX)
    if column.dtype.is_float():
        present &= ~column.is_nan().fill_null(False).to_numpy()
    wrong = present & settled_key(column).is_null().to_numpy()
    message = f"text or whole numbers expected as keys, got {first(column, wrong)}"
    advice = "Beyond 2^53 a float holds no exact whole number: give text" if _too_large(column).any() else _FIX
    return [
        *cells(table, column, ~present, "a key expected, found nothing", fix),
        *cells(table, column, wrong, message, advice),
    ]


def twice(column: pl.Series, table: str) -> list[Problem]:
    """Rows whose key was there before."""
    if not is_key(column.dtype):
        return []
    keys = settled_key(column)
    again = keys.is_not_null() & ~keys.is_first_distinct()
    message = f"the key is there already ({_shown(keys.filter(again))})"
    return cells(table, column, again.to_numpy(), message, "Keep one row for each key")


def _common(keys: pl.Series, named: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Both as one type: whole numbers if both are, else text."""
    keys, named = settled_key(keys), settled_key(named)
    return (keys, named) if keys.dtype == named.dtype else (keys.cast(pl.String), named.cast(pl.String))


def unknown_keys(keys: pl.Series, named: pl.Series, table: str, pairs: str) -> Iterator[Problem]:
    """Rows of the interactions that name no row of ``table``."""
    known, asked = _common(keys, named)
    unknown = ~asked.is_in(known.drop_nulls().unique().implode()) & asked.is_not_null()
    if not unknown.any():
        return
    fix = f"Add them to {table}, or leave these rows out"
    if settled_key(keys).dtype != settled_key(named).dtype:
        text, number = (table, pairs) if settled_key(keys).dtype == pl.String else (pairs, table)
        fix = f"Keys are text in {text} and whole numbers in {number}: were leading zeros lost? {fix}"
    message = f"no such key in {table} ({_shown(asked.filter(unknown))})"
    yield from cells(pairs, named, unknown.to_numpy(), message, fix)


def _shown(keys: pl.Series) -> str:
    return ", ".join(excerpt(key) for key in keys.unique(maintain_order=True).head(3).to_list())


def _too_large(column: pl.Series) -> pl.Series:
    """Floats that stand for several whole numbers."""
    if not column.dtype.is_float():
        return pl.Series([False]).new_from_index(0, len(column))
    return (column.abs() >= _EXACT).fill_null(False) & column.is_finite().fill_null(False)
