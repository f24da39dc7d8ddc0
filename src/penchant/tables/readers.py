"""From files and frames of other libraries to polars frames with the schema's columns and no others."""

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Int64

from penchant.errors import DataError, Problem
from penchant.tables._files import SUFFIXES, Read, chosen, read_file
from penchant.tables._foreign import read_foreign
from penchant.tables._objects import FAILURES, reason
from penchant.tables.schema import Schema

__all__ = [
    "SUFFIXES",
    "TABLES",
    "Reading",
    "columns_needed",
    "columns_of",
    "name_of",
    "not_there",
    "read_frame",
    "read_known",
    "read_three",
]

TABLES = ("users", "items", "interactions")

_SHOWN = 20
"""A message lists at most so many columns."""


@dataclass
class Reading:
    """What was read, before it is checked."""

    schema: Schema
    """With its keys named."""
    names: dict[str, str]
    """What their owner calls the tables."""
    frames: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Those that could be read, each with the schema's columns that are there."""
    known: dict[str, list[str]] = field(default_factory=dict)
    """All columns that are there, for messages."""
    flat: bool = False
    """Whether all three come from one table."""
    rows: dict[str, Int64[np.ndarray, " n"]] = field(default_factory=dict)
    """Of a flat table: in which of its rows each user and each item was met first."""
    problems: list[Problem] = field(default_factory=list)
    """What was wrong already."""


def columns_of(schema: Schema, table: str) -> list[str]:
    """The columns of a table that the schema names, keys and display columns included."""
    if table == "interactions":
        named = [schema.user, schema.item, schema.label, schema.time, schema.weight]
        fields = schema.side("context")
    elif table == "users":
        named, fields = [schema.user_id, schema.user_name], schema.side("user")
    else:
        named, fields = [schema.item_id, schema.item_name], schema.side("item")
    return list(dict.fromkeys(name for name in [*named, *(f.name for f in fields)] if name is not None))


def columns_needed(schema: Schema, table: str, *, labelled: bool) -> list[str]:
    """Those of `columns_of` that have to be there: pairs to be predicted need no label, time and weight."""
    optional = () if labelled or table != "interactions" else (schema.label, schema.time, schema.weight)
    context = {field.name for field in schema.side("context")}
    return [name for name in columns_of(schema, table) if name not in optional or name in context]


def read_frame(source: Any, *, columns: list[str] | None = None, name: str = "table") -> pl.DataFrame:
    """A file or a frame as a polars frame; of ``columns`` those that are there (all for None), read lean.

    Text columns of CSV files keep leading zeros ("007" stays text), and whole numbers every digit. The index of a
    pandas frame is left out. A column whose values have no type in common holds Python objects.

    Raises:
        DataError: no such file, a suffix that is not known, a file that cannot be parsed, an object that is no frame.
    """
    return read_known(source, columns, name)[0]


def read_known(source: Any, columns: list[str] | None, name: str) -> Read:
    """`read_frame`, and the names of all columns that are there."""
    if isinstance(source, str | os.PathLike):
        return read_file(Path(source), columns)
    if not isinstance(source, pl.LazyFrame | pl.DataFrame):
        return read_foreign(source, columns, name)
    try:
        return chosen(source.lazy(), columns)
    except FAILURES as error:
        raise DataError([Problem(name, f"cannot be read as a table ({reason(error)})")]) from error


def not_there(table: str, column: str, known: Iterable[str]) -> Problem:
    """The problem of a column that is missing, with the nearest one that is there."""
    known = list(known)
    near = difflib.get_close_matches(column, known, 1)
    listed = ", ".join(known[:_SHOWN]) + (", …" if len(known) > _SHOWN else "")
    fix = f"Did you mean {near[0]!r}" if near else f"Columns: {listed or 'none'}"
    return Problem(table, "the column is not there", column, fix=fix)


def name_of(source: Any, table: str) -> str:
    """What its owner calls a table: the file's name, or users, items, interactions, flat."""
    return Path(source).name if isinstance(source, str | os.PathLike) else table


def read_three(schema: Schema, given: Mapping[str, Any]) -> Reading:
    """The three tables; one that is not given or cannot be read is a problem, and the others are read all the same."""
    found = Reading(schema, {table: name_of(given[table], table) for table in TABLES})
    for table in TABLES:
        columns = columns_of(schema, table)
        if given[table] is None:
            if table == "interactions":
                found.frames[table] = pl.DataFrame(schema=dict.fromkeys(columns, pl.Null))
            else:
                fix = "Give all three, or one flat table"
                found.problems.append(Problem(table, "the table was not given", fix=fix))
            continue
        try:
            found.frames[table], found.known[table] = read_known(given[table], columns, found.names[table])
        except DataError as error:
            found.problems += error.problems
    for table, key in (("users", schema.user_id), ("items", schema.item_id)):
        if key is None:
            fix = f'Give [{table}] id = "…" (the column); only a flat table can do without'
            found.problems.append(Problem("schema", f"[{table}] has no id", fix=fix))
    return found
