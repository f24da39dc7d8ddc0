"""Every problem of the tables, found before anything is trained."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import polars as pl
from jaxtyping import Int64

from penchant.errors import Problem
from penchant.tables._field import SECTIONS, Field, Side
from penchant.tables._keys import is_key, key_problems, settled_key, twice, unknown_keys
from penchant.tables.kinds import KINDS, Date
from penchant.tables.kinds._base import cells, first, is_text
from penchant.tables.kinds.date import times_of
from penchant.tables.readers import Reading, columns_needed, not_there
from penchant.tables.schema import Schema

__all__ = ["check", "settled"]

_MOSTLY_MISSING = 0.5
_LARGEST_WEIGHT = float(np.finfo(np.float32).max)


def check(found: Reading, *, labelled: bool = True) -> tuple[list[Problem], list[Problem]]:
    """All errors, those of reading first, and all warnings.

    Arguments:
        labelled: False: label, time and weight of the interactions may be missing, and labels null.
    """
    errors = list(found.problems)
    for table, frame in found.frames.items():
        name, at = found.names[table], found.rows.get(table)
        if not found.flat and (table != "interactions" or frame.height):
            needed = columns_needed(found.schema, table, labelled=labelled)
            errors += (not_there(name, c, found.known[table]) for c in needed if c not in frame.columns)
        if frame.height == 0 and table != "interactions" and not found.flat:
            errors.append(Problem(name, "the table is empty", fix="Give at least one row"))
        errors += (_placed(problem, at) for problem in _cells(found.schema, table, frame, name))
    errors += _keys(found)
    if "interactions" in found.frames:
        pairs, name = found.frames["interactions"], found.names["interactions"]
        errors += _labels(found.schema, pairs, name, labelled)
        errors += _weights(found.schema, pairs, name)
        errors += _times(found.schema, pairs, name)
    return errors, [] if errors else list(_warnings(found))


def _placed(problem: Problem, at: Int64[np.ndarray, " n"] | None) -> Problem:
    """The problem with the row numbers of the flat table."""
    return problem if at is None else replace(problem, rows=tuple(int(at[row]) for row in problem.rows))


def _fields(schema: Schema, table: str, frame: pl.DataFrame) -> Iterator[Field]:
    side: Side = next(side for side, section in SECTIONS.items() if section == table)
    return (f for f in schema.side(side) if f.name in frame.columns)


def _cells(schema: Schema, table: str, frame: pl.DataFrame, name: str) -> Iterator[Problem]:
    """What the kinds themselves refuse; keys are checked as such."""
    key = {"users": schema.user_id, "items": schema.item_id}.get(table)
    for field in _fields(schema, table, frame):
        if not (field.kind == "id" and field.name == key):
            yield from KINDS[field.kind].problems(field, frame[field.name], name)


def _keys(found: Reading) -> Iterator[Problem]:
    schema, pairs, theirs = found.schema, found.frames.get("interactions"), found.names["interactions"]
    for table, key, column in (("users", schema.user_id, schema.user), ("items", schema.item_id, schema.item)):
        name, at = found.names[table], found.rows.get(table)
        keys = _column(found.frames.get(table), key)
        named = _column(pairs, column)
        if keys is not None and not (found.flat and key == column):  # there it is the very same column
            wrong = key_problems(keys, name, "Give each row its key") + twice(keys, name)
            yield from (_placed(problem, at) for problem in wrong)
        if named is not None:
            yield from key_problems(named, theirs, "Give each row its key" if found.flat else f"Name a row of {name}")
            if keys is not None and len(keys) and is_key(named.dtype) and is_key(keys.dtype):
                yield from unknown_keys(keys, named, name, theirs)


def _column(frame: pl.DataFrame | None, name: str | None) -> pl.Series | None:
    return frame[name] if frame is not None and name in frame.columns else None


def _labels(schema: Schema, pairs: pl.DataFrame, name: str, labelled: bool) -> list[Problem]:
    label = _column(pairs, schema.label)
    if label is None:
        return []
    present = label.is_not_null().to_numpy()
    fix = "Give 1 for liked and 0 for not liked; turn ratings into these first"
    if not (label.dtype.is_numeric() or label.dtype in (pl.Boolean, pl.Null)):
        return cells(name, label, present, f"numbers 0 and 1 expected, got {label.dtype} {first(label, present)}", fix)
    numbers = label.cast(pl.Float64)
    wrong = present & ~((numbers == 0) | (numbers == 1)).fill_null(False).to_numpy()
    found = cells(name, label, wrong, f"0 or 1 expected, got {first(label, wrong)}", fix)
    return found + (cells(name, label, ~present, "0 or 1 expected, found nothing", fix) if labelled else [])


def _weights(schema: Schema, pairs: pl.DataFrame, name: str) -> list[Problem]:
    weight = _column(pairs, schema.weight)
    if weight is None:
        return []
    present = weight.is_not_null().to_numpy()
    if not (weight.dtype.is_numeric() or weight.dtype == pl.Null):
        got = f"{weight.dtype} {first(weight, present)}"
        return cells(name, weight, present, f"numbers >= 0 expected, got {got}", "Cast the column to numbers")
    numbers = weight.cast(pl.Float64)
    wrong = present & ~((numbers >= 0) & (numbers <= _LARGEST_WEIGHT)).fill_null(False).to_numpy()
    fix = "Weigh a row 0, or leave it out"
    return [
        *cells(name, weight, wrong, f"a finite number >= 0 expected, got {first(weight, wrong)}", fix),
        *cells(name, weight, ~present, "a finite number >= 0 expected, found nothing", fix),
    ]


def _times(schema: Schema, pairs: pl.DataFrame, name: str) -> list[Problem]:
    """Times have an order: finite numbers, dates, or text that says a date."""
    time = _column(pairs, schema.time)
    if time is not None and time.dtype.is_float():
        wrong = (~time.is_finite()).fill_null(False).to_numpy()
        message = f"a finite time expected, got {first(time, wrong)}"
        return cells(name, time, wrong, message, "Write null where there is none")
    if time is None or time.dtype.is_numeric() or time.dtype in (pl.Date, pl.Datetime, pl.Null):
        return []
    wrong = time.is_not_null().to_numpy()
    if is_text(time):
        fix = "Give numbers or ISO 8601, or name it in [interactions.columns] as a date with its format"
        return [replace(problem, fix=fix) for problem in Date.problems(_as_date(schema), time, name)]
    message = f"a time expected (a number or a date), got {time.dtype} {first(time, wrong)}"
    return cells(name, time, wrong, message, "Cast the column, or leave time out of the schema")


def _as_date(schema: Schema) -> Field:
    """How the time column is read where it is text: as its context column is, or else as ISO 8601."""
    context = (f for f in schema.side("context") if f.name == schema.time and f.kind == "date")
    return next(context, Field(name=schema.time or "time", side="context", kind="date"))


def _warnings(found: Reading) -> Iterator[Problem]:
    schema = found.schema
    for table, frame in found.frames.items():
        key = {"users": schema.user_id, "items": schema.item_id}.get(table)
        name, fix = found.names[table], "Consider leaving it out"
        for field in _fields(schema, table, frame):
            if frame.height < 2 or field.name == key:
                continue
            values = frame[field.name]
            missing = values.null_count() / len(values)
            if missing > _MOSTLY_MISSING:
                yield Problem(name, f"{missing:.0%} of the rows have no value", field.name, fix=fix)
            if field.kind not in ("vector", "id") and values.drop_nulls().n_unique() == 1:
                yield Problem(name, "every row has the same value: it tells nothing", field.name, fix=fix)
            blank = (values.cast(pl.String).str.strip_chars() == "").sum() if field.kind == "text" else 0
            if blank > _MOSTLY_MISSING * len(values):
                message = f"{blank / len(values):.0%} of the texts are empty"
                yield Problem(name, message, field.name, fix="Write null where there is none")
    weight = _column(found.frames["interactions"], schema.weight)
    if weight is not None and len(weight) and (weight.cast(pl.Float64) == 0).all():
        yield Problem(found.names["interactions"], "every row weighs 0: nothing is left to learn from", weight.name)


def settled(schema: Schema, frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Checked frames with keys as whole numbers or text on both sides, labels as numbers, times in their order."""
    pairs = frames["interactions"]
    ready: dict[str, pl.DataFrame] = {}
    missing = (c for c in columns_needed(schema, "interactions", labelled=True) if c not in pairs.columns)
    if not pairs.height:
        pairs = pairs.with_columns(pl.Series(c, [], dtype=pl.Null) for c in missing)
    for table, key, column in (("users", schema.user_id, schema.user), ("items", schema.item_id, schema.item)):
        keys = settled_key(frames[table][key or ""])
        ready[table] = frames[table].with_columns(keys.alias(key or ""))
        pairs = pairs.with_columns(settled_key(pairs[column]).cast(keys.dtype).alias(column))
    if schema.label in pairs.columns:
        pairs = pairs.with_columns(pl.col(schema.label).cast(pl.Int8))
    kinds = {f.kind for f in schema.side("context") if f.name == schema.time}
    if schema.time in pairs.columns and is_text(pairs[schema.time]) and kinds <= {"date"}:
        pairs = pairs.with_columns(times_of(pairs[schema.time], _as_date(schema).format).alias(schema.time))
    return {**ready, "interactions": pairs}
