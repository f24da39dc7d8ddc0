"""The uniform metric against distances in sixty digits, and nearest points against fractions."""

import math

import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import ConfigError, SpaceError
from penchant.spaces import UniformSpace, _cross

INF = math.inf
NORMS = (1, 1.5, 2, 3, 4, 6, INF)
norms = st.sampled_from(NORMS) | st.floats(1, 60)
caps = st.none() | st.floats(1e-3, 3)
coordinates = st.integers(-8, 8).map(lambda i: i / 8) | st.floats(-1, 1).filter(lambda v: v == 0 or abs(v) > 1e-60)
some = settings(max_examples=60, deadline=None)


def points(n: int, among: st.SearchStrategy = coordinates, max_dim: int = 5) -> st.SearchStrategy[torch.Tensor]:
    """n points in up to five dimensions, float64."""
    rows = st.integers(1, max_dim).flatmap(
        lambda k: st.lists(st.lists(among, min_size=k, max_size=k), min_size=n, max_size=n)
    )
    return rows.map(lambda x: torch.tensor(x, dtype=torch.float64))


def space_of(x: torch.Tensor, r: float, **options) -> UniformSpace:
    return UniformSpace(dim=x.shape[-1], norm=r, **options)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    """In [-1, 1]."""
    return 2 * torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) - 1


@settings(max_examples=200, deadline=None)
@given(points(3), norms, caps)
def test_it_is_a_metric_and_min_of_cap_and_norm(x, r, cap):
    d = space_of(x, r, cap=cap).distance(x[:, None], x)
    want = [min(cap or INF, oracles.distance(a, b, r)) for a in x.tolist() for b in x.tolist()]
    assert d.flatten().tolist() == pytest.approx(want, rel=1e-12, abs=0)
    assert torch.equal(d == 0, (x[:, None] == x).all(-1)), "0 for equal points and for them alone"
    assert torch.equal(d, d.T)
    assert (d <= (d[:, :, None] + d).amin(1) * (1 + 1e-12)).all(), "the triangle inequality"


@some
@given(points(2, st.floats(-1, 1)), norms)
def test_the_gradient_is_that_of_finite_differences(x, r):
    apart = (x[0] - x[1]).abs()
    nearest_tie = apart.sort(descending=True).values.diff().abs()
    if apart.min() < 1e-3 or (math.isinf(r) and len(nearest_tie) and nearest_tie[0] < 1e-3):
        return  # near a kink
    a, b = x.clone().requires_grad_().unbind()
    space = space_of(x, r)
    want = torch.tensor(oracles.gradient(x[0].tolist(), x[1].tolist(), r), dtype=torch.float64)
    for value, exact in ((space.base_distance(a, b), 1e-9), (space.cross(a[None], b[None]).squeeze(), 1e-4)):
        to_a, to_b = torch.autograd.grad(value, (a, b))
        torch.testing.assert_close(to_a, want, rtol=exact, atol=exact)
        torch.testing.assert_close(to_b, -want, rtol=exact, atol=exact)


@some
@given(points(2, st.integers(-2, 2).map(float)), norms, st.booleans())
def test_the_gradient_at_kinks_is_the_mean_of_its_sides(x, r, cross):
    """0 at x = y; 0 along an axis where x_j = y_j; shared evenly at ties of the sup norm."""
    a = x[:1].clone().requires_grad_()
    value = space_of(x, r).cross(a, x[1:]) if cross else space_of(x, r).base_distance(a, x[1:])
    got, difference = torch.autograd.grad(value.sum(), a)[0][0], x[0] - x[1]
    assert (got[difference == 0].abs() <= 1e-12 * difference.any()).all()
    torch.testing.assert_close(got @ difference, value.detach().sum(), msg="Euler: d is homogeneous")
    if math.isinf(r):
        top = difference.abs() == difference.abs().max()
        assert torch.allclose(got, difference.sign() * top / top.sum())


@pytest.mark.parametrize("r", [2, 2.5, 3, 4, 6, 7.5])
def test_twice_differentiable(r):
    x, y = noise(4, 3).double().requires_grad_(), noise(4, 3, seed=1).double().requires_grad_()
    space = UniformSpace(dim=3, norm=r)
    assert torch.autograd.gradgradcheck(space.base_distance, (x, y))
    with torch.no_grad():
        y[1, 2] = x[1, 2]
        y[3] = x[3]
    first = torch.autograd.grad(space.base_distance(x, y).sum(), x, create_graph=True)[0]
    assert torch.isfinite(torch.autograd.grad(first.square().sum(), x)[0]).all(), "finite also where x = y"
    first = torch.autograd.grad(space.cross(x, y).sum(), x, create_graph=True)[0]
    with pytest.raises(RuntimeError, match="differentiable once"):  # and not a constant, silently
        (first.square().sum() + x.sum()).backward()


@pytest.mark.parametrize("r", NORMS)
@pytest.mark.parametrize("scale", [2.0**-110, 2.0**-60, 2.0**-20, 2.0**30, 2.0**100])
def test_scaling_by_a_power_of_two_scales_the_distance_and_leaves_the_gradient(r, scale):
    x, y, space = noise(6, 3), noise(6, 3, seed=1), UniformSpace(dim=3, norm=r)
    results = []
    for s in (1.0, scale):
        a = (s * x).requires_grad_()
        value = space.base_distance(a, s * y)
        results.append((value.detach() / s, torch.autograd.grad(value.sum(), a)[0]))
    torch.testing.assert_close(results[1], results[0], rtol=2e-6, atol=0)


@pytest.mark.parametrize("r", [1, 1.5, 2, 4, 6, 8, INF])
@pytest.mark.parametrize("near", [0.0, 1e-7, 1e-5, 1e-3, 1e-1])
def test_cross_is_good_to_four_digits_where_products_cancel(r, near):
    x = 0.5 + noise(7, 3) / 2
    y = torch.cat([x + near * noise(7, 3, seed=1), noise(3, 3, seed=2)]).clamp(-1, 1)
    weight = noise(7, 10, seed=3)
    a, b = x.clone().requires_grad_(), y.clone().requires_grad_()
    d = UniformSpace(dim=3, norm=r).cross(a, b)
    want = [[oracles.distance(p, q, r) for q in y.tolist()] for p in x.tolist()]
    torch.testing.assert_close(d, torch.tensor(want), rtol=1e-4, atol=0)
    to_x, to_y = torch.autograd.grad((weight * d).sum(), (a, b))
    slope = torch.tensor([[oracles.gradient(p, q, r) if p != q else [0.0] * 3 for q in y.tolist()] for p in x.tolist()])
    torch.testing.assert_close(to_x, (weight[..., None] * slope).sum(1), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(to_y, -(weight[..., None] * slope).sum(0), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("r", [2, 4, 6, 8])
@pytest.mark.parametrize("exponent", range(-25, 1))
def test_cross_holds_where_powers_underflow(r, exponent):
    x, y = 10.0**exponent * noise(9, 4), 10.0**exponent * noise(30, 4, seed=1)
    space = UniformSpace(dim=4, norm=r)
    torch.testing.assert_close(space.cross(x, y), space.base_distance(x[:, None], y), rtol=1e-4, atol=0)
    nearest = space.base_distance(x[:, None].double(), y.double()).sort(1).indices[:, :3]
    assert torch.equal(space.topk(x, y, 3)[1], nearest)


@pytest.mark.parametrize("r", [1.5, 2, 4])
def test_cross_in_slices_under_autocast_and_with_coarse_products_is_the_same(r, monkeypatch):
    x, y, space = noise(9, 3), noise(11, 3, seed=1), UniformSpace(dim=3, norm=r)
    y[:5] = x[:5] + 1e-4

    def results():
        a, b = x.clone().requires_grad_(), y.clone().requires_grad_()
        d = space.cross(a, b)
        return d.detach(), *torch.autograd.grad(d.square().sum(), (a, b))

    want = results()
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(results(), want, rtol=1e-6, atol=1e-7)
    monkeypatch.setattr(_cross, "_AT_ONCE", 7)
    torch.testing.assert_close(results(), want, rtol=1e-6, atol=1e-6)
    torch.set_float32_matmul_precision("medium")
    try:
        torch.testing.assert_close(results(), want, rtol=1e-4, atol=1e-5)
    finally:
        torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(dtype):
    x, y, space = noise(4, 3).to(dtype), noise(5, 3, seed=1).to(dtype), UniformSpace(dim=3, norm=4)
    assert torch.equal(space.base_distance(x[:, None], y), space.base_distance(x[:, None].float(), y.float()))
    assert torch.equal(space.cross(x, y), space.cross(x.float(), y.float()))
    assert torch.equal(space.topk(x, y, 2)[0], space.topk(x.float(), y.float(), 2)[0])


def nearest(queries, x, r, n, exclude):
    """Rows by (distance, row) in fractions; -1 where none is left."""
    rows = []
    for q, gone in zip(queries.tolist(), exclude, strict=True):
        left = [j for j in range(len(x)) if j not in gone]
        left.sort(key=lambda j: (oracles.order_key(q, x[j].tolist(), r), j))
        rows.append((left + [-1] * n)[:n])
    return rows


@some
@given(points(24, st.integers(-4, 4).map(lambda i: i / 4), 3), st.sampled_from([1, 2, 4, 6, 8, INF]), st.data())
def test_topk_is_brute_force_with_ties_exclusions_and_any_chunk(x, r, data):
    queries, n = x[::5], data.draw(st.integers(1, 24))
    exclude = data.draw(st.lists(st.lists(st.integers(0, 23), max_size=24), min_size=5, max_size=5))
    chunk = data.draw(st.integers(1, 150))
    gone = [torch.tensor(rows, dtype=torch.int64) for rows in exclude]
    distance, row = space_of(x, r).topk(queries.float(), x.float(), n, exclude=gone, chunk=chunk)
    assert row.tolist() == nearest(queries, x, r, n, exclude)
    assert torch.equal(row == -1, distance.isinf())
    there = row >= 0
    again = space_of(x, r).base_distance(queries[:, None], x[row.clamp(min=0)])
    torch.testing.assert_close(distance[there], again.float()[there])


@pytest.mark.parametrize("r", [1, 2, 4, 8, INF])
@pytest.mark.parametrize("spread", [1e-6, 1e-4, 1e-2])
def test_topk_tells_apart_what_rounding_blurs(r, spread):
    x = 0.7 + spread * noise(150, 3)
    queries = torch.cat([x[:2], 0.7 + spread * noise(2, 3, seed=1), -noise(2, 3, seed=2).abs()])
    for chunk in (40, 1 << 22):
        row = UniformSpace(dim=3, norm=r).topk(queries, x, 12, chunk=chunk)[1]
        assert row.tolist() == nearest(queries, x, r, 12, [[]] * 6)


def test_what_is_refused_and_what_is_empty():
    space, x = UniformSpace(dim=2), noise(3, 2)
    assert [t.shape for t in space.topk(x, x[:0], 2)] == [(3, 0), (3, 0)]
    assert [t.shape for t in space.topk(x[:0], x, 2)] == [(0, 2), (0, 2)]
    assert not space.topk(x.requires_grad_(), x, 1)[0].requires_grad
    for n in (0, 4):
        with pytest.raises(ConfigError, match=f"n = {n}: between 1 and the 3 points"):
            space.topk(x, x, n)
    with pytest.raises(ConfigError, match="chunk = 0"):
        space.topk(x, x, 1, chunk=0)
    with pytest.raises(ConfigError, match="each of the 3 queries expected, got 1"):
        space.topk(x, x, 1, exclude=[torch.tensor([0])])
    for wrong in (-1, 3):
        with pytest.raises(ConfigError, match="rows between 0 and 2"):
            space.topk(x, x, 1, exclude=[torch.tensor([wrong])] * 3)
    for call in (space.distance, space.cross, space.cross_distance, lambda x, y: space.topk(x, y, 1)):
        with pytest.raises(SpaceError, match="points of 3 axes in a space of 2"):
            call(noise(4, 3), noise(4, 3))


def test_norms_and_diameters():
    for norm in (0.5, -1, math.nan):
        with pytest.raises(ConfigError, match="a number >= 1 or inf expected"):
            UniformSpace(norm=norm)
    for box, side in (("tanh", 2.0), ("sigmoid", 1.0)):
        space = UniformSpace(dim=7, norm=3, box=box)
        corners = torch.full((2, 7), space.low), torch.full((2, 7), space.high)
        assert space.base_distance(*corners).tolist() == pytest.approx([side] * 2)
        assert space.diameter == side
