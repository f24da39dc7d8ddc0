"""The laws of a space: the metric's axioms, one distance in all its forms, the nearest points exactly."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from penchant.errors import SpaceError
from penchant.spaces import BaseSpace

__all__ = ["check_space", "points_of"]


def points_of(space: BaseSpace, n: int = 24, rng: int = 0) -> Float[Tensor, "m k"]:
    """Points of the box that try a distance: random, corners, the centre, equal and nearly equal ones (float64)."""
    generator = torch.Generator().manual_seed(rng)

    def chance(rows: int) -> Tensor:
        return torch.rand(rows, space.dim, generator=generator, dtype=torch.float64)

    side = space.high - space.low
    anywhere = space.low + side * chance(n)
    corners = space.low + side * chance(4).round()
    centre = torch.full((1, space.dim), (space.low + space.high) / 2, dtype=torch.float64)
    extremes = torch.tensor([space.low, space.high], dtype=torch.float64)[:, None].expand(2, space.dim)
    close = (anywhere[:3] + 1e-6 * (chance(3) - 0.5)).clamp(space.low, space.high)
    return torch.cat([anywhere, corners, centre, extremes, anywhere[:2], close])


def check_space(space: BaseSpace, *, rng: int = 0) -> None:
    """Hold a space against the laws. Where ``is_metric`` is False, symmetry and the triangle are left out.

    Raises:
        AssertionError: naming the law that is broken.
    """
    x = points_of(space, rng=rng)
    _check_box(space, x)
    _check_base(space, x)
    if space.is_metric:
        for cap in (None, 1e-3, 0.3 * space.diameter, 0.7 * space.diameter, 2 * space.diameter):
            _check_axioms(replace(space, cap=cap), x)
        for threshold in (0.1 * space.diameter, 0.3 * space.diameter):
            _check_decisions(space, x, threshold)
    else:
        _check_divergence(space, x)
    _check_gradients(space, x)
    _check_nearest(space, x)


def _check_box(space: BaseSpace, x: Tensor) -> None:
    far = torch.cat([x * 100, x * -0.1, torch.zeros_like(x[:1])])
    bounded = space.bound(far)
    assert bounded.shape == far.shape, "bound() keeps the shape"
    assert bool(((bounded >= space.low) & (bounded <= space.high)).all()), "bound() leads into the box"
    order = far[:, 0].argsort()
    assert bool((bounded[order, 0].diff() >= 0).all()), "bound() keeps the order on an axis"


def _check_base(space: BaseSpace, x: Tensor) -> None:
    """One base distance, row by row and all to all; never above the diameter; points of another dimension refused."""
    rows = space.base_distance(x[:, None], x)
    assert torch.allclose(rows[0], space.base_distance(x[:1].expand_as(x), x)), "leading axes broadcast"
    assert torch.allclose(space.cross(x, x), rows, rtol=1e-4, atol=1e-9), "cross() is base_distance() of all pairs"
    assert float(rows.max()) <= space.diameter * (1 + 1e-9), "no distance is above the diameter"
    single = space.base_distance(x[:, None].float(), x.float())
    assert single.dtype == torch.float32, "float32 points have float32 distances"
    assert torch.allclose(single.double(), rows, rtol=1e-5, atol=1e-6), "float32 is float64, rounded"
    try:
        space.base_distance(x[:, :0], x[:, :0])
    except SpaceError:
        return
    raise AssertionError("points of another dimension raise SpaceError")


def _check_axioms(space: BaseSpace, x: Tensor) -> None:
    d = space.distance(x[:, None], x)
    same = (x[:, None] == x).all(-1)
    assert bool((d >= 0).all()), f"cap {space.cap}: no distance is negative"
    assert bool((d[same] == 0).all()), f"cap {space.cap}: d(x, x) = 0"
    assert bool((d[~same] > 0).all()), f"cap {space.cap}: d(x, y) > 0 where x is not y"
    assert torch.equal(d, d.T), f"cap {space.cap}: d(x, y) = d(y, x)"
    detour = (d[:, :, None] + d[None]).amin(1)
    assert bool((d <= detour + 1e-12).all()), f"cap {space.cap}: d(x, z) <= d(x, y) + d(y, z)"
    if space.cap is not None:
        assert bool((d <= float(space.cap)).all()), f"cap {space.cap}: no distance is above the cap"
        assert torch.allclose(space.cross_distance(x, x), d, rtol=1e-4, atol=1e-9), "cross_distance() is distance()"


def _check_divergence(space: BaseSpace, x: Tensor) -> None:
    d = space.distance(x[:, None], x)
    assert bool((d >= 0).all() and (d.diagonal() == 0).all()), "no distance is negative, and d(x, x) = 0"


def _check_decisions(space: BaseSpace, x: Tensor, threshold: float) -> None:
    capped = replace(space, cap="auto").resolve_cap(threshold, 0.0)
    liked = space.base_distance(x[:, None], x) <= threshold
    assert torch.equal(capped.distance(x[:, None], x) <= threshold, liked), "a cap changes no decision"


def _check_gradients(space: BaseSpace, x: Tensor) -> None:
    a, b = x.clone().requires_grad_(), x.flip(0).clone().requires_grad_()
    for name, value in (("base_distance", space.base_distance(a, b)), ("cross", space.cross(a, b))):
        for gradient in torch.autograd.grad(value.sum(), (a, b)):
            assert bool(torch.isfinite(gradient).all()), f"{name}() has finite gradients everywhere"
    for value in (space.base_distance(a, a.detach()), space.cross(a, a.detach()).diagonal()):
        (gradient,) = torch.autograd.grad(value.sum(), a)
        assert bool((gradient == 0).all()), "the gradient at x = y is 0"


def _check_nearest(space: BaseSpace, x: Tensor) -> None:
    queries, n = x[::3], 7
    every = space.base_distance(queries[:, None], x)
    value, row = every.sort(dim=1, stable=True)
    exclude = [row[j, : j % 3] for j in range(len(queries))]
    for chunk in (1, 50, 1 << 22):
        distance, found = space.topk(queries, x, n, chunk=chunk)
        assert torch.equal(found, row[:, :n]), f"chunk {chunk}: topk() finds the nearest, ties by the lower row"
        assert torch.allclose(distance, value[:, :n]), f"chunk {chunk}: topk() gives base distances"
        distance, found = space.topk(queries, x, n, exclude=exclude, chunk=chunk)
        for j in range(len(queries)):
            assert torch.equal(found[j], row[j, j % 3 : j % 3 + n]), f"chunk {chunk}: excluded rows are not found"
    distance, found = space.topk(queries[:1], x[:2], 2, exclude=[torch.tensor([0])])
    assert found[0].tolist() == [1, -1], "where too few are left, the rest is row -1"
    assert torch.isinf(distance[0, 1]), "where too few are left, the rest is at distance inf"
