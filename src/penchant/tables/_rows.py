"""Rows that are in no table: dictionaries to columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from penchant.errors import DataError, Problem
from penchant.tables._field import SECTIONS, Field, nearest
from penchant.tables.kinds import KINDS

__all__ = ["columns_of"]


def columns_of(fields: Sequence[Field], rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """A column for each field; null where a row leaves it out.

    Raises: DataError: a name that is no field, or a value of another kind; every problem at once.
    """
    known = tuple(f.name for f in fields)
    table = f"rows of {SECTIONS[fields[0].side]}" if fields else "rows"
    problems = list(_strangers(table, rows, known))
    columns = []
    for f in fields:
        column = _column(f.name, [row.get(f.name) for row in rows])
        problems += KINDS[f.kind].problems(f, column, table)
        columns.append(column)
    if problems:
        raise DataError(problems)
    return pl.DataFrame(columns) if columns else pl.DataFrame(height=len(rows))


def _strangers(table: str, rows: Sequence[Mapping[str, Any]], known: tuple[str, ...]) -> list[Problem]:
    where: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        for name in row:
            if name not in known:
                where.setdefault(str(name), []).append(number)
    message = f"there is no such field; the fields are {', '.join(known)}"
    return [
        Problem(table, message, name, tuple(numbers[:5]), len(numbers), nearest(name, known))
        for name, numbers in where.items()
    ]


def _column(name: str, values: list[Any]) -> pl.Series:
    """The values with the type they have in common; as Python objects where they have none."""
    plain = [_plain(value) for value in values]
    types = {type(v) for v in plain if v is not None}
    if types == {int, float}:
        plain = [None if v is None else float(v) for v in plain]
    try:
        return pl.Series(name, plain, strict=True)
    except (TypeError, pl.exceptions.PolarsError, OverflowError):
        return pl.Series(name, plain, dtype=pl.Object)


def _plain(value: Any) -> Any:
    """NumPy values, series, tuples and sets as plain Python ones."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return list(value) if isinstance(value, pl.Series | tuple | set | frozenset) else value
