"""How generous a user is: a threshold of one's own, learned from likes and dislikes as they come.

    P(liked) = σ(τ(p + b − d)),   b ~ N(shift, variance)

Two users at one point may like different shares of what lies around it; no place in the space can say that. The update
is Laplace's in one dimension: exact curvature, one Newton step from the belief's mean.

Source: Laplace's approximation of logistic regression, Bishop, Pattern Recognition (2006), §4.4–4.5.
"""

import math
from typing import NamedTuple

from penchant.dynamics.belief import Dynamics
from penchant.dynamics.dislike import Neck

__all__ = ["Generosity", "begin_generosity", "update_generosity"]


class Generosity(NamedTuple):
    """A belief about a user's shift of the threshold."""

    shift: float
    """b, a distance: above 0, more is liked than the model's threshold says."""
    variance: float
    """Of it, ≥ 0."""


def begin_generosity(dynamics: Dynamics) -> Generosity:
    """Before any event."""
    return Generosity(0.0, dynamics.generosity)


def update_generosity(
    generosity: Generosity, distance: float, liked: bool, neck: Neck, weight: float = 1.0
) -> Generosity:
    """After a like or a dislike of an item at this base distance; a dislike of weight ½ says half as much.

    Arguments:
        distance: of the item from the expected interest point, before the event moved that.
        weight: power of the likelihood, ≥ 0.
    """
    shift, variance = generosity
    if variance == 0 or weight == 0:
        return generosity
    share = _logistic(neck.slope * (neck.threshold + shift - distance))
    variance = 1 / (1 / variance + weight * neck.slope**2 * share * (1 - share))
    return Generosity(shift + variance * weight * neck.slope * (float(liked) - share), variance)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0
