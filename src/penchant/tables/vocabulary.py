"""Ids and the numbers of their rows."""

import difflib
from collections.abc import Sequence

import numpy as np
import polars as pl
from jaxtyping import Int64

from penchant._spec import FIRST
from penchant.errors import DataError, Problem, UnknownIdError
from penchant.tables._objects import series_of
from penchant.tables.kinds._base import is_text
from penchant.tables.kinds._values import Values, value_problems

__all__ = ["Vocabulary"]

_NEAR = 3
_COMPARED = 5_000
"""At most so many ids of like length are compared with an unknown one."""


class Vocabulary:
    """The ids of one side, in the order of their rows.

    Ids keep their type: whole numbers or text. ``"17"`` is accepted for 17 and the other way round.

    Args:
        ids: (n) distinct ids without null.
        what: what they name, for messages: "user", "item".

    Raises: DataError: a null, or an id twice.
    Example:
        >>> Vocabulary(["u1", "u2"]).rows(["u2", "u1", "u2"])
        array([1, 0, 1])
    """

    def __init__(self, ids: pl.Series | Sequence[int] | Sequence[str], *, what: str = "id") -> None:
        series = ids if isinstance(ids, pl.Series) else series_of(what, ids)
        if problems := value_problems(f"{what}s", series):
            raise DataError(problems)
        self._values = Values.of(series)
        self._what = what
        self._check(self._values.series)

    @property
    def ids(self) -> pl.Series:
        """(n) the ids, by row."""
        return self._values.series

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, one: int | str) -> bool:
        return bool(self.find([one])[0] >= 0)

    def find(self, ids: pl.Series | Sequence[int | str]) -> Int64[np.ndarray, " m"]:
        """The row of each id; -1 where it is not known."""
        return np.maximum(self._values.codes(_series(ids)) - FIRST, -1)

    def rows(self, ids: pl.Series | Sequence[int | str]) -> Int64[np.ndarray, " m"]:
        """The row of each id.

        Raises:
            UnknownIdError: an id is not there; names up to five of them and what is near.
            DataError: one is not there, and text and whole numbers are mixed, or something is neither.
        """
        found = self.find(ids)
        lost = np.flatnonzero(found < 0)
        if len(lost):
            series = _series(ids)
            if series.dtype == pl.Object and (problems := value_problems(f"{self._what}s", series)):
                raise DataError(problems)
            first = series.gather(pl.Series(lost)).unique(maintain_order=True)
            raise UnknownIdError(self._message(first.to_list()))
        return found

    def take(self, rows: Int64[np.ndarray, " m"]) -> pl.Series:
        """The ids of rows."""
        return self.ids.gather(pl.Series(rows))

    def _message(self, lost: list[int | str | None]) -> str:
        names = ", ".join(map(repr, lost[:5])) + (f" and {len(lost) - 5:,} more" if len(lost) > 5 else "")
        near = self._near(lost[0])
        hint = f" Nearest: {', '.join(map(repr, near))}." if near else ""
        words = self._what if len(lost) == 1 else f"{self._what}s"
        return (
            f"no {words} {names} among the {len(self):,} known.{hint}"
            " One that is in no table can be given as a row of features instead, {column: value, …}."
        )

    def _near(self, one: int | str | None) -> list[int | str]:
        if one is None or not len(self):
            return []
        if self.ids.dtype == pl.Int64:
            try:
                number = float(one)
            except ValueError:
                return []
            order = (self.ids.cast(pl.Float64) - number).abs().arg_sort()
            return self.ids.gather(order.head(_NEAR)).to_list()
        text = str(one)
        alike = self.ids.filter((self.ids.str.len_chars().cast(pl.Int64) - len(text)).abs() <= 2)
        return list(difflib.get_close_matches(text, alike.head(_COMPARED).to_list(), n=_NEAR))

    def _check(self, series: pl.Series) -> None:
        table = f"{self._what}s"
        problems = []
        if series.has_nulls():
            rows = np.flatnonzero(series.is_null().to_numpy())
            shown = tuple(int(r) for r in rows[:5])
            problems.append(Problem(table, "an id expected, got null", rows=shown, n_rows=len(rows)))
        twice = np.flatnonzero((~series.is_first_distinct()).to_numpy() & series.is_not_null().to_numpy())
        if len(twice):
            shown = tuple(int(r) for r in twice[:5])
            message = f"an id of its own expected in each row, got {series[shown[0]]!r} again"
            problems.append(Problem(table, message, rows=shown, n_rows=len(twice)))
        if problems:
            raise DataError(problems)


def _series(ids: pl.Series | Sequence[int | str]) -> pl.Series:
    """Ids to look up. What can be none, a date or a list, is unknown as text."""
    series = ids if isinstance(ids, pl.Series) else series_of("", ids)
    dtype = series.dtype
    if dtype.is_numeric() or is_text(series) or dtype in (pl.Boolean, pl.Null, pl.Object):
        return series
    return pl.Series("", [None if one is None else str(one) for one in series.to_list()], dtype=pl.String)
