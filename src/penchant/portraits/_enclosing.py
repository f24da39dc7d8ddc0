"""The smallest ball that holds given points: its centre is the point whose largest distance to them is smallest.

    min_z max_i d(z, e_i),   d(z, e) = (mean_j |z_j − e_j|^r)^(1/r): convex

r = ∞: the middle of the smallest box. Else the maximum is softened to μ·log Σ exp(d_i/μ), and minimised with falling
μ over a core-set, to which the points that are furthest from the centre found are added until none is further. With
softmax weights λ and G = Σ λ_i ∂d_i/∂z, every point z' of the box has

    max_i d(z', e_i) ≥ Σ λ_i d_i + G·(z' − z) ≥ Σ λ_i d_i + min_{z' in the box} G·(z' − z)

a bound that is proved, however good the minimum found is. For r < 2, where distances have edges, |δ| is blunted to
√(δ² + ν²): distances grow by ν at most, by which the bound is lowered.

Source: core-sets: Bădoiu, Clarkson 2003, "Smaller core-sets for balls"; softened maximum: Nesterov, Math. Program. 103
(2005), doi 10.1007/s10107-004-0552-5.
"""

import math

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import logsumexp, softmax

__all__ = ["distances", "enclosing_ball"]

_SOFT = (0.1, 0.01, 1e-3, 1e-4)
"""μ, as parts of the first radius."""
_ROUNDS = 40
_ADDED = 8
"""Points that a round adds to the core-set, at most."""
_CLOSE = 1e-3
"""Relative difference between what was found and what is proved that is good enough."""
_AT_ONCE = 1 << 21


def enclosing_ball(
    points: Float64[np.ndarray, "m k"], norm: float, low: float, high: float
) -> tuple[Float64[np.ndarray, " k"], float, float]:
    """Centre, its largest distance, and a lower bound of every point's largest distance (equal to it for r = ∞).

    Arguments:
        points: at least one, in the box [low, high]^k.
        norm: r ≥ 1.
    """
    if math.isinf(norm):
        lowest, highest = points.min(0), points.max(0)
        reach = float((highest - lowest).max()) / 2
        return (lowest + highest) / 2, reach, reach
    centre = points.mean(0)
    apart = distances(points, centre, norm)
    core = _furthest(apart, _ADDED)
    best, proved = (centre, float(apart.max())), 0.0
    for _ in range(_ROUNDS):
        centre, bound = _core_centre(points[core], centre, norm, low, high)
        apart = distances(points, centre, norm)
        proved, reach = max(proved, bound), float(apart.max())
        if reach < best[1]:
            best = centre, reach
        new = np.setdiff1d(_furthest(apart, _ADDED), core)
        if best[1] <= proved * (1 + _CLOSE) or not len(new):
            break
        core = np.concatenate([core, new])
    return *best, min(proved, best[1])


def distances(
    points: Float64[np.ndarray, "m k"], centre: Float64[np.ndarray, " k"], norm: float
) -> Float64[np.ndarray, " m"]:
    """Normalised Minkowski distance of each point to the centre, in float64."""
    step = max(1, _AT_ONCE // len(centre))
    parts = (_distance(points[start : start + step] - centre, norm) for start in range(0, len(points), step))
    return np.concatenate(list(parts))


def _distance(difference: Float64[np.ndarray, "m k"], norm: float) -> Float64[np.ndarray, " m"]:
    size = np.abs(difference)
    top = size.max(1)
    if math.isinf(norm):
        return top
    scaled = size / np.where(top > 0, top, 1.0)[:, None]  # no power underflows
    return top * (scaled**norm).mean(1) ** (1 / norm)


def _furthest(apart: Float64[np.ndarray, " m"], count: int) -> Int64[np.ndarray, " c"]:
    return np.argsort(-apart, kind="stable")[:count]


def _core_centre(
    points: Float64[np.ndarray, "c k"], start: Float64[np.ndarray, " k"], norm: float, low: float, high: float
) -> tuple[Float64[np.ndarray, " k"], float]:
    """The centre of the core-set's smallest ball, nearly, and the proved bound."""
    from scipy.optimize import minimize  # not needed to read a portrait

    z, bound = start, 0.0
    scale = float(distances(points, start, norm).max())
    if scale == 0:
        return start, 0.0
    for soft in (part * scale for part in _SOFT):
        blunt = soft if norm < 2 else 0.0

        def softened(
            z: Float64[np.ndarray, " k"], soft: float = soft, blunt: float = blunt
        ) -> tuple[float, Float64[np.ndarray, " k"]]:
            apart, slope = _with_slopes(points, z, norm, blunt)
            return soft * float(logsumexp(apart / soft)), softmax(apart / soft) @ slope

        z = minimize(softened, z, jac=True, method="L-BFGS-B", bounds=[(low, high)] * len(z)).x
        apart, slope = _with_slopes(points, z, norm, blunt)
        share = softmax(apart / soft)
        g = share @ slope
        bound = max(bound, float(share @ apart + np.minimum(g * (low - z), g * (high - z)).sum()) - blunt)
    return z, bound


def _with_slopes(
    points: Float64[np.ndarray, "c k"], z: Float64[np.ndarray, " k"], norm: float, blunt: float
) -> tuple[Float64[np.ndarray, " c"], Float64[np.ndarray, "c k"]]:
    """Distances and their gradients by z, each difference at least ``blunt``."""
    difference = z - points
    size = np.hypot(difference, blunt)
    apart = _distance(size, norm)
    unit = np.divide(difference, size, out=np.zeros_like(size), where=size > 0)
    ratio = size / np.where(apart > 0, apart, 1.0)[:, None]
    return apart, ratio ** (norm - 1) * unit / len(z)
