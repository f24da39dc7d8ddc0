"""Which interest points explain a history, under the sup norm: a box, and what to do when it is empty.

    {x ∈ M : d_∞(x, e_i) ≤ p for every like i} = [max_i e_i − p, min_i e_i + p] ∩ M

Balls of the sup norm are boxes, and boxes have Helly number 2: the set is empty if and only if two likes lie more than
2p apart. Such likes need different interests: a group with no two likes further apart than 2p has one point.

Source: Danzer, Grünbaum, Klee 1963 (Helly's theorem and its relatives); mathematics, §6.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist, pdist

from penchant.errors import ConfigError

__all__ = ["Explained", "explained_by", "split_interests"]

_CHUNK = 1024
"""Likes whose distances to all others are held at a time."""
_SLACK = 1e-9
"""Relative: likes exactly 2p apart are within reach whatever the last digits say."""


class Explained(NamedTuple):
    """The interest points that explain a history."""

    low: Float[np.ndarray, " k"]
    """Lower edges; above ``high`` on some axis where the box is empty."""
    high: Float[np.ndarray, " k"]
    """Upper edges."""
    conflicts: Int[np.ndarray, "c 2"]
    """Pairs of likes (rows, the smaller first) that no one point explains: further apart than 2p."""

    @property
    def empty(self) -> bool:
        """Does no one point explain the history?"""
        return bool((self.low > self.high).any())

    def contains(self, points: Float[np.ndarray, "*n k"]) -> Bool[np.ndarray, "*n"]:
        """Which points explain all of it."""
        return np.all((points >= self.low) & (points <= self.high), axis=-1)


def explained_by(
    items: Float[np.ndarray, "n k"], threshold: float, *, low: float = -1.0, high: float = 1.0
) -> Explained:
    """The box of interest points within p of every liked item, and the likes that conflict where there is none.

    Arguments:
        items: the liked items' points; none: the whole box.
        threshold: p > 0.
        low, high: edges of the space's box.

    Raises:
        ConfigError: a threshold that is not above 0.
    """
    _check(threshold)
    if len(items) == 0:
        edges = np.full(items.shape[1], low), np.full(items.shape[1], high)
        return Explained(*edges, np.zeros((0, 2), np.int64))
    least, most = items.max(0) - threshold, items.min(0) + threshold
    touching = (least > most) & (least - most <= 2 * threshold * _SLACK)
    least = np.where(touching, most, least)
    found = _conflicts(items, threshold) if (least > most).any() else np.zeros((0, 2), np.int64)
    return Explained(np.maximum(least, low), np.minimum(most, high), found)


def split_interests(
    items: Float[np.ndarray, "n k"], threshold: float, *, most: int | None = None
) -> Int[np.ndarray, " n"]:
    """Likes in groups that one point each explains: no two of a group are further apart than 2p.

    Complete linkage cut at 2p (deterministic; few groups, not provably the fewest).

    Arguments:
        most: how many groups at most, the largest first; likes of smaller groups stay outside. None: as many as needed.

    Returns:
        A group 0, 1, … for each like, the largest group first, equal ones by their first like; -1: outside.

    Raises:
        ConfigError: a threshold that is not above 0, most below 1.
    """
    _check(threshold)
    if most is not None and most < 1:
        raise ConfigError(f"most = {most}: at least 1 group expected")
    if len(items) < 2:
        return np.zeros(len(items), np.int64)
    near = 2 * threshold * (1 + _SLACK)
    group = fcluster(linkage(pdist(items, "chebyshev"), "complete"), near, "distance")
    _, first, group, size = np.unique(group, return_index=True, return_inverse=True, return_counts=True)
    place = np.empty(len(size), np.int64)
    place[np.lexsort((first, -size))] = np.arange(len(size))
    labels: np.ndarray = place[group]
    return labels if most is None else np.where(labels < most, labels, -1)


def _conflicts(items: Float[np.ndarray, "n k"], threshold: float) -> Int[np.ndarray, "c 2"]:
    found = []
    for start in range(0, len(items), _CHUNK):
        far = cdist(items[start : start + _CHUNK], items, "chebyshev") > 2 * threshold * (1 + _SLACK)
        first, second = np.nonzero(far)
        found.append(np.column_stack([first + start, second])[first + start < second])
    return np.concatenate(found)


def _check(threshold: float) -> None:
    if not threshold > 0:
        raise ConfigError(f"threshold = {threshold}: a distance above 0 expected")
