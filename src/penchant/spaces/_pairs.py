"""Distances of all pairs where no matrix product gives them: row by row, in bounded memory."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from penchant.spaces._cross import slices

__all__ = ["all_pairs"]


def all_pairs(
    distance: Callable[[Tensor, Tensor], Tensor], x: Float[Tensor, "n k"], y: Float[Tensor, "m k"]
) -> Float[Tensor, "n m"]:
    """``distance`` of every x to every y, a few rows at a time; for the gradient these are computed anew.

    Arguments:
        distance: (b, 1, k) and (m, k) to (b, m).
    """
    learns = torch.is_grad_enabled() and (x.requires_grad or y.requires_grad)

    def rows(part: Tensor, points: Tensor) -> Tensor:
        return distance(part[:, None], points)

    parts = []
    for some in slices(len(x), y.numel()):
        if learns:
            parts.append(checkpoint(rows, x[some], y, use_reentrant=False, preserve_rng_state=False))
        else:
            parts.append(rows(x[some], y))
    return torch.cat(parts) if parts else distance(x[:, None], y)
