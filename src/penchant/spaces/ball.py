"""Balls and boxes of a space: who is inside, what two balls share, points drawn from them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from penchant.errors import ConfigError, SpaceError
from penchant.spaces.uniform import UniformSpace

__all__ = ["Ball", "Box", "Intersection", "intersection"]

_ROUNDS = 64
"""Rounds of rejection before hit-and-run takes over."""

_MIXING = 64
"""Steps of hit-and-run per axis between the start and a drawn point."""


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """All points between two corners, edges included."""

    low: Float[Tensor, " k"]
    """Lower corner."""
    high: Float[Tensor, " k"]
    """Upper corner."""

    @property
    def empty(self) -> bool:
        """Is there no point in it?"""
        return bool((self.low > self.high).any())

    def contains(self, points: Float[Tensor, "*n k"]) -> Bool[Tensor, "*n"]:
        """Which points lie inside."""
        return ((points >= self.low) & (points <= self.high)).all(-1)


@dataclass(frozen=True, slots=True, eq=False)
class Ball:
    """B(centre, radius) ∩ M: the points of the space within a base distance.

    Raises: SpaceError: a centre of another dimension. ConfigError: a radius that is not above 0.
    """

    space: UniformSpace
    """Where it lies."""
    centre: Float[Tensor, " k"]
    """The interest point, or the item's."""
    radius: float
    """Base distance; the threshold, or a radius by probability."""

    def __post_init__(self) -> None:
        self.space.check_dim(self.centre)
        if not self.radius > 0:
            raise ConfigError(f"radius = {self.radius}: a distance above 0 expected")

    @property
    def reach(self) -> float:
        """How far it goes along one axis: p·k^(1/r); p for the sup norm."""
        r = self.space.norm
        return self.radius if math.isinf(r) else self.radius * self.space.dim ** (1 / r)

    def contains(self, points: Float[Tensor, "*n k"]) -> Bool[Tensor, "*n"]:
        """Which points of the box M lie inside."""
        inside = self.space.base_distance(points, self.centre.expand_as(points)) <= self.radius
        return inside & (points >= self.space.low).all(-1) & (points <= self.space.high).all(-1)

    def bounds(self) -> Box:
        """The smallest box around it; under the sup norm it is the ball itself."""
        low, high = self.centre - self.reach, self.centre + self.reach
        return Box(low.clamp(min=self.space.low), high.clamp(max=self.space.high))

    def sample(self, n: int, generator: torch.Generator) -> Float[Tensor, "n k"]:
        """``n`` points, uniform in the ball ∩ M.

        The r-norm ball is sampled exactly and what lies outside M is rejected; where M cuts too much away, hit-and-run walks
        inside (its points are uniform in the limit).

        Source: Barthe, Guédon, Mendelson, Naor 2005, doi 10.1214/009117904000000874 (the ball); Smith 1984 (hit-and-run).
        """
        if math.isinf(self.space.norm):
            box = self.bounds()
            return box.low + (box.high - box.low) * _uniform((n, self.space.dim), generator, self.centre)
        kept: list[Tensor] = []
        for _ in range(_ROUNDS):
            points = self.centre + self.radius * self.space.dim ** (1 / self.space.norm) * self._unit(n, generator)
            kept.append(points[self.contains(points)])
            if sum(map(len, kept)) >= n:
                return torch.cat(kept)[:n]
        return self._walk(n, generator)

    def _unit(self, n: int, generator: torch.Generator) -> Float[Tensor, "n k"]:
        """Uniform in the unit ball of the unnormalised r-norm: g / (Σ|g|^r + e)^(1/r), g ~ exp(−|g|^r), e ~ Exp(1)."""
        r = self.space.norm
        # |g|^r ~ Gamma(1/r): torch._standard_gamma takes the generator
        shape = torch.full((n, self.space.dim), 1 / r, dtype=torch.float64)
        gamma = torch._standard_gamma(shape, generator=generator)  # type: ignore[attr-defined]
        sign = torch.randint(0, 2, shape.shape, generator=generator) * 2 - 1
        tail = -torch.log1p(-torch.rand(n, 1, generator=generator, dtype=torch.float64))
        unit = sign * (gamma / (gamma.sum(1, keepdim=True) + tail)) ** (1 / r)
        return unit.to(self.centre)

    def _walk(self, n: int, generator: torch.Generator) -> Float[Tensor, "n k"]:
        """``n`` independent walks of axis-wise hit-and-run, started where the ball meets M."""
        box = self.bounds()
        points = self.centre.clamp(self.space.low, self.space.high).expand(n, -1).clone().double()
        centre, k, r = self.centre.double(), self.space.dim, self.space.norm
        budget = k * self.radius**r
        for step in range(_MIXING * k):
            axis = step % k
            others = (points - centre).abs().pow(r).sum(1) - (points[:, axis] - centre[axis]).abs().pow(r)
            room = (budget - others).clamp(min=0).pow(1 / r)
            low = (centre[axis] - room).clamp(min=float(box.low[axis]))
            high = (centre[axis] + room).clamp(max=float(box.high[axis]))
            points[:, axis] = low + (high - low).clamp(min=0) * _uniform((n,), generator, points)
        return points.to(self.centre)


def _uniform(shape: tuple[int, ...], generator: torch.Generator, like: Tensor) -> Tensor:
    return torch.rand(shape, generator=generator, dtype=like.dtype).to(like.device)


@dataclass(frozen=True, slots=True, eq=False)
class Intersection:
    """What several balls share."""

    balls: tuple[Ball, ...]
    """The balls."""
    box: Box
    """Holds all of it; under the sup norm it is the intersection itself."""
    exact: bool
    """Is the box the intersection (sup norm), or only around it?"""

    @property
    def empty(self) -> bool | None:
        """True: they share no point. False: they do (sup norm only). None: the boxes meet, which proves nothing."""
        if self.box.empty:
            return True
        return False if self.exact else None

    def contains(self, points: Float[Tensor, "*n k"]) -> Bool[Tensor, "*n"]:
        """Which points lie in every ball."""
        return torch.stack([ball.contains(points) for ball in self.balls]).all(0)


def intersection(balls: Sequence[Ball]) -> Intersection:
    """What balls of one space share. Under the sup norm: empty if and only if two of them are disjoint (Helly number 2).

    Raises:
        SpaceError: no ball, or balls of different spaces.
    """
    if not balls:
        raise SpaceError("the intersection of no balls is everything: give at least one")
    space = balls[0].space
    if any(ball.space != space for ball in balls):
        raise SpaceError("balls of different spaces share nothing")
    boxes = [ball.bounds() for ball in balls]
    low = torch.stack([box.low for box in boxes]).amax(0)
    high = torch.stack([box.high for box in boxes]).amin(0)
    return Intersection(tuple(balls), Box(low, high), exact=math.isinf(space.norm))
