"""Whom and what a baseline knows: ids, what each user has seen, and rankings without it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64
from scipy import sparse

from penchant.baselines._past import Pasts
from penchant.errors import ConfigError
from penchant.tables import Schema, Tables, Vocabulary

__all__ = ["Asked", "Catalogue", "best", "blocks", "pairs", "weights"]

_CELLS = 4_000_000
"""Cells of a users-by-items matrix that are looked at together."""


def pairs(tables: Tables) -> pl.DataFrame:
    """The keys of the interactions, in order.

    Raises:
        UnknownIdError: an interaction names no row of users or items.
    """
    schema = tables.schema
    if len(tables):
        Vocabulary(tables.user_ids, what="user").rows(tables.interactions[schema.user])
        Vocabulary(tables.item_ids, what="item").rows(tables.interactions[schema.item])
    return tables.interactions.select(schema.user, schema.item)


def weights(tables: Tables) -> Float64[np.ndarray, " n"]:
    """How much each interaction counts; 1 where the schema has no weights."""
    name = tables.schema.weight
    return np.ones(len(tables)) if name is None else tables.interactions[name].cast(pl.Float64).to_numpy()


def blocks(n_rows: int, width: int) -> Iterator[slice]:
    """Rows of a matrix of this width, so many at a time that memory stays bounded."""
    step = max(1, _CELLS // max(1, width))
    return (slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step))


def best(
    row: Int64[np.ndarray, " m"], place: Int64[np.ndarray, " m"], value: Float64[np.ndarray, " m"], n: int
) -> tuple[Int64[np.ndarray, " b"], Int64[np.ndarray, " b"]]:
    """The ``n`` largest values of each row, of equal ones those with the lower place.

    Returns:
        Their positions, row by row and falling, and their ranks from 1.
    """
    order = np.lexsort((place, -value, row))
    start = np.searchsorted(row[order], row[order])
    rank = np.arange(1, len(order) + 1) - start
    kept = rank <= n
    return order[kept], rank[kept]


@dataclass(frozen=True, slots=True)
class Asked:
    """The users a question is about."""

    keys: pl.Series
    """(q) their keys, named as in the interactions; or "row", counted from 0, for rows of features."""
    rows: Int64[np.ndarray, " q"]
    """Row numbers among the known users; -1 for rows of features."""
    seen: sparse.csr_array
    """(q, items): not zero where the training rows, or the past that a row of features names, hold the pair."""
    given: Pasts | None
    """The rows of features, where these were given."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The users and items of the training tables."""

    schema: Schema
    """Names of the key columns."""
    users: Vocabulary
    """Known users."""
    items: Vocabulary
    """Known items, which are what can be ranked."""
    seen: sparse.csr_array
    """(users, items): not zero where the training rows hold the pair, liked or not."""
    names: pl.Series | None
    """What people call the items, where the schema says."""

    @classmethod
    def of(cls, train: Tables) -> "Catalogue":
        """What the training tables know."""
        schema = train.schema
        users, items = Vocabulary(train.user_ids, what="user"), Vocabulary(train.item_ids, what="item")
        places = users.rows(train.interactions[schema.user]), items.rows(train.interactions[schema.item])
        ones = np.ones(len(train), dtype=np.int32)
        seen = sparse.csr_array((ones, places), shape=(len(users), len(items)))
        name = schema.item_name
        return cls(schema, users, items, seen, train.items[name] if name in train.items.columns else None)

    def ask(self, users: Any) -> Asked:
        """Ids or rows of features, one or many; rows may name a past, see `Pasts.of`.

        Raises:
            UnknownIdError: an id that is not known.
            ConfigError: ids and rows of features together. DataError: a past of another form.
        """
        one = isinstance(users, str | int | np.integer | Mapping)
        many: list[Any] = [users] if one else list(users)
        of_features = [isinstance(user, Mapping) for user in many]
        if any(of_features) and not all(of_features):
            raise ConfigError("users: give ids, or rows of features, not both in one question")
        if any(of_features):
            keys = pl.Series("row", range(len(many)), dtype=pl.Int64)
            given = Pasts.of(many, self.schema, self.users, self.items)
            return Asked(keys, np.full(len(many), -1, dtype=np.int64), given.seen, given)
        rows = self.users.rows(many) if many else np.zeros(0, dtype=np.int64)
        return Asked(self.users.take(rows).alias(self.schema.user), rows, self.seen[rows], None)

    def candidates(self, ids: Sequence[Any] | None) -> Int64[np.ndarray, " c"]:
        """Row numbers of the items to choose from, rising.

        Raises:
            UnknownIdError: an id that is not known.
        """
        if ids is None:
            return np.arange(len(self.items))
        return np.unique(self.items.rows(list(ids))) if len(ids) else np.zeros(0, dtype=np.int64)

    def rank(
        self, asked: Asked, order: Int64[np.ndarray, " c"], *, n: int, exclude_seen: bool
    ) -> tuple[pl.DataFrame, Int64[np.ndarray, " m"], Int64[np.ndarray, " m"]]:
        """The first ``n`` items of one order, for each user without what the user has seen (`Asked.seen`).

        Arguments:
            order: row numbers of items, the best first.

        Returns:
            A frame of user key, rank, item key, and name where there is one; for each of its rows the
            position in the question, and the item's row number.

        Raises:
            ConfigError: n below 1.
        """
        _check_n(n)
        parts = [np.zeros((3, 0), dtype=np.int64), *_first(asked.seen, order, n, exclude_seen)]
        query, place, rank = np.concatenate(parts, axis=1)
        found = order[place]
        return self._frame(asked, query, rank, found), query, found

    def rank_scores(
        self,
        asked: Asked,
        scores: Callable[[slice], Float64[np.ndarray, "b items"]],
        order: Int64[np.ndarray, " c"],
        *,
        n: int,
        exclude_seen: bool,
    ) -> tuple[pl.DataFrame, Int64[np.ndarray, " m"], Float64[np.ndarray, " m"]]:
        """The ``n`` items of the highest score, for each user without what the user has seen.

        Arguments:
            scores: finite scores of all known items for some users, by where they stand in the question; the answer is
                written into.
            order: row numbers of the items to choose from; of equal scores the earlier comes first.

        Returns:
            A frame as from `rank`; for each of its rows the position in the question, and the score.

        Raises:
            ConfigError: n below 1.
        """
        _check_n(n)
        whole, parts = [np.zeros((3, 0), dtype=np.int64)], [np.zeros(0)]
        for block in blocks(len(asked.rows) if len(order) else 0, len(self.items)):
            table = scores(block)
            if exclude_seen:
                table[asked.seen[block].nonzero()] = -np.inf
            query, place, rank, value = _highest(table[:, order], n)
            whole.append(np.stack([query + block.start, order[place], rank]))
            parts.append(value)
        query, found, rank = np.concatenate(whole, axis=1)
        return self._frame(asked, query, rank, found), query, np.concatenate(parts)

    def _frame(
        self,
        asked: Asked,
        query: Int64[np.ndarray, " m"],
        rank: Int64[np.ndarray, " m"],
        found: Int64[np.ndarray, " m"],
    ) -> pl.DataFrame:
        """User key, rank, item key, and name where there is one."""
        columns = [
            asked.keys.gather(pl.Series(query)),
            pl.Series("rank", rank, dtype=pl.Int64),
            self.items.take(found).alias(self.schema.item),
        ]
        if self.names is not None:
            columns.append(self.names.gather(pl.Series(found)))
        return pl.DataFrame(columns)


def _first(seen: sparse.csr_array, order: Int64[np.ndarray, " c"], n: int, exclude_seen: bool) -> Iterator[np.ndarray]:
    """For some users at a time: position in the question, place in the order, and rank."""
    for block in blocks(seen.shape[0], len(order)):
        some = seen[block]
        left = np.ones((some.shape[0], len(order)), dtype=bool)
        if exclude_seen and some.nnz and len(order):
            left = some[:, order].toarray() == 0
        rank = left.cumsum(axis=1)
        query, place = np.nonzero(left & (rank <= n))
        yield np.stack([query + block.start, place, rank[query, place]])


def _check_n(n: int) -> None:
    if n < 1:
        raise ConfigError(f"n = {n}: at least 1 expected")


def _highest(
    table: Float64[np.ndarray, "b c"], n: int
) -> tuple[Int64[np.ndarray, " m"], Int64[np.ndarray, " m"], Int64[np.ndarray, " m"], Float64[np.ndarray, " m"]]:
    """Row, column, rank and value of the ``n`` highest finite cells of each row, c at least 1."""
    n = min(n, table.shape[1])
    cut = -np.partition(-table, n - 1, axis=1)[:, n - 1 : n]
    above, equal = table > cut, table == cut
    equal &= equal.cumsum(axis=1, dtype=np.int32) <= n - above.sum(axis=1, keepdims=True)  # the lower columns
    row, column = np.nonzero((above | equal) & (table > -np.inf))
    value = table[row, column]
    kept, rank = best(row, column, value, n)
    return row[kept], column[kept], rank, value[kept]
