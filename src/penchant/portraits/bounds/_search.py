"""Find points of a ball where a feature is as large, or as small, as it gets: inner bounds, by hill climbing."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from penchant.portraits.bounds._ball import BallBoxes

__all__ = ["Own", "climb"]

_SHORTER = 0.5
"""By how much steps of a function become shorter where one did not lead up."""


Own = Callable[[Float[Tensor, "p m k"]], tuple[Float[Tensor, "p m"], Float[Tensor, "p m k"]]]
"""Value of function j at point (i, j), for all i and j, and its gradient there."""


def climb(
    own: Own,
    sets: BallBoxes,
    start: Float[Tensor, "p m k"],
    steps: int,
) -> Float[Tensor, "p m"]:
    """The largest values found of m functions over p convex sets.

    Each step goes from the best point so far towards the one where the function, made linear, is largest in the set
    (the conditional gradient): all of the way at first, less of it after a step that did not lead up. It never leaves
    the set, and nothing has to be projected.

    Arguments:
        own: the functions.
        start: points of the sets, one for each function.

    Source: Frank, Wolfe 1956, Nav. Res. Log. Q. 3.
    """
    best, gradient = own(start)
    share = torch.ones_like(best)[..., None]
    for _ in range(steps):
        point = start + share * (sets.maximiser(gradient) - start)
        value, there = own(point)
        up = (value > best)[..., None]
        start, gradient, best = torch.where(up, point, start), torch.where(up, there, gradient), value.maximum(best)
        share = torch.where(up, share, _SHORTER * share)
    return best
