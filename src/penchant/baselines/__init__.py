"""Baselines: what a model has to beat. Each keeps the contract of `penchant.recommender.Recommender`."""

from penchant.baselines.logistic import LogisticRegression
from penchant.baselines.popular import Popular

__all__ = ["KINDS", "LogisticRegression", "Popular"]

KINDS: dict[str, type[LogisticRegression] | type[Popular]] = {
    "popular": Popular,
    "logistic": LogisticRegression,
}
"""Every baseline by name."""
