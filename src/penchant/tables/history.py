"""The field of kind ``history``: what each user liked and did not like earlier, taken from the training interactions.

It is no column. Known users have the history of the training rows; whoever is in no table brings one along,
``{"history": ["i7", "i9"]}`` or ``{"history": {"liked": ["i7"], "disliked": ["i3"]}}``, and needs no retraining.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64

from penchant._spec import History
from penchant.errors import DataError, Problem, UnknownIdError
from penchant.tables._field import Field
from penchant.tables._tables import Tables
from penchant.tables.kinds._base import excerpt
from penchant.tables.vocabulary import Vocabulary

__all__ = ["Histories"]

_SIGNS = ("liked", "disliked")
_DAY_US = 86_400_000_000


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
        weight = np.ones(frame.height)
        if field.half_life is not None:
            age = pl.col("time").max().over("user") - pl.col("time")
            weight = _decayed(frame.select(age.fill_null(0.0)).to_series().to_numpy(), float(field.half_life))
        frame = frame.with_columns(weight=pl.Series(weight, dtype=pl.Float32))
        return cls.from_frame(field, users, items, frame)

    @classmethod
    def from_frame(cls, field: Field, users: Vocabulary, items: Vocabulary, frame: pl.DataFrame) -> "Histories":
        """From a frame of user and item (row numbers), liked and weight, each pair once."""
        frame = frame.sort("user", "item")
        counts = np.bincount(frame["user"].to_numpy(), minlength=len(users))
        past = History(
            frame["item"].to_numpy().astype(np.int64),
            frame["liked"].to_numpy().astype(np.float32),
            frame["weight"].to_numpy().astype(np.float32),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        )
        return cls(field, users, items, past)

    def frame(self) -> pl.DataFrame:
        """The history as `from_frame` takes it."""
        user = np.repeat(np.arange(len(self.users)), np.diff(self.past.offsets))
        return pl.DataFrame(
            {"user": user, "item": self.past.items, "liked": self.past.liked, "weight": self.past.weight}
        )

    def of(self, keys: pl.Series) -> History:
        """The history of users by key; users who are not known have an empty one."""
        rows = self.users.find(keys)
        offsets = self.past.offsets
        starts = np.where(rows >= 0, offsets[rows], 0)
        lengths = np.where(rows >= 0, offsets[rows + 1] - starts, 0)
        ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = np.arange(ends[-1]) + np.repeat(starts - ends[:-1], lengths)
        return History(self.past.items[places], self.past.liked[places], self.past.weight[places], ends)

    def of_rows(self, given: Sequence[Any]) -> History:
        """Histories that rows bring along: None, ids of liked items, or ``{"liked": ids, "disliked": ids}``.

        An item that is named twice counts once; where it is both liked and disliked, it counts as disliked.

        Raises:
            DataError: something else. UnknownIdError: an item that is not in the catalogue.
        """
        signs = [_signs(one, number, self.field.name) for number, one in enumerate(given)]
        named = [ids for sign in signs for ids in (sign["liked"], sign["disliked"])]
        sizes = np.array([len(ids) for ids in named], dtype=np.int64)
        places = np.repeat(np.arange(len(named)), sizes)
        rows, liked = places // 2, places % 2 == 0
        items = self._rows([one for ids in named for one in ids], rows)
        order = np.lexsort((liked, items, rows))  # a dislike before a like of the same item: the first one stays
        rows, items, liked = rows[order], items[order], liked[order]
        first = np.ones(len(rows), dtype=bool)
        first[1:] = (rows[1:] != rows[:-1]) | (items[1:] != items[:-1])
        offsets = np.concatenate([[0], np.cumsum(np.bincount(rows[first], minlength=len(signs)))]).astype(np.int64)
        one = np.ones(int(first.sum()), dtype=np.float32)
        return History(items[first], liked[first].astype(np.float32), one, offsets)

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


def _signs(one: Any, number: int, name: str) -> dict[str, list[Any]]:
    """A given history, liked and disliked apart."""
    if one is None:
        return {"liked": [], "disliked": []}
    signs = dict(one) if isinstance(one, Mapping) else {"liked": one}
    ids = [value for value in signs.values() if value is not None]
    lists = all(isinstance(v, Sequence | pl.Series | np.ndarray) and not isinstance(v, str | bytes) for v in ids)
    if not lists or not set(signs) <= set(_SIGNS):
        message = f"ids of liked items, or liked and disliked ones, expected, got {excerpt(one)}"
        fix = f'Give {{"{name}": ["…"]}} or {{"{name}": {{"liked": ["…"], "disliked": ["…"]}}}}'
        raise DataError([Problem("rows of users", message, name, (number,), 1, fix)])
    return {sign: [] if signs.get(sign) is None else list(signs[sign]) for sign in _SIGNS}


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
