"""Every problem of the tables, found before anything is trained."""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from penchant.errors import Problem
from penchant.tables.kinds import KINDS
from penchant.tables.kinds._base import cells
from penchant.tables.readers import columns_needed, not_there
from penchant.tables.schema import Schema

__all__ = ["check", "settled"]

_MOSTLY_MISSING = 0.5

Frames = Mapping[str, pl.DataFrame]


def check(
    schema: Schema, frames: Frames, names: Mapping[str, str], *, labelled: bool = True
) -> tuple[list[Problem], list[Problem]]:
    """All errors and all warnings.

    Arguments:
        frames: users, items, interactions.
        names: what their owner calls them (a file's name), for the messages.
        labelled: False: label, time and weight of the interactions may be missing.
    """
    errors: list[Problem] = []
    for table, frame in frames.items():
        if table != "interactions" or frame.height:
            errors += _columns(columns_needed(schema, table, labelled=labelled), frame, names[table])
        if frame.height == 0 and table != "interactions":
            errors.append(Problem(names[table], "the table is empty", fix="Give at least one row"))
        errors += _cells(schema, table, frame, names[table])
    errors += _keys(schema, frames, names)
    errors += _labels(schema, frames["interactions"], names["interactions"])
    errors += _weights(schema, frames["interactions"], names["interactions"])
    return errors, [] if errors else list(_warnings(schema, frames, names))


def _columns(needed: list[str], frame: pl.DataFrame, name: str) -> Iterator[Problem]:
    return (not_there(name, column, frame.columns) for column in needed if column not in frame.columns)


def _fields(schema: Schema, table: str) -> Iterator[tuple[str, str]]:
    side = {"users": "user", "items": "item", "interactions": "context"}[table]
    return ((f.name, f.kind) for f in schema.fields if f.side == side)


def _cells(schema: Schema, table: str, frame: pl.DataFrame, name: str) -> Iterator[Problem]:
    """What the kinds themselves refuse."""
    by_name = {(f.side, f.name): f for f in schema.fields}
    side = {"users": "user", "items": "item", "interactions": "context"}[table]
    for column, kind in _fields(schema, table):
        if column in frame.columns:
            yield from KINDS[kind].problems(by_name[side, column], frame[column], name)  # type: ignore[index]


def _keys(schema: Schema, frames: Frames, names: Mapping[str, str]) -> Iterator[Problem]:
    pairs = frames["interactions"]
    for table, key, column in (
        ("users", schema.user_id, schema.user),
        ("items", schema.item_id, schema.item),
    ):
        frame = frames[table]
        usable = key is not None and key in frame.columns
        if usable:
            problems = list(_key_column(frame[key or ""], names[table]))
            yield from problems
            usable = not problems
        if usable and column in pairs.columns and pairs.height:
            yield from _named_keys(frame[key or ""], pairs[column], names[table], names["interactions"])


def _key_column(keys: pl.Series, table: str) -> Iterator[Problem]:
    if not (keys.dtype.is_integer() or keys.dtype in (pl.String, pl.Categorical, pl.Enum)):
        if (
            keys.dtype.is_float()
            and keys.is_finite().all()
            and bool((keys.drop_nulls() % 1 == 0).all())
            and not keys.null_count()
        ):
            return
        fix = "Give whole numbers or text; 1.5 and null name nobody"
        wrong = ~keys.is_finite().fill_null(False).to_numpy() if keys.dtype.is_float() else np.ones(len(keys), bool)
        yield from cells(
            table,
            keys,
            wrong if wrong.any() else np.ones(len(keys), bool),
            f"a key expected, got {keys.dtype}",
            fix,
        )
        return
    yield from cells(table, keys, keys.is_null().to_numpy(), "a key expected, found nothing", "Give each row its key")
    again = keys.is_not_null() & ~keys.is_first_distinct()
    if again.any():
        shown = ", ".join(repr(k) for k in keys.filter(again).unique(maintain_order=True).head(3).to_list())
        yield from cells(
            table, keys, again.to_numpy(), f"the key is there already ({shown})", "Keep one row for each key"
        )


def _named_keys(keys: pl.Series, named: pl.Series, table: str, pairs: str) -> Iterator[Problem]:
    null = named.is_null()
    yield from cells(pairs, named, null.to_numpy(), "a key expected, found nothing", f"Name a row of {table}")
    numbers, text = (keys.dtype.is_numeric(), named.dtype.is_numeric()), (keys.dtype, named.dtype)
    if numbers[0] != numbers[1] and len(keys):
        message = f"{text[1]} here, but the key {keys.name!r} of {table} is {text[0]}"
        yield Problem(pairs, message, named.name, fix="Give both as whole numbers or both as text")
        return
    if named.dtype.is_float():
        whole = named.cast(pl.Int64, strict=False)
        wrong = (whole.cast(pl.Float64) != named).fill_null(True) & ~null
        yield from cells(pairs, named, wrong.to_numpy(), "a whole number expected as a key")
        named = whole
    common = pl.Int64 if numbers[0] else pl.String
    unknown = ~named.cast(common).is_in(keys.cast(common).implode()) & ~named.is_null()
    if unknown.any():
        shown = ", ".join(repr(k) for k in named.filter(unknown).unique(maintain_order=True).head(3).to_list())
        fix = f"Add them to {table}, or leave these rows out"
        yield from cells(pairs, named, unknown.to_numpy(), f"no such key in {table} ({shown})", fix)


def _labels(schema: Schema, pairs: pl.DataFrame, name: str) -> Iterator[Problem]:
    if schema.label not in pairs.columns or not pairs.height:
        return
    label = pairs[schema.label]
    fix = "Give 1 for liked and 0 for not liked; turn ratings into these first"
    if not (label.dtype.is_numeric() or label.dtype == pl.Boolean):
        yield Problem(name, f"numbers 0 and 1 expected, got {label.dtype}", schema.label, n_rows=0, fix=fix)
        return
    numbers = label.cast(pl.Float64)
    wrong = ~((numbers == 0) | (numbers == 1)).fill_null(False)
    if wrong.any():
        shown = ", ".join(str(v) for v in label.filter(wrong).unique(maintain_order=True).head(3).to_list())
        yield from cells(name, label, wrong.to_numpy(), f"0 or 1 expected, got {shown}", fix)


def _weights(schema: Schema, pairs: pl.DataFrame, name: str) -> Iterator[Problem]:
    if schema.weight is None or schema.weight not in pairs.columns or not pairs.height:
        return
    weight = pairs[schema.weight]
    if not weight.dtype.is_numeric():
        yield Problem(name, f"numbers >= 0 expected, got {weight.dtype}", schema.weight)
        return
    numbers = weight.cast(pl.Float64)
    wrong = ~((numbers >= 0) & numbers.is_finite()).fill_null(False)
    yield from cells(name, weight, wrong.to_numpy(), "a finite number >= 0 expected", "Weigh a row 0, or leave it out")


def _warnings(schema: Schema, frames: Frames, names: Mapping[str, str]) -> Iterator[Problem]:
    for table, frame in frames.items():
        key = schema.user_id if table == "users" else schema.item_id if table == "items" else None
        for column, kind in _fields(schema, table):
            if column not in frame.columns or frame.height < 2 or column == key:
                continue
            values = frame[column]
            missing = values.null_count() / len(values)
            if missing > _MOSTLY_MISSING:
                yield Problem(
                    names[table],
                    f"{missing:.0%} of the rows have no value",
                    column,
                    fix="Consider leaving it out",
                )
            if kind not in ("vector", "id") and values.drop_nulls().n_unique() <= 1:
                yield Problem(
                    names[table],
                    "every row has the same value: it tells nothing",
                    column,
                    fix="Consider leaving it out",
                )


def settled(schema: Schema, frames: Frames) -> dict[str, pl.DataFrame]:
    """Checked frames with keys as whole numbers or text on both sides, labels and weights as numbers."""
    ready = dict(frames)
    for table, key, column in (
        ("users", schema.user_id, schema.user),
        ("items", schema.item_id, schema.item),
    ):
        of_side = ready[table].with_columns(pl.col(key or "").cast(_key_type(ready[table][key or ""])))
        ready[table] = of_side
        pairs = ready["interactions"]
        ready["interactions"] = pairs.with_columns(pl.col(column).cast(of_side[key or ""].dtype))
    pairs = ready["interactions"]
    if schema.label in pairs.columns:
        pairs = pairs.with_columns(pl.col(schema.label).cast(pl.Int8))
    ready["interactions"] = pairs
    return ready


def _key_type(keys: pl.Series) -> pl.Int64 | pl.String:
    return pl.Int64() if keys.dtype.is_numeric() else pl.String()
