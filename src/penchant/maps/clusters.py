"""Clusters of a map: the hills of its density, each as wide as the valleys around it.

The density is a histogram of 200 by 200 cells, smoothed. Cells are flooded from the highest down; where two hills meet,
the lower one joins the other unless the saddle is at most three quarters of its peak, and it holds enough points. As
many valleys are filled as leave no more clusters than people read. It takes no random step and never fails.

Source: Chazal, Guibas, Oudot, Skraba 2013, doi 10.1145/2535927 (ToMATo, clusters by persistence of their peaks), with
the ratio of saddle to peak instead of their difference, so that sparse clusters count as dense ones do.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy.ndimage import gaussian_filter

__all__ = ["MapClusters", "find_clusters"]

_CELLS = 200
_WIDE = _CELLS + 2
"""With an empty edge."""
_AROUND = (-_WIDE - 1, -_WIDE, -_WIDE + 1, -1, 1, _WIDE - 1, _WIDE, _WIDE + 1)
_SMOOTH = 0.015
"""Standard deviation of the smoothing, as a share of the map's width."""
_DEPTHS = (0.75, 0.5, 0.25)
"""Saddle over peak from which a hill is none of its own; lower ones where there are too many."""
_FEWEST = 30
"""Points below which a map has no clusters."""
_LEAST = 10
_OUTSIDE = 0.05
"""Share of the peak's density below which a point belongs to no cluster."""


class MapClusters(NamedTuple):
    """Clusters, the largest first."""

    label: Int64[np.ndarray, " n"]
    """Of each point; -1 for none."""
    peak: Float64[np.ndarray, "c 2"]
    """Where each is densest: a place for its name."""


def find_clusters(xy: Float[np.ndarray, "n 2"], *, most: int = 24, least: float = 0.01) -> MapClusters:
    """The clusters of a map that reaches from -1 to 1; none of fewer than thirty points.

    Arguments:
        most: clusters, at most.
        least: share of the points that a cluster has at least (and ten).
    """
    nothing = MapClusters(np.full(len(xy), -1, dtype=np.int64), np.zeros((0, 2)))
    if len(xy) < _FEWEST:
        return nothing
    cell = 1 + np.clip(((xy.astype(np.float64) + 1) / 2 * _CELLS).astype(np.int64), 0, _CELLS - 1)
    flat = cell[:, 0] * _WIDE + cell[:, 1]
    counts = np.bincount(flat, minlength=_WIDE**2).astype(np.float64)
    density = gaussian_filter(counts.reshape(_WIDE, _WIDE), _SMOOTH * _CELLS, mode="constant")
    density[[0, -1]] = density[:, [0, -1]] = 0  # so that each cell that counts has eight around it
    density = density.ravel()
    fewest = max(_LEAST, least * len(xy))
    hill = np.full(_WIDE**2, -1, dtype=np.int64)
    for depth in _DEPTHS:
        hill = _flooded(density, counts, depth, fewest)
        if len(np.unique(hill[hill >= 0])) <= most:
            break
    of_point = np.where(density[flat] >= _OUTSIDE * density[hill[flat]], hill[flat], -1)
    return _ordered(of_point, fewest, most)


def _flooded(
    density: Float64[np.ndarray, " cells"], counts: Float64[np.ndarray, " cells"], depth: float, fewest: float
) -> Int64[np.ndarray, " cells"]:
    """The hill of each cell, by the cell of its peak; -1 where there is nothing."""
    holds = 0.5 / (2 * np.pi * (_SMOOTH * _CELLS) ** 2)  # half the density that one point makes where it lies
    order = np.argsort(-density, kind="stable")
    order = order[density[order] >= holds]
    high, held = density.tolist(), counts.tolist()
    parent = [-1] * len(high)

    def top(cell: int) -> int:
        while parent[cell] != cell:
            parent[cell] = cell = parent[parent[cell]]
        return cell

    for cell in order.tolist():
        around = {top(cell + step) for step in _AROUND if parent[cell + step] >= 0}
        parent[cell] = best = max(around, key=lambda peak: (high[peak], -peak), default=cell)
        if best != cell:
            held[best] += held[cell]
        for other in sorted(around - {best}):
            if high[cell] > depth * high[other] or held[other] < fewest:
                parent[other] = best
                held[best] += held[other]
    hill = np.full(len(density), -1, dtype=np.int64)
    hill[order] = [top(cell) for cell in order.tolist()]
    return hill


def _ordered(of_point: Int64[np.ndarray, " n"], fewest: float, most: int) -> MapClusters:
    """Clusters that are large enough, numbered by size."""
    names, sizes = np.unique(of_point[of_point >= 0], return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    kept = names[order][sizes[order] >= fewest][:most]
    number = np.full(_WIDE**2 + 1, -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    peak = (np.stack([kept // _WIDE, kept % _WIDE], 1) - 0.5) / _CELLS * 2 - 1
    return MapClusters(number[of_point], peak)
