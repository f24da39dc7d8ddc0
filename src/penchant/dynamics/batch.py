"""The posterior of an interest point from all likes at once, in any order: no wandering, no pull.

    1/P = 1/P_0 + w·c²/r,    m = P·(a/P_0 + c·Σ_i w_i (e_i − b)/r)                    w = Σ_i w_i

Equal to the filter with process 0, step 0 and an infinite half-life, and the answer where times are not known.

Source: Gelman et al., Bayesian Data Analysis (2013), §2.5.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from penchant.dynamics._arrays import library
from penchant.dynamics.belief import Belief, Dynamics
from penchant.errors import SpaceError

__all__ = ["posterior", "posteriors"]


def posterior(
    anchor: Float[np.ndarray, " k"],
    items: Float[np.ndarray, "n k"],
    dynamics: Dynamics,
    *,
    weight: Float[np.ndarray, " n"] | None = None,
    variance: Float[np.ndarray, " k"] | None = None,
    time: float = 0.0,
) -> Belief:
    """One user's belief after likes of items at these points.

    Arguments:
        anchor: the encoder's point. items: the liked items' points; none: the prior.
        weight: ≥ 0, how many likes each counts as. variance: of the prior, per axis; None: ``dynamics.prior``.
        time: what the belief is dated.

    Raises:
        SpaceError: points of another dimension.
    """
    shares = np.ones(len(items)) if weight is None else weight
    return _conjugate(anchor, (shares @ items, shares.sum()), dynamics, variance, time)


def posteriors(
    anchors: Float[Any, "u k"],
    items: Float[Any, "n k"],
    user: Int[Any, " n"],
    dynamics: Dynamics,
    *,
    weight: Float[Any, " n"] | None = None,
    variance: Float[Any, "u k"] | None = None,
    time: Any = 0.0,
) -> Belief:
    """Beliefs of many users: ``user[j]``, a row of ``anchors``, liked the item at ``items[j]``. NumPy or torch.

    Arguments and errors: see `posterior`.
    """
    xp = library(anchors)
    shares = xp.ones_like(items[:, 0]) if weight is None else weight
    sums, count = xp.zeros_like(anchors), xp.zeros_like(anchors[:, :1])
    if isinstance(anchors, np.ndarray):
        np.add.at(sums, user, shares[:, None] * items)
        np.add.at(count, user, shares[:, None])
    else:
        sums.index_add_(0, user, shares[:, None] * items)
        count.index_add_(0, user, shares[:, None])
    return _conjugate(anchors, (sums, count), dynamics, variance, time)


def _conjugate(anchor: Any, likes: tuple[Any, Any], dynamics: Dynamics, variance: Any, time: Any) -> Belief:
    """From the weighted sum of the items' points, and the weights'."""
    (total, count), (_, r, prior, c, b, _) = likes, dynamics.terms(anchor)
    if total.shape[-1] != anchor.shape[-1]:
        raise SpaceError(f"items of {total.shape[-1]} axes, an interest point of {anchor.shape[-1]}")
    before = 1 / (prior if variance is None else variance)
    precision = before + count * (c * c / r)
    mean = (before * anchor + c / r * (total - count * b)) / precision
    return Belief(mean, 1 / precision + library(mean).zeros_like(mean), time)
