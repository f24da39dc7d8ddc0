"""Reconstruction: what the decoder says of a point against the portrait vector it came from."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from penchant._spec import Layout

__all__ = ["reconstruct"]


def reconstruct(
    decoded: Float[Tensor, "n width"],
    vector: Float[Tensor, "n width"],
    layout: Layout,
    *,
    likelihood: Literal["mse", "cross_entropy"] = "mse",
    average: Literal["coordinates", "blocks"] = "coordinates",
    weight: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, ""]:
    """Weighted mean of the error over the coordinates that are known, of all rows together.

        mse             |v̂ − v|² over all coordinates, as in the disclosure
        cross_entropy   −v log v̂ − (1 − v) log(1 − v̂) for binary and one-hot blocks, |v̂ − v|² for numbers

    Arguments:
        decoded: v̂ in (0, 1), after the decoder's sigmoid.
        vector: v in [0, 1], NaN where a value is missing: such coordinates do not count.
        layout: says which coordinates are numbers, and which belong to one field.
        average: coordinates: each counts the same, as in the disclosure. blocks: each field counts the same,
            so that a one-hot block of hundreds of coordinates does not drown a number.
        weight: of the rows.

    Returns:
        A scalar; 0 where nothing is known.

    Source: the disclosure, §3.5 i (mean square); Bishop 2006, §5.2 (cross-entropy).
    """
    complete = not bool(vector.isnan().any())
    if complete and weight is None and likelihood == "mse" and average == "coordinates" and vector.numel():
        return functional.mse_loss(decoded, vector)  # the common case, in one fused operation
    known = ~vector.isnan()
    target = vector.nan_to_num(0.0)
    error = (decoded - target).square()
    if likelihood == "cross_entropy":
        entropy = functional.binary_cross_entropy(decoded, target, reduction="none")
        error = torch.where(_is_number(layout, vector.device), error, entropy)
    counted = known.to(error.dtype) if weight is None else known * weight[:, None]
    if average == "blocks":
        counted = counted * _shares(layout, counted)
    return (error * counted).sum() / counted.sum().clamp(min=1e-12)


def _shares(layout: Layout, like: Tensor) -> Tensor:
    """1 / width of the block that each coordinate belongs to."""
    shares = [like.new_full((block.width,), 1 / block.width) for block, _ in layout.places()]
    return torch.cat(shares) if shares else like.new_zeros(0)


def _is_number(layout: Layout, device: torch.device) -> Tensor:
    flags = [torch.full((block.width,), block.likelihood == "square") for block, _ in layout.places()]
    return torch.cat(flags).to(device) if flags else torch.zeros(0, dtype=torch.bool, device=device)
