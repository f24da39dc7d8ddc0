"""Losses: pure functions, each with its formula. `KINDS`, `RANKING` name the necks; `Loss` weighs the terms.

Families: necks (pointwise, on a pair's distance; ranking, on the distances of a liked item and of others), readings
(reconstruction, portrait term: on decoded vectors), and terms on the cloud of points (covariance, variance floor,
divergence from a prior).
"""

from penchant.losses.covariance import covariance, covariance_literal, variance_floor
from penchant.losses.divergence import divergence
from penchant.losses.neck import KINDS, capped, hinge, literal, logistic, weighted_mean
from penchant.losses.portrait import portrait_term
from penchant.losses.ranking import RANKING, bpr, softmax, warp
from penchant.losses.reconstruction import reconstruct
from penchant.losses.total import Loss, combine

__all__ = [
    "KINDS",
    "RANKING",
    "Loss",
    "bpr",
    "capped",
    "combine",
    "covariance",
    "covariance_literal",
    "divergence",
    "hinge",
    "literal",
    "logistic",
    "portrait_term",
    "reconstruct",
    "softmax",
    "variance_floor",
    "warp",
    "weighted_mean",
]
