"""The linear baseline: logistic regression on the features of user, item and context."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from jaxtyping import Float64
from scipy import sparse
from scipy.special import expit
from sklearn.linear_model import LogisticRegression as Solver

from penchant.baselines._catalogue import Asked, Catalogue
from penchant.baselines._design import design, design_width
from penchant.errors import ConfigError, DataError, Problem
from penchant.recommender import Recommender
from penchant.tables import EncodedTables, Tables, TablesEncoder

__all__ = ["LogisticRegression"]


@dataclass(frozen=True, slots=True)
class _Fitted:
    catalogue: Catalogue
    encoder: TablesEncoder
    users: pl.DataFrame
    """The user table."""
    item_logit: Float64[np.ndarray, " items"]
    """What each known item adds to the logit."""
    weights: tuple[Float64[np.ndarray, " f"], Float64[np.ndarray, " g"], Float64[np.ndarray, " h"]]
    """Of user, item and context features."""
    bias: float


class LogisticRegression(Recommender):
    """P(liked) = σ(b + w_u·x_u + w_i·x_i + w_c·x_c), fitted by maximum likelihood with an l2 penalty.

    x is a side's portrait vector, a flag for each field that is missing, and one place for each id. There is
    no product of user and item features: all users get one order of items. New users and items are served by
    their features.

    Source: McMahan et al., KDD 2013 (as a baseline for clicks); solved by scikit-learn's lbfgs.
    """

    serves_new_users: ClassVar[bool] = True
    serves_new_items: ClassVar[bool] = True
    personal: ClassVar[bool] = False

    def __init__(self, *, penalty: float = 1.0, max_iter: int = 1000) -> None:
        """Store the options.

        Arguments:
            penalty: weight of ½‖w‖² against the sum of the rows' log losses, above 0; scikit-learn's 1/C.
            max_iter: steps of the solver at most.
        """
        self.penalty, self.max_iter = penalty, max_iter

    def fit(self, train: Tables, valid: Tables | None = None) -> Self:
        """Fit the weights; ``valid`` is not used.

        Raises:
            DataError: no interaction, or one label only.
            ConfigError: an option outside its range.
        """
        if not 0 < self.penalty < float("inf") or self.max_iter < 1:
            raise ConfigError("LogisticRegression: penalty above 0 and max_iter of at least 1 expected")
        encoder = TablesEncoder.fit(train)
        rows = encoder.encode(train)
        if len(np.unique(rows.label)) < 2:
            message = "training needs liked and disliked rows, found one label only"
            raise DataError([Problem("interactions", message, train.schema.label)])
        x = _pairs_matrix(encoder, rows)
        solver = Solver(C=1 / self.penalty, max_iter=self.max_iter, tol=1e-5)
        solver.fit(x, rows.label > 0.5, sample_weight=rows.weight)
        ends = np.cumsum([design_width(encoder.user.layout), design_width(encoder.item.layout)])
        user, item, context = np.split(solver.coef_[0].astype(np.float64), ends)
        item_logit = np.asarray(design(encoder.item.layout, rows.items) @ item, dtype=np.float64)
        bias, weights = float(solver.intercept_[0]), (user, item, context)
        self._fitted = _Fitted(Catalogue.of(train), encoder, train.users, item_logit, weights, bias)
        return self

    def predict_proba(self, tables: Tables) -> pl.DataFrame:
        """P(liked) of each pair, in order; users and items may be new, their features are what counts."""
        fitted: _Fitted = self._check_fitted()
        rows = fitted.encoder.encode(tables)
        logit = fitted.bias + _pairs_matrix(fitted.encoder, rows) @ np.concatenate(fitted.weights)
        keys = tables.interactions.select(tables.schema.user, tables.schema.item)
        return keys.with_columns(probability=pl.Series(expit(logit), dtype=pl.Float64))

    def recommend(
        self,
        users: Any,
        *,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Sequence[Any] | None = None,
    ) -> pl.DataFrame:
        """The likeliest items, the situation taken as missing: see `Recommender.recommend`.

        Items of a past that a row of features names, ``{"liked": ids, …}``, are seen; the score does not know it.
        """
        fitted: _Fitted = self._check_fitted()
        asked, chosen = fitted.catalogue.ask(users), fitted.catalogue.candidates(candidates)
        order = chosen[np.argsort(-fitted.item_logit[chosen], kind="stable")]
        frame, query, found = fitted.catalogue.rank(asked, order, n=n, exclude_seen=exclude_seen)
        logit = fitted.bias + self._of_users(asked)[query] + fitted.item_logit[found]
        return frame.with_columns(score=pl.Series(expit(logit), dtype=pl.Float64))

    def _of_users(self, asked: Asked) -> Float64[np.ndarray, " q"]:
        """What the users and a missing situation add to the logit."""
        fitted: _Fitted = self._check_fitted()
        encoder = fitted.encoder
        if asked.given is None:
            features = encoder.user.encode(fitted.users[asked.rows])
        else:
            features = encoder.user.encode_rows(asked.given.rest)
        part = design(encoder.user.layout, features) @ fitted.weights[0]
        if encoder.context.kinds:
            part = part + design(encoder.context.layout, encoder.context.encode_rows([{}])) @ fitted.weights[2]
        return np.asarray(part, dtype=np.float64)


def _pairs_matrix(encoder: TablesEncoder, rows: EncodedTables) -> sparse.csr_array:
    """(interactions, f + g + h): each side is encoded once, then gathered."""
    parts = [
        design(encoder.user.layout, rows.users)[rows.user],
        design(encoder.item.layout, rows.items)[rows.item],
    ]
    if rows.context is not None:
        parts.append(design(encoder.context.layout, rows.context))
    return sparse.csr_array(sparse.hstack(parts, format="csr"))
