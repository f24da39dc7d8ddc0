"""The radius of a ball around the expected interest point that holds the true one with a stated probability.

The distance of a Gaussian with independent axes to its mean. Sup norm: P(d ≤ ρ) = Π_j (2Φ(ρ/σ_j) − 1), solved by
bisection. Other norms: the quantile over fixed quasi-random points (Sobol), the same on every machine.
"""

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from penchant.dynamics.belief import Belief
from penchant.errors import ConfigError

__all__ = ["credible_radius"]

_LOG_POINTS = 14
_HALVINGS = 60


def credible_radius(belief: Belief, level: float = 0.9, norm: float = 2.0) -> Float[np.ndarray, "*n"]:
    """The radius ρ with P(d_r(x, mean) ≤ ρ) = level, of one belief (a number) or of many; NumPy.

    Arguments:
        level: in (0, 1).
        norm: r ≥ 1 or inf, of the normalised Minkowski distance.

    Raises:
        ConfigError: level or norm outside its range.
    """
    if not 0 < level < 1 or not norm >= 1:
        raise ConfigError(f"level = {level}, norm = {norm}: a share in (0, 1) and a norm >= 1 expected")
    deviation = np.sqrt(belief.variance)
    if math.isinf(norm):
        return _radius_of_maximum(deviation, level)
    power = _normals(deviation.shape[-1]) ** norm
    rows = deviation.reshape(-1, deviation.shape[-1]) ** norm / deviation.shape[-1]
    found = np.array([np.quantile(power @ row, level) for row in rows]) ** (1 / norm)
    return found.reshape(deviation.shape[:-1])


@lru_cache(maxsize=4)
def _normals(dim: int) -> Float[np.ndarray, "s k"]:
    """Sizes |z| of standard normal points, evenly spread."""
    even = qmc.Sobol(dim, rng=0).random_base2(_LOG_POINTS)  # scrambled: the plain one is uneven in many axes
    return np.abs(ndtri(even.clip(1e-12, 1 - 1e-12)))


def _radius_of_maximum(deviation: Float[np.ndarray, "*n k"], level: float) -> Float[np.ndarray, "*n"]:
    low = deviation.max(-1) * 0
    high = deviation.max(-1) * -ndtri((1 - level) / 2 / deviation.shape[-1])  # a union bound
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        inside = (2 * ndtr(middle[..., None] / deviation) - 1).prod(-1) >= level
        low, high = np.where(inside, low, middle), np.where(inside, middle, high)
    return high
