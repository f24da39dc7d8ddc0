"""The field of kind ``history``: what each user liked and did not like earlier, taken from the training interactions.

It is no column. Known users have the history of the training rows; whoever is in no table brings one along,
``{"history": ["i7", "i9"]}`` or ``{"history": {"liked": ["i7"], "disliked": ["i3"]}}``, or in full and in order of time
``{"history": [{"item": "i3", "liked": False}, {"item": "i7"}]}``, and needs no retraining.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64

from penchant._spec import History
from penchant.errors import UnknownIdError
from penchant.tables._brought import brought
from penchant.tables._field import Field
from penchant.tables._tables import Tables
from penchant.tables.vocabulary import Vocabulary

__all__ = ["Histories"]

_DAY_US = 86_400_000_000
_PLACED = {
    "place": pl.int_range(pl.len()).over("user"),
    "age": (pl.col("time").max().over("user") - pl.col("time")).fill_null(0.0),
}
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

    @classmethod
    def fit(cls, field: Field, train: Tables) -> "Histories":
        """Take the interactions of the training rows: of an item met several times the latest counts.

        Latest is by the time column; rows without a time, or of the same time, by their order in the table.
        """
        schema, pairs = train.schema, train.interactions
        users, items = Vocabulary(train.user_ids, what="user"), Vocabulary(train.item_ids, what="item")
        frame = pl.DataFrame(
            {
                "user": users.rows(pairs[schema.user]),
                "item": items.rows(pairs[schema.item]),
                "liked": pairs[schema.label].cast(pl.Float32),
                "time": _time(pairs, schema.time),
            }
        )
        frame = frame.sort("user", "time", maintain_order=True, nulls_last=False)
        frame = frame.unique(["user", "item"], keep="last", maintain_order=True)
        if field.last is not None:
            frame = frame.group_by("user", maintain_order=True).tail(int(field.last))
        frame = frame.with_columns(**_PLACED)
        weight = np.ones(frame.height)
        if field.half_life is not None:
            weight = _decayed(frame["age"].to_numpy(), float(field.half_life))
        frame = frame.with_columns(weight=pl.Series(weight, dtype=pl.Float32))
        return cls.from_frame(field, users, items, frame)

    @classmethod
    def from_frame(cls, field: Field, users: Vocabulary, items: Vocabulary, frame: pl.DataFrame) -> "Histories":
        """From a frame of user and item (row numbers), liked, weight, place and age, each pair once.

        Without place and age, as earlier versions wrote it, the order of the items stands for that of time.
        """
        if "place" not in frame.columns:
            frame = frame.sort("user", "item").with_columns(place=_PLACED["place"], age=pl.lit(0.0))
        return cls(field, users, items, _past(frame, len(users)))

    def frame(self) -> pl.DataFrame:
        """The history as `from_frame` takes it."""
        user = np.repeat(np.arange(len(self.users)), np.diff(self.past.offsets))
        named = zip(("item", "liked", "weight", "place", "age"), self.past[:-1], strict=True)
        return pl.DataFrame({"user": user, **dict(named)})

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

        An item that is named twice counts once, where it stands last.

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
        return _past(frame.sort("user", "turn").with_columns(weight=pl.lit(1.0), **_PLACED), len(given))

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


def _time(pairs: pl.DataFrame, column: str | None) -> pl.Series:
    """The times as numbers: days for dates, the column's own unit for numbers; null where there is none."""
    if column is None or column not in pairs.columns:
        return pl.Series([None] * pairs.height, dtype=pl.Float64)
    time = pairs[column]
    if isinstance(time.dtype, pl.Datetime):
        return time.dt.epoch("us").cast(pl.Float64) / _DAY_US
    return (time.cast(pl.Int32) if time.dtype == pl.Date else time).cast(pl.Float64, strict=False)


def _decayed(age: Float64[np.ndarray, " n"], half_life: float) -> Float64[np.ndarray, " n"]:
    return np.maximum(np.exp2(-age / half_life), np.finfo(np.float32).tiny)
