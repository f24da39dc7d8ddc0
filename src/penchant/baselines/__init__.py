"""Baselines: what a model has to beat. Each keeps the contract of `penchant.recommender.Recommender`."""

from penchant import recommender
from penchant.baselines.cml import CML
from penchant.baselines.ease import EASE
from penchant.baselines.factors import MF
from penchant.baselines.fm import FM
from penchant.baselines.logistic import LogisticRegression
from penchant.baselines.mult_vae import MultVAE
from penchant.baselines.neighbours import ItemKNN, UserKNN
from penchant.baselines.popular import Popular
from penchant.baselines.transcf import TransCF

__all__ = [
    "CML",
    "EASE",
    "FM",
    "KINDS",
    "MF",
    "ItemKNN",
    "LogisticRegression",
    "MultVAE",
    "Popular",
    "TransCF",
    "UserKNN",
]

KINDS: dict[str, type[recommender.Recommender]] = {
    "popular": Popular,
    "logistic": LogisticRegression,
    "item-knn": ItemKNN,
    "user-knn": UserKNN,
    "ease": EASE,
    "mf": MF,
    "fm": FM,
    "cml": CML,
    "transcf": TransCF,
    "mult-vae": MultVAE,
}
"""Every baseline by name."""
