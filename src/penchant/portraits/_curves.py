"""Quantiles of a number given what was decoded: curves through groups of subjects of whom alike was said."""

import numpy as np
from jaxtyping import Float, Int

__all__ = ["TAILS", "curve_score", "curves_at", "fit_curves", "read_curves"]

TAILS = np.array([0, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5])
"""Lower half of the levels t at which quantiles are held, close together where intervals end."""
TAILS = np.concatenate([TAILS, 1 - TAILS[-2::-1]])

_GROUP = 12
"""Subjects a group, at least: fewer say little of a tail."""
_GROUPS = 8
"""Groups, at most."""


def fit_curves(
    decoded: Float[np.ndarray, " p"], value: Float[np.ndarray, " p"], subject: Int[np.ndarray, " p"]
) -> tuple[Float[np.ndarray, " b"], Float[np.ndarray, "b t"]]:
    """Curves Q(t | g) of a number in [0, 1]: between two groups' centres they are mixed, beyond the last they stay.

    Every subject has the same weight. Q(0) = 0 and Q(1) = 1 always, so that no value lies beyond a curve; of no pairs
    Q(t) = t is made.

    Returns:
        Centres of the groups in rising order, the last repeated to always be as many; their quantiles at `TAILS`.
    """
    centre, curve = np.full(_GROUPS, 0.5), np.tile(TAILS, (_GROUPS, 1))
    _, place, size = np.unique(subject, return_inverse=True, return_counts=True)
    n = max(1, min(_GROUPS, len(size) // _GROUP))
    weight = 1 / size[place] if len(place) else np.zeros(0)
    edges = _quantiles(decoded, weight, np.arange(1, n) / n)
    group = np.searchsorted(edges, decoded, side="right")  # equal shares stay together
    for b, number in enumerate(np.unique(group)):
        rows = group == number
        centre[b:] = np.average(decoded[rows], weights=weight[rows])
        curve[b:] = _quantiles(value[rows], weight[rows], TAILS)
    curve[:, 0], curve[:, -1] = 0.0, 1.0
    return centre, curve


def _quantiles(
    value: Float[np.ndarray, " p"], weight: Float[np.ndarray, " p"], level: Float[np.ndarray, " t"]
) -> Float[np.ndarray, " t"]:
    if len(value) == 0:
        return np.zeros(len(level))
    order = np.argsort(value, kind="stable")
    reached = np.cumsum(weight[order])
    found = np.searchsorted(reached, level * reached[-1] * (1 - 1e-9))
    return value[order][np.minimum(found, len(value) - 1)]


def curves_at(
    decoded: Float[np.ndarray, " n"], centre: Float[np.ndarray, " b"], curve: Float[np.ndarray, "b t"]
) -> Float[np.ndarray, "n t"]:
    """The curve of each decoded share."""
    before = np.clip(np.searchsorted(centre, decoded, side="right") - 1, 0, len(centre) - 2)
    gap = centre[before + 1] - centre[before]
    part = np.divide(decoded - centre[before], gap, out=np.zeros(len(decoded)), where=gap > 0)
    part = np.clip(part, 0.0, 1.0)[:, None]
    return (1 - part) * curve[before] + part * curve[before + 1]


def curve_score(value: Float[np.ndarray, " n"], curves: Float[np.ndarray, "n t"]) -> Float[np.ndarray, " n"]:
    """How far from its median a value lies: the smallest s in [0, ½] with Q(½ − s) ≤ value ≤ Q(½ + s).

    Where a curve is level (many equal values) the value counts as the level nearest to ½. NaN stays.
    """
    last = len(TAILS) - 1
    left = (curves <= value[:, None]).sum(1) - 1
    upper = _crossing(value, curves, np.clip(left, 0, last - 1))  # sup{t : Q(t) ≤ value}
    upper = np.where(left >= last, 1.0, upper)
    right = (curves < value[:, None]).sum(1)
    lower = _crossing(value, curves, np.clip(right - 1, 0, last - 1))  # inf{t : Q(t) ≥ value}
    lower = np.where(right <= 0, 0.0, lower)
    score = np.maximum(np.maximum(0.5 - upper, lower - 0.5), 0.0)
    return np.where(np.isnan(value), np.nan, score)


def _crossing(value: np.ndarray, curves: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The level at which the piece that starts at each ``start`` takes the value."""
    rows = np.arange(len(value))
    low, high = curves[rows, start], curves[rows, start + 1]
    part = np.divide(value - low, high - low, out=np.zeros(len(value)), where=high > low)
    return TAILS[start] + part * (TAILS[start + 1] - TAILS[start])


def read_curves(curves: Float[np.ndarray, "n t"], level: float) -> Float[np.ndarray, " n"]:
    """Q(level) of each curve."""
    start = int(np.clip(np.searchsorted(TAILS, level, side="right") - 1, 0, len(TAILS) - 2))
    part = (level - TAILS[start]) / (TAILS[start + 1] - TAILS[start])
    return (1 - part) * curves[:, start] + part * curves[:, start + 1]
