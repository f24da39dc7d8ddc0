"""What baselines share that score a user and an item by a product of two matrices, learned from likes alone."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import polars as pl
from jaxtyping import Bool, Float64, Int64
from scipy import sparse
from scipy.special import expit
from sklearn.linear_model import LogisticRegression as Solver

from penchant.baselines._catalogue import Asked, Catalogue, blocks, pairs, weights
from penchant.baselines._past import Pasts
from penchant.baselines.popular import like_rates
from penchant.errors import ConfigError, DataError, Problem
from penchant.recommender import Recommender
from penchant.tables import Tables

__all__ = ["Product", "Scored"]

_SMOOTHING = 10.0
"""Of the popularity that serves where there is no history, as in `Popular`."""


Left: TypeAlias = sparse.csr_array | Float64[np.ndarray, "users m"]
"""The users' side of a product, (users, m)."""


@dataclass(frozen=True, slots=True)
class Product:
    """Scores of all users and items: left @ right, never held as a whole."""

    left: Left
    """(users, m)"""
    right: sparse.csr_array | Float64[np.ndarray, "m items"]
    """(m, items); not sparse where the left is not."""
    unknown: float | None = 0.0
    """Score of an item which is not known; None: such a pair has none, and gets popularity."""
    fold_in: Callable[[sparse.csr_array], Left] | None = None
    """What users have on the left by what they like, (b, items) to (b, m), one like at least in each row; None: only
    those who were learned have something."""

    def rows(self, users: Int64[np.ndarray, " b"] | slice) -> Float64[np.ndarray, "b items"]:
        """Scores of all items for some users.

        Where both sides are dense, to single precision: the last digits of such a product depend on how many users
        are asked for, and must not decide between items that score the same.
        """
        found = self.left[users] @ self.right
        if isinstance(self.left, np.ndarray):
            return np.asarray(found, dtype=np.float32).astype(np.float64)
        return np.asarray(found.toarray() if sparse.issparse(found) else found, dtype=np.float64)

    def at(self, users: Int64[np.ndarray, " n"], items: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """Scores of pairs."""
        parts = [np.zeros(0)]
        columns = sparse.csr_array(self.right.T) if sparse.issparse(self.right) else None
        for block in blocks(len(users), self.left.shape[1]):
            left, some = self.left[users[block]], items[block]
            if isinstance(left, np.ndarray):
                parts.append(np.einsum("nm,mn->n", left, self.right[:, some]))
            elif columns is None:
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

    def has_score(self, user: Int64[np.ndarray, " n"], item: Int64[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """Is the user (-1: not known) known by likes, and the item (likewise) something to score?"""
        known = np.append(self.has_likes, False)[user]
        return known & (item >= 0) if self.product.unknown is None else known

    def score(self, user: Int64[np.ndarray, " n"], item: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """Scores of pairs of known users with items, an unknown item (-1) as one that nobody liked."""
        score, known = np.full(len(user), self.product.unknown or 0.0), item >= 0
        score[known] = self.product.at(user[known], item[known])
        return score

    def of(self, asked: Asked) -> "_Fitted":
        """The same for the users asked, in their order: known ones, or such as name a past."""
        if asked.given is None:
            left, has_likes = self.product.left[asked.rows], self.has_likes[asked.rows]
        else:
            left, has_likes = self._folded(asked.given.likes)
        return replace(self, product=replace(self.product, left=left), has_likes=has_likes)

    def _folded(self, likes: sparse.csr_array) -> tuple[Left, Bool[np.ndarray, " q"]]:
        """Left side of users by their likes, and whether they have some; where not, it is that of somebody else."""
        assert self.product.fold_in is not None
        has_likes = np.diff(likes.indptr) > 0
        if not has_likes.any():
            return self.product.left[np.zeros(len(has_likes), dtype=np.int64)], has_likes
        return self.product.fold_in(likes[has_likes])[np.maximum(has_likes.cumsum() - 1, 0)], has_likes

    def rows(self, users: Int64[np.ndarray, " b"] | slice) -> Float64[np.ndarray, "b items"]:
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
    popular item comes first. A new user is not served beyond that in `predict_proba`; `recommend` serves one who is
    given by a past, where the model folds in. An item which is not known scores 0, as one without likes, or gets
    popularity, where the model scores by vectors of its own for every item (`CML`, `TransCF`, `MultVAE`).

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

    def _learn_watching(self, likes: sparse.csr_array, held: sparse.csr_array | None) -> Product:
        """Scores from the likes, for models that stop where validation likes rank best; others do not look at these.

        Arguments:
            held: (users, items) like ``likes``: the validation rows of known users and items.
        """
        return self._learn(likes)

    def fit(self, train: Tables, valid: Tables | None = None) -> Self:
        """Learn from the liked rows of ``train``; ``valid`` calibrates, and stops what learns in steps.

        Raises:
            DataError: no liked row that weighs more than 0.
            ConfigError: an option outside its range.
        """
        catalogue = Catalogue.of(train)
        likes = _likes(train, catalogue)
        if not likes.nnz:
            message = "training needs liked rows, found none that weighs more than 0"
            raise DataError([Problem("interactions", message, train.schema.label)])
        held = None if valid is None else _held(valid, catalogue)
        product, has_likes = self._learn_watching(likes, held), np.diff(likes.indptr) > 0
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
        own = fitted.has_score(user, item)
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

        Users are ids, or where the model folds in, pasts: ``{"liked": ids, "disliked": ids}``, or the same, or ids of
        liked items, under the name of the schema's history field ("history" where it has none). Each like of a past
        counts 1; dislikes, and features beside a past, do not change the score; ``exclude_seen`` leaves out the past.
        An empty past gets popularity.

        Raises:
            ConfigError: a row of features without a past, or any row where the model does not fold in.
            DataError: a past of another form; a name that is no column of users.
        """
        fitted: _Fitted = self._check_fitted()
        catalogue, asked = fitted.catalogue, fitted.catalogue.ask(users)
        if asked.given is not None:
            self._check_pasts(asked.given)
        order = fitted.order[np.isin(fitted.order, catalogue.candidates(candidates))]
        of_asked = fitted.of(asked)
        frame, query, value = catalogue.rank_scores(asked, of_asked.rows, order, n=n, exclude_seen=exclude_seen)
        score = np.where(of_asked.has_likes[query], expit(fitted.slope * value + fitted.bias), value)
        return frame.with_columns(score=pl.Series(score, dtype=pl.Float64))

    def _check_pasts(self, given: Pasts) -> None:
        fitted: _Fitted = self._check_fitted()
        said = f"users: {type(self).__name__} knows users by their likes only: give ids,"
        if fitted.product.fold_in is None:
            raise ConfigError(f"{said} or ask Popular for new users")
        if not given.given.all():
            row = int(np.argmin(given.given))
            raise ConfigError(f'{said} or a past, {{"liked": [ids of items]}}; row {row} names none')
        given.check_names(fitted.catalogue.schema)


def _likes(train: Tables, catalogue: Catalogue) -> sparse.csr_array:
    schema, weight = train.schema, weights(train)
    liked = np.flatnonzero((train.interactions[schema.label].to_numpy() > 0) & (weight > 0))
    rows = train.interactions[liked]
    places = catalogue.users.rows(rows[schema.user]), catalogue.items.rows(rows[schema.item])
    return sparse.csr_array((weight[liked], places), shape=(len(catalogue.users), len(catalogue.items)))


def _held(valid: Tables, catalogue: Catalogue) -> sparse.csr_array:
    """Validation likes of what is known."""
    keys = valid.interactions
    known = (catalogue.users.find(keys[valid.schema.user]) >= 0) & (catalogue.items.find(keys[valid.schema.item]) >= 0)
    return _likes(valid.with_interactions(keys.filter(pl.Series(known))), catalogue)


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
    own = raw.has_score(user, item)
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
