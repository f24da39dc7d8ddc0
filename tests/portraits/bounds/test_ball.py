import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from penchant.portraits.bounds._ball import BallBoxes

norms = st.sampled_from([1.0, 1.05, 1.5, 2.0, 3.0, 4.0, 16.0, 200.0, math.inf])


@st.composite
def cut_balls(draw, *, around=True):
    """A few balls cut by boxes, centres at corners and outside among them, radii tiny and larger than the box."""
    k, p = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**30)))
    low, high = -torch.ones(p, k, dtype=torch.float64), torch.ones(p, k, dtype=torch.float64)
    centre = torch.rand(p, k, generator=generator, dtype=torch.float64) * 2 - 1
    corner = torch.rand(p, k, generator=generator) < draw(st.sampled_from([0.0, 0.5, 1.0]))
    centre = torch.where(corner, centre.sign(), centre)
    if not around:  # a box beside the centre
        middle = torch.rand(p, k, generator=generator, dtype=torch.float64) * 2 - 1
        low, high = torch.minimum(middle, middle.sign() * 0.2), torch.maximum(middle, middle.sign() * 0.2)
    reach = torch.full((p,), draw(st.sampled_from([1e-6, 0.01, 0.3, 1.0, 2.5, 50.0])), dtype=torch.float64)
    forms = torch.randn(p, 4, k, generator=generator, dtype=torch.float64)
    forms = forms * draw(st.sampled_from([1e-8, 1.0, 1e6])) * (torch.rand(forms.shape, generator=generator) < 0.8)
    return BallBoxes(centre, low, high, reach, draw(norms)), forms


def inside(sets: BallBoxes, points: torch.Tensor) -> torch.Tensor:
    radii = (points - sets.centre[:, None]) / sets.reach[:, None, None]  # in radii no power underflows
    length = torch.linalg.vector_norm(radii, sets.norm, dim=-1)
    within = (points >= sets.low[:, None]) & (points <= sets.high[:, None])
    return within.all(-1) & (length <= 1)


def scale_of(sets: BallBoxes, forms: torch.Tensor) -> torch.Tensor:
    return forms.abs().sum(-1) * (1 + sets.reach[:, None].clamp(max=10))


@settings(max_examples=200)
@given(cut_balls())
def test_the_bound_is_reached_by_a_point_of_the_set(case):
    sets, forms = case
    points = sets.maximiser(forms)
    size = scale_of(sets, forms)
    slack = 1e-9 * size + 1e-300
    rounded = (points - sets.centre[:, None]) * (1 - 1e-9) + sets.centre[:, None]
    assert inside(sets, rounded.clamp(-1, 1)).all()
    reached = (forms * points).sum(-1)
    assert (reached <= sets.maximum(forms) + slack).all()
    gap = (sets.maximum(forms) - reached) / (size + 1e-300)
    tolerance = 1e-6 if sets.norm == 1 or sets.norm >= 1.5 else 0.3  # near 1 the level is left before it is exact
    assert (gap <= tolerance * sets.reach[:, None].clamp(max=1) + 1e-9).all()


@settings(max_examples=200)
@given(st.booleans().flatmap(lambda around: cut_balls(around=around)))
def test_no_point_of_the_set_is_above_the_bound(case):
    sets, forms = case
    low, high = sets.around_box()
    generator = torch.Generator().manual_seed(0)
    shape = (len(low), 2000, low.shape[1])
    points = low[:, None] + (high - low)[:, None] * torch.rand(shape, generator=generator, dtype=torch.float64)
    corners = torch.rand(shape, generator=generator) < 0.3
    points = torch.where(corners, torch.where(points > (low + high)[:, None] / 2, high[:, None], low[:, None]), points)
    if not sets.empty.any():
        points = torch.cat([points, sets.maximiser(forms)], 1)
    there = inside(sets, points)
    assert not (there.any(1) & sets.empty).any(), "a set with a point in it is not empty"
    values = (forms[:, :, None] * points[:, None]).sum(-1).masked_fill(~there[:, None], -math.inf).amax(-1)
    assert (values <= sets.maximum(forms) + 1e-9 * scale_of(sets, forms)).all()


@settings(max_examples=30)
@given(cut_balls(around=False))
def test_boxes_beside_the_centre_are_bounded_as_a_solver_says(case):
    sets, forms = case
    if sets.norm not in (1.5, 2.0, 3.0, 4.0) or sets.empty.any() or sets.reach[0] < 0.01:
        return
    for i, j in [(0, 0), (len(forms) - 1, 3)]:
        e, w = sets.centre[i].numpy(), forms[i, j].numpy() / max(1e-30, float(forms[i, j].abs().max()))
        low, high, r, reach = sets.low[i].numpy(), sets.high[i].numpy(), sets.norm, float(sets.reach[i])
        inner = {"type": "ineq", "fun": lambda z, e=e, r=r, reach=reach: 1 - np.sum((np.abs(z - e) / reach) ** r)}
        start = np.clip(e, low, high)
        best = minimize(lambda z, w=w: -w @ z, start, bounds=list(zip(low, high, strict=True)), constraints=[inner])
        bound = float(sets.maximum(torch.tensor(w)[None, None].expand(len(forms), 1, -1))[i, 0])
        assert bound >= w @ start - 1e-9
        if best.success and inner["fun"](best.x) > -1e-6:
            assert bound == pytest.approx(-best.fun, abs=2e-3)


def test_the_one_norm_is_a_linear_program():
    generator = np.random.default_rng(3)
    for _ in range(20):
        k, reach = 5, generator.choice([0.2, 1.0, 3.0])
        e, w = generator.uniform(-1, 1, k), generator.normal(size=k)
        # z = e + a − b, Σ (a + b) ≤ reach, −1 ≤ z ≤ 1
        rows = np.block([[np.eye(k), -np.eye(k)], [-np.eye(k), np.eye(k)], [np.ones((1, 2 * k))]])
        limits = np.concatenate([1 - e, 1 + e, [reach]])
        best = linprog(np.concatenate([-w, w]), A_ub=rows, b_ub=limits, bounds=(0, None))
        one = torch.ones(1, k, dtype=torch.float64)
        sets = BallBoxes(torch.tensor(e)[None], -one, one, torch.tensor([reach]), 1.0)
        assert float(sets.maximum(torch.tensor(w)[None, None])) == pytest.approx(w @ e - best.fun, abs=1e-9)


@pytest.mark.parametrize("norm", [1.0, 1.2, 2.0, 4.0, math.inf])
def test_inside_the_box_it_is_the_dual_norm(norm):
    torch.manual_seed(0)
    e, forms = torch.rand(3, 7, dtype=torch.float64) - 0.5, torch.randn(3, 5, 7, dtype=torch.float64)
    one = torch.ones_like(e)
    dual = math.inf if norm == 1 else 1.0 if math.isinf(norm) else norm / (norm - 1)
    sets = BallBoxes(e, -one, one, torch.full((3,), 0.25, dtype=torch.float64), norm)
    want = (forms @ e[..., None])[..., 0] + 0.25 * torch.linalg.vector_norm(forms, dual, dim=-1)
    torch.testing.assert_close(sets.maximum(forms), want)
    torch.testing.assert_close(sets.maximum(forms[:1]), sets.maximum(forms[:1].expand(3, -1, -1)))


def test_empty_sets_reach_nowhere():
    one = torch.ones(1, 2, dtype=torch.float64)
    sets = BallBoxes(0 * one, 0.9 * one, one, torch.tensor([0.5], dtype=torch.float64), 2.0)
    assert sets.empty.tolist() == [True]
    assert sets.maximum(one[None]).item() == -math.inf
