"""Groups and segments: what several users would all like, or what divides them.

A point z is to the taste of everyone iff max_i d(z, e_i) ≤ p. The centre of the members' smallest ball is the point at
which that maximum is smallest, so there is a common taste iff it is at most p there; what is left, p − max, is the
radius of a ball that everyone likes (triangle inequality). Under the sup norm all common points are a box,
[max e − p, min e + p], which is empty iff two members are further apart than 2p (Helly number 2).

Where there is none, the group is divided in two. Up to `EXACT` members: the two parts whose larger diameter is the
smallest there is, by the two colours of a maximum spanning tree. Under the sup norm half the diameter is the radius:
no other division has smaller balls. For other norms members then move to the nearer of the two centres while that
helps. Beyond that many members: by 2-means, which divides by where most are, not by who is furthest; in linear time.

Source: Asano, Bhattacharya, Keil, Yao 1988, "Clustering algorithms based on minimum and maximum spanning trees";
Hansen, Delattre, JASA 73 (1978); Helly number of boxes: Danzer, Grünbaum, Combinatorica 2 (1982).
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64

from penchant._random import seed_of
from penchant.errors import ConfigError, SpaceError
from penchant.portraits._clusters import weighted_kmeans
from penchant.portraits._distances import require_finite
from penchant.portraits._enclosing import distances, enclosing_ball
from penchant.spaces import UniformSpace

__all__ = ["EXACT", "Group", "SubGroup", "find_common_taste"]

EXACT = 1000
"""Members up to whom all pairs are looked at."""
_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class SubGroup:
    """A part of a group without a common taste."""

    members: Int64[np.ndarray, " s"]
    """Rows of the members' points."""
    centre: Float[np.ndarray, " k"]
    """The point whose largest distance to them is smallest."""
    reach: float
    """That distance."""
    left: float
    """radius − reach: how far from the centre everyone of the part still likes. Below 0: they have none in common."""
    served: float
    """Share of the part within the radius of the centre."""


@dataclass(frozen=True, slots=True)
class Group:
    """Members of a group or of a segment: what they have in common, or into which two parts they fall."""

    radius: float
    """p: a member likes what is within it."""
    centre: Float[np.ndarray, " k"]
    """The point whose largest distance to the members is smallest."""
    mean: Float[np.ndarray, " k"]
    """The members' mean point: nearer to most, further from some."""
    reach: float
    """The largest distance of a member from the centre."""
    proved: float
    """No point at all has a smaller largest distance than this; equal to ``reach`` under the sup norm."""
    left: float
    """radius − reach: how far from the centre everyone still likes, the radius of the group's ball. Below 0: none."""
    box: tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]] | None
    """Sup norm: lower and upper corner of all common points. None for other norms, and where there is no such point."""
    served: float
    """Share of the members within the radius of the centre."""
    served_by_mean: float
    """Share of the members within the radius of the mean."""
    parts: tuple[SubGroup, ...]
    """Without a common taste: the two parts, the larger first. Else none."""

    @property
    def verdict(self) -> Literal["common taste", "no common taste", "none found"]:
        """The last where what was found and what is proved, some thousandths apart, lie on both sides of the radius."""
        if self.left >= 0:
            return "common taste"
        return "no common taste" if self.proved > self.radius else "none found"


def find_common_taste(space: UniformSpace, points: Float[np.ndarray, "m k"], radius: float, *, rng: int = 0) -> Group:
    """What everyone of a group likes, or the two parts into which it falls.

    Arguments:
        points: of the members, in the space. A segment is the group that a filter leaves.
        radius: p > 0, the threshold or another radius by meaning.
        rng: seed of 2-means; used for large groups only.

    Raises:
        ConfigError: no members, or a radius that is not above 0. SpaceError: points of another dimension, not finite,
            or outside the space.
    """
    if not len(points):
        raise ConfigError("a group of nobody has no taste: give at least one member, or another condition")
    if not 0 < radius < math.inf:
        raise ConfigError(f"radius = {radius}: a distance above 0 expected")
    _check(space, points)
    x = points.astype(np.float64)
    centre, reach, proved = enclosing_ball(x, space.norm, space.low, space.high)
    mean = x.mean(0)
    box = _common_box(space, x, radius, points.dtype) if math.isinf(space.norm) and reach <= radius else None
    return Group(
        radius=radius,
        centre=centre.astype(points.dtype),
        mean=mean.astype(points.dtype),
        reach=reach,
        proved=proved,
        left=radius - reach,
        box=box,
        served=_served(space, x, centre, radius),
        served_by_mean=_served(space, x, mean, radius),
        parts=() if reach <= radius else _parts(space, x, radius, points.dtype, rng),
    )


def _check(space: UniformSpace, points: Float[np.ndarray, "m k"]) -> None:
    space.check_dim(torch.from_numpy(points[:1]))
    require_finite(points)
    if points.min() < space.low or points.max() > space.high:
        raise SpaceError(f"points in [{space.low:g}, {space.high:g}] expected, got some outside the space")


def _common_box(
    space: UniformSpace, x: Float64[np.ndarray, "m k"], radius: float, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """What `spaces.intersection` gives for the members' balls, without making one for each."""
    low = np.clip(x.max(0) - radius, space.low, space.high)
    high = np.clip(x.min(0) + radius, space.low, space.high)
    return low.astype(dtype), high.astype(dtype)


def _served(
    space: UniformSpace, x: Float64[np.ndarray, "m k"], centre: Float64[np.ndarray, " k"], radius: float
) -> float:
    """Share within the radius; at the edge, rounding takes nobody out."""
    return float((distances(x, centre, space.norm) <= radius * (1 + 1e-12)).mean())


def _parts(
    space: UniformSpace, x: Float64[np.ndarray, "m k"], radius: float, dtype: np.dtype, rng: int
) -> tuple[SubGroup, ...]:
    if len(x) > EXACT:
        seed = seed_of(rng, "portraits", "groups")
        second = weighted_kmeans(x, np.full(len(x), 1 / len(x)), 2, seed)[1] == 1
    else:
        second = _two_colours(space, x)
        if not math.isinf(space.norm):
            second = _moved(space, x, second)
    halves = sorted((np.flatnonzero(second), np.flatnonzero(~second)), key=lambda rows: (-len(rows), rows[0]))
    return tuple(_sub_group(space, x, rows, radius, dtype) for rows in halves)


def _sub_group(
    space: UniformSpace, x: Float64[np.ndarray, "m k"], rows: Int64[np.ndarray, " s"], radius: float, dtype: np.dtype
) -> SubGroup:
    centre, reach, _ = enclosing_ball(x[rows], space.norm, space.low, space.high)
    served = _served(space, x[rows], centre, radius)
    return SubGroup(rows, centre.astype(dtype), reach, radius - reach, served)


def _two_colours(space: UniformSpace, x: Float64[np.ndarray, "m k"]) -> Bool[np.ndarray, " m"]:
    """The division into two with the smallest larger diameter.

    With D that diameter, whoever are further apart than D are in different parts. The tree's edges longer than D
    connect all whom such pairs connect, so among these its colours are the only ones there are (but for exchange).
    """
    from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

    every = torch.from_numpy(x)
    apart = space.cross(every, every).numpy()
    near = 2 * apart.max() - apart  # so a minimum spanning tree is a maximum one of what is far; 0 would be no edge
    np.fill_diagonal(near, 0.0)
    tree = minimum_spanning_tree(near)
    order, before = breadth_first_order(tree, 0, directed=False)
    second = np.zeros(len(x), dtype=bool)
    for member in order[1:]:
        second[member] = not second[before[member]]
    return second


def _moved(
    space: UniformSpace, x: Float64[np.ndarray, "m k"], second: Bool[np.ndarray, " m"]
) -> Bool[np.ndarray, " m"]:
    """Members to the nearer of the two centres, while the larger of the two balls gets smaller."""
    best, reach = second, math.inf
    for _ in range(_ROUNDS):
        balls = [enclosing_ball(x[rows], space.norm, space.low, space.high) for rows in (~second, second)]
        larger = max(ball[1] for ball in balls)
        if larger >= reach:
            break
        best, reach = second, larger
        first_apart, second_apart = (distances(x, ball[0], space.norm) for ball in balls)
        second = second_apart < first_apart
        if not 0 < second.sum() < len(x):
            break
    return best
