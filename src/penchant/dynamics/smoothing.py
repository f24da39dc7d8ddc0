"""The trajectory of an interest, looking back: every moment in the light of all likes, earlier and later.

    forward   the filter's beliefs before (m⁻, P⁻) and after (m, P) every moment
    backward  G = λP/P⁻ (of the next moment),   m^s = m + G(m^s' − m⁻'),   P^s = P + G²(P^s' − P⁻')

Moments without an event are allowed: they ask where the interest was. Exact: held against a dense Gaussian solve.

Source: Rauch, Tung, Striebel 1965.
"""

from typing import Any, NamedTuple

from jaxtyping import Bool, Float

from penchant.dynamics._arrays import elapsed, library, same_type
from penchant.dynamics.belief import Belief, Dynamics, begin
from penchant.dynamics.kalman import motion, predict, update_like
from penchant.errors import DataError, Problem

__all__ = ["Trajectory", "smooth"]


class Trajectory(NamedTuple):
    """An interest over time, of one user or of many: filtered (knowing the past) and smoothed (knowing all)."""

    time: Float[Any, "*n t"]
    """Days, rising."""
    mean: Float[Any, "*n t k"]
    """Smoothed."""
    variance: Float[Any, "*n t k"]
    """Smoothed; never above the filtered one."""
    filtered_mean: Float[Any, "*n t k"]
    """After the event of each moment."""
    filtered_variance: Float[Any, "*n t k"]
    """After the event of each moment."""

    def last(self) -> Belief:
        """The belief at the end: smoothed and filtered agree there."""
        return Belief(self.filtered_mean[..., -1, :], self.filtered_variance[..., -1, :], self.time[..., -1])


def smooth(
    anchor: Float[Any, "*n k"],
    time: Float[Any, "*n t"],
    items: Float[Any, "*n t k"],
    dynamics: Dynamics,
    *,
    seen: Bool[Any, "*n t"] | None = None,
    start: Belief | None = None,
) -> Trajectory:
    """Smooth the likes of one user (NumPy), or of many users padded to one length (NumPy or torch).

    Arguments:
        anchor: the encoder's point(s).
        time: of each moment, rising; items: the point of the item liked then.
        seen: False: no event at that moment; its item is not looked at.
        start: the belief to start from; None: the prior at the first moment.

    Raises:
        DataError: no moment, or times that fall.
    """
    if time.shape[-1] == 0 or bool((time[..., 1:] < time[..., :-1]).any()):
        raise DataError([Problem("times", "at least one, and rising times expected", fix="Sort the events by time")])
    belief = begin(anchor, dynamics, time[..., 0]) if start is None else start
    before, after = [], []
    for t in range(time.shape[-1]):
        likes = 1.0 if seen is None else _number(seen[..., t], anchor)
        before.append(predict(belief, time[..., t], anchor, dynamics, likes=likes))
        belief = update_like(before[-1], items[..., t, :], dynamics)
        if seen is not None:
            belief = _where(seen[..., t, None], belief, before[-1])
        after.append(belief)
    smoothed = _backward(before, after, dynamics)
    xp = library(anchor)
    parts = (
        xp.stack([getattr(b, name) for b in run], -2) for run in (smoothed, after) for name in ("mean", "variance")
    )
    return Trajectory(time, *parts)


def _number(seen: Any, like: Any) -> Any:
    """1 where there is an event, else 0: a number, or (*n, 1)."""
    return float(seen) if like.ndim == 1 else same_type(seen, like)[..., None]


def _where(seen: Any, one: Belief, other: Belief) -> Belief:
    xp = library(one.mean)
    return Belief(xp.where(seen, one.mean, other.mean), xp.where(seen, one.variance, other.variance), one.time)


def _backward(before: list[Belief], after: list[Belief], dynamics: Dynamics) -> list[Belief]:
    out = [after[-1]]
    for filtered, ahead in zip(after[-2::-1], before[:0:-1], strict=True):
        decay, _ = motion(elapsed(filtered.time, ahead.time), dynamics)
        decay = decay if isinstance(decay, float) else same_type(decay, filtered.mean)
        gain = decay * filtered.variance / ahead.variance
        mean = filtered.mean + gain * (out[-1].mean - ahead.mean)
        out.append(Belief(mean, filtered.variance + gain * gain * (out[-1].variance - ahead.variance), filtered.time))
    return out[::-1]
