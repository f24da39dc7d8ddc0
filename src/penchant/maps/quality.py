"""How far a picture can be trusted: no plane holds a space of many axes without bending its distances.

    trustworthiness    1 − 2 / (s·k·(2n − 3k − 1)) · Σ_i Σ_j max(0, r(i, j) − k)     j: the k nearest of i on the map
    k-NN preservation  share of j with r(i, j) ≤ k

r(i, j): 1 + how many others are nearer to i than j is, in the space, by the metric's base distance. Without a cap, as
beyond it everything is equally far and nothing could be wrong: so the figure is rather too low. s points i are asked.

Source: Venna, Kaski, Neural Networks 19 (2006), doi 10.1016/j.neunet.2006.05.014.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from scipy.spatial import cKDTree

from penchant._random import generator
from penchant.spaces import BaseSpace

__all__ = ["MapQuality", "measure_quality"]

_K = 15
_SAMPLED = 2000
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class MapQuality:
    """What a map keeps of the space's neighbourhoods."""

    trustworthiness: float | None
    """In [0, 1]; 1: who is near on the map is near in the space. None of fewer than three points."""
    knn_preservation: float | None
    """Share of a point's nearest on the map that are among its nearest in the space."""
    k: int
    """Neighbours that count: 15, fewer where there are not 31 points."""
    sampled: int
    """Points that were looked at."""


def measure_quality(
    space: BaseSpace, points: Float[np.ndarray, "n k"], xy: Float[np.ndarray, "n 2"], *, rng: int = 0
) -> MapQuality:
    """Hold a map against the space; of more than 2,000 points so many are looked at, drawn by ``rng``, among all.

    Raises:
        SpaceError: points of another dimension.
    """
    n = len(points)
    k = min(_K, (n - 1) // 2)
    if k < 1:
        return MapQuality(None, None, 0, 0)
    rows = np.sort(generator(rng, "maps", "quality").permutation(n)[:_SAMPLED])
    rank = _ranks(space, points, rows, _shown(xy, rows, k))
    beyond = np.maximum(0, rank - k).sum()
    trust = 1 - 2 * beyond / (len(rows) * k * (2 * n - 3 * k - 1))
    return MapQuality(float(trust), float((rank <= k).mean()), k, len(rows))


def _shown(xy: Float[np.ndarray, "n 2"], rows: Int64[np.ndarray, " s"], k: int) -> Int64[np.ndarray, "s k"]:
    """The k nearest others of rows on the map."""
    near = cKDTree(xy).query(xy[rows], range(1, k + 2))[1]
    own = near == rows[:, None]
    own[~own.any(1), -1] = True
    shown: Int64[np.ndarray, "s k"] = near[~own].reshape(len(rows), k).astype(np.int64)
    return shown


@torch.no_grad()
def _ranks(
    space: BaseSpace, points: Float[np.ndarray, "n k"], rows: Int64[np.ndarray, " s"], others: Int64[np.ndarray, "s m"]
) -> Int64[np.ndarray, "s m"]:
    """How many-th nearest each of the others is to its row in the space; who is equally far has the same rank."""
    ranks = np.empty(others.shape, dtype=np.int64)
    every = torch.from_numpy(np.ascontiguousarray(points))
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        distance = space.cross(every[rows[part]], every).numpy()
        distance[np.arange(len(distance)), rows[part]] = np.inf
        asked = np.take_along_axis(distance, others[part], 1)
        for row, (line, values) in enumerate(zip(distance, asked, strict=True), start):
            ranks[row] = 1 + (line < values[:, None]).sum(1)
    return ranks
