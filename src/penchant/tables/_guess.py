"""What kind a column is likely to be, judged by its content; for drafts that a person reads over."""

from typing import Any, NamedTuple

import polars as pl

from penchant.tables.kinds._terms import splitter

__all__ = ["SAMPLE", "Guess", "guess"]

SAMPLE = 200_000
"""Larger columns are judged by so many rows, evenly spread."""

_MANY = 100
"""A category has at most so many values."""
_FEW_ROWS = 50
"""In a table shorter than this a category may have nearly as many values as there are rows."""
_RECURS = 0.9
"""Values recur where there are at most so many distinct ones per row."""
_LONG = 40
"""Text longer than this on average is prose, not a code."""
_PROSE = 6
"""Free text has at least so many words a row (pairs of characters, where there are no blanks), in half of the rows."""
_READ = 1000
"""Rows of text that are read for it."""
_NO_PROSE = r"^\s*([\[{<]|\w+://|www\.|[\w.]*@|[/\\~]|[A-Za-z]:\\)"
"""How JSON, markup, addresses and paths begin."""
_ISO = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$"


class Guess(NamedTuple):
    """A kind with its options, or no kind; and a remark for the reader."""

    kind: str | None
    options: dict[str, Any]
    note: str | None = None


def guess(column: pl.Series) -> Guess:
    """The likely kind of a column; kind None with the reason where it is better left out."""
    dtype = column.dtype
    if dtype == pl.Object:
        return _out("its values have no type in common")
    column = column.gather_every(max(1, len(column) // SAMPLE)).drop_nulls()
    if not len(column):
        return _out("it is empty")
    if isinstance(dtype, pl.List | pl.Array):
        return _list(column, pl.Series([], dtype=dtype.inner))
    if dtype == pl.Boolean:
        return Guess("binary", {})
    if dtype in (pl.Date, pl.Datetime):
        return Guess("date", {})
    if dtype.is_numeric():
        return _number(column)
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return _text(column.cast(pl.String))
    return _out(f"its type {dtype} has no kind")


def _out(reason: str) -> Guess:
    return Guess(None, {}, f"left out: {reason}")


def _list(column: pl.Series, element: pl.Series) -> Guess:
    inner = element.dtype
    if inner in (pl.String, pl.Categorical, pl.Enum) or inner.is_integer():
        return Guess("tags", {})
    if inner in (pl.Float32, pl.Float64):
        lengths = column.cast(pl.List(inner)).list.len()
        if lengths.n_unique() == 1 and lengths[0] > 0:
            return Guess("vector", {})
        return _out("lists of numbers of different lengths; a vector has one length")
    return _out(f"its type {column.dtype} has no kind")


def _number(column: pl.Series) -> Guess:
    distinct = column.n_unique()
    if distinct == 1:
        return _out("it is constant")
    if distinct == 2 and (len(column) >= _FEW_ROWS or set(column.unique()) == {0, 1}):
        return Guess("binary", {})
    name = column.name.lower()
    if column.dtype.is_integer() and name.endswith(("id", "_code", "zip")):
        return _code(column, distinct)
    if column.dtype.is_integer() and distinct <= 20 and len(column) > 200:
        return Guess("numeric", {}, f"has {distinct} whole values; if they are codes, say 'category'")
    return Guess("numeric", {})


def _text(column: pl.Series) -> Guess:
    distinct = column.n_unique()
    if distinct == 1:
        return _out("it is constant")
    if column.str.contains(_ISO).all():
        return Guess("date", {})
    if (found := _vector(column)) or (found := _tags(column, distinct)):
        return found
    if distinct == 2 and len(column) > 2:
        return Guess("binary", {})
    return _code(column, distinct)


def _code(column: pl.Series, distinct: int) -> Guess:
    """Few values that recur are a category, many an id; what does not recur is no feature."""
    length = column.cast(pl.String).str.len_chars().mean()
    assert isinstance(length, float)
    if (distinct > _MANY or distinct > _RECURS * len(column)) and _prose(column, length):
        return Guess("text", {}, "is free text, read by its words; leave it out if these tell nothing")
    if distinct > _RECURS * len(column):
        return _out("hardly a value recurs (free text, or a key)")
    if distinct <= _MANY and (distinct <= len(column) / 2 or len(column) < _FEW_ROWS):
        return Guess("category", {})
    if length > _LONG:
        return _out("it is long text")
    return Guess("id", {}, f"has {distinct:,} values, too many for a category")


def _prose(column: pl.Series, length: float) -> bool:
    """Whether it is text by its words: not ids, names, titles, links, paths, code or postal addresses.

    Long (more than 40 letters on average, half as many where a script has no blanks), of several terms a row; of all
    terms at most four in five differ, and at most one in four has a digit.
    """
    if column.dtype != pl.String:
        return False
    some = column.gather_every(max(1, len(column) // _READ))
    terms = [splitter(None)(text[: 50 * _LONG]) for text in some.to_list()]
    flat = [term for row in terms for term in row]
    unspaced = sum(len(term) == 2 and not term.isascii() for term in flat) > len(flat) / 2
    several = sum(len(row) >= _PROSE for row in terms) > len(terms) / 2
    strange = some.str.contains(_NO_PROSE).sum() > len(some) / 2
    digits = sum(any(map(str.isdigit, term)) for term in flat)
    recurring = len(set(flat)) <= 0.8 * len(flat) and digits <= len(flat) / 4
    return length > _LONG / (1 + unspaced) and several and recurring and not strange


def _vector(column: pl.Series) -> Guess | None:
    """Text such as "0.1 0.2 0.3": fractions, always as many."""
    if not column.head(100).str.contains(r"\d\.\d").any():
        return None
    for delimiter in ("|", ";", ",", " "):
        parts = column.str.strip_chars("[] ").str.split(delimiter)
        lengths = parts.list.len()
        if lengths.n_unique() == 1 and lengths[0] > 1:
            numbers = parts.explode().str.strip_chars().cast(pl.Float64, strict=False)
            if numbers.is_not_null().all():
                return Guess("vector", {"delimiter": delimiter})
    return None


def _tags(column: pl.Series, distinct: int) -> Guess | None:
    """Text such as "drama|comedy": a delimiter in many rows, short parts that recur."""
    for delimiter in ("|", ";", ","):
        if column.str.contains(delimiter, literal=True).sum() < 0.2 * len(column):
            continue
        parts = column.unique().str.split(delimiter).explode().str.strip_chars()
        length = parts.str.len_chars().mean()
        assert isinstance(length, float)
        kinds = parts.n_unique()
        recurring = kinds < len(parts) if delimiter != "," else kinds <= distinct  # "Lyon, France" is one value
        if length <= _LONG / 2 and recurring and kinds <= 0.8 * len(parts):
            return Guess("tags", {"delimiter": delimiter})
    return None
