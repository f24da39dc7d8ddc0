"""What is believed of an interest point, and the constants of how it moves.

    x_t ~ N(mean, diag(variance)),   dx = κ·(anchor − x)·dt + √q·dW,   κ = ln 2 / half_life
    a like moves interest itself: x ← x + N(0, diag(s)), whatever time has passed
    a like of item i observes  e_i = gain·x + offset + ε,   ε ~ N(0, diag(r))

The Gaussian is not bounded. By likes alone (gain 1, offset 0) its mean is an average of points of the box and cannot
leave it; elsewhere it may, and is cut at the box where it is read (`point`) or pushed (`penchant.dynamics.dislike`).

This file, `kalman`, `dislike`, `box`, `mixture` and `smoothing` import no torch: one user is served by NumPy alone.
Times are in days, from any origin.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from penchant.dynamics._arrays import constant, library
from penchant.errors import ConfigError, DataError, Problem, SpaceError

__all__ = ["Belief", "Dynamics", "begin", "check_points", "point"]


class Belief(NamedTuple):
    """A Gaussian over one user's interest point, or over the points of many users: NumPy arrays or tensors."""

    mean: Float[Any, "*n k"]
    """Where the point is expected."""
    variance: Float[Any, "*n k"]
    """Per axis, > 0: the axes are independent."""
    time: Any
    """Days: a number, or (*n)."""


class Terms(NamedTuple):
    """The constants of the motion as numbers or (k) arrays."""

    process: Any
    observation: Any
    prior: Any
    gain: Any
    offset: Any
    step: Any


PerAxis = float | Sequence[float]
_AXES = ("process", "observation", "prior", "gain", "offset", "step")


@dataclass(frozen=True, kw_only=True)
class Dynamics:
    """How interest moves and how events show it. Fields "per axis" take one number or k of them.

    Raises: ConfigError: a field outside its range.
    """

    process: PerAxis = 1e-3
    """q ≥ 0 per axis: variance that a day of wandering adds."""
    observation: PerAxis = 0.1
    """r > 0 per axis: variance of a liked item's point around the interest point."""
    prior: PerAxis = 0.05
    """> 0 per axis: variance of the interest point around the encoder's."""
    half_life: float = math.inf
    """Days in which the way back to the anchor (the encoder's point) is halved; inf: no pull."""
    gain: PerAxis = 1.0
    """c ≠ 0 per axis: below 1 where likes lie nearer to the centre than interest, as items are denser there."""
    offset: PerAxis = 0.0
    """b per axis: where likes lie on the average of a user at 0."""
    step: PerAxis = 0.0
    """s ≥ 0 per axis: variance that each like adds before it is learned from: interest moves within one sitting too."""
    like: float = 1.0
    """Weight ≥ 0 of a like: the power of its likelihood. A tenth tells yes from no better, and ranks worse."""
    generosity: float = 0.03
    """Variance ≥ 0 of users' own shifts of the threshold, a distance squared; 0: the threshold is everybody's."""
    dislike: float = 1.0
    """Weight ≥ 0 of a dislike: the power of its likelihood."""
    ignored: float = 0.1
    """Weight ≥ 0 of an impression that was ignored."""
    low: float = -1.0
    """Lower edge of the box."""
    high: float = 1.0
    """Upper edge of the box."""

    def __post_init__(self) -> None:
        for name in _AXES:
            given = np.asarray(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, float(given) if given.ndim == 0 else tuple(given.reshape(-1).tolist()))
        for name, least, open_end in _RANGES:
            values = np.atleast_1d(getattr(self, name))
            if not (np.isfinite(values) & ((values > least) if open_end else (values >= least))).all():
                most = f"above {least:g}" if open_end else f"at least {least:g}"
                raise ConfigError(f"dynamics.{name} = {getattr(self, name)}: finite numbers {most} expected")
        self._check_rest()

    def _check_rest(self) -> None:
        if not self.half_life > 0:
            raise ConfigError(f"dynamics.half_life = {self.half_life}: days > 0, or inf for no pull, expected")
        gain, offset = np.atleast_1d(self.gain), np.atleast_1d(self.offset)
        if not (np.isfinite(gain) & (gain != 0)).all() or not np.isfinite(offset).all():
            raise ConfigError("dynamics.gain and offset: finite numbers, and no gain of 0, expected")
        if not -math.inf < self.low < self.high < math.inf:
            raise ConfigError(f"dynamics.low, high = {self.low}, {self.high}: an interval expected")
        if len({len(value) for name in _AXES if isinstance(value := getattr(self, name), tuple)}) > 1:
            raise ConfigError(f"dynamics: one number or the same number of axes for {', '.join(_AXES)} expected")

    @cached_property
    def rate(self) -> float:
        """κ = ln 2 / half_life, per day; 0 without a pull."""
        return math.log(2) / self.half_life

    @cached_property
    def _terms(self) -> Terms:
        given = (getattr(self, name) for name in _AXES)
        return Terms(*(value if isinstance(value, float) else np.array(value) for value in given))

    def terms(self, like: Any) -> Terms:
        """The constants per axis, as what computes with ``like`` (an array or a tensor)."""
        if isinstance(like, np.ndarray) and like.dtype == np.float64:
            return self._terms
        return Terms(*(constant(value, like) for value in self._terms))

    def config(self) -> dict[str, Any]:
        """Plain values, to be written down; `from_config` gives it back."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Dynamics":
        """From plain values, infinity also as "inf". Raises: ConfigError: no such field, or one out of range."""
        strange = set(config) - {field.name for field in fields(cls)}
        if strange:
            raise ConfigError(f"dynamics.{min(strange)} is no field")
        return cls(**{name: math.inf if value == "inf" else value for name, value in config.items()})


_RANGES = (
    ("process", 0.0, False),
    ("observation", 0.0, True),
    ("prior", 0.0, True),
    ("step", 0.0, False),
    ("like", 0.0, False),
    ("generosity", 0.0, False),
    ("dislike", 0.0, False),
    ("ignored", 0.0, False),
)


def begin(
    anchor: Float[Any, "*n k"], dynamics: Dynamics, time: Any, variance: Float[Any, "*n k"] | None = None
) -> Belief:
    """The belief before any event: around the encoder's point.

    Arguments:
        anchor: the encoder's point(s).
        time: days; a number, or (*n).
        variance: per axis, of a variational latent; None: the fitted ``prior``.
    """
    xp = library(anchor)
    if variance is None:
        variance = xp.zeros_like(anchor) + dynamics.terms(anchor).prior
    return Belief(anchor, variance, time)


def point(belief: Belief, dynamics: Dynamics) -> Float[Any, "*n k"]:
    """The expected interest point, inside the box: what to recommend from."""
    return library(belief.mean).clip(belief.mean, dynamics.low, dynamics.high)


def check_points(points: Float[np.ndarray, "*n k"], dim: int, name: str = "points") -> None:
    """Refuse points of another dimension, or that are not finite: one NaN would stay in a belief for ever.

    To be called once where points come in; the updates check dimensions only.

    Raises:
        SpaceError: another number of axes. DataError: NaN or infinite numbers.
    """
    if points.ndim == 0 or points.shape[-1] != dim:
        raise SpaceError(f"{name} of shape {points.shape} in a space of {dim} axes")
    bad = np.flatnonzero(~np.isfinite(points).reshape(-1, dim).all(1))
    if len(bad):
        raise DataError(
            [
                Problem(
                    name,
                    "finite numbers expected",
                    rows=tuple(bad[:5].tolist()),
                    n_rows=len(bad),
                    fix="Encode them anew",
                )
            ]
        )
