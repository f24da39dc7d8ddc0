"""Weights of points: by how likely each is liked, what they are worth, draws and quantiles by them."""

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy.special import log_expit

from penchant.errors import ConfigError

__all__ = ["effective_number", "like_weights", "systematic_draw", "weighted_mean", "weighted_quantiles"]


def like_weights(
    distance: Float64[np.ndarray, " n"], *, threshold: float, slope: float, radius: float | None = None
) -> Float64[np.ndarray, " n"]:
    """P(liked | d) = σ(slope·(threshold − d)), made to sum to 1; 0 beyond ``radius``. All 0 where nothing is within.

    By logarithms: however far the nearest is, it has a weight.
    """
    within = np.ones(len(distance), dtype=bool) if radius is None else distance <= radius
    weight = np.zeros(len(distance))
    if within.any():
        sure = log_expit(slope * (threshold - distance[within]))
        weight[within] = np.exp(sure - sure.max())
        weight /= weight.sum()
    return weight


def effective_number(weight: Float[np.ndarray, " n"]) -> float:
    """How many equal points these are worth: (Σ w)² / Σ w²; 0 for none.

    Source: Kish, Survey Sampling (1965).
    """
    square = float((weight**2).sum())
    return float(weight.sum()) ** 2 / square if square > 0 else 0.0


def systematic_draw(
    weight: Float64[np.ndarray, " n"], size: int, generator: np.random.Generator
) -> Int64[np.ndarray, "{size}"]:
    """``size`` rows in rising order, row j ⌊size·w_j⌋ or ⌈size·w_j⌉ times, w normed to 1: less noise than even draws.

    Source: Kitagawa, J. Comput. Graph. Stat. 5 (1996).
    """
    if not weight.sum() > 0:
        raise ConfigError("draws by weights that are all 0: nothing can be drawn")
    reached = np.cumsum(weight / weight.sum())
    places = (generator.random() + np.arange(size)) / size
    last = int(np.flatnonzero(weight)[-1])  # rounding may leave the sum a little below 1
    return np.minimum(np.searchsorted(reached, places, side="right"), last).astype(np.int64)


def weighted_mean(values: Float[np.ndarray, "n c"], weight: Float[np.ndarray, " n"]) -> Float64[np.ndarray, " c"]:
    """Of each column, over what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    total = weight.astype(np.float64) @ known
    summed = weight.astype(np.float64) @ np.where(known, values, 0.0).astype(np.float64)
    return np.divide(summed, total, out=np.full(len(total), np.nan), where=total > 0)


def weighted_quantiles(
    values: Float[np.ndarray, "n c"], weight: Float[np.ndarray, " n"], levels: Float64[np.ndarray, " t"]
) -> Float64[np.ndarray, "t c"]:
    """Of each column and level q the least value v with P(value ≤ v) ≥ q. NaN does not count; NaN where nothing does.

    Arguments:
        weight: ≥ 0, need not sum to 1.
        levels: in (0, 1].
    """
    found = np.full((len(levels), values.shape[1]), np.nan)
    for c, column in enumerate(values.T):
        counts = ~np.isnan(column) & (weight > 0)
        if not counts.any():
            continue
        order = np.argsort(column[counts], kind="stable")
        reached = np.cumsum(weight[counts][order])
        # a level that is met but for rounding is met
        place = np.searchsorted(reached, levels * reached[-1] * (1 - 1e-12))
        found[:, c] = column[counts][order][place]
    return found
