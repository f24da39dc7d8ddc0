"""The form in which top-n lists are evaluated: ranked row numbers beside the items each user likes.

Small and flat: 100,000 users of 100 ranks are one array of 10⁷ whole numbers.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from jaxtyping import Bool, Int

from penchant.errors import ConfigError, DataError, Problem

__all__ = ["Lists", "lists_from_frames"]

_BLOCK = 4096
"""Users looked up at once: their relevant items stay in the processor's cache."""
_MOST = 2**31
"""Row numbers lie below this, so that user · items + item fits into 64 bits."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lists:
    """What was recommended to each of n users, and what they like of it; checked when made.

    The order of a list is taken as it is: ties of scores were broken by whoever ranked.

    Raises:
        DataError: arrays that do not fit together; a row number below -1, or an item after the end of a list;
            an item twice in a list, or twice among the relevant items of a user.

    Example:
        >>> lists = Lists(ranked=np.array([[4, 0, 7], [2, -1, -1]]), offsets=np.array([0, 2, 3]),
        ...               items=np.array([0, 9, 2]))
        >>> lists.hit.tolist()
        [[False, True, False], [True, False, False]]
    """

    ranked: Int[np.ndarray, "n ranks"]
    """Row numbers of items, best first; -1 where a list is over. No array of this class is changed later."""
    offsets: Int[np.ndarray, " ends"]
    """User u's relevant items are ``items[offsets[u]:offsets[u + 1]]``: n + 1 numbers, from 0 to ``len(items)``."""
    items: Int[np.ndarray, " pairs"]
    """Row numbers of the relevant items, user after user, in any order within a user."""
    users: pl.Series | None = None
    """Ids of the users, where known (n)."""
    catalogue: pl.Series | None = None
    """Ids by row number, where known."""

    def __post_init__(self) -> None:
        _check_ranked(self.ranked)
        _check_relevant(self.offsets, self.items, len(self.ranked))
        same = np.flatnonzero(np.diff(self._keys) == 0)
        if len(same):
            user, item = divmod(int(self._keys[same[0]]), _MOST)
            _refuse("items", f"user {user} has item {item} twice", "Give each relevant item once", len(same))

    @cached_property
    def relevant(self) -> Int[np.ndarray, " n"]:
        """How many relevant items each user has; 0: the user is left out of every mean."""
        return np.diff(self.offsets).astype(np.int64)

    @cached_property
    def hit(self) -> Bool[np.ndarray, "n ranks"]:
        """Is the item at this rank relevant?"""
        found = np.zeros(self.ranked.shape, dtype=bool)
        for start in range(0, len(found), _BLOCK):
            ranked = self.ranked[start : start + _BLOCK].astype(np.int64)
            keys = self._keys[self.offsets[start] : self.offsets[start + len(ranked)]]
            if len(keys):
                asked = ranked + np.arange(start, start + len(ranked))[:, None] * _MOST
                place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
                found[start : start + _BLOCK] = (keys[place] == asked) & (ranked >= 0)
        return found

    @cached_property
    def _keys(self) -> Int[np.ndarray, " pairs"]:
        """user · 2³¹ + item, in order: user after user."""
        user = np.repeat(np.arange(len(self.ranked), dtype=np.int64), np.diff(self.offsets))
        return np.sort(user * _MOST + self.items.astype(np.int64))


def lists_from_frames(
    recommended: pl.DataFrame,
    held_out: pl.DataFrame,
    *,
    user: str = "user",
    item: str = "item",
    rank: str = "rank",
    ranks: int | None = None,
    catalogue: pl.Series | None = None,
) -> Lists:
    """`Lists` from what `Recommender.recommend` returns and the liked pairs that were held out.

    Users are those of either frame, in order of appearance, recommendations first. Who has held-out pairs but no
    recommendation gets an empty list, which finds nothing; who has no held-out pair is left out of every mean.

    Arguments:
        recommended: columns user, item, and rank: 1, 2, … for each user; rows in any order.
        held_out: columns user and item; liked pairs only. A pair given twice counts once.
        user, item, rank: names of these columns.
        ranks: how many ranks were asked for, at least 1: shorter lists are ended with -1, longer ones cut.
            None: as many as the longest list has.
        catalogue: ids of all items; row numbers are places in it. None: items in order of appearance.

    Raises:
        ConfigError: ranks below 1.
        DataError: a column that is not there, a missing value, ids of different types in the two frames, an item that
            is not in the catalogue, ranks of a user other than 1, 2, …, n; and what `Lists` refuses.

    Example:
        >>> recommended = pl.DataFrame({"user": ["ann", "ann"], "rank": [1, 2], "item": ["x", "y"]})
        >>> held_out = pl.DataFrame({"user": ["ann", "bob"], "item": ["y", "x"]})
        >>> lists_from_frames(recommended, held_out).hit.tolist()
        [[False, True], [False, False]]
    """
    if ranks is not None and ranks < 1:
        raise ConfigError(f"ranks = {ranks}: a whole number >= 1 expected")
    _check_columns("recommended", recommended, (user, item, rank))
    _check_columns("held_out", held_out, (user, item))
    users, user_rows, liked_by = _numbered(recommended, held_out, user, None)
    known, item_rows, liked = _numbered(recommended, held_out, item, catalogue)
    place = _places(recommended[rank], rank, user_rows, len(users))
    width = ranks or int(place.max(initial=-1)) + 1
    ranked = np.full((len(users), width), -1, dtype=np.int64)
    kept = place < width
    ranked[user_rows[kept], place[kept]] = item_rows[kept]
    pairs = np.unique(np.stack([liked_by, liked], axis=1), axis=0)
    counts = np.bincount(pairs[:, 0], minlength=len(users))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Lists(ranked=ranked, offsets=offsets, items=pairs[:, 1], users=users, catalogue=known)


def _refuse(column: str, message: str, fix: str | None, n: int = 1, table: str = "lists") -> None:
    more = f" ({n:,} such cases in all)" if n > 1 else ""
    raise DataError([Problem(table, message + more, column, fix=fix)])


def _check_ranked(ranked: np.ndarray) -> None:
    if ranked.ndim != 2 or ranked.dtype.kind not in "iu":
        _refuse("ranked", f"whole numbers (users, ranks) expected, got {ranked.dtype} {ranked.shape}", None)
    if ranked.size and not (ranked.min() >= -1 and ranked.max() < _MOST):
        _refuse("ranked", f"row numbers from 0, or -1, expected, got {ranked.min()} to {ranked.max()}", None)
    after = np.flatnonzero(((ranked[:, 1:] >= 0) & (ranked[:, :-1] < 0)).any(axis=1))
    if len(after):
        fix = "Move -1 to the end: it says that there are no more items"
        _refuse("ranked", f"user {after[0]} has an item after -1", fix, len(after))
    ordered = np.sort(ranked, axis=1)
    same = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    twice = np.flatnonzero(same.any(axis=1))
    if len(twice):
        shown = ordered[twice[0], 1:][same[twice[0]]][0]
        _refuse("ranked", f"user {twice[0]} is recommended item {shown} twice", "Rank each item once", len(twice))


def _check_relevant(offsets: np.ndarray, items: np.ndarray, n: int) -> None:
    if offsets.shape != (n + 1,) or offsets.dtype.kind not in "iu":
        _refuse("offsets", f"{n + 1:,} whole numbers expected, got {offsets.dtype} {offsets.shape}", None)
    if items.ndim != 1 or items.dtype.kind not in "iu":
        _refuse("items", f"whole numbers (pairs) expected, got {items.dtype} {items.shape}", None)
    if offsets[0] != 0 or offsets[-1] != len(items) or (offsets[1:] < offsets[:-1]).any():
        _refuse("offsets", f"numbers that rise from 0 to {len(items):,} expected, one user after the other", None)
    if items.size and not (items.min() >= 0 and items.max() < _MOST):
        _refuse("items", f"row numbers from 0 expected, got {items.min()} to {items.max()}", None)


def _check_columns(table: str, frame: pl.DataFrame, columns: tuple[str, ...]) -> None:
    for column in columns:
        if column not in frame.columns:
            _refuse(column, f"not there; columns are {', '.join(frame.columns) or 'none'}", None, table=table)
        missing = np.flatnonzero(frame[column].is_null().to_numpy())
        if len(missing):
            shown = tuple(int(row) for row in missing[:5])
            raise DataError([Problem(table, "a value expected, found nothing", column, shown, len(missing))])


def _ids(ids: pl.Series) -> pl.Series:
    return ids.cast(pl.String) if ids.dtype in (pl.Categorical, pl.Enum) else ids


def _numbered(
    recommended: pl.DataFrame, held_out: pl.DataFrame, column: str, known: pl.Series | None
) -> tuple[pl.Series, np.ndarray, np.ndarray]:
    """Every id once, and the place of each row's id among them, for both frames."""
    given = {"recommended": _ids(recommended[column]), "held_out": _ids(held_out[column])}
    series = [*given.values()] if known is None else [_ids(known)]
    used = [one for one in (*series, *given.values()) if len(one)]
    kinds = {"whole numbers" if one.dtype.is_integer() else str(one.dtype) for one in used}
    if len(kinds) > 1:
        _refuse(column, f"ids of one type expected, got {' and '.join(sorted(kinds))}", None, table="held_out")
    dtype = pl.Int64 if kinds == {"whole numbers"} else used[0].dtype if used else pl.Int64
    ids = pl.concat([one.cast(dtype).alias(column) for one in series]).unique(maintain_order=True)
    if known is not None and len(ids) < len(known):
        _refuse(column, "an id is there twice", "Give every item once", len(known) - len(ids), "catalogue")
    rows = []
    for table, one in given.items():
        places = pl.int_range(len(ids), eager=True)
        row = one.cast(dtype).replace_strict(ids, places, default=None, return_dtype=pl.Int64) if len(ids) else one
        unknown = np.flatnonzero(row.is_null().to_numpy()) if len(ids) else np.arange(len(one))
        if len(unknown):
            shown = tuple(int(at) for at in unknown[:5])
            message = f"not in the catalogue: {one[int(unknown[0])]!r}"
            raise DataError([Problem(table, message, column, shown, len(unknown))])
        rows.append(row.cast(pl.Int64).to_numpy().astype(np.int64))
    return ids, rows[0], rows[1]


def _places(ranks: pl.Series, column: str, user: np.ndarray, n_users: int) -> np.ndarray:
    """Ranks from 0, which for each user are 0, 1, …, each once."""
    if len(ranks) and not ranks.dtype.is_integer():
        _refuse(column, f"whole numbers expected, got {ranks.dtype}", None, table="recommended")
    place = ranks.cast(pl.Int64).to_numpy().astype(np.int64) - 1
    order = np.lexsort((place, user))
    counts = np.bincount(user, minlength=n_users)
    wanted = np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts)
    wrong = np.sort(order[place[order] != wanted])
    if len(wrong):
        shown = tuple(int(row) for row in wrong[:5])
        message = "each user's ranks are 1, 2, 3, …, each once"
        raise DataError([Problem("recommended", message, column, shown, len(wrong))])
    return place
