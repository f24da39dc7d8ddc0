"""One flat table to three: the distinct users, the distinct items, and the rows as interactions."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Int64

from penchant.errors import DataError, Problem
from penchant.tables._keys import is_key
from penchant.tables.kinds._base import cells, excerpt, first
from penchant.tables.readers import TABLES, Reading, columns_needed, columns_of, name_of, not_there, read_known
from penchant.tables.schema import Schema

__all__ = ["split_flat"]


def split_flat(schema: Schema, source: Any, *, labelled: bool = True) -> Reading:
    """Users, items and interactions of a flat table. Keys are made up where the schema names none.

    A user's columns must be the same in all of the user's rows, and an item's likewise.

    Raises: DataError: it cannot be read, or is empty.
    """
    name = name_of(source, "flat")
    columns = list(dict.fromkeys(c for table in TABLES for c in columns_of(schema, table)))
    rows, known = read_known(source, columns, name)
    if not rows.height:
        raise DataError([Problem(name, "the table is empty", fix="Give at least one row")])
    found = Reading(schema, dict.fromkeys(TABLES, name), known=dict.fromkeys(TABLES, known), flat=True)
    needed = dict.fromkeys(c for table in TABLES for c in columns_needed(schema, table, labelled=labelled))
    references = {schema.user, schema.item}  # copied from the keys, or made up
    found.problems += [not_there(name, c, known) for c in needed if c not in rows.columns and c not in references]
    for table, key, column in (("users", schema.user_id, schema.user), ("items", schema.item_id, schema.item)):
        of_side = [c for c in columns_of(schema, table) if c != key and c in rows.columns]
        if key is None:
            problems = list(_no_keys(schema, table, column, of_side))
            found.problems += problems
            if not problems:
                at, entity = _groups(rows, of_side)
                keys = pl.Series(column, [f"{table[:-1]}-{number}" for number in range(len(at))])
                rows = rows.with_columns(keys.gather(pl.Series(entity)))
                found.frames[table], found.rows[table] = rows[at].select(column, *of_side), at
        elif key in rows.columns:
            at = np.arange(rows.height)
            if is_key(rows[key].dtype):  # the checks refuse others
                found.problems += _contradictions(rows, key, of_side, name, table)
                at = np.flatnonzero(rows[key].is_first_distinct().to_numpy())
            found.frames[table], found.rows[table] = rows[at].select(key, *of_side), at
            rows = rows if column in rows.columns else rows.with_columns(pl.col(key).alias(column))
    found.schema = replace(schema, user_id=schema.user_id or schema.user, item_id=schema.item_id or schema.item)
    found.frames["interactions"] = rows.select(c for c in columns_of(schema, "interactions") if c in rows.columns)
    return found


def _no_keys(schema: Schema, table: str, column: str, of_side: list[str]) -> Iterator[Problem]:
    """Why keys cannot be made up."""
    if not of_side:
        fix = f'Give [{table}] id = "…" (the column), or columns'
        yield Problem("schema", f"[{table}] has neither an id nor a column that is there", fix=fix)
    elif column in {f.name for f in schema.fields}:
        fix = f'Give [{table}] id = "{column}" if it is the key, or else [interactions] {table[:-1]} = another name'
        yield Problem(
            "schema", f"[{table}] has no id, and keys cannot be made up in a column of features", column, fix=fix
        )


def _groups(rows: pl.DataFrame, columns: list[str]) -> tuple[Int64[np.ndarray, " m"], Int64[np.ndarray, " n"]]:
    """Where each distinct row of ``columns`` is met first, in this order; and which of them each row is."""
    objects = (c for c in columns if rows[c].dtype == pl.Object)
    alike = rows.select(columns).with_columns(pl.Series(c, [repr(o) for o in rows[c].to_list()]) for c in objects)
    rank = alike.select(pl.struct(columns).rank("dense")).to_series().to_numpy()
    _, at, entity = np.unique(rank, return_index=True, return_inverse=True)
    order = np.argsort(at)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return at[order], place[entity]


def _contradictions(rows: pl.DataFrame, key: str, columns: list[str], name: str, table: str) -> Iterator[Problem]:
    """Columns that differ between rows of one key."""
    columns = [c for c in columns if rows[c].dtype != pl.Object]  # the checks refuse these
    prints = pl.DataFrame({"key": rows[key], **{f"c{j}": rows[c].hash() for j, c in enumerate(columns)}})
    prints = prints.with_row_index("row").filter(pl.col("key").is_not_null())
    hashes = pl.exclude("key", "row")
    differ = prints.group_by("key").agg(hashes.max() != hashes.min()).select(pl.exclude("key").any())
    for j, c in enumerate(columns):
        if differ.height and differ[f"c{j}"][0]:
            mark = pl.col(f"c{j}")
            at = prints.filter(mark != mark.first().over("key"))["row"].to_numpy()
            wrong = np.zeros(rows.height, dtype=bool)
            wrong[at] = True
            one = rows[key][int(at[0])]
            usual = (rows[key] == one).fill_null(False).to_numpy()
            got = f"{first(rows[c], usual)} and {first(rows[c], wrong)} for {excerpt(one)}"
            fix = "Keep one, or put the column into [interactions.columns] if it changes from row to row"
            message = f"one value for each {table[:-1]} expected, got {got}"
            yield from cells(name, rows[c], wrong, message, fix)
