"""Normalised Minkowski distances, row by row, with right gradients at 0 and at ties.

d_r(x, y) = (mean_j |x_j − y_j|^r)^(1/r),   r = ∞: max_j |x_j − y_j|
∂d/∂x_j   = (|x_j − y_j| / d)^(r−1) · sign(x_j − y_j) / k,   0 at x = y;   r = ∞: shared evenly at ties
"""

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["distance", "power", "root", "single", "slope"]


def distance(x: Float[Tensor, "*#n k"], y: Float[Tensor, "*#n k"], r: float) -> Float[Tensor, "*n"]:
    """d_r of each x to its y; leading axes broadcast. Twice differentiable (r < 2: where no x_j = y_j).

    Source: the gradient in closed form, which autograd alone gets wrong (NaN) at x = y.
    """
    difference = single(x) - single(y)
    if math.isinf(r):
        return difference.abs().amax(-1)  # PyTorch shares the gradient of amax evenly
    norm: Tensor = _Norm.apply(difference, r)
    return norm


def single(x: Float[Tensor, "*n k"]) -> Float[Tensor, "*n k"]:
    """Half precision widened: a fourth power has no place in it."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def power(size: Float[Tensor, "*n"], r: float) -> Float[Tensor, "*n"]:
    """size^r for size ≥ 0; powers of two by squaring, which is many times faster."""
    if r in (1.0, 2.0, 4.0, 8.0):
        while r > 1:
            size, r = size * size, r / 2
        return size
    return _pow(size, r)


def root(mean: Float[Tensor, "*n"], r: float) -> Float[Tensor, "*n"]:
    """mean^(1/r) for mean ≥ 0."""
    if r in (1.0, 2.0, 4.0, 8.0):
        while r > 1:
            mean, r = mean.sqrt(), r / 2
        return mean
    return _pow(mean, 1 / r)


def _pow(x: Float[Tensor, "*n"], exponent: float) -> Float[Tensor, "*n"]:
    """x^exponent without a gradient, the same bits wherever in a tensor a value stands.

    PyTorch's pow on a CPU is vectorised but for the last few values of a tensor, which differ in the last bit: near
    ties would fall one way or the other with the size of a chunk. NumPy's is the same for all.
    """
    if x.device.type != "cpu":
        return x.pow(exponent)
    return torch.from_numpy(np.power(np.ascontiguousarray(x.numpy()), exponent)).view(x.shape)  # NumPy lost a ()


def slope(difference: Float[Tensor, "*n k"], norm: Float[Tensor, "*n"], r: float) -> Float[Tensor, "*n k"]:
    """∂d/∂x of the differences x − y and their distances."""
    if math.isinf(r):
        size = difference.abs()
        ties = size == norm[..., None]
        return difference.sign() * ties / ties.sum(-1, keepdim=True)
    if r == 1:
        return difference.sign() / difference.shape[-1]
    # the ratio first: neither δ^(r−1) nor d^(r−1) alone is safe from underflow
    ratio = difference / norm.where(norm > 0, 1.0)[..., None]
    k = difference.shape[-1]
    if r == 2:
        return ratio / k
    if r == 4:
        return ratio * ratio * ratio / k
    return ratio.abs().pow(r - 1) * ratio.sign() / k


class _Norm(torch.autograd.Function):
    """(mean |δ|^r)^(1/r) over the last axis; no vmap rule."""

    @staticmethod
    def forward(ctx: Any, difference: Tensor, r: float) -> Tensor:
        norm = _plain(difference, r)
        ctx.plain = norm is not None
        if norm is None:
            norm = _scaled(difference, r)
        ctx.save_for_backward(difference, norm)
        ctx.r = r
        return norm

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        # made of differentiable operations on an input and an output, so that double backward works
        difference, norm = ctx.saved_tensors
        r, k = ctx.r, difference.shape[-1]
        if r == 1 or not ctx.plain:
            return slope(difference, norm, r) * gradients[0][..., None], None
        if r == 2:
            return difference * (gradients[0] / (norm * k))[..., None], None
        weight = gradients[0] / (norm * norm * norm * k)
        return difference * difference * difference * weight[..., None], None


def _plain(difference: Tensor, r: float) -> Tensor | None:
    """For r = 1, 2 and 4, in the fewest passes; None where a power would under- or overflow."""
    if r == 1:
        return difference.abs().mean(-1)
    if r not in (2.0, 4.0) or difference.device.type != "cpu" or difference.numel() == 0:
        return None  # elsewhere than on the CPU the look at the smallest would cost a wait for the device
    size = difference * difference
    mean = (size if r == 2 else size * size).mean(-1)
    low, high = mean.aminmax()
    info = torch.finfo(mean.dtype)
    # so large that the cube of the root, and the powers of differences that count, are normal numbers
    return root(mean, r) if low > info.tiny / info.eps**2 and high < info.max else None


def _scaled(difference: Tensor, r: float) -> Tensor:
    """Scaled near the largest |δ|: no power under- or overflows; by a power of two: nothing rounds."""
    size = difference.abs()
    top = size.amax(-1)
    scale = top / (2 * torch.frexp(top).mantissa) if r <= 16 else top
    scale = scale.where(top > 0, 1.0)
    return root(power(size / scale[..., None], r).mean(-1), r) * scale
