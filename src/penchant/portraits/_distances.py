"""Distances of arrays of points to one, some rows at a time."""

import numpy as np
import torch
from jaxtyping import Float, Float64

from penchant.errors import SpaceError
from penchant.spaces import BaseSpace

__all__ = ["distances_to", "require_finite"]

_AT_ONCE = 1 << 17
"""Numbers handed to the space at a time: so many stay in a core's cache."""


def distances_to(
    space: BaseSpace, points: Float[np.ndarray, "n k"], centre: Float[np.ndarray, " k"]
) -> Float64[np.ndarray, " n"]:
    """Base distance of each point to ``centre``.

    Raises:
        SpaceError: points of another dimension, or that are not finite.
    """
    found = np.empty(len(points))
    step = max(1, _AT_ONCE // space.dim)
    middle = torch.from_numpy(np.ascontiguousarray(centre))
    for start in range(0, len(points), step):
        part = torch.from_numpy(np.ascontiguousarray(points[start : start + step]))
        found[start : start + step] = space.base_distance(part, middle).detach().double().numpy()
    if not np.isfinite(found).all():
        require_finite(points, centre)
    return found


def require_finite(*points: Float[np.ndarray, "..."]) -> None:
    """Refuse points with NaN or infinite coordinates.

    Raises:
        SpaceError: there are such.
    """
    for x in points:
        if not np.isfinite(x).all():
            raise SpaceError("points with finite coordinates expected, got NaN or infinity")
