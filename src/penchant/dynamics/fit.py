"""The constants of the motion, fitted by marginal likelihood of likes: how well each like is foretold by the earlier.

    maximise Σ_users Σ_t log N(e_t; c·m⁻_t + b, c²P⁻_t + r)      over log q, log r, log P_0 per axis, log κ, and c, b

All users move together, one like at a time; gradients by PyTorch in float64, the search by L-BFGS. A rate κ that ends
at its least is read as no pull, a q at its least as none.

Source: Schweppe 1965 (prediction error decomposition); Harvey, Forecasting, Structural Time Series Models and the
Kalman Filter (1989), §3.4.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import minimize
from torch import Tensor

from penchant.dynamics.belief import Dynamics, check_points
from penchant.errors import DataError, Problem

__all__ = ["Likes", "fit_dynamics", "fit_segments", "marginal_log_likelihood"]

_LEAST, _MOST = 1e-8, 1e2
_LEAST_RATE, _MOST_RATE = 1e-6, 1e3
_NONE = 10.0
"""A process noise or rate below this many times its least is none."""
_HELD = 1_500_000
"""Numbers (likes × axes) that one pass of gradients covers."""
_LOG_2PI = math.log(2 * math.pi)


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


class _Step(NamedTuple):
    """The t-th likes of all users who have that many: the first rows, as users are sorted by their number of likes."""

    items: Float[Tensor, "a k"]
    days: Float[Tensor, "a 1"]


class _Constants(NamedTuple):
    process: Tensor
    observation: Tensor
    prior: Tensor
    rate: Tensor
    gain: Tensor
    offset: Tensor

    def axes(self, some: slice) -> "_Constants":
        """Of some axes."""
        return _Constants(*(part if part.numel() == 1 else part[some] for part in self))


def fit_dynamics(
    likes: Likes,
    *,
    start: Dynamics | None = None,
    pull: bool = True,
    gain: bool = False,
    per_axis: bool = True,
    iterations: int = 60,
) -> Dynamics:
    """Process and observation noise, prior variance and half-life (and gain and offset) that foretell likes best.

    Arguments:
        start: where the search begins, and what gives the fields that are not fitted; None: from moments of the data.
        pull: fit the half-life; False: it stays as in ``start``.
        gain: fit gain and offset too; False: they stay.
        per_axis: a constant for each axis; False: one for all (of process, observation and prior).
        iterations: of L-BFGS, at most.

    Raises:
        DataError: fewer than two likes of one user throughout, or numbers that are not finite.
    """
    _check(likes)
    if start is None:
        start = _moments(likes)
    steps, anchors = _steps(likes)
    layout = _Layout(likes.anchors.shape[1], start, pull, gain, per_axis)
    count = likes.items.size

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        free = torch.tensor(theta, requires_grad=True)
        loss = 0.0
        for part in _log_likelihoods(steps, anchors, lambda: layout.constants(free)):
            (-part / count).backward()
            loss -= float(part.detach()) / count
        assert free.grad is not None
        return loss, free.grad.numpy()

    found = minimize(
        objective, layout.start, jac=True, method="L-BFGS-B", bounds=layout.bounds, options={"maxiter": iterations}
    )
    return layout.read(found.x)


def fit_segments(likes: Likes, segment: Int[np.ndarray, " u"], **options: object) -> dict[int, Dynamics]:
    """`fit_dynamics` for each segment of users; one with too few likes gets the constants of all.

    Arguments:
        segment: a number for each user. options: see `fit_dynamics`.
    """
    everyone = fit_dynamics(likes, **options)  # type: ignore[arg-type]
    out = {}
    for number in np.unique(segment):
        some = likes.of(np.flatnonzero(segment == number))
        enough = len(some.user) > 0 and bool(np.bincount(some.user).max() >= 2)
        out[int(number)] = fit_dynamics(some, **options) if enough else everyone  # type: ignore[arg-type]
    return out


def marginal_log_likelihood(likes: Likes, dynamics: Dynamics) -> float:
    """Log likelihood of all likes, each foretold by the user's earlier ones: for comparing constants on other users."""
    _check(likes, least=1)
    steps, anchors = _steps(likes)
    layout = _Layout(likes.anchors.shape[1], dynamics, pull=False, gain=False, per_axis=True)
    with torch.no_grad():
        return float(sum(_log_likelihoods(steps, anchors, lambda: layout.constants(torch.tensor(layout.start)))))


class _Layout:
    """Where each constant lies in the vector that is searched; what is not searched, as given."""

    def __init__(self, dim: int, given: Dynamics, pull: bool, gain: bool, per_axis: bool) -> None:
        self.dim, self.given, self.pull, self.gain = dim, given, pull, gain
        width = dim if per_axis else 1
        noises = (given.process, given.observation, given.prior)
        logs = [np.log(np.clip(_mean_to(value, width), _LEAST, _MOST)) for value in noises]
        # no pull at the start would leave the rate without a gradient
        rate = np.log([np.clip(given.rate or 0.01, _LEAST_RATE, _MOST_RATE)]) if pull else np.zeros(0)
        linear = [_mean_to(value, dim) for value in (given.gain, given.offset)] if gain else []
        self.sizes = [width] * 3 + [len(rate)] + [len(part) for part in linear]
        self.start = np.concatenate([*logs, rate, *linear])
        noise, turn = (math.log(_LEAST), math.log(_MOST)), (math.log(_LEAST_RATE), math.log(_MOST_RATE))
        lines = [(1e-3, 10.0)] * dim + [(-10.0, 10.0)] * dim if gain else []
        self.bounds = [noise] * (3 * width) + [turn] * len(rate) + lines

    def constants(self, theta: Tensor) -> _Constants:
        q, r, prior, rate, *linear = theta.split(self.sizes)
        if not self.gain:
            linear = [torch.tensor(_mean_to(value, self.dim)) for value in (self.given.gain, self.given.offset)]
        turn = rate.exp() if self.pull else torch.tensor([self.given.rate], dtype=theta.dtype)
        return _Constants(q.exp(), r.exp(), prior.exp(), turn, *linear)

    def read(self, theta: np.ndarray) -> Dynamics:
        found = self.constants(torch.tensor(theta))
        rate = float(found.rate)
        values = {name: getattr(found, name).tolist() for name in ("process", "observation", "prior", "gain", "offset")}
        values = {name: value[0] if len(set(value)) == 1 else value for name, value in values.items()}
        process = np.asarray(values.pop("process"))
        half_life = math.inf if rate < _NONE * _LEAST_RATE else math.log(2) / rate
        config = self.given.config() | values | {"half_life": half_life if self.pull else self.given.half_life}
        return Dynamics(**config | {"process": np.where(process < _NONE * _LEAST, 0.0, process)})


def _mean_to(value: object, width: int) -> Float[np.ndarray, " w"]:
    """A constant as ``width`` numbers: repeated, or (to one) the mean over axes."""
    array = np.atleast_1d(np.asarray(value, dtype=np.float64))
    return np.full(width, array.mean()) if len(array) != width else array.copy()


def _moments(likes: Likes) -> Dynamics:
    """A rough start: spread within users, between a user's mean and the anchor, a hundredth of it a day."""
    n = np.bincount(likes.user, minlength=len(likes.anchors))[:, None]
    sums = np.zeros_like(likes.anchors, dtype=np.float64)
    np.add.at(sums, likes.user, likes.items)
    mean = sums / np.maximum(n, 1)
    within = np.maximum(((likes.items - mean[likes.user]) ** 2).mean(0), 1e-6)
    between = np.maximum(((mean - likes.anchors)[n[:, 0] > 0] ** 2).mean(0), 1e-6)
    return Dynamics(process=within / 100, observation=within, prior=between)


def _steps(likes: Likes) -> tuple[list[_Step], Float[Tensor, "u k"]]:
    order = np.lexsort((likes.time, likes.user))
    user, time = likes.user[order], likes.time[order].astype(np.float64)
    count = np.bincount(user, minlength=len(likes.anchors))
    first = np.cumsum(count) - count
    users = np.argsort(-count, kind="stable")[: int((count > 0).sum())]
    since = time[first[users]] if likes.start is None else likes.start[users]
    items, steps = torch.as_tensor(likes.items[order], dtype=torch.float64), []
    for t in range(int(count.max())):
        rows = first[users[count[users] > t]] + t
        days = np.maximum(time[rows] - (since if t == 0 else time[rows - 1]), 0.0)
        steps.append(_Step(items[torch.as_tensor(rows)], torch.as_tensor(days)[:, None]))
    return steps, torch.as_tensor(likes.anchors[users], dtype=torch.float64)


def _log_likelihoods(steps: list[_Step], anchors: Tensor, constants: Callable[[], _Constants]) -> Iterator[Tensor]:
    """Of some axes at a time: the axes are independent, and what gradients need to keep stays small."""
    likes, dim = sum(len(step.items) for step in steps), anchors.shape[1]
    width = max(1, min(dim, _HELD // likes))
    for start in range(0, dim, width):
        some = slice(start, start + width)
        yield _log_likelihood(steps, anchors[:, some], constants().axes(some), some)


def _log_likelihood(steps: list[_Step], anchors: Tensor, constants: _Constants, some: slice) -> Tensor:
    q, r, prior, rate, c, b = constants
    mean, variance = anchors, prior.expand_as(anchors)
    total = anchors.new_zeros(())
    for items, days in steps:
        active = len(items)
        anchor, decay = anchors[:active], torch.exp(-rate * days)
        spread = days if float(rate.detach()) == 0 else -torch.expm1(-2 * rate * days) / (2 * rate)
        before = anchor + decay * (mean[:active] - anchor)
        wider = decay * decay * variance[:active] + q * spread
        expected = c * c * wider + r
        error = items[:, some] - (c * before + b)
        total = total - 0.5 * (torch.log(expected) + error * error / expected + _LOG_2PI).sum()
        mean, variance = before + c * wider / expected * error, wider * (r / expected)
    return total


def _check(likes: Likes, least: int = 2) -> None:
    check_points(likes.anchors, likes.anchors.shape[-1], "anchors")
    check_points(likes.items, likes.anchors.shape[-1], "liked items")
    if not np.isfinite(likes.time).all():
        raise DataError([Problem("likes", "finite times expected", column="time")])
    if len(likes.user) == 0 or np.bincount(likes.user).max() < least:
        raise DataError([Problem("likes", f"users with {least} likes and more expected", fix="Give longer histories")])
