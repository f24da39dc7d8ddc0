"""The constants of the motion, fitted by marginal likelihood of likes: how well each like is foretold by the earlier.

    maximise Σ_users Σ_t log N(e_t; c·m⁻_t + b, c²P⁻_t + r)   over log q, log r, log P_0, log s per axis, log κ, c, b

All users move together, one like at a time; gradients by PyTorch in float64, the search by L-BFGS. A rate κ that ends
at its least is read as no pull, a q or s at its least as none.

Source: Schweppe 1965 (prediction error decomposition); Harvey, Forecasting, Structural Time Series Models and the
Kalman Filter (1989), §3.4.
"""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize

from penchant.dynamics.belief import Dynamics, check_points
from penchant.errors import DataError, Problem

__all__ = ["Likes", "fit_dynamics", "fit_segments", "marginal_log_likelihood"]


class Likes(NamedTuple):
    """Training histories: what was liked when, in the space."""

    anchors: Float[np.ndarray, "u k"]
    """The encoder's points of the users."""
    items: Float[np.ndarray, "n k"]
    """Points of the liked items."""
    user: Int[np.ndarray, " n"]
    """Whose like it is: a row of ``anchors``."""
    time: Float[np.ndarray, " n"]
    """Days; in any order."""
    start: Float[np.ndarray, " u"] | None = None
    """When the prior holds for each user; None: at the user's first like."""

    def of(self, users: np.ndarray) -> "Likes":
        """The histories of the users at these rows."""
        place = np.full(len(self.anchors), -1)
        place[users] = np.arange(len(users))
        kept = place[self.user] >= 0
        start = None if self.start is None else self.start[users]
        return Likes(self.anchors[users], self.items[kept], place[self.user[kept]], self.time[kept], start)

    def last(self, n: int) -> "Likes":
        """The last n rows."""
        return self._replace(items=self.items[-n:], user=self.user[-n:], time=self.time[-n:])


def fit_dynamics(
    likes: Likes,
    *,
    start: Dynamics | None = None,
    pull: bool = True,
    gain: bool = False,
    step: bool = False,
    per_axis: bool = True,
    iterations: int = 60,
) -> Dynamics:
    """Process and observation noise, prior variance and half-life (and gain and offset) that foretell likes best.

    Arguments:
        start: where the search begins, and what gives the fields that are not fitted; None: from moments of the data.
        pull: fit the half-life; False: it stays as in ``start``.
        gain: fit gain and offset too; False: they stay.
        step: fit what a like itself moves too, where likes ask for it (Schwarz 1978); False: it stays.
        per_axis: a constant for each axis; False: one for all (of process, observation and prior).
        iterations: of L-BFGS, at most.

    Raises:
        DataError: fewer than two likes of one user throughout, or numbers that are not finite.
    """
    _check(likes)
    if step:
        return _simplest(likes, start, pull=pull, gain=gain, per_axis=per_axis, iterations=iterations)
    return _fitted(likes, start or _moments(likes, step=False), pull, gain, per_axis, iterations, step=False)


def _fitted(
    likes: Likes, start: Dynamics, pull: bool, gain: bool, per_axis: bool, iterations: int, *, step: bool
) -> Dynamics:
    """The likeliest constants."""
    from penchant.dynamics._likelihood import Layout, objective_of  # torch, which nothing else here needs

    layout = Layout(likes.anchors.shape[1], start, pull, gain, per_axis, step)
    found = minimize(
        objective_of(likes, layout),
        layout.start,
        jac=True,
        method="L-BFGS-B",
        bounds=layout.bounds,
        options={"maxiter": iterations},
    )
    return layout.read(found.x)


def fit_segments(
    likes: Likes,
    segment: Int[np.ndarray, " u"],
    *,
    everyone: Dynamics | None = None,
    least: int = 2,
    most: int | None = None,
    **options: object,
) -> dict[int, Dynamics]:
    """`fit_dynamics` for each segment of users; one with too few likes gets the constants of all.

    Arguments:
        segment: a number for each user.
        everyone: the constants of all; None: fitted here.
        least: likes that a segment must have, two of them of one user, to get constants of its own.
        most: so many of a segment's rows, the last ones, are looked at; None: all.
        options: see `fit_dynamics`.
    """
    if everyone is None:
        everyone = fit_dynamics(likes, **options)  # type: ignore[arg-type]
    out = {}
    for number in np.unique(segment):
        some = likes.of(np.flatnonzero(segment == number))
        if most is not None:
            some = some.last(most)
        enough = len(some.user) >= max(least, 1) and bool(np.bincount(some.user).max() >= 2)
        out[int(number)] = fit_dynamics(some, **options) if enough else everyone  # type: ignore[arg-type]
    return out


def marginal_log_likelihood(likes: Likes, dynamics: Dynamics) -> float:
    """Log likelihood of all likes, each foretold by the user's earlier ones: for comparing constants on other users."""
    _check(likes, least=1)
    from penchant.dynamics._likelihood import Layout, log_likelihood

    fixed = {"pull": False, "gain": False, "per_axis": True, "step": bool(np.any(dynamics.step))}
    return log_likelihood(likes, Layout(likes.anchors.shape[1], dynamics, **fixed))


def _simplest(likes: Likes, start: Dynamics | None, *, per_axis: bool, **rest: Any) -> Dynamics:
    """With what a like moves, or without: as many more constants must pay for themselves."""
    more = (likes.anchors.shape[1] if per_axis else 1) / 2 * math.log(len(likes.user))
    found = []
    for step in (False, True):
        begin = _moments(likes, step) if start is None else start
        begin = begin if step else replace(begin, step=0.0)
        found.append(_fitted(likes, begin, per_axis=per_axis, step=step, **rest))
    without, with_ = (marginal_log_likelihood(likes, one) for one in found)
    return found[1] if with_ - more > without else found[0]


def _moments(likes: Likes, step: bool) -> Dynamics:
    """A rough start: spread within users, between a user's mean and the anchor, a hundredth of it a day, and a like."""
    n = np.bincount(likes.user, minlength=len(likes.anchors))[:, None]
    sums = np.zeros_like(likes.anchors, dtype=np.float64)
    np.add.at(sums, likes.user, likes.items)
    mean = sums / np.maximum(n, 1)
    within = np.maximum(((likes.items - mean[likes.user]) ** 2).mean(0), 1e-6)
    between = np.maximum(((mean - likes.anchors)[n[:, 0] > 0] ** 2).mean(0), 1e-6)
    return Dynamics(process=within / 100, observation=within, prior=between, step=within / 100 if step else 0.0)


def _check(likes: Likes, least: int = 2) -> None:
    check_points(likes.anchors, likes.anchors.shape[-1], "anchors")
    check_points(likes.items, likes.anchors.shape[-1], "liked items")
    if not np.isfinite(likes.time).all():
        raise DataError([Problem("likes", "finite times expected", column="time")])
    if len(likes.user) == 0 or np.bincount(likes.user).max() < least:
        raise DataError([Problem("likes", f"users with {least} likes and more expected", fix="Give longer histories")])
