"""How far a space has wandered from one fit to the next: the same rows, as both encode them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from penchant._random import generator
from penchant.spaces import BaseSpace

__all__ = ["Drift", "drift_between"]

_PAIRS = 100_000
"""Pairs of a known user and a known item whose decisions are compared, at random."""
_QUANTILE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far known rows lie from where they lay, each with the values and the history it had then."""

    users: float
    """Mean base distance of users from their old points."""
    users_90: float
    """Base distance that nine users in ten did not exceed."""
    items: float
    """Mean base distance of items from their old points."""
    items_90: float
    """Base distance that nine items in ten did not exceed."""
    decisions: float
    """Share, in [0, 1], of random pairs of a user and an item for whom yes became no, or no yes, each by the threshold
    of its fit."""
    variance: float
    """Mean square, over items and axes, of the way from the old point: what an interest state of the old space is less
    sure of in the new one, on each axis."""

    def config(self) -> dict[str, float]:
        """Plain values; ``Drift(**config)`` gives it back."""
        return asdict(self)


def drift_between(
    space: BaseSpace,
    old: Mapping[str, Float[Tensor, "_ k"]],
    new: Mapping[str, Float[Tensor, "_ k"]],
    thresholds: tuple[float, float],
    rng: int,
) -> Drift:
    """Measure it.

    Arguments:
        old, new: points of the same users ("user") and items ("item"), at least one of each.
        thresholds: of the old fit and the new one.
        rng: seed of the pairs.
    """
    moved = {side: _apart(space, old[side], new[side]) for side in ("user", "item")}
    draw = generator(rng, "drift").integers
    rows = [torch.as_tensor(draw(len(old[side]), size=_PAIRS), device=old[side].device) for side in ("user", "item")]
    said = [
        _apart(space, points["user"][rows[0]], points["item"][rows[1]]) <= threshold
        for points, threshold in zip((old, new), thresholds, strict=True)
    ]
    way: Any = space.location(new["item"]) - space.location(old["item"])
    return Drift(
        users=float(moved["user"].mean()),
        users_90=float(np.quantile(moved["user"], _QUANTILE)),
        items=float(moved["item"].mean()),
        items_90=float(np.quantile(moved["item"], _QUANTILE)),
        decisions=float((said[0] != said[1]).mean()),
        variance=float(way.double().square().mean()),
    )


def _apart(space: BaseSpace, x: Float[Tensor, "_ k"], y: Float[Tensor, "_ k"]) -> Float[np.ndarray, " n"]:
    found: np.ndarray = space.base_distance(x, y).double().cpu().numpy()
    return found
