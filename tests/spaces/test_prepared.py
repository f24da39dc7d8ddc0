"""Prepared points give what a scan gives, and a sketch's bounds are below the distances."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import ConfigError, SpaceError
from penchant.spaces import GaussianSpace, PreparedPoints, UniformSpace
from penchant.spaces._sketch import GROUP, lift, make_sketch

M, K = 5000, 12


def cloud(m: int, k: int = K, *, rank: int = 3, noise: float = 0.02, seed: int = 0) -> torch.Tensor:
    """Points near a curved sheet of few dimensions, some of them twice."""
    g = torch.Generator().manual_seed(seed)
    sheet = torch.randn(m, rank, generator=g) @ torch.randn(rank, k, generator=g) / math.sqrt(rank)
    points = torch.tanh(sheet + noise * torch.randn(m, k, generator=g))
    points[m // 2 : m // 2 + m // 10] = points[: m // 10]
    return points


def same(prepared: PreparedPoints, space, queries, points, n, exclude=None) -> None:
    distance, row = prepared.topk(queries, n, exclude=exclude)
    want = space.topk(queries, points, n, exclude=exclude)
    assert torch.equal(row, want[1]), "the same rows, ties by the lower one"
    assert torch.equal(distance, want[0])


@pytest.mark.parametrize("norm", [2, 4, 6, 8])
@pytest.mark.parametrize("queries", [1, 7, 40])
def test_it_finds_what_a_scan_finds(norm, queries, monkeypatch):
    monkeypatch.setattr("penchant.spaces.prepared._PAIR_NS", 0.0)  # a sketch even where a scan costs less
    points, space = cloud(M), UniformSpace(dim=K, norm=norm)
    prepared = space.prepared(points)
    assert prepared.axes is not None
    assert prepared.axes <= (norm - 1) * K
    for asked in (cloud(queries, seed=1, noise=0.5), points[:queries], points[:queries] * 0.1):
        for n in (1, 20, 250):
            same(prepared, space, asked, points, n)


@pytest.mark.parametrize("norm", [1, 3, math.inf, 2.5])
def test_other_norms_are_searched_as_ever(norm):
    points, space = cloud(M), UniformSpace(dim=K, norm=norm)
    prepared = space.prepared(points)
    assert prepared.axes is None
    same(prepared, space, cloud(3, seed=2), points, 5)


def test_gaussians_too():
    points = cloud(M)
    for metric in ("wasserstein", "sup"):
        space = GaussianSpace(dim=K, metric=metric)
        prepared = space.prepared(points, probes=cloud(5, seed=3))
        assert (prepared.axes is None) == (metric == "sup")
        same(prepared, space, cloud(9, seed=4), points, 10)


def test_points_that_fill_the_space_and_points_that_are_all_one():
    g = torch.Generator().manual_seed(1)
    space = UniformSpace(dim=K)
    for points in (2 * torch.rand(M, K, generator=g) - 1, torch.full((M, K), 0.25)):
        same(space.prepared(points), space, cloud(6, seed=5), points, 10)


@pytest.mark.parametrize("queries", [3, 40])
def test_what_is_excluded_is_not_found(queries):
    points, space = cloud(M), UniformSpace(dim=K)
    prepared, asked = space.prepared(points), cloud(queries, seed=6)
    near = space.topk(asked, points, 1200)[1]
    same(prepared, space, asked, points, 20, [near[j, : (j * 37) % 1200] for j in range(queries)])
    every = torch.arange(M)
    same(prepared, space, asked, points, 5, [every[: M - j % 4] for j in range(queries)])
    with pytest.raises(ConfigError, match="rows between"):
        prepared.topk(asked[:1], 5, exclude=[torch.tensor([M])])


def test_few_points_odd_queries_and_wrong_ones():
    points, space = cloud(M), UniformSpace(dim=K)
    few, prepared = space.prepared(points[:50]), space.prepared(points)
    assert few.axes is None
    same(few, space, points[:2], points[:50], 50)
    same(prepared, space, points[:0], points, 3)
    same(prepared, space, points[:2], points, M)
    distance, _ = prepared.topk(torch.full((1, K), math.nan), 3)
    assert not distance.isfinite().any()
    assert space.prepared(points.masked_fill(points > 0.99, math.nan)).axes is None
    with pytest.raises(SpaceError):
        prepared.topk(torch.zeros(1, K + 1), 3)
    with pytest.raises(ConfigError, match="n = 0"):
        prepared.topk(points[:1], 0)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([2, 4, 6, 8]), st.integers(1, 9), st.integers(0, 1000), st.floats(0, 3), st.floats(1e-6, 1))
def test_no_bound_is_above_its_distance(norm, axes, seed, apart, size):
    points = size * cloud(300, 5, seed=seed) + apart
    queries = torch.cat([points[:3], size * cloud(6, 5, seed=seed + 1), points[:2] + 1e-4])
    sketch = make_sketch(points, lift(points, norm), min(axes, (norm - 1) * 5))
    bounds = sketch.bounds(queries)
    query, group = (bounds.lowest > -math.inf).nonzero(as_tuple=True)
    low = sketch.low(bounds, query, group).view(len(queries), -1).double() + bounds.own[:, None]
    power = (queries.double()[:, None] - points.double()).abs().pow(norm).mean(2)
    known = sketch.row >= 0
    assert sorted(sketch.row[known].tolist()) == list(range(300))
    assert (low[:, known] <= power[:, sketch.row[known]] * (1 + 1e-9) + 1e-300).all()
    assert low[:, ~known].isinf().all()
    lowest = low.view(len(queries), -1, GROUP).amin(2)
    assert (bounds.lowest.double() + bounds.own[:, None] <= power.amax()).all()
    assert torch.allclose(bounds.lowest.double() + bounds.own[:, None], lowest, atol=1e-4, rtol=1e-3)
    boxed = replace(sketch, spread=-1.0).bounds(queries)
    each = power[:, sketch.row].masked_fill(~known, math.inf).view(len(queries), -1, GROUP).amin(2)
    assert (boxed.lowest.double() + boxed.own[:, None] <= each * (1 + 1e-9) + 1e-300).all(), "nor is a box's"
