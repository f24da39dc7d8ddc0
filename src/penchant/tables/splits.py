"""Splits: the same tables with the interactions dealt out to parts. One seed gives one split.

Every function takes ``fractions`` that sum to 1 and returns as many `Tables`, which share users and items.
"""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from penchant._random import generator
from penchant.errors import ConfigError, DataError, Problem
from penchant.tables._tables import Tables
from penchant.tables.kinds._base import cells
from penchant.tables.readers import not_there

__all__ = ["SPLITS", "split_cold_items", "split_cold_users", "split_per_user", "split_random", "split_time"]

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
    column = tables.schema.time
    if column is None:
        raise DataError(
            [Problem("schema", "a split by time needs a time column", fix='Give [interactions] time = "…"')]
        )
    if column not in tables.interactions.columns:
        raise DataError([not_there("interactions", column, tables.interactions.columns)])
    time = tables.interactions[column]
    missing = time.is_null() | (time.is_nan().fill_null(False) if time.dtype.is_float() else False)
    fix = "Give each row its time, or leave the rows out"
    if problems := cells("interactions", time, missing.to_numpy(), "a time expected, found nothing", fix):
        raise DataError(problems)
    rank = time.rank("min").to_numpy().astype(np.int64) - 1  # rows of one moment share the earliest place
    return _parts(tables, np.searchsorted(_edges(len(time), shares), rank, side="right"), len(shares))


def _cold(tables: Tables, column: str, fractions: Sequence[float], rng: int) -> tuple[Tables, ...]:
    shares = _checked(fractions)
    rows, n = _dense(tables.interactions[column])
    order = generator(rng, "split", "cold", column).permutation(n)
    part = np.empty(n, dtype=np.int64)
    part[order] = np.searchsorted(_edges(n, shares), np.arange(n), side="right")
    return _parts(tables, part[rows], len(shares))


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


SPLITS: dict[str, Callable[..., tuple[Tables, ...]]] = {
    "random": split_random,
    "per_user": split_per_user,
    "time": split_time,
    "cold_users": split_cold_users,
    "cold_items": split_cold_items,
}
"""By name, as in ``penchant train --split``."""
