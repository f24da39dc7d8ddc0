"""Files to frames: CSV, Parquet, Arrow and JSON."""

import csv
import glob
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from penchant.errors import DataError, Problem
from penchant.tables._objects import FAILURES, reason, series_of

__all__ = ["SUFFIXES", "Read", "chosen", "read_file"]

Read = tuple[pl.DataFrame, list[str]]
"""The columns wanted, and the names of all that are there."""

_WIDE = (b"\xff\xfe", b"\xfe\xff")
"""How UTF-16 begins."""
_INTEGER = r"^-?(0|[1-9][0-9]*)$"
_NUMBER = r"^-?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][-+]?[0-9]+)?$|^(?i:nan|-?inf(inity)?)$"


def read_file(path: Path, columns: list[str] | None) -> Read:
    """A file as a polars frame; of ``columns`` those that are there (all for None).

    Raises: DataError: no such file, a suffix that is not known, or not what the suffix says.
    """
    if not path.is_file():
        found = "a file expected, got a folder" if path.is_dir() else "there is no such file"
        raise DataError([Problem(str(path), found, fix="Check the path")])
    suffix = path.suffix.lower()
    read = _READERS.get(suffix)
    if read is None:
        fix = f"One of {', '.join(SUFFIXES)} expected"
        raise DataError([Problem(path.name, f"{suffix or 'no suffix'} is not known", fix=fix)])
    try:
        if not path.stat().st_size:
            raise pl.exceptions.NoDataError
        return read(path, columns)
    except pl.exceptions.NoDataError as error:
        fix = "Give a file with a header and rows"
        raise DataError([Problem(path.name, "the table is empty", fix=fix)]) from error
    except FAILURES as error:
        fix = f"Check that the file is whole and really {suffix[1:]}"
        raise DataError([Problem(path.name, f"cannot be read as {suffix[1:]} ({reason(error)})", fix=fix)]) from error


def chosen(frame: pl.LazyFrame, columns: list[str] | None) -> Read:
    """Of ``columns`` those that are there, collected; mixed Python objects with the type they have in common."""
    there = frame.collect_schema().names()
    wanted = there if columns is None else [c for c in columns if c in there]
    if there and not wanted:
        return pl.DataFrame(height=int(frame.select(pl.len()).collect().item())), there
    found = frame.select(wanted).collect()
    objects = [series_of(c, found[c].to_list()) for c, dtype in found.schema.items() if dtype == pl.Object]
    return found.with_columns(objects), there


def _csv(path: Path, columns: list[str] | None) -> Read:
    """CSV as text first, then each column as the simplest type all of its cells allow: nothing is lost on the way."""
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open("rb") as file:
        if file.read(2) in _WIDE:
            raise DataError([Problem(path.name, "UTF-8 text expected, got UTF-16", fix="Save it as UTF-8")])
    header = _header(path, separator)
    twice = {c for c in header if header.count(c) > 1 and (columns is None or c in columns)}
    if twice:
        raise DataError([Problem(path.name, "the column is there twice", c, fix="Keep one") for c in sorted(twice)])
    try:
        frame, known = chosen(pl.scan_csv(_exactly(path), separator=separator, infer_schema=False), columns)
    except pl.exceptions.ComputeError as error:
        raise DataError([_why_not_csv(path, separator, len(header), error)]) from error
    return frame.with_columns(_typed(column) for column in frame.get_columns()), known


def _header(path: Path, separator: str) -> list[str]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return next(csv.reader(file, delimiter=separator), [])


def _why_not_csv(path: Path, separator: str, width: int, error: Exception) -> Problem:
    """The first row with more cells than the header, or what polars said."""
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError as wrong:
        return Problem(
            path.name, f"UTF-8 text expected ({wrong.reason} at byte {wrong.start:,})", fix="Save it as UTF-8"
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.reader(file, delimiter=separator), start=-1):
            if len(row) > width:
                fix = f"Put cells that hold {separator!r} into quotes"
                message = f"{width} cells expected as in the header, got {len(row)}"
                return Problem(path.name, message, rows=(number,), n_rows=1, fix=fix)
    return Problem(path.name, f"cannot be read as csv ({reason(error)})", fix="Check that every quote is closed")


def _typed(column: pl.Series) -> pl.Series:
    """A column of text as integers, Float64, Boolean or text. Leading zeros ("007") and a plus sign keep it text."""
    given = column.set(column == "", None)  # nothing in quotes is no number either
    known = given.drop_nulls()
    if not len(known):
        return column
    if bool(known.str.contains(_INTEGER).all()):
        types: tuple[Any, ...] = (pl.Int64, pl.Int128)  # what holds no whole number exactly stays text
    elif bool(known.str.contains(_NUMBER).all()):
        types, given = (pl.Float64,), given.str.to_lowercase()
    elif bool(known.str.to_lowercase().is_in(["true", "false"]).all()):
        return given.str.to_lowercase() == "true"
    else:
        return column
    casts = (given.cast(dtype, strict=False) for dtype in types)
    return next((cast for cast in casts if cast.null_count() == given.null_count()), column)


def _parquet(path: Path, columns: list[str] | None) -> Read:
    return chosen(pl.scan_parquet(_exactly(path)), columns)


def _arrow(path: Path, columns: list[str] | None) -> Read:
    """The file format, or the stream format."""
    with path.open("rb") as file:
        stream = file.read(6) != b"ARROW1"
    return chosen(pl.read_ipc_stream(path).lazy() if stream else pl.scan_ipc(_exactly(path)), columns)


def _json(path: Path, columns: list[str] | None) -> Read:
    """A list of rows, or a row a line. polars reads fast but makes text of mixed types: these are read by hand."""
    lines = path.suffix.lower() != ".json"
    try:
        if lines:
            found = chosen(pl.scan_ndjson(_exactly(path), infer_schema_length=None), columns)
        else:
            found = chosen(pl.read_json(path, infer_schema_length=None).lazy(), columns)
    except FAILURES:
        found = None
    if found is not None and not any(_looks_nested(column) for column in found[0].get_columns()):
        return found
    text = path.read_text(encoding="utf-8-sig")
    rows = [json.loads(line) for line in text.splitlines() if line.strip()] if lines else json.loads(text)
    rows = [rows] if isinstance(rows, dict) else rows
    if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
        raise DataError([Problem(path.name, "a list of rows expected", fix="Give [{column: value, …}, …]")])
    known = list(dict.fromkeys(name for row in rows for name in row))
    wanted = known if columns is None else [c for c in columns if c in known]
    frame = pl.DataFrame([series_of(c, [row.get(c) for row in rows]) for c in wanted])
    return (frame if wanted else pl.DataFrame(height=len(rows))), known


def _looks_nested(column: pl.Series) -> bool:
    return column.dtype == pl.String and bool(column.str.contains(r"^\s*[\[{]").any())


def _exactly(path: Path) -> str:
    """The path as polars takes it for one file, also where its name holds ``[``, ``*`` or ``?``."""
    return glob.escape(str(path))


_READERS: dict[str, Callable[[Path, list[str] | None], Read]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".feather": _arrow,
    ".ipc": _arrow,
    ".json": _json,
    ".ndjson": _json,
    ".jsonl": _json,
}

SUFFIXES = tuple(_READERS)
"""What can be read."""
