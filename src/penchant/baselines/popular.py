"""The baseline that knows no users: how often an item is liked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from jaxtyping import Float64

from penchant.baselines._catalogue import Catalogue, pairs, weights
from penchant.errors import ConfigError, DataError, Problem
from penchant.recommender import Recommender
from penchant.tables import Tables

__all__ = ["Popular", "like_rates"]


@dataclass(frozen=True, slots=True)
class _Fitted:
    catalogue: Catalogue
    rate: Float64[np.ndarray, " items"]
    prior: float


class Popular(Recommender):
    """P(liked) = (likes + s·π) / (rows + s): an item's share of likes, drawn towards the average π.

    Rows count by their weights, where the schema has some. Items without a training row have π. With likes alone every
    share is 1: π counts as 0 then, so that the items with the most likes come first.

    Source: posterior mean under a Beta(s·π, s·(1 − π)) prior; Gelman et al., Bayesian Data Analysis, §2.4.
    """

    serves_new_users: ClassVar[bool] = True
    serves_new_items: ClassVar[bool] = False
    personal: ClassVar[bool] = False

    def __init__(self, *, smoothing: float = 10.0) -> None:
        """Store the option.

        Arguments:
            smoothing: s, how many rows the prior counts for, at least 0.
        """
        self.smoothing = smoothing

    def fit(self, train: Tables, valid: Tables | None = None) -> Self:
        """Count likes; ``valid`` is not used.

        Raises:
            DataError: there is no interaction.
            ConfigError: smoothing below 0.
        """
        if not 0 <= self.smoothing < float("inf"):
            raise ConfigError(f"smoothing = {self.smoothing}: a number >= 0 expected")
        if not len(train):
            raise DataError([Problem("interactions", "training needs interactions, and there is none")])
        catalogue = Catalogue.of(train)
        self._fitted = _Fitted(catalogue, *like_rates(train, catalogue, self.smoothing))
        return self

    def predict_proba(self, tables: Tables) -> pl.DataFrame:
        """The smoothed like-rate of each pair's item, in order; π for an item without training rows."""
        fitted: _Fitted = self._check_fitted()
        keys = pairs(tables)
        row = fitted.catalogue.items.find(keys[tables.schema.item])
        return keys.with_columns(probability=pl.Series(np.append(fitted.rate, fitted.prior)[row]))

    def recommend(
        self,
        users: Any,
        *,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Sequence[Any] | None = None,
    ) -> pl.DataFrame:
        """The most liked items, see `Recommender.recommend`; ties in the order of the item table.

        Of a row of features only a past, ``{"liked": ids, "disliked": ids}``, is looked at: its items are seen.
        """
        fitted: _Fitted = self._check_fitted()
        asked, chosen = fitted.catalogue.ask(users), fitted.catalogue.candidates(candidates)
        order = chosen[np.argsort(-fitted.rate[chosen], kind="stable")]
        frame, _, found = fitted.catalogue.rank(asked, order, n=n, exclude_seen=exclude_seen)
        return frame.with_columns(score=pl.Series(fitted.rate[found], dtype=pl.Float64))


def like_rates(train: Tables, catalogue: Catalogue, smoothing: float) -> tuple[Float64[np.ndarray, " items"], float]:
    """Each item's smoothed share of likes, and π, see `Popular`; there is an interaction at least."""
    schema, n = train.schema, len(catalogue.items)
    label, weight = train.interactions[schema.label].cast(pl.Float64).to_numpy(), weights(train)
    item = catalogue.items.rows(train.interactions[schema.item])
    likes, rows = np.bincount(item, label * weight, n), np.bincount(item, weight, n)
    prior = float(likes.sum() / rows.sum()) if rows.sum() > 0 else float(label.mean())
    s, pulled = smoothing, 0.0 if prior == 1 else prior
    rate = np.divide(likes + s * pulled, rows + s, out=np.full(n, pulled), where=rows + s > 0)
    return rate, pulled
