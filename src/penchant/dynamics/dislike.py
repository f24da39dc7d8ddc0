"""Updates by the logistic neck: a dislike or an ignored impression pushes the belief away, by assumed density.

    p(x | dislike of e) ∝ N(x; m, diag P) · (1 − σ(τ(p − d_r(x, e))))^w          w: weight; a like: σ instead of 1 − σ

The Gaussian put in its place has its mean and variances per axis (moment matching). The distance is a sum (a maximum)
over independent axes: along one axis the moments are sums over nodes of E[likelihood | x_j], in which the rest of the
sum, Σ_{i≠j} |x_i − e_i|^r, is taken as Gamma with its first two moments (Wilson, Hilferty), exactly at two axes; under
the sup norm the maximum of the rest has a known distribution. No derivative is needed, so a belief centred on a
disliked item, where the gradient vanishes, widens as it should; variances stay positive whatever comes.

Chosen over Laplace's approximation, which has no curvature to use there. Against dense integration at two axes means
are within .01 standard deviations and variances within 1 %; at three and more within .03 and 2 %.

Source: Opper, Winther 1999; Minka 2001 (assumed density); Wilson, Hilferty 1931.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from penchant.dynamics._arrays import constant, library, ndtr
from penchant.dynamics.belief import Belief, Dynamics
from penchant.errors import ConfigError, SpaceError

__all__ = ["Neck", "update_dislike", "update_ignored", "update_like_logistic"]

_NODES = np.linspace(-4.5, 4.5, 25)
"""Even steps: at the kinks of |x| and of a steep logistic better than as many of Gauss and Hermite."""
_SHARES = np.exp(-(_NODES**2) / 2)
_SHARES = _SHARES / _SHARES.sum()
_NODES = _NODES / np.sqrt(_SHARES @ _NODES**2)  # what tells nothing leaves the variance as it is
_REST_NODES, _REST_SHARES = np.polynomial.hermite_e.hermegauss(9)
_REST_SHARES = _REST_SHARES / _REST_SHARES.sum()
_STEPS = 48
"""Steps of the distribution of the largest of the other axes (sup norm)."""
_LEAST = 1e-4
"""No event leaves less than this share of a variance: nodes a third of a deviation apart tell no more."""
_CHUNK = 256
"""Users at a time: 25 × 9 nodes and more an axis are held for each."""


@dataclass(frozen=True, slots=True)
class Neck:
    """P(liked | x, e) = σ(τ(p − d_r(x, e))): a model's threshold, slope and norm.

    Raises: ConfigError: a field outside its range.
    """

    threshold: float
    """p > 0, a base distance (normalised Minkowski)."""
    slope: float
    """τ > 0."""
    norm: float = 2.0
    """r ≥ 1, or inf."""

    def __post_init__(self) -> None:
        if not 0 < self.threshold < math.inf or not 0 < self.slope < math.inf or not self.norm >= 1:
            raise ConfigError(f"{self}: threshold and slope above 0 and a norm >= 1 expected")


def update_dislike(
    belief: Belief, item: Float[Any, "*n k"], neck: Neck, dynamics: Dynamics, weight: float | None = None
) -> Belief:
    """The belief after a dislike of the item at this point, at the belief's time; its mean is kept in the box.

    Arguments:
        item: the item's point (one user's, or one for each user).
        weight: power of the likelihood; None: ``dynamics.dislike``.

    Raises:
        SpaceError: points of another dimension.
    """
    return _update(belief, item, neck, dynamics, -1.0, dynamics.dislike if weight is None else weight)


def update_ignored(belief: Belief, item: Float[Any, "*n k"], neck: Neck, dynamics: Dynamics) -> Belief:
    """The belief after an impression that was ignored: a dislike of weight ``dynamics.ignored``."""
    return _update(belief, item, neck, dynamics, -1.0, dynamics.ignored)


def update_like_logistic(
    belief: Belief, item: Float[Any, "*n k"], neck: Neck, dynamics: Dynamics, weight: float = 1.0
) -> Belief:
    """The belief after a like, by the neck's likelihood instead of Kalman's: for comparison.

    A like says little inside the ball and much at its edge; it does not know that items lie unevenly.
    """
    return _update(belief, item, neck, dynamics, 1.0, weight)


def _update(belief: Belief, item: Any, neck: Neck, dynamics: Dynamics, sign: float, weight: float) -> Belief:
    mean, variance, time = belief
    if item.shape[-1] != mean.shape[-1]:
        raise SpaceError(f"an item of {item.shape[-1]} axes, an interest point of {mean.shape[-1]}")
    if weight == 0:
        return belief
    if mean.ndim == 1:
        mean, variance = _matched(mean, variance, item, neck, sign, weight)
    else:
        item = item + mean * 0  # one item for all: one for each
        parts = [
            _matched(mean[j : j + _CHUNK], variance[j : j + _CHUNK], item[j : j + _CHUNK], neck, sign, weight)
            for j in range(0, max(len(mean), 1), _CHUNK)
        ]
        mean, variance = (library(mean).concatenate([part[j] for part in parts]) for j in (0, 1))
    return Belief(library(mean).clip(mean, dynamics.low, dynamics.high), variance, time)


def _matched(mean: Any, variance: Any, item: Any, neck: Neck, sign: float, weight: float) -> tuple[Any, Any]:
    """Mean and variance of the posterior, axis by axis."""
    nodes, shares = constant(_NODES, mean), constant(_SHARES, mean)
    deviation = library(mean).sqrt(variance)
    size = library(mean).abs((mean - item)[..., None] + deviation[..., None] * nodes)
    sup, k = math.isinf(neck.norm), mean.shape[-1]
    power = size if sup else size**neck.norm
    if k <= 2:
        rest, rest_shares = _rest_of_few(power, shares)
    else:
        rest, rest_shares = _rest_of_maximum(mean - item, deviation, size) if sup else _rest_of_sum(power, shares)
    if sup:
        distance = library(mean).maximum(power[..., :, None], rest[..., None, :])
    else:
        distance = ((power[..., :, None] + rest[..., None, :]) / k) ** (1 / neck.norm)
    log = weight * _log_logistic(sign * neck.slope * (neck.threshold - distance))
    likelihood = library(mean).exp(log - library(mean).amax(log, (-1, -2))[..., None, None])
    posterior = (likelihood * rest_shares[..., None, :]).sum(-1) * shares
    posterior = posterior / posterior.sum(-1)[..., None]
    shift = (posterior * nodes).sum(-1)
    left = (posterior * (nodes - shift[..., None]) ** 2).sum(-1)
    return mean + deviation * shift, variance * library(mean).clip(left, _LEAST, None)


def _rest_of_few(power: Any, shares: Any) -> tuple[Any, Any]:
    """Nodes (*n, k, m) and shares of the other axis's |x_i − e_i|^r, or of none."""
    if power.shape[-2] == 1:
        return power[..., :1] * 0, constant(np.ones((1, 1)), power)
    return library(power).stack((power[..., 1, :], power[..., 0, :]), -2), shares[None]


def _rest_of_sum(power: Any, shares: Any) -> tuple[Any, Any]:
    """Nodes (*n, k, m) and shares of Σ_{i≠j} |x_i − e_i|^r, for every axis j."""
    mean = (power * shares).sum(-1)
    spread = ((power - mean[..., None]) ** 2 * shares).sum(-1)
    others, spread = mean.sum(-1)[..., None] - mean, spread.sum(-1)[..., None] - spread
    ratio = spread / (9 * others * others + _tiny(power))  # 1 / 9α of the Gamma
    root = 1 - ratio[..., None] + library(power).sqrt(ratio)[..., None] * constant(_REST_NODES, power)
    root = library(power).clip(root, 0.0, None)
    return others[..., None] * root * root * root, constant(_REST_SHARES[None], power)


def _rest_of_maximum(difference: Any, deviation: Any, size: Any) -> tuple[Any, Any]:
    """Steps (*n, k, m) of max_{i≠j} |x_i − e_i| and their probabilities, for every axis j."""
    xp = library(size)
    ends = constant(np.linspace(0.0, 1.0, _STEPS + 1), size) * xp.amax(size, (-1, -2))[..., None]
    scaled = ends[..., None, :] / deviation[..., None]
    centre = (difference / deviation)[..., None]
    log = xp.log(xp.clip(ndtr(scaled - centre) - ndtr(-scaled - centre), _tiny(size), None))
    below = xp.exp(log.sum(-2)[..., None, :] - log)
    middle = (ends[..., 1:] + ends[..., :-1]) / 2
    return middle[..., None, :] + size[..., :1] * 0, below[..., 1:] - below[..., :-1] + _tiny(size)


def _tiny(like: Any) -> float:
    return float(library(like).finfo(like.dtype).tiny)


def _log_logistic(x: Any) -> Any:
    """log σ(x), safe at both ends."""
    xp = library(x)
    return xp.clip(x, None, 0.0) - xp.log1p(xp.exp(-xp.abs(x)))
