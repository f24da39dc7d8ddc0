"""The marginal likelihood of likes and its gradients, for `penchant.dynamics.fit`: all that needs torch to fit them."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from penchant.dynamics.belief import Dynamics
from penchant.dynamics.fit import Likes

__all__ = ["Layout", "log_likelihood", "objective_of"]

_AXES = ("process", "observation", "prior", "gain", "offset", "step")
_LEAST, _MOST = 1e-8, 1e2
_LEAST_RATE, _MOST_RATE = 1e-6, 1e3
_NONE = 10.0
"""A process noise or rate below this many times its least is none."""
_HELD = 1_500_000
"""Numbers (likes × axes) that one pass of gradients covers."""
_LOG_2PI = math.log(2 * math.pi)


class _Step(NamedTuple):
    """The t-th likes of all users who have that many: the first rows, as users are sorted by their number of likes."""

    items: Float[Tensor, "a k"]
    days: Float[Tensor, "a 1"]


class _Constants(NamedTuple):
    process: Tensor
    observation: Tensor
    prior: Tensor
    step: Tensor
    rate: Tensor
    gain: Tensor
    offset: Tensor

    def axes(self, some: slice) -> "_Constants":
        """Of some axes."""
        return _Constants(*(part if part.numel() == 1 else part[some] for part in self))


class Layout:
    """Where each constant lies in the vector that is searched; what is not searched, as given."""

    def __init__(self, dim: int, given: Dynamics, pull: bool, gain: bool, per_axis: bool, step: bool) -> None:
        self.dim, self.given, self.pull, self.gain, self.step = dim, given, pull, gain, step
        width = dim if per_axis else 1
        noises = (given.process, given.observation, given.prior, *([given.step] if step else []))
        logs = [np.log(np.clip(_mean_to(value, width), _LEAST, _MOST)) for value in noises]
        # no pull at the start would leave the rate without a gradient
        rate = np.log([np.clip(given.rate or 0.01, _LEAST_RATE, _MOST_RATE)]) if pull else np.zeros(0)
        linear = [_mean_to(value, dim) for value in (given.gain, given.offset)] if gain else []
        self.sizes = [width] * len(noises) + [len(rate)] + [len(part) for part in linear]
        self.start = np.concatenate([*logs, rate, *linear])
        noise, turn = (math.log(_LEAST), math.log(_MOST)), (math.log(_LEAST_RATE), math.log(_MOST_RATE))
        lines = [(1e-3, 10.0)] * dim + [(-10.0, 10.0)] * dim if gain else []
        self.bounds = [noise] * (len(noises) * width) + [turn] * len(rate) + lines

    def constants(self, theta: Tensor) -> _Constants:
        q, r, prior, *rest = theta.split(self.sizes)
        step = rest.pop(0).exp() if self.step else torch.tensor(_mean_to(self.given.step, self.dim))
        rate, *linear = rest
        if not self.gain:
            linear = [torch.tensor(_mean_to(value, self.dim)) for value in (self.given.gain, self.given.offset)]
        turn = rate.exp() if self.pull else torch.tensor([self.given.rate], dtype=theta.dtype)
        return _Constants(q.exp(), r.exp(), prior.exp(), step, turn, *linear)

    def read(self, theta: np.ndarray) -> Dynamics:
        found = self.constants(torch.tensor(theta))
        rate = float(found.rate)
        values = {name: getattr(found, name).tolist() for name in _AXES}
        values = {name: value[0] if len(set(value)) == 1 else value for name, value in values.items()}
        least = {name: np.asarray(values.pop(name)) for name in ("process", "step")}
        half_life = math.inf if rate < _NONE * _LEAST_RATE else math.log(2) / rate
        config = self.given.config() | values | {"half_life": half_life if self.pull else self.given.half_life}
        return Dynamics(**config | {name: np.where(x < _NONE * _LEAST, 0.0, x) for name, x in least.items()})


def _mean_to(value: object, width: int) -> Float[np.ndarray, " w"]:
    """A constant as ``width`` numbers: repeated, or (to one) the mean over axes."""
    array = np.atleast_1d(np.asarray(value, dtype=np.float64))
    return np.full(width, array.mean()) if len(array) != width else array.copy()


def objective_of(likes: Likes, layout: Layout) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Minus the log likelihood per number, with its gradient, as a function of the vector that is searched."""
    steps, anchors = _steps(likes)
    count = likes.items.size

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        free = torch.tensor(theta, requires_grad=True)
        loss = 0.0
        for part in _log_likelihoods(steps, anchors, lambda: layout.constants(free)):
            (-part / count).backward()
            loss -= float(part.detach()) / count
        assert free.grad is not None
        return loss, free.grad.numpy()

    return objective


def log_likelihood(likes: Likes, layout: Layout) -> float:
    """Of all likes, at the start of the search."""
    steps, anchors = _steps(likes)
    with torch.no_grad():
        return float(sum(_log_likelihoods(steps, anchors, lambda: layout.constants(torch.tensor(layout.start)))))


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
    q, r, prior, step, rate, c, b = constants
    mean, variance = anchors, prior.expand_as(anchors)
    total = anchors.new_zeros(())
    for items, days in steps:
        active = len(items)
        anchor, decay = anchors[:active], torch.exp(-rate * days)
        spread = days if float(rate.detach()) == 0 else -torch.expm1(-2 * rate * days) / (2 * rate)
        before = anchor + decay * (mean[:active] - anchor)
        wider = decay * decay * variance[:active] + q * spread + step
        expected = c * c * wider + r
        error = items[:, some] - (c * before + b)
        total = total - 0.5 * (torch.log(expected) + error * error / expected + _LOG_2PI).sum()
        mean, variance = before + c * wider / expected * error, wider * (r / expected)
    return total
