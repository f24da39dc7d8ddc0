"""What baselines share that score a user and an item by a product of two matrices, learned from likes alone."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from jaxtyping import Bool, Float64, Int64
from scipy import sparse
from scipy.special import expit
from sklearn.linear_model import LogisticRegression as Solver

from penchant.baselines._catalogue import Catalogue, blocks, pairs, weights
from penchant.baselines.popular import like_rates
from penchant.errors import ConfigError, DataError, Problem
from penchant.recommender import Recommender
from penchant.tables import Tables

__all__ = ["Product", "Scored"]

_SMOOTHING = 10.0
"""Of the popularity that serves where there is no history, as in `Popular`."""


@dataclass(frozen=True, slots=True)
class Product:
    """Scores of all users and items: left @ right, never held as a whole."""

    left: sparse.csr_array
    """(users, m)"""
    right: sparse.csr_array | Float64[np.ndarray, "m items"]
    """(m, items)"""

    def rows(self, users: Int64[np.ndarray, " b"]) -> Float64[np.ndarray, "b items"]:
        """Scores of all items for some users."""
        found = self.left[users] @ self.right
        return np.asarray(found.toarray() if sparse.issparse(found) else found, dtype=np.float64)

    def at(self, users: Int64[np.ndarray, " n"], items: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """Scores of pairs."""
        parts = [np.zeros(0)]
        columns = sparse.csr_array(self.right.T) if sparse.issparse(self.right) else None
        for block in blocks(len(users), self.left.shape[1]):
            left, some = self.left[users[block]], items[block]
            if columns is None:
                row = np.repeat(np.arange(len(some)), np.diff(left.indptr))
                terms = left.data * self.right[left.indices, some[row]]
                parts.append(np.bincount(row, terms, minlength=len(some)).astype(np.float64))
            else:
                parts.append(np.asarray(left.multiply(columns[some]).sum(axis=1), dtype=np.float64).reshape(-1))
        return np.concatenate(parts)


@dataclass(frozen=True, slots=True)
class _Fitted:
    catalogue: Catalogue
    product: Product
    has_likes: Bool[np.ndarray, " users"]
    rate: Float64[np.ndarray, " items"]
    """Popularity."""
    prior: float
    """That of an item which is not known."""
    order: Int64[np.ndarray, " items"]
    """The items, most popular first."""
    slope: float
    """P(liked) = σ(slope·score + bias), slope > 0."""
    bias: float

    def score(self, user: Int64[np.ndarray, " n"], item: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """Scores of pairs of known users with items, an unknown item (-1) as one that nobody liked: 0."""
        score, known = np.zeros(len(user)), item >= 0
        score[known] = self.product.at(user[known], item[known])
        return score

    def rows(self, users: Int64[np.ndarray, " b"]) -> Float64[np.ndarray, "b items"]:
        """What known users' items are ranked by: scores, or popularity for users without a like."""
        table = self.product.rows(users)
        table[~self.has_likes[users]] = self.rate
        return table


class Scored(Recommender):
    """A score from likes alone, made a probability: P(liked) = σ(a·score + b), a > 0.

    Dislikes do not enter the score. Slope a and bias b are fitted by logistic regression of the label on the
    score: on the validation rows where these hold both labels, else on the training rows, whose scores know
    their likes and are therefore too sure of them. With likes only, or where no score rises with liking, P is
    σ of the score standardised over the training rows: an order, not a frequency.

    A user without a liked training row gets popularity (`Popular`, smoothing 10), as do equal scores: the more
    popular item comes first. A new user is not served beyond that, an item without likes scores 0.

    Source of the calibration: Platt 1999, Probabilistic outputs for support vector machines.
    """

    serves_new_users: ClassVar[bool] = False
    serves_new_items: ClassVar[bool] = False
    personal: ClassVar[bool] = True

    @abstractmethod
    def _learn(self, likes: sparse.csr_array) -> Product:
        """Scores from the likes.

        Arguments:
            likes: (users, items) float64: the sum of the weights of a pair's liked rows, above 0 where stored;
                one at least is stored.

        Raises:
            ConfigError: an option outside its range.
        """

    def fit(self, train: Tables, valid: Tables | None = None) -> Self:
        """Learn from the liked rows of ``train``; ``valid`` calibrates.

        Raises:
            DataError: no liked row that weighs more than 0.
            ConfigError: an option outside its range.
        """
        catalogue = Catalogue.of(train)
        likes = _likes(train, catalogue)
        if not likes.nnz:
            message = "training needs liked rows, found none that weighs more than 0"
            raise DataError([Problem("interactions", message, train.schema.label)])
        product, has_likes = self._learn(likes), np.diff(likes.indptr) > 0
        rate, prior = like_rates(train, catalogue, _SMOOTHING)
        order = np.lexsort((-likes.sum(axis=0), -rate))
        raw = _Fitted(catalogue, product, has_likes, rate, prior, order, slope=1.0, bias=0.0)
        self._fitted = _calibrated(raw, train, valid)
        return self

    def predict_proba(self, tables: Tables) -> pl.DataFrame:
        """The calibrated score of each pair, in order; popularity for users without a liked training row."""
        fitted: _Fitted = self._check_fitted()
        keys = pairs(tables)
        user = fitted.catalogue.users.find(keys[tables.schema.user])
        item = fitted.catalogue.items.find(keys[tables.schema.item])
        probability = np.append(fitted.rate, fitted.prior)[item]
        own = np.append(fitted.has_likes, False)[user]
        score = fitted.score(user[own], item[own])
        probability[own] = expit(fitted.slope * score + fitted.bias)
        return keys.with_columns(probability=pl.Series(probability, dtype=pl.Float64))

    def recommend(
        self,
        users: Any,
        *,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Sequence[Any] | None = None,
    ) -> pl.DataFrame:
        """The items of the highest score, see `Recommender.recommend`; ``score`` is as in `predict_proba`.

        Raises:
            ConfigError: rows of features, which these models do not know.
        """
        fitted: _Fitted = self._check_fitted()
        catalogue, asked = fitted.catalogue, fitted.catalogue.ask(users)
        if asked.given is not None:
            name = type(self).__name__
            raise ConfigError(f"users: {name} knows users by their likes only: give ids, or ask Popular for new users")
        order = fitted.order[np.isin(fitted.order, catalogue.candidates(candidates))]
        frame, query, value = catalogue.rank_scores(asked, fitted.rows, order, n=n, exclude_seen=exclude_seen)
        own = fitted.has_likes[asked.rows[query]]
        score = np.where(own, expit(fitted.slope * value + fitted.bias), value)
        return frame.with_columns(score=pl.Series(score, dtype=pl.Float64))


def _likes(train: Tables, catalogue: Catalogue) -> sparse.csr_array:
    schema, weight = train.schema, weights(train)
    liked = np.flatnonzero((train.interactions[schema.label].to_numpy() > 0) & (weight > 0))
    rows = train.interactions[liked]
    places = catalogue.users.rows(rows[schema.user]), catalogue.items.rows(rows[schema.item])
    return sparse.csr_array((weight[liked], places), shape=(len(catalogue.users), len(catalogue.items)))


def _calibrated(raw: _Fitted, train: Tables, valid: Tables | None) -> _Fitted:
    """With slope and bias."""
    of_train = _scores(raw, train)
    for score, liked, weight in [_scores(raw, valid), of_train] if valid is not None else [of_train]:
        line = _fit(score, liked, weight)
        if line is not None:
            break
    else:
        spread = float(of_train[0].std()) or 1.0
        line = 1 / spread, -float(of_train[0].mean()) / spread
    return _Fitted(raw.catalogue, raw.product, raw.has_likes, raw.rate, raw.prior, raw.order, *line)


def _scores(raw: _Fitted, tables: Tables) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Score, liked and weight of the rows whose users have likes."""
    schema, catalogue = tables.schema, raw.catalogue
    user, item = (
        catalogue.users.find(tables.interactions[schema.user]),
        catalogue.items.find(tables.interactions[schema.item]),
    )
    own = np.append(raw.has_likes, False)[user]
    liked = tables.interactions[schema.label].to_numpy() > 0
    return raw.score(user[own], item[own]), liked[own], weights(tables)[own]


def _fit(score: np.ndarray, liked: np.ndarray, weight: np.ndarray) -> tuple[float, float] | None:
    """Slope and bias of the logistic regression; None where none rises. The ridge is scikit-learn's, of weight 1."""
    counted = weight > 0
    score, liked, weight = score[counted], liked[counted], weight[counted]
    if len(np.unique(liked)) < 2 or not score.std() > 0:
        return None
    centre, spread = float(score.mean()), float(score.std())
    solver = Solver(max_iter=1000).fit((score[:, None] - centre) / spread, liked, sample_weight=weight)
    slope, bias = float(solver.coef_[0, 0]) / spread, float(solver.intercept_[0])
    return (slope, bias - slope * centre) if slope > 0 else None
