"""Balls and boxes of a space: who is inside, what several balls share, points drawn from them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from penchant.errors import ConfigError, SpaceError
from penchant.spaces import _sampling
from penchant.spaces.uniform import UniformSpace

__all__ = ["Ball", "Box", "Intersection", "intersection"]

_ROUNDS = 100
"""Draws that rounding puts outside, one after the other, before giving up."""


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

    Example:
        >>> ball = Ball(UniformSpace(dim=2, norm=2), torch.tensor([0.5, 0.0]), radius=0.5)
        >>> ball.contains(torch.tensor([[0.0, 0.0], [0.5, 0.75], [1.1, 0.0]]))
        tensor([ True, False, False])
    """

    space: UniformSpace
    """Where it lies."""
    centre: Float[Tensor, " k"]
    """The interest point, or the item's."""
    radius: float
    """Base distance: the threshold, or a radius by probability."""

    def __post_init__(self) -> None:
        self.space.check_dim(self.centre)
        if not 0 < self.radius < math.inf:
            raise ConfigError(f"radius = {self.radius}: a distance above 0 expected")

    @property
    def reach(self) -> float:
        """How far it goes along one axis: p·k^(1/r); p for the sup norm."""
        r = self.space.norm
        return self.radius if math.isinf(r) else self.radius * self.space.dim ** (1 / r)

    @property
    def empty(self) -> bool:
        """Is there no point of M in it? Only where the centre lies outside M."""
        # each axis by itself: no point of M is nearer than the centre moved into M
        nearest = self.centre.clamp(self.space.low, self.space.high)
        return not bool(self.contains(nearest))

    def contains(self, points: Float[Tensor, "*n k"]) -> Bool[Tensor, "*n"]:
        """Which points lie in the ball and in M.

        Raises:
            SpaceError: points of another dimension.
        """
        inside = self.space.base_distance(points, self.centre) <= self.radius
        return inside & (points >= self.space.low).all(-1) & (points <= self.space.high).all(-1)

    def bounds(self) -> Box:
        """The smallest box around the ball, cut to M; under the sup norm it is the ball itself."""
        low, high = self.centre - self.reach, self.centre + self.reach
        return Box(low.clamp(min=self.space.low), high.clamp(max=self.space.high))

    def sample(self, n: int, generator: torch.Generator) -> Float[Tensor, "{n} k"]:
        """``n`` independent points, uniform in the ball ∩ M; exact, whatever M cuts away.

        Arguments:
            n: how many, at least 0.
            generator: the same state gives the same points.

        Raises:
            SpaceError: nothing (or next to nothing) of the ball lies in M, or its points' numbers are too coarse.

        Source: see `penchant.spaces._sampling`.
        """
        if self.empty:
            raise SpaceError("no point of the space lies in this ball: its centre is too far outside the box")
        box, radius = self.bounds(), self.radius
        draw = _sampling.Sampler(self.centre, box.low, box.high, radius, self.space.norm)
        kept, idle = [self.centre.new_zeros(0, self.space.dim)], 0
        while (missing := n - sum(map(len, kept))) > 0:
            points = draw(missing, generator).to(self.centre)
            kept.append(points[self.contains(points)])  # rounding may have put one outside
            idle = 0 if len(kept[-1]) else idle + 1
            if idle > _ROUNDS:
                raise SpaceError(f"a ball of radius {self.radius:.3g} is too small for points of {points.dtype}")
        return torch.cat(kept)[:n]


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
        """True: they share no point. False: they do (sup norm only). None: their boxes meet: no proof."""
        if self.box.empty:
            return True
        return False if self.exact else None

    def contains(self, points: Float[Tensor, "*n k"]) -> Bool[Tensor, "*n"]:
        """Which points lie in every ball."""
        return torch.stack([ball.contains(points) for ball in self.balls]).all(0)


def intersection(balls: Sequence[Ball]) -> Intersection:
    """What balls of one space share.

    Under the sup norm it is a box, and empty if and only if two of the balls are disjoint (Helly number 2):
    one interest point explains n liked items if every two of them are within 2p.

    Raises:
        SpaceError: no ball, or balls of different spaces.
    """
    if not balls:
        raise SpaceError("the intersection of no balls is everything: give at least one")
    space = balls[0].space
    if any((b.space.dim, b.space.norm, b.space.box) != (space.dim, space.norm, space.box) for b in balls):
        raise SpaceError("balls of one space expected: same dim, norm and box")
    boxes = [ball.bounds() for ball in balls]
    low = torch.stack([box.low for box in boxes]).amax(0)
    high = torch.stack([box.high for box in boxes]).amin(0)
    return Intersection(tuple(balls), Box(low, high), exact=math.isinf(space.norm))
