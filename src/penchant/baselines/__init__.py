"""Baselines: what a model has to beat. Each keeps the contract of `penchant.recommender.Recommender`."""

from penchant.baselines.ease import EASE
from penchant.baselines.logistic import LogisticRegression
from penchant.baselines.neighbours import ItemKNN, UserKNN
from penchant.baselines.popular import Popular

__all__ = ["EASE", "KINDS", "ItemKNN", "LogisticRegression", "Popular", "UserKNN"]

KINDS: dict[str, type[EASE] | type[ItemKNN] | type[LogisticRegression] | type[Popular] | type[UserKNN]] = {
    "popular": Popular,
    "logistic": LogisticRegression,
    "item-knn": ItemKNN,
    "user-knn": UserKNN,
    "ease": EASE,
}
"""Every baseline by name."""
