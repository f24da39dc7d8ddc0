"""From files and frames of other libraries to polars frames with the schema's columns and no others."""

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from penchant.errors import DataError, Problem
from penchant.tables.schema import Schema

__all__ = ["SUFFIXES", "columns_needed", "columns_of", "not_there", "read_frame", "read_three", "split_flat"]

SUFFIXES = (".csv", ".tsv", ".parquet", ".arrow", ".feather", ".ipc", ".json", ".ndjson", ".jsonl")
"""What can be read."""

TABLES = ("users", "items", "interactions")


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

    Text columns of CSV files keep leading zeros ("007" stays text). The index of a pandas frame is left out.

    Raises:
        DataError: no such file, a suffix that is not known, a file that cannot be parsed, an object that is no frame.
    """
    if isinstance(source, str | os.PathLike):
        return _read_file(Path(source), columns)
    if isinstance(source, pl.LazyFrame):
        frame = source
    elif isinstance(source, pl.DataFrame):
        frame = source.lazy()
    else:
        frame = _foreign(source, name).lazy()
    return _chosen(frame, columns)


def _chosen(frame: pl.LazyFrame, columns: list[str] | None) -> pl.DataFrame:
    there = frame.collect_schema().names()
    wanted = there if columns is None else [c for c in columns if c in there]
    if columns is not None and not wanted and there:
        return pl.DataFrame(height=int(frame.select(pl.len()).collect().item()))
    return frame.select(wanted).collect()


def _foreign(source: Any, name: str) -> pl.DataFrame:
    """A frame of another library: anything with the Arrow C stream, a pandas frame, or a dictionary of columns."""
    try:
        if type(source).__module__.startswith("pandas."):
            return pl.from_pandas(source, include_index=False)  # pandas' NaN is its missing value
        frame = pl.DataFrame(source) if isinstance(source, Mapping) or hasattr(source, "__arrow_c_stream__") else None
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise DataError([Problem(name, f"cannot be read as a table ({_first_line(error)})")]) from error
    if frame is None:
        kind = type(source).__name__
        fix = "Give a path, or a frame of polars, pandas or pyarrow"
        raise DataError([Problem(name, f"a table expected, got {kind}", fix=fix)])
    return frame


def _read_file(path: Path, columns: list[str] | None) -> pl.DataFrame:
    if not path.is_file():
        raise DataError([Problem(str(path), "there is no such file", fix="Check the path")])
    suffix = path.suffix.lower()
    try:
        if suffix in (".csv", ".tsv"):
            return _read_csv(path, "\t" if suffix == ".tsv" else ",", columns)
        if suffix == ".parquet":
            return _chosen(pl.scan_parquet(path), columns)
        if suffix in (".arrow", ".feather", ".ipc"):
            return _chosen(pl.scan_ipc(path), columns)
        if suffix == ".json":
            return _chosen(pl.read_json(path, infer_schema_length=None).lazy(), columns)
        if suffix in (".ndjson", ".jsonl"):
            return _chosen(pl.scan_ndjson(path, infer_schema_length=10_000), columns)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        if isinstance(error, pl.exceptions.NoDataError):
            raise DataError(
                [Problem(path.name, "the table is empty", fix="Give a file with a header and rows")]
            ) from error
        raise DataError([Problem(path.name, f"cannot be read as {suffix[1:]} ({_first_line(error)})")]) from error
    raise DataError(
        [
            Problem(
                path.name,
                f"{suffix or 'no suffix'} is not known",
                fix=f"One of {', '.join(SUFFIXES)} expected",
            )
        ]
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _read_csv(path: Path, separator: str, columns: list[str] | None) -> pl.DataFrame:
    """CSV as text first, then each column as the simplest type all of its cells allow: nothing is lost on the way."""
    frame = _chosen(pl.scan_csv(path, separator=separator, infer_schema=False), columns)
    return frame.with_columns(_typed(column) for column in frame.get_columns())


def _typed(column: pl.Series) -> pl.Series:
    """A column of text as Int64, Float64, Boolean or text. Leading zeros ("007") and a plus sign keep it text."""
    known = column.drop_nulls()
    if not len(known):
        return column
    if bool(known.str.contains(r"^-?(0|[1-9][0-9]{0,17})$").all()):
        return column.cast(pl.Int64)
    if bool(known.str.contains(r"^-?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][-+]?[0-9]+)?$|^(?i:nan|-?inf(inity)?)$").all()):
        numbers = column.str.to_lowercase().cast(pl.Float64, strict=False)
        if numbers.null_count() == column.null_count():
            return numbers
    if bool(known.str.to_lowercase().is_in(["true", "false"]).all()):
        return column.str.to_lowercase() == "true"
    return column


def not_there(table: str, column: str, known: Iterable[str]) -> Problem:
    """The problem of a column that is missing, with the nearest one that is there."""
    known = list(known)
    near = difflib.get_close_matches(column, known, 1)
    fix = f"Did you mean {near[0]!r}" if near else f"Columns: {', '.join(known) or 'none'}"
    return Problem(table, "the column is not there", column, fix=fix)


def _named(source: Any, table: str) -> str:
    return Path(source).name if isinstance(source, str | os.PathLike) else table


def read_three(schema: Schema, given: Mapping[str, Any]) -> tuple[dict[str, pl.DataFrame], dict[str, str]]:
    """Frames of the three tables, and the names their owner knows them by.

    Raises:
        DataError: every table that is missing or cannot be read.
    """
    frames: dict[str, pl.DataFrame] = {}
    names: dict[str, str] = {}
    problems: list[Problem] = []
    for table in TABLES:
        source = given[table]
        names[table] = _named(source, table)
        if source is None:
            if table == "interactions":
                frames[table] = pl.DataFrame({schema.user: [], schema.item: [], schema.label: []})
            else:
                problems.append(Problem(table, "the table was not given", fix="Give all three, or one flat table"))
            continue
        try:
            frames[table] = read_frame(source, columns=columns_of(schema, table), name=names[table])
        except DataError as error:
            problems += error.problems
    for table, key in (("users", schema.user_id), ("items", schema.item_id)):
        if key is None:
            problems.append(Problem("schema", f"[{table}] has no id", fix="Only a flat table can do without"))
    if problems:
        raise DataError(problems)
    return frames, names


def split_flat(
    schema: Schema, source: Any, *, labelled: bool = True
) -> tuple[Schema, dict[str, pl.DataFrame], dict[str, str]]:
    """One flat table to three: the distinct users, the distinct items, the rows. Keys are made up where there are none.

    Returns:
        The schema with its keys named, frames by table, and the table's name for each.

    Raises:
        DataError: columns that are not there.
    """
    name = _named(source, "flat")
    wanted = list(dict.fromkeys(c for table in TABLES for c in columns_needed(schema, table, labelled=labelled)))
    rows = read_frame(source, columns=None, name=name)
    made_up = {c for c, key in ((schema.user, schema.user_id), (schema.item, schema.item_id)) if key is None}
    missing = [c for c in wanted if c not in rows.columns and c not in made_up]
    if missing:
        raise DataError([not_there(name, column, rows.columns) for column in missing])
    frames: dict[str, pl.DataFrame] = {}
    for table, side, key in (("users", "user", schema.user_id), ("items", "item", schema.item_id)):
        of_side = [c for c in columns_of(schema, table) if c != key]
        column = schema.user if side == "user" else schema.item
        if key is None:
            frames[table], rows = _made_up(rows, of_side, column, side)
        else:
            frames[table] = rows.select([key, *of_side]).unique(maintain_order=True)
            if key != column and column not in rows.columns:
                rows = rows.with_columns(pl.col(key).alias(column))
    schema = replace(schema, user_id=schema.user_id or schema.user, item_id=schema.item_id or schema.item)
    kept = [c for c in columns_of(schema, "interactions") if c in rows.columns]
    frames["interactions"] = rows.select(kept)
    return schema, frames, dict.fromkeys(TABLES, name)


def _made_up(rows: pl.DataFrame, columns: list[str], key: str, side: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Distinct rows of ``columns`` with keys "user-0", "user-1", …, and the rows with the key added."""
    if not columns:
        raise DataError([Problem("schema", f"the flat table has neither an id nor features of {side}s")])
    dense = pl.struct(columns).rank("dense") - 1
    first_seen = rows.select(columns).with_columns(dense.alias("__rank"))
    order = first_seen["__rank"].unique(maintain_order=True)
    position = pl.DataFrame({"__rank": order, "__at": pl.int_range(len(order), eager=True)})
    at = first_seen.join(position, on="__rank", how="left", maintain_order="left")["__at"]
    keys = (f"{side}-" + at.cast(pl.String)).alias(key)
    keyed = rows.with_columns(keys)
    return keyed.select([key, *columns]).unique(subset=key, keep="first", maintain_order=True), keyed
