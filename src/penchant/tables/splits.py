"""Splits: the same tables with the interactions dealt out to parts. One seed gives one split.

The functions of `SPLITS` take ``fractions`` that sum to 1 and return as many `Tables`, which share users and items and
hold every row between them. Three more are for judging rankings: `split_leave_one_out`, `split_cold_both` and
`split_strong_generalisation`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int

from penchant._random import generator
from penchant.errors import ConfigError, DataError, Problem
from penchant.tables._tables import Tables
from penchant.tables.kinds._base import cells
from penchant.tables.readers import not_there

__all__ = [
    "SPLITS",
    "HeldOutUsers",
    "split_cold_both",
    "split_cold_items",
    "split_cold_users",
    "split_leave_one_out",
    "split_per_user",
    "split_random",
    "split_strong_generalisation",
    "split_time",
]

FRACTIONS = (0.8, 0.1, 0.1)


def _checked(fractions: Sequence[float]) -> Float[np.ndarray, " parts"]:
    try:
        shares = np.asarray(fractions, dtype=np.float64)
    except (TypeError, ValueError):
        shares = np.zeros(0)
    if shares.ndim != 1 or len(shares) < 2 or not (shares > 0).all() or abs(shares.sum() - 1) > 1e-6:
        raise ConfigError(f"fractions = {fractions}: two or more numbers above 0 that sum to 1 expected")
    return shares


def _edges(n: int, shares: Float[np.ndarray, " parts"]) -> Int[np.ndarray, " parts"]:
    """Where each part ends among n: rounded down, as ``int(.8·n)``; the last part takes what is left."""
    edges = np.floor(np.cumsum(shares) * n + 1e-9).astype(np.int64)
    edges[-1] = n
    return edges


def _dense(keys: pl.Series) -> tuple[Int[np.ndarray, " n"], int]:
    """The place of each key among the distinct ones in order, and how many these are; far faster than a rank."""
    known = keys.unique().sort()
    places = pl.int_range(len(known), eager=True)
    dense = keys.replace_strict(known, places, return_dtype=pl.Int64) if len(known) else places
    return dense.to_numpy().astype(np.int64), len(known)


def _parts(tables: Tables, part: Int[np.ndarray, " n"], n_parts: int) -> tuple[Tables, ...]:
    chosen = pl.Series(part)
    return tuple(tables.with_interactions(tables.interactions.filter(chosen == p)) for p in range(n_parts))


def split_random(tables: Tables, fractions: Sequence[float] = FRACTIONS, *, rng: int = 0) -> tuple[Tables, ...]:
    """Rows at random. Raises: ConfigError: fractions that do not sum to 1."""
    shares = _checked(fractions)
    order = generator(rng, "split", "random").permutation(len(tables))
    part = np.empty(len(tables), dtype=np.int64)
    part[order] = np.searchsorted(_edges(len(tables), shares), np.arange(len(tables)), side="right")
    return _parts(tables, part, len(shares))


def split_per_user(tables: Tables, fractions: Sequence[float] = FRACTIONS, *, rng: int = 0) -> tuple[Tables, ...]:
    """The fractions of each user's rows, at random; every user has at least one row in the first part.

    Raises: ConfigError: fractions that do not sum to 1.
    """
    shares = _checked(fractions)
    users, _ = _dense(tables.interactions[tables.schema.user])
    chance = generator(rng, "split", "per_user").random(len(users))
    order = np.lexsort((chance, users))
    counts = np.bincount(users) if len(users) else np.zeros(0, dtype=np.int64)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    place = np.arange(len(users)) - starts  # within the user, in random order
    # the j-th of n rows belongs to the part in which (j + ½)/n falls; the first row to the first part
    level = (place + 0.5) / np.repeat(counts, counts)
    part = np.empty(len(users), dtype=np.int64)
    ends = np.cumsum(shares)[:-1]
    part[order] = np.where(place == 0, 0, np.searchsorted(ends, level, side="right"))
    return _parts(tables, part, len(shares))


def split_time(tables: Tables, fractions: Sequence[float] = FRACTIONS, *, rng: int = 0) -> tuple[Tables, ...]:
    """By time over all rows: the first part is the earliest. Rows of one moment stay together; ``rng`` is not used.

    Raises:
        ConfigError: fractions that do not sum to 1.
        DataError: the schema has no time column, or rows have none.
    """
    shares = _checked(fractions)
    # rows of one moment share the earliest place
    rank = _times(tables, "a split by time").rank("min").to_numpy().astype(np.int64) - 1
    return _parts(tables, np.searchsorted(_edges(len(tables), shares), rank, side="right"), len(shares))


def _times(tables: Tables, what: str) -> pl.Series:
    """When each row happened. Raises: DataError: the schema has no time column, or rows have none."""
    column = tables.schema.time
    if column is None:
        raise DataError([Problem("schema", f"{what} needs a time column", fix='Give [interactions] time = "…"')])
    if column not in tables.interactions.columns:
        raise DataError([not_there("interactions", column, tables.interactions.columns)])
    time = tables.interactions[column]
    missing = time.is_null() | (time.is_nan().fill_null(False) if time.dtype.is_float() else False)
    fix = "Give each row its time, or leave the rows out"
    if problems := cells("interactions", time, missing.to_numpy(), "a time expected, found nothing", fix):
        raise DataError(problems)
    return time


def _dealt(tables: Tables, column: str, shares: Float[np.ndarray, " parts"], rng: int) -> Int[np.ndarray, " n"]:
    """The part of each row, by its user or item; the users or items are dealt out at random."""
    rows, n = _dense(tables.interactions[column])
    order = generator(rng, "split", "cold", column).permutation(n)
    part = np.empty(n, dtype=np.int64)
    part[order] = np.searchsorted(_edges(n, shares), np.arange(n), side="right")
    return part[rows]


def _cold(tables: Tables, column: str, fractions: Sequence[float], rng: int) -> tuple[Tables, ...]:
    shares = _checked(fractions)
    return _parts(tables, _dealt(tables, column, shares, rng), len(shares))


def split_cold_users(tables: Tables, fractions: Sequence[float] = FRACTIONS, *, rng: int = 0) -> tuple[Tables, ...]:
    """Whole users: nobody of a later part was seen in the first.

    Raises: ConfigError: fractions that do not sum to 1.
    """
    return _cold(tables, tables.schema.user, fractions, rng)


def split_cold_items(tables: Tables, fractions: Sequence[float] = FRACTIONS, *, rng: int = 0) -> tuple[Tables, ...]:
    """Whole items: none of a later part was seen in the first.

    Raises: ConfigError: fractions that do not sum to 1.
    """
    return _cold(tables, tables.schema.item, fractions, rng)


def split_cold_both(tables: Tables, fractions: Sequence[float] = FRACTIONS, *, rng: int = 0) -> tuple[Tables, ...]:
    """Whole users and whole items: each part has its own, none of which another part has seen.

    Users and items are dealt out each by the fractions, as by `split_cold_users` and `split_cold_items`. Rows that
    join a user of one part with an item of another are in no part, so that a part of share f keeps about f² of
    all rows.

    Raises: ConfigError: fractions that do not sum to 1.
    """
    shares = _checked(fractions)
    user, item = (_dealt(tables, column, shares, rng) for column in (tables.schema.user, tables.schema.item))
    return _parts(tables, np.where(user == item, user, -1), len(shares))


def split_leave_one_out(
    tables: Tables, *, by_time: bool = False, valid: bool = True, rng: int = 0
) -> tuple[Tables, Tables | None, Tables]:
    """Each user's last like is the test, the last but one the validation; what was before is learned from.

    A user's rows are put in order, by time (rows of one moment as they stand in the table) or at random. The test part
    begins with the last like and the validation part with the one before, and each ends where the next begins: dislikes
    go where they fall, and nothing that is learned from is later than what is held out. Whoever would keep no like to
    learn from (fewer than three likes, or two without a validation part) is not held out at all.

    Returns:
        Training, validation (None without) and test part.

    Raises:
        DataError: by time, and the schema has no time column, or rows have none.

    Source: He et al., WWW 2017, arXiv 1708.05031, with dislikes added.
    """
    held, users = 2 if valid else 1, _dense(tables.interactions[tables.schema.user])[0]
    chance = generator(rng, "split", "leave_one_out").random(len(users))
    when = _times(tables, "leave one out by time").rank("dense").to_numpy() if by_time else chance
    order = np.lexsort((when, users))  # stable: rows of one moment as they stand
    liked = tables.interactions[tables.schema.label].to_numpy()[order] == 1
    done, total = _counted(liked, users[order])
    part = np.empty(len(users), dtype=np.int64)
    part[order] = np.where(total > held, np.maximum(done - (total - held), 0), 0)
    train, *rest = _parts(tables, part, held + 1)
    return train, rest[0] if valid else None, rest[-1]


def _counted(
    liked: Bool[np.ndarray, " n"], user: Int[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """For each row its user's likes up to it, itself included, and all of them; users stand together, rising."""
    total = np.bincount(user, liked, minlength=1).astype(np.int64)
    before = np.cumsum(total) - total
    return np.cumsum(liked) - before[user], total[user]


class HeldOutUsers(NamedTuple):
    """One fold of `split_strong_generalisation`."""

    train: Tables
    """All rows of the users who are learned from."""
    valid: Tables
    """Of the validation users: what is to be found."""
    test: Tables
    """Of the test users: what is to be found."""
    given: Tables
    """Of both: what is known of them when they are asked about, and never learned from."""


def split_strong_generalisation(
    tables: Tables, *, fold: int = 0, folds: int = 5, given: float = 0.8, least: int = 5, rng: int = 0
) -> HeldOutUsers:
    """Whole users are held out, a share of what each liked is given, and the rest is to be found.

    Users with at least ``least`` likes are dealt out to the folds at random: those of fold f are the test users, those
    of the next one the validation users (after the last comes the first). Each is tested once in all folds. Of n likes
    ⌊(1 − given)·n⌋, but at least 1, are to be found, and as large a share of the dislikes, rounded down; they are drawn
    at random. Users with fewer likes are learned from in every fold; leave them out of the tables to
    judge as published.

    Arguments:
        fold: from 0 to folds − 1.
        folds: at least 3.
        given: share in (0, 1).
        least: likes, at least 2.

    Raises:
        ConfigError: an argument outside its range.
        DataError: fewer users with so many likes than there are folds.

    Source: Marlin, Collaborative Filtering: A Machine Learning Perspective (2004); as in Liang et al. 2018, arXiv
    1802.05814.
    """
    _check_folds(fold, folds, given, least)
    users, n = _dense(tables.interactions[tables.schema.user])
    liked = tables.interactions[tables.schema.label].to_numpy() == 1
    many = np.flatnonzero(np.bincount(users, liked, minlength=n) >= least)
    if len(many) < folds:
        message = f"{folds} folds need as many users with {least} likes or more, found {len(many):,}"
        raise DataError([Problem("interactions", message, fix="Give more rows, or ask for fewer folds or likes")])
    fold_of = np.full(n, -1, dtype=np.int64)
    fold_of[generator(rng, "split", "strong_generalisation", "users").permutation(many)] = np.arange(len(many)) % folds
    found = _to_find(users, liked, 1 - given, generator(rng, "split", "strong_generalisation", "rows"))
    part = np.zeros(len(users), dtype=np.int64)
    for number, held in ((1, (fold + 1) % folds), (2, fold)):
        rows = fold_of[users] == held
        part[rows] = np.where(found[rows], number, 3)
    return HeldOutUsers(*_parts(tables, part, 4))


def _check_folds(fold: int, folds: int, given: float, least: int) -> None:
    if folds < 3:
        raise ConfigError(f"folds = {folds}: at least 3 expected: to learn from, to validate on and to test on")
    if not 0 <= fold < folds:
        raise ConfigError(f"fold = {fold}: 0 to {folds - 1} expected")
    if not 0 < given < 1:
        raise ConfigError(f"given = {given}: a share above 0 and below 1 expected")
    if least < 2:
        raise ConfigError(f"least = {least}: at least 2 likes expected: one is given, one is to be found")


def _to_find(
    users: Int[np.ndarray, " n"], liked: Bool[np.ndarray, " n"], share: float, g: np.random.Generator
) -> Bool[np.ndarray, " n"]:
    """Which rows are to be found if their user is held out: a share of each one's likes, and of the dislikes."""
    group = 2 * users + liked
    order = np.lexsort((g.random(len(group)), group))
    counts = np.bincount(group) if len(group) else np.zeros(0, dtype=np.int64)
    wanted = np.floor(counts * share + 1e-9)
    wanted[1::2] = np.maximum(wanted[1::2], 1)
    place = np.arange(len(group)) - (np.cumsum(counts) - counts)[group[order]]
    chosen = np.empty(len(group), dtype=bool)
    chosen[order] = place < wanted[group[order]]
    return chosen


SPLITS: dict[str, Callable[..., tuple[Tables, ...]]] = {
    "random": split_random,
    "per_user": split_per_user,
    "time": split_time,
    "cold_users": split_cold_users,
    "cold_items": split_cold_items,
}
"""By name, as in ``penchant train --split``."""
