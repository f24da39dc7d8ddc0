"""Libraries people pick today, with penchant's contract: implicit's iALS and BPR, LightFM, each on the same likes.

iALS folds a new user in as the library does (`recalculate_user`). LightFM knows users by what they liked (each liked
item a feature of the user, normalised) and items by themselves and their features, so it too serves a user by a past.
BPR knows users by their training rows only. None learns from dislikes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from scipy import sparse
from scipy.special import expit

from penchant import Recommender, Tables
from penchant.tables import SideEncoder, Vocabulary

__all__ = ["BPR", "IALS", "LightFM", "Peer"]


class Peer(Recommender):
    """What the libraries share: ids to rows, likes to a matrix, scores to frames."""

    serves_new_users: ClassVar[bool] = False
    serves_new_items: ClassVar[bool] = False
    personal: ClassVar[bool] = True

    def fit(self, train: Tables, valid: Tables | None = None) -> Self:
        """Learn from the likes of the training rows."""
        self._keys = (train.schema.user, train.schema.item)
        self._users, self._items = Vocabulary(train.user_ids, what="user"), Vocabulary(train.item_ids, what="item")
        self._fitted = self._rated(train, 1)
        self._learn(self._fitted, train)
        return self

    def _rated(self, train: Tables, label: int) -> sparse.csr_matrix:
        """1 where a pair has this label, users by items."""
        some = train.interactions.filter(train.interactions[train.schema.label] == label)
        places = (known.rows(some[key]) for known, key in zip((self._users, self._items), self._keys, strict=True))
        shape = (len(train.user_ids), len(train.item_ids))
        found = sparse.csr_matrix((np.ones(some.height, dtype=np.float32), tuple(places)), shape=shape)
        found.data[:] = 1.0
        return found

    def _learn(self, likes: sparse.csr_matrix, train: Tables) -> None:
        raise NotImplementedError

    def _scores(self, likes: sparse.csr_matrix, users: np.ndarray) -> np.ndarray:
        """Scores of all items for users with these likes; ``users``: their rows, -1 for new ones."""
        raise NotImplementedError

    def predict_proba(self, tables: Tables) -> pl.DataFrame:
        """Not told by these libraries: rankings alone are compared."""
        raise NotImplementedError("these peers rank, they do not tell probabilities")

    def recommend(
        self,
        users: Any,
        *,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Sequence[Any] | None = None,
    ) -> pl.DataFrame:
        """See `Recommender.recommend`; rows ``{"liked": ids}`` where it folds in."""
        many = list(users)
        new = bool(many) and isinstance(many[0], Mapping)
        if new:
            rows, likes = np.full(len(many), -1), self._given([row.get("liked") or [] for row in many])
            keys = pl.Series("row", range(len(many)))
        else:
            rows = self._users.rows(many)
            likes, keys = self._fitted[rows], pl.Series(self._keys[0], many)
        chosen = None if candidates is None else np.unique(self._items.rows(list(candidates)))
        parts = []
        for start in range(0, len(many), 512):
            part = slice(start, min(start + 512, len(many)))
            parts.append(self._best(keys[part], likes[part], rows[part], n, exclude_seen, chosen))
        return pl.concat(parts)

    def _best(
        self, keys: pl.Series, likes: sparse.csr_matrix, rows: np.ndarray, n: int, exclude: bool, chosen: Any
    ) -> pl.DataFrame:
        score = self._scores(likes, rows).astype(np.float64)
        if exclude:
            score[likes.nonzero()] = -np.inf
        if chosen is not None:
            others = np.ones(score.shape[1], dtype=bool)
            others[chosen] = False
            score[:, others] = -np.inf
        n = min(n, score.shape[1])
        top = np.argpartition(-score, n - 1, axis=1)[:, :n]
        value = np.take_along_axis(score, top, 1)
        order = np.lexsort((top, -value), axis=1)
        top, value = np.take_along_axis(top, order, 1), np.take_along_axis(value, order, 1)
        row, rank = np.nonzero(np.isfinite(value))
        return pl.DataFrame(
            [
                keys.gather(row),
                pl.Series("rank", rank + 1, dtype=pl.Int64),
                self._items.ids.gather(top[row, rank]).alias(self._keys[1]),
                pl.Series("score", value[row, rank]),
            ]
        )

    def _given(self, pasts: Sequence[Sequence[Any]]) -> sparse.csr_matrix:
        rows = np.repeat(np.arange(len(pasts)), [len(past) for past in pasts])
        columns = self._items.rows([item for past in pasts for item in past]) if len(rows) else np.zeros(0, np.int64)
        return sparse.csr_matrix(
            (np.ones(len(rows), np.float32), (rows, columns)), shape=(len(pasts), len(self._items.ids))
        )


class IALS(Peer):
    """implicit's alternating least squares."""

    folds_in: ClassVar[bool] = True

    def __init__(self, *, factors: int = 64, regularization: float = 0.1, alpha: float = 5.0, iterations: int = 15,
                 rng: int = 0) -> None:  # fmt: skip
        self.factors, self.regularization, self.alpha = factors, regularization, alpha
        self.iterations, self.rng = iterations, rng

    def _learn(self, likes: sparse.csr_matrix, train: Tables) -> None:
        from implicit.cpu.als import AlternatingLeastSquares

        self._model = AlternatingLeastSquares(
            factors=self.factors, regularization=self.regularization, alpha=self.alpha, iterations=self.iterations,
            random_state=self.rng, num_threads=1,
        )  # fmt: skip
        self._model.fit(likes, show_progress=False)

    def _scores(self, likes: sparse.csr_matrix, users: np.ndarray) -> np.ndarray:
        factors = self._model.recalculate_user(np.zeros(likes.shape[0], dtype=np.int32), likes)
        return np.atleast_2d(factors) @ self._model.item_factors.T


class BPR(Peer):
    """implicit's Bayesian personalised ranking."""

    def __init__(self, *, factors: int = 64, learning_rate: float = 0.05, regularization: float = 0.01,
                 iterations: int = 100, rng: int = 0) -> None:  # fmt: skip
        self.factors, self.learning_rate, self.regularization = factors, learning_rate, regularization
        self.iterations, self.rng = iterations, rng

    def _learn(self, likes: sparse.csr_matrix, train: Tables) -> None:
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        self._model = BayesianPersonalizedRanking(
            factors=self.factors, learning_rate=self.learning_rate, regularization=self.regularization,
            iterations=self.iterations, random_state=self.rng, num_threads=1,
        )  # fmt: skip
        self._model.fit(likes, show_progress=False)

    def _scores(self, likes: sparse.csr_matrix, users: np.ndarray) -> np.ndarray:
        return self._model.user_factors[users] @ self._model.item_factors.T


class LightFM(Peer):
    """LightFM: items by themselves and their features; users by what they liked, or by themselves and theirs.

    Loss "warp" learns rankings from likes, "logistic" yes and no from likes and dislikes, as its author's paper does
    (Kula 2015, arXiv 1507.08439). Of users and items without a training like the own vector was never learned: their
    features alone count.
    """

    folds_in: ClassVar[bool] = True
    serves_new_users: ClassVar[bool] = True
    serves_new_items: ClassVar[bool] = True

    def __init__(self, *, factors: int = 64, learning_rate: float = 0.05, alpha: float = 1e-5, epochs: int = 20,
                 by_past: bool = True, loss: str = "warp", rng: int = 0) -> None:  # fmt: skip
        self.factors, self.learning_rate, self.alpha, self.epochs = factors, learning_rate, alpha, epochs
        self.by_past, self.loss, self.rng = by_past, loss, rng

    def _learn(self, likes: sparse.csr_matrix, train: Tables) -> None:
        from lightfm import LightFM as Library

        self._features = _own_and_features(train, "item", np.asarray(likes.sum(0)).ravel() > 0)
        self._persons = _own_and_features(train, "user", np.asarray(likes.sum(1)).ravel() > 0)
        self._model = Library(
            no_components=self.factors, loss=self.loss, learning_rate=self.learning_rate, item_alpha=self.alpha,
            user_alpha=self.alpha, random_state=self.rng,
        )  # fmt: skip
        users = self._past(likes) if self.by_past else self._persons
        rows = likes if self.loss == "warp" else likes - self._rated(train, 0)
        self._model.fit(rows.tocoo(), user_features=users, item_features=self._features, epochs=self.epochs,
                        num_threads=1)  # fmt: skip

    def _past(self, likes: sparse.csr_matrix) -> sparse.csr_matrix:
        size = np.maximum(np.asarray(likes.sum(1)).ravel(), 1.0)
        return sparse.csr_matrix(sparse.diags(1 / np.sqrt(size)) @ likes, dtype=np.float32)

    def _scores(self, likes: sparse.csr_matrix, users: np.ndarray) -> np.ndarray:
        persons = self._past(likes) if self.by_past else self._persons[users]
        bias, vectors = self._model.get_user_representations(persons)
        item_bias, items = self._model.get_item_representations(self._features)
        return vectors @ items.T + item_bias + np.asarray(bias)[:, None]

    def predict_proba(self, tables: Tables) -> pl.DataFrame:
        """A score between 0 and 1 that rises with the library's own; no frequency."""
        users, items = (self._users, self._items)
        rows, columns = (
            known.rows(tables.interactions[key]) for known, key in zip((users, items), self._keys, strict=True)
        )
        every, place = np.unique(rows, return_inverse=True)
        score = self._scores(self._fitted[every], every)[place, columns]
        return tables.interactions.select(*self._keys).with_columns(probability=pl.Series(expit(score.astype(float))))


def _own_and_features(train: Tables, side: str, met: np.ndarray) -> sparse.csr_matrix:
    """An identity, of those with a training like, and the features beside it."""
    table, ids = (train.items, train.item_ids) if side == "item" else (train.users, train.user_ids)
    own = sparse.diags(met.astype(np.float32), format="csr")
    fields = [f for f in train.schema.side(side) if f.kind in ("category", "tags", "binary", "numeric")]
    if not fields:
        return sparse.csr_matrix(own)
    encoder = SideEncoder.fit(fields, table.filter(pl.Series(met)))
    vectors = np.nan_to_num(encoder.portrait(encoder.encode(table)))
    assert len(vectors) == len(ids), "a row an id"
    return sparse.hstack([own, sparse.csr_matrix(vectors)], format="csr", dtype=np.float32)
