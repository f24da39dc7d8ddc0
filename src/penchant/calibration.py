"""Distances to probabilities: a slope and a threshold fitted on held-out pairs.

P(liked | d) = σ(s·(p − d)),   liked ⇔ d ≤ p ⇔ P ≥ ½
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import expit, log_expit

from penchant.errors import ConfigError

__all__ = ["Calibration", "calibrate"]

_RIDGE = 1e-6
_STEPS = 50
_EDGE = 1e-3
"""Share of the diameter that a threshold keeps from both ends of it."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A threshold p and a slope s > 0 on the distance."""

    threshold: float
    """Distance at which P(liked) = ½: the radius of a user's ball."""
    slope: float
    """How fast the probability falls with the distance."""

    def probability(self, distance: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
        """P(liked) of pairs at these distances, in (0, 1), falling."""
        return expit(self.slope * (self.threshold - distance.astype(np.float64)))

    def radius(self, probability: float) -> float:
        """The radius inside which every point is liked with at least this probability: p − logit(q)/s.

        Raises:
            ConfigError: not between 0 and 1.
        """
        if not 0 < probability < 1:
            raise ConfigError(f"probability = {probability}: a number between 0 and 1 expected")
        return self.threshold - float(np.log(probability / (1 - probability))) / self.slope


def calibrate(
    distance: Float[np.ndarray, " n"],
    liked: Float[np.ndarray, " n"],
    weight: Float[np.ndarray, " n"] | None = None,
    *,
    start: Calibration,
    diameter: float,
) -> Calibration:
    """Fit slope and threshold by weighted logistic regression of the label on the distance (Newton's method).

    The threshold is a radius: where the best one lies outside (0, diameter), as nearly all pairs are liked or nearly
    none, it stays just inside that end and the slope alone is fitted. With one label only, or where liking does not
    fall with the distance, nothing can be fitted: ``start`` is returned.

    Arguments:
        start: what is returned where nothing can be fitted.
        diameter: the largest distance there is.

    Source: Platt 1999, Probabilistic outputs for support vector machines; targets unsmoothed, n is large.
    """
    y = liked.astype(np.float64)
    w = np.ones_like(y) if weight is None else weight.astype(np.float64)
    if len(y) == 0 or not 0 < float((w * y).sum()) < float(w.sum()):
        return start
    d, w = distance.astype(np.float64), w / w.sum()
    centre, spread = float(d.mean()), float(d.std()) or 1.0
    beta = _newton(np.column_stack([np.ones_like(y), (d - centre) / spread]), y, w)
    slope = -beta[1] / spread
    if not slope > 0:
        return start
    threshold = float(centre + beta[0] / slope)
    inside = float(np.clip(threshold, _EDGE * diameter, (1 - _EDGE) * diameter))
    if inside != threshold:
        slope = -_newton((d - inside)[:, None], y, w)[0]
    return Calibration(threshold=inside, slope=float(slope)) if slope > 0 else start


def _newton(x: Float[np.ndarray, "n c"], y: Float[np.ndarray, " n"], w: Float[np.ndarray, " n"]) -> np.ndarray:
    beta = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        p = expit(x @ beta)
        gradient = x.T @ (w * (p - y)) + _RIDGE * beta
        hessian = (x * (w * p * (1 - p))[:, None]).T @ x + _RIDGE * np.eye(len(beta))
        step = np.linalg.solve(hessian, gradient)
        beta -= _shortened(step, beta, x, y, w)
        if np.abs(step).max() < 1e-10:
            break
    return beta


def _shortened(step: np.ndarray, beta: np.ndarray, x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Halve the step until the loss does not rise: Newton's steps overshoot on nearly separable data."""

    def loss(b: np.ndarray) -> float:
        z = x @ b
        return float(-(w * (y * log_expit(z) + (1 - y) * log_expit(-z))).sum() + 0.5 * _RIDGE * b @ b)

    now = loss(beta)
    for _ in range(30):
        if loss(beta - step) <= now:
            return step
        step = step / 2
    return np.zeros(2)
