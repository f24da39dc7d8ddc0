"""How sure a model with variational latents is of where somebody lies."""

from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float
from torch import Tensor

from penchant.estimator.fitted import Fitted, SideName, other_side
from penchant.estimator.leaning import gaussian
from penchant.estimator.queries import resolve
from penchant.spaces import GaussianSpace

__all__ = ["how_sure", "uncertainty"]

_MOST = 1000
"""Known rows that one is compared with, at most."""


def uncertainty(fitted: Fitted, side: SideName, who: Any) -> pl.DataFrame:
    """See `Penchant.uncertainty`."""
    space = gaussian(fitted.model.space, "uncertainty")
    asked = resolve(fitted, side, who)
    others = _some(fitted.known[other_side(side)].points)
    found = [_spread(space, point, others, side) for point in asked.points]
    sigma = _rms(space, asked.points)
    return pl.DataFrame([asked.keys, pl.Series("sigma", sigma), pl.Series("deviation", found, dtype=pl.Float64)])


def _some(points: Float[Tensor, "n k"]) -> Float[Tensor, "m k"]:
    """All points, or some evenly spaced among the rows."""
    return points[:: max(1, -(-len(points) // _MOST))]


def _rms(space: GaussianSpace, points: Float[Tensor, "n k"]) -> Float[np.ndarray, " n"]:
    """Root mean square over the axes of the standard deviations of places."""
    rms: np.ndarray = space.scale(points).double().square().mean(1).sqrt().cpu().numpy()
    return rms


def _spread(space: GaussianSpace, point: Float[Tensor, " k"], others: Float[Tensor, "m k"], side: SideName) -> float:
    """Root mean square over the others of the deviation of the distance from the user to the item."""
    found = space.deviation(point, others) if side == "user" else space.deviation(others, point, drawn="y")
    return float(found.double().square().mean().sqrt()) if len(found) else 0.0


def how_sure(fitted: Fitted, side: SideName, point: Float[Tensor, "1 k"]) -> str:
    """A sentence for a portrait; nothing where points do not say."""
    space = fitted.model.space
    if not isinstance(space, GaussianSpace):
        return ""
    sigma, known = _rms(space, point)[0], _rms(space, _some(fitted.known[side].points))
    spread = _spread(space, point[0], _some(fitted.known[other_side(side)].points), side)
    than = f", surer than of {(known > sigma).mean():.0%} of the known {side}s" if len(known) else ""
    return (
        f"How sure: the place is known to ±{sigma:.3f} on an axis{than}; distances from it are known to ±{spread:.3f}."
    )
