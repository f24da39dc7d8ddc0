"""The laws of a kind of field."""

import dataclasses
import json

import numpy as np
import polars as pl

from penchant._spec import FIRST, MISSING, UNSEEN, Bag
from penchant.tables.kinds import Encoded, Kind
from penchant.tables.schema import Field

__all__ = ["check_kind"]

_COMPARED = 200
"""Rows of a lossy kind that are compared with one another, at most."""


def check_kind(kind: type[Kind], field: Field, column: pl.Series, *, tolerance: float = 1e-4) -> None:
    """Hold a kind of field against its laws.

    Args:
        kind: the class.
        field: a field of this kind, with a ``min_count`` of 1.
        column: its training rows, without a problem; best with a null, repetitions and at least two values.
        tolerance: by how much of its range a dense value may miss after one way there and back.

    Raises: AssertionError: a law is broken; the message says which.
    Example:
        >>> from penchant.tables.kinds import Numeric
        >>> age = Field(name="age", side="user", kind="numeric")
        >>> check_kind(Numeric, age, pl.Series([24, None, 31]))
    """
    column = column.alias(field.name)
    found = kind.problems(field, column, "table")
    assert not found, f"problems() finds fault with a column that is to be sound: {found[0]}"
    fitted = kind.fit(field, column)
    encoded = fitted.encode(column)
    _check_form(fitted, encoded, len(column))
    _check_rows(fitted, column, encoded)
    _check_counts(fitted, column)
    _check_missing(fitted, encoded, column)
    _check_portrait(fitted, encoded, len(column))
    _check_round_trip(fitted, column, encoded, tolerance)
    _check_open(fitted, column)
    _check_state(fitted, column, encoded)
    _check_extended(kind, field, column)


def _check_form(fitted: Kind, encoded: Encoded, n: int) -> None:
    block = fitted.block()
    assert block.name == fitted.field.name, "block() must have the field's name"
    assert block.form == fitted.form, "block().form must be the kind's form"
    coordinates = block.size if block.form == "dense" else block.size - FIRST
    expected = 0 if block.likelihood == "none" else coordinates
    assert block.width == expected, f"block(): a width of {expected} expected, got {block.width}"
    if block.form == "dense":
        assert isinstance(encoded, np.ndarray), "dense: an array expected"
        assert encoded.dtype == np.float32, "dense: float32 expected"
        assert encoded.shape == (n, block.size), f"dense: shape {(n, block.size)} expected, got {encoded.shape}"
        assert _in_unit(encoded), "dense: numbers in [0, 1] (or NaN) expected"
    elif block.form == "code":
        assert isinstance(encoded, np.ndarray), "code: an array expected"
        assert encoded.dtype == np.int64, "code: int64 expected"
        assert encoded.shape == (n,), f"code: shape {(n,)} expected, got {encoded.shape}"
        assert ((encoded >= 0) & (encoded < block.size)).all(), f"code: codes in [0, {block.size}) expected"
    else:
        assert isinstance(encoded, Bag), "bag: a Bag expected"
        assert encoded.values.dtype == encoded.offsets.dtype == np.int64, "bag: int64 expected"
        assert encoded.offsets.shape == (n + 1,), f"bag: {n + 1} offsets expected, got {encoded.offsets.shape}"
        assert encoded.offsets[0] == 0, "bag: offsets start at 0"
        assert encoded.offsets[-1] == len(encoded.values), "bag: the last offset is the number of values"
        assert (np.diff(encoded.offsets) >= 0).all(), "bag: offsets do not fall"
        assert ((encoded.values >= 0) & (encoded.values < block.size)).all(), f"bag: codes in [0, {block.size})"


def _check_rows(fitted: Kind, column: pl.Series, encoded: Encoded) -> None:
    """Rows do not know of one another."""
    backward = fitted.encode(column.reverse())
    places = np.arange(len(column))[::-1]
    assert _equal(_rows(encoded, places), backward), "encode() must not depend on the order of the rows"
    if len(column):
        one = fitted.encode(column.head(1))
        assert _equal(_rows(encoded, np.array([0])), one), "encode() of one row must equal that row among others"
    _check_form(fitted, fitted.encode(column.clear()), 0)


def _check_counts(fitted: Kind, column: pl.Series) -> None:
    counts = fitted.counts(column)
    assert counts.missing == column.null_count(), f"counts(): {column.null_count()} missing expected, got {counts}"
    assert counts.unseen == counts.clipped == 0, f"counts(): training rows are seen and in range, got {counts}"


def _check_missing(fitted: Kind, encoded: Encoded, column: pl.Series) -> None:
    missing = column.is_null().to_numpy()
    nulls = fitted.encode(pl.Series(column.name, [None, None], dtype=column.dtype))
    got: object
    for part, expected in ((encoded, missing), (nulls, np.array([True, True]))):
        if isinstance(part, Bag):
            got = np.array([(row == MISSING).all() and len(row) == 1 for row in _lists(part)], dtype=bool)
        elif fitted.form == "code":
            got = np.asarray(part == MISSING)
        else:
            got = np.isnan(part).all(axis=1) if part.shape[1] else expected
        assert np.array_equal(got, expected), "encode(): missing exactly where the column is null"
    values = encoded.values if isinstance(encoded, Bag) else encoded
    assert fitted.form == "dense" or not (values == UNSEEN).any(), "encode(): no training value is unseen"


def _check_portrait(fitted: Kind, encoded: Encoded, n: int) -> None:
    width = fitted.block().width
    portrait = fitted.portrait(encoded)
    assert portrait.dtype == np.float32, "portrait(): float32 expected"
    assert portrait.shape == (n, width), f"portrait(): shape {(n, width)} expected, got {portrait.shape}"
    assert _in_unit(portrait), "portrait(): numbers in [0, 1] (or NaN) expected"
    labels = fitted.labels()
    assert len(labels) == width, f"labels(): {width} expected, one a coordinate, got {len(labels)}"
    assert all(isinstance(label, str) for label in labels), "labels(): text expected"
    assert all(isinstance(fitted.words(row), str) for row in portrait[:20]), "words(): text expected"


def _check_round_trip(fitted: Kind, column: pl.Series, encoded: Encoded, tolerance: float) -> None:
    if not fitted.block().width:
        return
    decoded = fitted.decode(fitted.portrait(encoded))
    assert decoded.name == fitted.field.name, "decode(): the series must have the field's name"
    assert len(decoded) == len(column), "decode(): as many rows as portraits"
    assert (decoded.is_null() == column.is_null()).all(), "decode(): null exactly where the value was missing"
    again = fitted.encode(decoded)
    if fitted.lossy:
        _check_nearer(encoded, again)
        return
    assert _equal(again, encoded, tolerance), "encode(decode(portrait(encode(x)))) must be encode(x)"
    dtype = column.dtype
    if dtype == decoded.dtype and not (dtype.is_float() or dtype.is_nested() or dtype.is_temporal()):
        assert decoded.equals(column), "decode(portrait(encode(x))) must be x"


def _check_nearer(encoded: Encoded, again: Encoded) -> None:
    """What is read back of a row comes nearer to it than to the others, on the average over (some) rows."""
    assert isinstance(encoded, np.ndarray), "lossy: dense numbers expected"
    assert isinstance(again, np.ndarray), "lossy: dense numbers expected"
    assert np.array_equal(np.isnan(again), np.isnan(encoded)), "encode(decode(…)): known exactly where x is"
    some = np.flatnonzero(~np.isnan(encoded).any(axis=1))[:_COMPARED]
    apart = np.abs(again[some, None] - encoded[None, some]).mean(axis=2)
    others = np.abs(encoded[some, None] - encoded[None, some]).max(axis=2, initial=0.0) > 0
    if others.any():
        own, other = float(np.diag(apart).mean()), float(apart[others].mean())
        assert own <= other, f"decode(): nearer to x than to other rows expected, got {own:.3f} and {other:.3f}"


def _check_open(fitted: Kind, column: pl.Series) -> None:
    """What a decoder says anywhere in [0, 1] is a value of the field."""
    width = fitted.block().width
    if not width or column.null_count() == len(column):
        return
    portrait = np.random.default_rng(0).random((50, width), dtype=np.float32)
    counts = fitted.counts(fitted.decode(portrait))
    if fitted.lossy:  # what is said of a place need not lie within the range of the training rows
        counts = counts._replace(clipped=0)
    assert counts == (0, 0, 0), f"decode() of any portrait must give known values in range, got {counts}"
    nothing = np.full((1, width), np.nan, dtype=np.float32)
    assert fitted.decode(nothing).null_count() == 1, "decode() of NaN must be null"
    assert isinstance(fitted.words(nothing[0]), str), "words() must have a word for what is missing"


def _check_state(fitted: Kind, column: pl.Series, encoded: Encoded) -> None:
    state = json.loads(json.dumps(fitted.state(), allow_nan=False))
    again = type(fitted).from_state(fitted.field, state)
    assert again == fitted, "from_state(state()) must equal the kind"
    assert again.block() == fitted.block(), "from_state(state()) must have the same block"
    assert _equal(again.encode(column), encoded), "from_state(state()) must encode alike"
    try:
        fitted.field = fitted.field  # type: ignore[misc]
    except (dataclasses.FrozenInstanceError, AttributeError):
        return
    raise AssertionError("a fitted kind must not be changeable")


def _check_extended(kind: type[Kind], field: Field, column: pl.Series) -> None:
    """Later rows add to what is known and change nothing of it."""
    early = column.head(len(column) // 2)
    before = kind.fit(field, early)
    after, old, new = before.extended(column), before.block(), before.extended(column).block()
    assert kind.fit(field, column).extended(column) == kind.fit(field, column), "extended() by known rows: the same"
    assert (new.name, new.form, new.likelihood) == (old.name, old.form, old.likelihood), "extended(): of the same form"
    assert new.size >= old.size, "extended(): nothing is forgotten"
    if old.size and early.null_count() < len(early):
        assert _equal(after.encode(early), before.encode(early)), "extended(): known rows are encoded as before"
    encoded = after.encode(column)
    values = encoded.values if isinstance(encoded, Bag) else encoded
    assert after.form == "dense" or not (values == UNSEEN).any(), "extended(): what is added is known"
    assert after.from_state(after.field, after.state()) == after, "extended(): it can be restored"


def _in_unit(numbers: np.ndarray) -> bool:
    return bool((np.isnan(numbers) | ((numbers >= 0) & (numbers <= 1))).all())


def _lists(bag: Bag) -> list[np.ndarray]:
    return [bag.values[start:end] for start, end in zip(bag.offsets[:-1], bag.offsets[1:], strict=True)]


def _rows(encoded: Encoded, places: np.ndarray) -> Encoded:
    if not isinstance(encoded, Bag):
        return encoded[places]
    rows = [_lists(encoded)[place] for place in places]
    values = np.concatenate([np.zeros(0, dtype=np.int64), *rows])
    return Bag(values, np.cumsum([0, *map(len, rows)], dtype=np.int64))


def _equal(one: Encoded, other: Encoded, tolerance: float = 0.0) -> bool:
    if isinstance(one, Bag) or isinstance(other, Bag):
        pairs = zip(one, other, strict=True)
        return isinstance(one, Bag) and isinstance(other, Bag) and all(np.array_equal(a, b) for a, b in pairs)
    if one.shape != other.shape:
        return False
    return bool(np.allclose(one, other, rtol=0.0, atol=tolerance, equal_nan=True))
