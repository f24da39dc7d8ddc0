"""The filter: a belief moves with time, and with every like. Diagonal covariance, exact.

    predict   m ← a + λ(m − a),  P ← λ²P + q(1 − λ²)/(2κ) + s·n,   λ = 2^(−Δt / half_life)      (κ → 0: P + q·Δt)
    update    S = c²P + r,  m ← m + (cP/S)(e − c·m − b),  P ← P·r/S

Prediction is the exact discretisation of the Ornstein–Uhlenbeck process: two steps equal one. All functions take one
user (NumPy: means (k), a time that is a number) or many (NumPy or torch: means (n, k), times (n)).

Source: Kalman 1960; Särkkä, Solin, Applied Stochastic Differential Equations (2019), §6. Held against a dense Gaussian
solve.
"""

import math
from typing import Any

from jaxtyping import Float

from penchant.dynamics._arrays import elapsed, library, same_type
from penchant.dynamics.belief import Belief, Dynamics
from penchant.errors import SpaceError

__all__ = ["log_likelihood", "motion", "observe_like", "predict", "update_like"]

_LOG_2PI = math.log(2 * math.pi)


def motion(days: Any, dynamics: Dynamics) -> tuple[Any, Any]:
    """Of a lapse of days ≥ 0 (a number, or (*n, 1)): what is left of the way from the anchor, and what q is times."""
    rate, xp = dynamics.rate, math if isinstance(days, float | int) else library(days)
    if rate == 0:
        return days * 0.0 + 1.0, days
    return xp.exp(-rate * days), -xp.expm1(-2 * rate * days) / (2 * rate)


def predict(belief: Belief, time: Any, anchor: Float[Any, "*n k"], dynamics: Dynamics, *, likes: Any = 0.0) -> Belief:
    """The belief at a later time, before the event there.

    A time before the belief's own (events out of order, a clock set back) moves nothing: the belief keeps its time,
    and the event counts as if it came now. What order gives exactly is a replay.

    Arguments:
        time: days; a number, or (*n).
        anchor: the encoder's point(s) now.
        likes: n, how many come at that moment, to be learned from next: a number, or (*n, 1).
    """
    mean, variance, before = belief
    days = elapsed(before, time)
    decay, spread = motion(days, dynamics)
    if not isinstance(days, float | int):
        decay, spread = same_type(decay, mean), same_type(spread, mean)
    later = anchor + decay * (mean - anchor)
    terms = dynamics.terms(mean)
    wider = decay * decay * variance + spread * terms.process + likes * terms.step
    now = max(before, time) if isinstance(days, float | int) else before + days[..., 0]
    return Belief(later, wider, now)


def update_like(belief: Belief, item: Float[Any, "*n k"], dynamics: Dynamics, weight: Any = 1.0) -> Belief:
    """The belief after a like of the item at this point, at the belief's time.

    Arguments:
        item: the liked item's point (one user's, or one for each user).
        weight: > 0; a like of weight w counts as w likes would: a number, or (*n).

    Raises:
        SpaceError: points of another dimension.
    """
    mean, variance, time = belief
    if item.shape[-1] != mean.shape[-1]:
        raise SpaceError(f"an item of {item.shape[-1]} axes, an interest point of {mean.shape[-1]}")
    _, r, _, c, b, _ = dynamics.terms(mean)
    r = r / weight if isinstance(weight, float | int) else r / same_type(weight, mean)[..., None]
    carried = c * variance
    total = c * carried + r
    return Belief(mean + carried / total * (item - (c * mean + b)), variance * (r / total), time)


def observe_like(
    belief: Belief, time: Any, item: Float[Any, "*n k"], anchor: Float[Any, "*n k"], dynamics: Dynamics
) -> Belief:
    """Predict, then update: one like as it comes in."""
    return update_like(predict(belief, time, anchor, dynamics, likes=1.0), item, dynamics)


def log_likelihood(belief: Belief, item: Float[Any, "*n k"], dynamics: Dynamics) -> Float[Any, "*n"]:
    """How expected the next like was: log N(e; c·m + b, c²P + r), summed over axes; leading axes broadcast."""
    _, r, _, c, b, _ = dynamics.terms(belief.mean)
    total = c * c * belief.variance + r
    error = item - (c * belief.mean + b)
    return -0.5 * (library(error).log(total) + error * error / total + _LOG_2PI).sum(-1)
