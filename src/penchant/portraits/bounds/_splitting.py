"""Cut balls into pieces, so that linear bounds of each piece are tighter than those of the whole."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant.portraits.bounds._ball import BallBoxes
from penchant.portraits.bounds._crown import Crown

__all__ = ["cut"]


def cut(crown: Crown, sets: BallBoxes, times: int) -> tuple[BallBoxes, Int[Tensor, " q"]]:
    """Halve every set ``times`` times, each time along the axis that loosens the bounds most.

    Returns:
        The pieces with a point in them, and the set each was cut from.
    """
    low, high = (edge[:, None] for edge in sets.around_box())
    weight, numbers = _looseness(crown), torch.arange(len(low), device=low.device)
    for _ in range(times):
        axis = (weight * (high - low)[:, 0]).argmax(1)  # all pieces of a set have the same sides
        middle = (low + high)[numbers, :, axis] / 2
        lower, upper = high.clone(), low.clone()
        lower[numbers, :, axis] = upper[numbers, :, axis] = middle
        low, high = torch.cat([low, upper], 1), torch.cat([lower, high], 1)
    n = low.shape[1]
    owner = numbers.repeat_interleave(n)
    pieces = BallBoxes(sets.centre[owner], low.flatten(0, 1), high.flatten(0, 1), sets.reach[owner], sets.norm)
    there = (~pieces.empty).nonzero()[:, 0]
    return pieces.take(there), owner[there]


def _looseness(crown: Crown) -> Float[Tensor, "p k"]:
    """By how much axes loosen the bounds, per unit of their length: Σ_h gap_h · influence_h · |W_hj| / width_h.

    gap: how far apart the lines of a unit of the first layer are at zero; width: of its range; influence: the most it
    can change all outputs together, per unit.
    """
    weights = [weight.abs() for weight in crown.network.weights]
    influence = torch.ones(len(weights[-1]), dtype=weights[0].dtype, device=weights[0].device)
    for weight in reversed(weights[1:]):
        influence = influence @ weight
    low, high = crown.ranges[0]
    width = (high - low).clamp(min=1e-12)
    gap = low.clamp(max=0).abs() * high.clamp(min=0) / width
    return (gap * influence / width) @ weights[0]
