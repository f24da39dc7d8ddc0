"""Losses: pure functions, each with its formula. `KINDS` names the necks; `Loss` says how much of each term.

Families: necks (pointwise, on a pair's distance), readings (reconstruction, portrait term: on decoded
vectors), and terms on the cloud of points (covariance, variance floor).
"""

from penchant.losses.covariance import covariance, covariance_literal, variance_floor
from penchant.losses.neck import KINDS, capped, hinge, literal, logistic, weighted_mean
from penchant.losses.portrait import portrait_term
from penchant.losses.reconstruction import reconstruct
from penchant.losses.total import Loss, combine

__all__ = [
    "KINDS",
    "Loss",
    "capped",
    "combine",
    "covariance",
    "covariance_literal",
    "hinge",
    "literal",
    "logistic",
    "portrait_term",
    "reconstruct",
    "variance_floor",
    "weighted_mean",
]
