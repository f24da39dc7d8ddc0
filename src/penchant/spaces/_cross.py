"""Normalised Minkowski distances of every x to every y.

Even r ≤ 8 go through r − 1 matrix products:

    Σ_j (x_j − y_j)^r = Σ_i C(r, i) (−1)^i Σ_j x_j^(r−i) y_j^i

which cancel where x and y are near: such pairs are computed anew, directly. The gradient goes the same ways.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from penchant.spaces import _minkowski

__all__ = ["by_products", "cross_distance", "direct", "error", "powers", "slices"]

_AT_ONCE = 1 << 22
"""Numbers held at a time where differences are laid out one by one."""

_TRUST = 256
"""How many times its worst error an rth power has to be, for its root to be good to about five digits."""


def by_products(r: float) -> bool:
    """Does this norm go through matrix products?"""
    return r in (2.0, 4.0, 6.0, 8.0)


def cross_distance(x: Float[Tensor, "n k"], y: Float[Tensor, "m k"], r: float) -> Float[Tensor, "n m"]:
    """d_r of every x to every y; differentiable once (a second time raises RuntimeError)."""
    norm: Tensor = _Cross.apply(_minkowski.single(x), _minkowski.single(y), r)
    return norm


def powers(x: Float[Tensor, "n k"], y: Float[Tensor, "m k"], r: float) -> Float[Tensor, "n m"]:
    """mean_j (x_j − y_j)^r for even r by matrix products, wrong by up to `error` (at times below 0)."""
    whole, k = int(r), x.shape[1]
    xs, ys = _ladder(x, whole), _ladder(y, whole)
    with torch.autocast(x.device.type, enabled=False):
        total = xs[whole].mean(1)[:, None] + ys[whole].mean(1)
        for i in range(1, whole):
            total = total.addmm(xs[whole - i], ys[i].T, alpha=math.comb(whole, i) * (-1) ** i / k)
    return total


def error(x: Float[Tensor, "n k"], y: Float[Tensor, "m k"], r: float) -> Float[Tensor, "n 1"]:
    """The most that `powers` can be wrong by, for each row.

    Rounding of sums of k products is below k·ε·Σ|·|, and
    Σ_i C(r,i) |x|^(r−i) |y|^i = (|x| + |y|)^r ≤ 2^(r−1)(|x|^r + |y|^r). What underflows is lost whole: the
    smallest normal number for each product.

    Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), §3.1.
    """
    info = torch.finfo(x.dtype)
    size = x.pow(int(r)).mean(1, keepdim=True) + y.pow(int(r)).mean(1).amax() + info.tiny / info.eps
    return (x.shape[1] + 2 * r + 2) * _epsilon(x) * 2 ** (r - 1) * size


def _epsilon(x: Tensor) -> float:
    """Unit of matrix products: much coarser where PyTorch was told to use TF32 or bfloat16 for them."""
    own = torch.finfo(x.dtype).eps
    if x.dtype != torch.float32:
        return own
    try:
        precision = torch.get_float32_matmul_precision()
    except RuntimeError:  # set by PyTorch's newer switches, which forbid this question: assume the worst
        precision = "medium"
    return {"highest": own, "high": 2.0**-10}.get(precision, 2.0**-7)


def _ladder(x: Tensor, whole: int) -> list[Tensor]:
    """x^0, x^1, …, x^whole."""
    rungs = [torch.ones_like(x), x]
    while len(rungs) <= whole:
        rungs.append(rungs[-1] * x)
    return rungs


def direct(x: Float[Tensor, "n k"], y: Float[Tensor, "m k"], r: float) -> Float[Tensor, "n m"]:
    """d_r without matrix products, a few rows at a time; no gradient."""
    if r == 1:
        return torch.cdist(x, y, p=1.0) / x.shape[1]
    if math.isinf(r):
        return torch.cdist(x, y, p=math.inf)
    out = x.new_empty(len(x), len(y))
    for rows in slices(len(x), y.numel()):
        out[rows] = _minkowski.distance(x[rows, None], y, r)
    return out


def slices(n: int, each: int) -> Iterator[slice]:
    """0 … n in steps that hold about `_AT_ONCE` numbers, ``each`` a row."""
    step = max(1, _AT_ONCE // max(each, 1))
    return (slice(i, i + step) for i in range(0, n, step))


class _Cross(torch.autograd.Function):
    """Distances of all pairs, and their gradient without laying out (n, m, k) numbers at once."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, r: float) -> Tensor:
        ctx.r = r
        if not by_products(r) or not x.numel() or not y.numel():
            norm, near = direct(x, y, r), None
        else:
            mean = powers(x, y, r)
            near = (mean <= _TRUST * error(x, y, r)).nonzero()
            norm = _minkowski.root(mean.clamp_(min=0), r)
            for rows in slices(len(near), x.shape[1]):
                i, j = near[rows].unbind(1)
                norm[i, j] = _minkowski.distance(x[i], y[j], r)
        ctx.save_for_backward(x, y, norm, near)
        return norm

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        to_x, to_y = _CrossGradient.apply(*ctx.saved_tensors, gradient, ctx.r)
        return to_x, to_y, None


class _CrossGradient(torch.autograd.Function):
    """A gradient that has none: PyTorch's `once_differentiable` would let it pass as a constant where the loss is
    linear in the distances."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, norm: Tensor, near: Tensor | None, gradient: Tensor, r: float
    ) -> tuple[Tensor, Tensor]:
        if near is None:
            return _backward_direct(x, y, norm, gradient, r)
        return _backward_by_products(x, y, norm, near, gradient, r)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        raise RuntimeError("distances of all pairs are differentiable once: use base_distance() for a second time")


def _backward_direct(x: Tensor, y: Tensor, norm: Tensor, gradient: Tensor, r: float) -> tuple[Tensor, Tensor]:
    to_x, to_y = torch.zeros_like(x), torch.zeros_like(y)
    for rows in slices(len(x), y.numel()):
        part = _minkowski.slope(x[rows, None] - y, norm[rows], r) * gradient[rows, :, None]
        to_x[rows] = part.sum(1)
        to_y -= part.sum(0)
    return to_x, to_y


def _backward_by_products(
    x: Tensor, y: Tensor, norm: Tensor, near: Tensor, gradient: Tensor, r: float
) -> tuple[Tensor, Tensor]:
    """Σ_j w_ij (x_i − y_j)^(r−1), w = gradient / (k·d^(r−1)), by products; near pairs directly."""
    odd = int(r) - 1
    far = norm.clone()
    far[near[:, 0], near[:, 1]] = math.inf
    weight = gradient / (far.pow(odd) * x.shape[1])
    xs, ys = _ladder(x, odd), _ladder(y, odd)
    signs = [math.comb(odd, i) * (-1) ** i for i in range(odd + 1)]
    with torch.autocast(x.device.type, enabled=False):
        to_x = torch.stack([signs[i] * xs[odd - i] * (weight @ ys[i]) for i in range(odd + 1)]).sum(0)
        to_y = torch.stack([-signs[i] * ys[i] * (weight.T @ xs[odd - i]) for i in range(odd + 1)]).sum(0)
    for rows in slices(len(near), x.shape[1]):
        i, j = near[rows].unbind(1)
        part = _minkowski.slope(x[i] - y[j], norm[i, j], r) * gradient[i, j][:, None]
        to_x.index_add_(0, i, part)
        to_y.index_add_(0, j, part, alpha=-1)
    return to_x, to_y
