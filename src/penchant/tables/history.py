"""The field of kind ``history``: what each user liked and did not like earlier, taken from the training interactions.

It is no column. Known users have the history of the training rows; whoever is in no table brings one along,
``{"history": ["i7", "i9"]}`` or ``{"history": {"liked": ["i7"], "disliked": ["i3"]}}``, or in full and in order of time
``{"history": [{"item": "i3", "liked": False}, {"item": "i7"}]}``, and needs no retraining.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float32, Float64, Int64

from penchant._spec import History
from penchant.errors import UnknownIdError
from penchant.tables._brought import brought
from penchant.tables._field import Field
from penchant.tables._tables import Tables
from penchant.tables.vocabulary import Vocabulary

__all__ = ["Histories"]

_DAY_US = 86_400_000_000
_AGE = pl.col("time").max().over("user") - pl.col("time")
_PLACED = {"place": pl.int_range(pl.len()).over("user"), "age": _AGE.fill_null(0.0)}
"""Place and age of entries that are in order of time."""


@dataclass(frozen=True, eq=False)
class Histories:
    """Earlier items by user; the catalogue they are rows of is the item table that was fitted on."""

    field: Field
    """What the schema says of it."""
    users: Vocabulary
    """Whose history is known."""
    items: Vocabulary
    """The catalogue."""
    past: History
    """One row a user of ``users``."""
    times: Float64[np.ndarray, " nnz"] | None = None
    """When each entry of ``past`` happened, in days (dates) or the unit of the time column; NaN where it is not known.
    None: of no entry."""

    @classmethod
    def fit(cls, field: Field, train: Tables) -> "Histories":
        """Take the interactions of the training rows: of an item met several times the latest counts.

        Latest is by the time column; rows without a time, or of the same time, by their order in the table.
        """
        users, items = Vocabulary(train.user_ids, what="user"), Vocabulary(train.item_ids, what="item")
        return cls._of(field, users, items, _met(train, users, items))

    def extended(self, more: Tables, users: Vocabulary, items: Vocabulary) -> "Histories":
        """With the interactions of more rows, as `fit` would take both; what has no time is older than what has one.

        Arguments:
            users, items: who and what there is now; they hold those of ``self``.

        Raises:
            UnknownIdError: an interaction of somebody or something else.
        """
        own = self.frame().sort("user", "place").with_columns(
            user=pl.col("user").replace_strict(*_moved(self.users, users), return_dtype=pl.Int64),
            item=pl.col("item").replace_strict(*_moved(self.items, items), return_dtype=pl.Int64),
        )  # fmt: skip
        if "time" not in own.columns:
            own = own.with_columns(time=pl.lit(None, dtype=pl.Float64))
        met = _met(more, users, items)
        return self._of(self.field, users, items, pl.concat([own.select(met.columns), met]))

    @classmethod
    def _of(cls, field: Field, users: Vocabulary, items: Vocabulary, met: pl.DataFrame) -> "Histories":
        """From a row for each time that an item was met, in the order in which rows of one time count."""
        frame = met.sort("user", "time", maintain_order=True, nulls_last=False)
        frame = frame.unique(["user", "item"], keep="last", maintain_order=True)
        if field.last is not None:
            frame = frame.group_by("user", maintain_order=True).tail(int(field.last))
        oldest = _AGE.max().over("user")  # what has no time counts as oldest
        frame = frame.with_columns(place=_PLACED["place"], age=_AGE.fill_null(oldest).fill_null(0.0))
        return cls.from_frame(field, users, items, frame.with_columns(weight=_weights(frame, field)))

    @classmethod
    def from_frame(cls, field: Field, users: Vocabulary, items: Vocabulary, frame: pl.DataFrame) -> "Histories":
        """From a frame of user and item (row numbers), liked, weight, place, age and time, each pair once.

        Without place and age, or time, as earlier versions wrote it, the order of the items stands for that of time.
        """
        if "place" not in frame.columns:
            frame = frame.sort("user", "item").with_columns(place=_PLACED["place"], age=pl.lit(0.0))
        times = None
        if "time" in frame.columns and frame["time"].null_count() < frame.height:
            times = frame.sort("user", "item")["time"].to_numpy().astype(np.float64)
        return cls(field, users, items, _past(frame, len(users)), times)

    def frame(self) -> pl.DataFrame:
        """The history as `from_frame` takes it."""
        user = np.repeat(np.arange(len(self.users)), np.diff(self.past.offsets))
        named = zip(("item", "liked", "weight", "place", "age"), self.past[:-1], strict=True)
        times = {} if self.times is None else {"time": pl.Series(self.times, nan_to_null=True)}
        return pl.DataFrame({"user": user, **dict(named), **times})

    @cached_property
    def usual_gap(self) -> float:
        """The middle one of the times between two entries of a user that are not of the same time; 0 without any."""
        if self.times is None:
            return 0.0
        frame = self.frame().sort("user", "place")
        gaps = frame.select(gap=pl.col("time").diff().over("user"))["gap"].drop_nulls()
        return float(gaps.filter(gaps > 0).median() or 0.0)  # type: ignore[arg-type]

    @cached_property
    def latest(self) -> Float64[np.ndarray, " n_users"]:
        """Time of each user's latest entry; NaN where it is not known."""
        found = np.full(len(self.users), -np.inf)
        if self.times is not None:
            user = np.repeat(np.arange(len(self.users)), np.diff(self.past.offsets))
            np.fmax.at(found, user, self.times)
        return np.where(np.isfinite(found), found, np.nan)

    def since(self, keys: pl.Series, times: pl.Series) -> Float32[np.ndarray, " n"]:
        """How long after a user's latest entry each of some times is; 0 for earlier ones and where it is not known."""
        rows = self.users.find(keys)
        latest = np.append(self.latest, np.nan)[rows]  # -1: a stranger
        return np.nan_to_num(np.maximum(_moments(times).to_numpy() - latest, 0.0)).astype(np.float32)

    def of(self, keys: pl.Series) -> History:
        """The history of users by key; users who are not known have an empty one."""
        rows = self.users.find(keys)
        offsets = self.past.offsets
        starts = np.where(rows >= 0, offsets[rows], 0)
        lengths = np.where(rows >= 0, offsets[rows + 1] - starts, 0)
        ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = np.arange(ends[-1]) + np.repeat(starts - ends[:-1], lengths)
        return self.past.with_entries(lambda part: part[places], ends)

    def of_rows(self, given: Sequence[Any]) -> History:
        """Histories that rows bring along, each in one of four forms.

        * None: nothing.
        * Ids of liked items, the oldest first.
        * ``{"liked": ids, "disliked": ids}``: the disliked ones count as older. An item that is both is disliked.
        * Mappings ``{"item": id, "liked": bool, "time": time}`` in order, the oldest first; where each has a time, in
          the order of these. Without ``liked`` it is a like. Times are dates (or ISO text), or numbers in the unit of
          the time column.

        Where not each entry of a row has a time, its order is that of time, a usual gap (`usual_gap`) from one entry to
        the next: entries of one time would be read as met at once.

        An item that is named twice counts once, where it stands last. With a half-life, entries count by how long they
        are before the latest one of their row.

        Raises:
            DataError: something else. UnknownIdError: an item that is not in the catalogue.
        """
        told = brought(given, self.field.name)
        items = self._rows(told.ids, told.row)
        order = np.lexsort((told.wins, items, told.row))
        row, item = told.row[order], items[order]
        last = np.ones(len(order), dtype=bool)
        last[:-1] = (row[1:] != row[:-1]) | (item[1:] != item[:-1])
        kept = order[last]
        frame = pl.DataFrame({"user": row[last], "item": item[last], "turn": kept})
        frame = frame.with_columns(liked=pl.Series(told.liked[kept]), time=pl.Series(told.time[kept]).fill_nan(None))
        turn = pl.int_range(pl.len()).over("user") * self.usual_gap
        timed = pl.col("time").is_not_null().all().over("user")
        frame = frame.sort("user", "turn").with_columns(time=pl.when(timed).then("time").otherwise(turn))
        frame = frame.with_columns(**_PLACED)
        return _past(frame.with_columns(weight=_weights(frame, self.field)), len(given))

    def _rows(self, ids: list[Any], rows: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
        """Rows of the catalogue of ids, which the given rows name."""
        if not ids:
            return np.zeros(0, dtype=np.int64)
        try:
            return self.items.rows(ids)
        except UnknownIdError:
            for number in np.unique(rows):  # the first row with such an item is named
                try:
                    self.items.rows([ids[j] for j in np.flatnonzero(rows == number)])
                except UnknownIdError as error:
                    raise UnknownIdError(f"{self.field.name} of row {number}: {error}") from error
            raise


def _past(frame: pl.DataFrame, n: int) -> History:
    """Entries of n users, in any order, as `Histories.from_frame` takes them."""
    frame = frame.sort("user", "item")
    counts = np.bincount(frame["user"].to_numpy(), minlength=n)
    return History(
        frame["item"].to_numpy().astype(np.int64),
        frame["liked"].to_numpy().astype(np.float32),
        frame["weight"].to_numpy().astype(np.float32),
        frame["place"].to_numpy().astype(np.int64),
        frame["age"].to_numpy().astype(np.float32),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
    )


def _met(tables: Tables, users: Vocabulary, items: Vocabulary) -> pl.DataFrame:
    """A row for each interaction: user and item (row numbers), liked, time."""
    schema, pairs = tables.schema, tables.interactions
    return pl.DataFrame(
        {
            "user": users.rows(pairs[schema.user]),
            "item": items.rows(pairs[schema.item]),
            "liked": pairs[schema.label].cast(pl.Float32),
            "time": _time(pairs, schema.time),
        }
    )


def _moved(before: Vocabulary, now: Vocabulary) -> tuple[pl.Series, pl.Series]:
    """Row numbers, and what they are in a larger vocabulary."""
    return pl.Series(np.arange(len(before))), pl.Series(now.rows(before.ids))


def _time(pairs: pl.DataFrame, column: str | None) -> pl.Series:
    """The times as numbers: days for dates, the column's own unit for numbers; null where there is none."""
    if column is None or column not in pairs.columns:
        return pl.Series([None] * pairs.height, dtype=pl.Float64)
    return _moments(pairs[column])


def _moments(time: pl.Series) -> pl.Series:
    if isinstance(time.dtype, pl.Datetime):
        return time.dt.epoch("us").cast(pl.Float64) / _DAY_US
    return (time.cast(pl.Int32) if time.dtype == pl.Date else time).cast(pl.Float64, strict=False)


def _weights(frame: pl.DataFrame, field: Field) -> pl.Series:
    """How much entries of an age count at the time of the latest one: 2^(−age / half-life), above 0."""
    age = frame["age"].to_numpy()
    decayed = np.ones(len(age)) if field.half_life is None else np.exp2(-age / float(field.half_life))
    return pl.Series(np.maximum(decayed, np.finfo(np.float32).tiny), dtype=pl.Float32)
