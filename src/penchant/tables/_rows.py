"""Rows that are in no table: dictionaries to columns."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from penchant.errors import DataError, Problem
from penchant.tables._field import SECTIONS, nearest
from penchant.tables._objects import plain, series_of
from penchant.tables.kinds import Kind
from penchant.tables.kinds._base import excerpt

__all__ = ["columns_of"]


def columns_of(kinds: Sequence[Kind], rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """A column for each fitted field; null where a row leaves it out.

    Raises: DataError: what is no row, a name that is no field, a value of another kind; every problem at once.
    """
    rows, fields = list(rows), [kind.field for kind in kinds]
    known = tuple(f.name for f in fields)
    table = f"rows of {SECTIONS[fields[0].side]}" if fields else "rows"
    strange = [number for number, row in enumerate(rows) if not isinstance(row, Mapping)]
    if strange:
        message = f"a row expected, got {excerpt(rows[strange[0]])}"
        shown = tuple(strange[:5])
        raise DataError([Problem(table, message, rows=shown, n_rows=len(strange), fix="Give {column: value, …}")])
    problems = list(_strangers(table, rows, known))
    columns = []
    for f, kind in zip(fields, kinds, strict=True):
        column = series_of(f.name, _alike(f.kind, [row.get(f.name) for row in rows]))
        problems += kind.problems_here(column, table)
        columns.append(column)
    if problems:
        raise DataError(problems)
    return pl.DataFrame(columns) if columns else pl.DataFrame(height=len(rows))


def _alike(kind: str, values: list[Any]) -> list[Any]:
    """Values that are each sound as text where they differ in type: one row must not suffer from another."""
    cells = [plain(value) for value in values]
    types = {type(cell) for cell in cells if cell is not None}
    if kind in ("category", "id") and types == {int, str}:
        return [None if cell is None else str(cell) for cell in cells]
    if kind == "date" and str in types:
        return [cell.isoformat() if isinstance(cell, dt.date) else cell for cell in cells]
    return cells


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
