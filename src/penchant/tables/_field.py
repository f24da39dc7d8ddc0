"""What one column means: its side, its kind, and how it is read."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from penchant.errors import Problem, SchemaError

__all__ = ["HISTORY", "KIND_NAMES", "SECTIONS", "SIDES", "Field", "Side", "nearest"]

Side = Literal["user", "item", "context"]
"""Whose column it is. ``context`` is a column of the interactions; it joins the user's side for that pair."""

SIDES: tuple[Side, ...] = ("user", "item", "context")

SECTIONS: dict[Side, str] = {"user": "users", "item": "items", "context": "interactions"}
"""The table (and the section of schema.toml) in which a side's columns are."""

KIND_NAMES = ("numeric", "binary", "category", "tags", "vector", "text", "date", "id")
"""The keys of `penchant.tables.kinds.KINDS`, written here because a schema is read without its kinds."""

HISTORY = "history"
"""The kind of the one field that is no column: a user's earlier items, taken from the interactions."""

_ALL_KINDS = (*KIND_NAMES, HISTORY)

_SCALES = ("minmax", "log", "quantile")
_ANALYZERS = ("words", "characters")
_DEFAULTS = {"scale": "minmax", "min_count": 1}
"""Of options that are not None where they are left out."""
_LEAST = {"size": 2, "max_terms": 2}

_USED_BY = {
    "scale": ("numeric",),
    "delimiter": ("tags", "vector"),
    "format": ("date",),
    "unit": ("numeric", "vector"),
    "min_count": ("category", "tags", "text", "id"),
    "size": ("text",),
    "max_terms": ("text",),
    "analyzer": ("text",),
    "half_life": (HISTORY,),
    "last": (HISTORY,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of one side.

    Raises: SchemaError: an unknown side, kind or scale, or an option that the kind does not use.
    Example:
        >>> Field(name="age", side="user", kind="numeric", unit="years").heading
        'age'
    """

    name: str
    """The column."""
    side: Side
    """Whose column it is: user, item or context."""
    kind: str
    """One of numeric, binary, category, tags, vector, text, date, id; or history, which is no column (users only)."""
    scale: str = "minmax"
    """numeric: minmax (straight from least to greatest), log (by the logarithm) or quantile (by rank)."""
    delimiter: str | None = None
    """tags and vector: what stands between the parts where they are given as one string."""
    format: str | None = None
    """date: how text is read (strftime); None is ISO 8601."""
    title: str | None = None
    """What people read instead of the column's name."""
    unit: str | None = None
    """numeric and vector: the unit people read after a value, "years"."""
    min_count: int = 1
    """category, tags and id: a value rarer than this in the training rows has the place of the unseen. text: a term
    that fewer training texts have is not known."""
    size: int | None = None
    """text: how many numbers a text becomes at most. None: 32."""
    max_terms: int | None = None
    """text: only so many terms are known, those that the most training texts have. None: 5,000."""
    analyzer: str | None = None
    """text: what counts as a term. words: what stands between blanks, in every script; characters: each three letters
    of a word (two where a script has no blanks). None: words, and two neighbouring characters without blanks."""
    half_life: float | int | None = None
    """history: time after which an earlier item counts half as much, counted from the user's newest one; in units of
    the time column, days where that holds dates. None: all count alike."""
    last: int | None = None
    """history: only so many of a user's newest items count (of the latest rows, without a time column)."""

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise SchemaError(problems)

    @property
    def heading(self) -> str:
        """What people read: the title, or else the column's name."""
        return self.title or self.name

    def _problems(self) -> Iterator[Problem]:
        if not self.name:
            yield Problem("schema", f"a column of {self.side!r} has an empty name")
        if self.side not in SIDES:
            yield self._problem(f"side {self.side!r} is unknown: one of {', '.join(SIDES)} expected")
        if self.kind not in _ALL_KINDS:
            known = f"one of {', '.join(_ALL_KINDS)} expected"
            yield self._problem(f"kind {self.kind!r} is unknown: {known}", nearest(self.kind, _ALL_KINDS))
            return
        if self.kind == HISTORY and self.side != "user":
            yield self._problem("a history belongs to the users", "Move it to [users.columns]")
        for option in ("half_life", "last"):
            value = getattr(self, option)
            if value is not None and not 0 < value < float("inf"):
                yield self._problem(f"{option} must be above 0, got {value}")
        if self.scale not in _SCALES:
            known = f"one of {', '.join(_SCALES)} expected"
            yield self._problem(f"scale {self.scale!r} is unknown: {known}", nearest(self.scale, _SCALES))
        if self.min_count < 1:
            yield self._problem(f"min_count must be at least 1, got {self.min_count}")
        for option, least in _LEAST.items():
            value = getattr(self, option)
            if value is not None and value < least:
                yield self._problem(f"{option} must be at least {least}, got {value}")
        if self.analyzer is not None and self.analyzer not in _ANALYZERS:
            known = f"one of {', '.join(_ANALYZERS)} expected"
            yield self._problem(f"analyzer {self.analyzer!r} is unknown: {known}", nearest(self.analyzer, _ANALYZERS))
        for option in ("delimiter", "format", "title", "unit"):
            if getattr(self, option) == "":
                yield self._problem(f"{option} is empty", f"Leave {option} out")
        for option, kinds in _USED_BY.items():
            if self.kind not in kinds and getattr(self, option) != _DEFAULTS.get(option):
                message = f"{option} is not used by kind {self.kind!r}, only by {' and '.join(kinds)}"
                yield self._problem(message, f"Leave {option} out")

    def _problem(self, message: str, fix: str | None = None) -> Problem:
        return Problem("schema", message, column=self.name, fix=fix)


def nearest(word: str, known: tuple[str, ...]) -> str | None:
    """The advice *Perhaps 'numeric' is meant*, or None where nothing known is near.

    Example:
        >>> nearest("numerical", KIND_NAMES)
        "Perhaps 'numeric' is meant"
    """
    near = difflib.get_close_matches(word, known, n=1)
    return f"Perhaps {near[0]!r} is meant" if near else None
