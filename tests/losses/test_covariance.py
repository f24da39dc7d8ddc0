"""Terms on the cloud of points, against double loops and clouds whose covariance is known."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.losses import covariance, covariance_literal, variance_floor

clouds = st.integers(1, 4).flatmap(
    lambda k: st.lists(st.lists(st.floats(-1, 1), min_size=k, max_size=k), min_size=1, max_size=8)
)
some = settings(max_examples=60, deadline=None)

SIGNS = torch.tensor([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=torch.float64)
"""Three axes that have nothing to do with each other, of variance 1."""


def matrix(x):
    """C_ij = mean of the products of what is left of the means."""
    n, k = len(x), len(x[0])
    mean = [sum(row[j] for row in x) / n for j in range(k)]
    return [[sum((row[i] - mean[i]) * (row[j] - mean[j]) for row in x) / n for j in range(k)] for i in range(k)]


@some
@given(clouds)
def test_both_forms_are_what_is_written(x):
    c, points = matrix(x), torch.tensor(x, dtype=torch.float64)
    axes = range(len(c))
    off = sum(c[i][j] ** 2 for i in axes for j in axes if i != j)
    on = sum(c[i][i] ** 2 for i in axes)
    assert float(covariance(points)) == pytest.approx(off / len(x), rel=1e-9, abs=1e-15)
    printed = (math.sqrt(off + on) - on) / len(x)
    assert float(covariance_literal(points)) == pytest.approx(printed, rel=1e-9, abs=1e-12)


@some
@given(clouds, st.floats(0, 1))
def test_the_floor_is_a_hinge_on_each_standard_deviation(x, floor):
    c = matrix(x)
    want = sum(max(0.0, floor - math.sqrt(c[j][j] + 1e-6)) for j in range(len(c))) / len(c)
    assert float(variance_floor(torch.tensor(x, dtype=torch.float64), floor)) == pytest.approx(want, abs=1e-9)


def test_only_the_right_form_is_zero_for_decorrelated_axes_and_indifferent_to_their_variance():
    stretched = SIGNS * torch.tensor([0.1, 0.5, 0.9])
    assert (covariance(SIGNS), covariance(stretched + 7)) == (0, pytest.approx(0, abs=1e-12))
    assert float(covariance_literal(SIGNS)) == pytest.approx((math.sqrt(3) - 3) / 4)
    assert covariance_literal(SIGNS * 2) < covariance_literal(SIGNS), "as printed, it rewards inflation"
    same = SIGNS[:, :1].expand(4, 3)
    assert float(covariance(same)) == pytest.approx(6 / 4), "three equal axes of variance 1: six ones off the diagonal"


@pytest.mark.parametrize("term", [covariance, covariance_literal, lambda x: variance_floor(x, 0.5)])
def test_following_the_gradient_lowers_it_and_a_collapsed_cloud_breaks_nothing(term):
    x = (0.1 * torch.randn(30, 4, generator=torch.Generator().manual_seed(0))).cumsum(1).requires_grad_()
    value = term(x)
    step = torch.autograd.grad(value, x)[0]
    assert term(x - 0.1 * step) < value
    point = torch.full((5, 3), 0.3, requires_grad=True)
    assert torch.isfinite(torch.autograd.grad(term(point), point)[0]).all()


def test_the_floor_pushes_what_is_narrow_apart_and_leaves_what_is_wide():
    x = (SIGNS * torch.tensor([0.05, 0.3, 0.9])).requires_grad_()
    push = -torch.autograd.grad(variance_floor(x, 0.2), x)[0]
    assert (push[:, 0] * x[:, 0] > 0).all()
    assert (push[:, 1:] == 0).all()
