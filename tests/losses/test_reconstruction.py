"""Reconstruction against loops over rows, fields and coordinates."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant._spec import Block, Layout
from penchant.losses import reconstruct

LAYOUT = Layout(
    (
        Block("age", "dense", 1, 1, "square"),
        Block("user_id", "code", 12, 0, "none"),
        Block("member", "dense", 1, 1, "binary"),
        Block("taste", "dense", 3, 3, "square"),
        Block("job", "code", 6, 4, "categorical"),
        Block("tags", "bag", 7, 5, "binary"),
    )
)
BLOCKS = [("square", 1), ("binary", 1), ("square", 3), ("categorical", 4), ("binary", 5)]
CHOICES = [(li, av) for li in ("mse", "cross_entropy") for av in ("coordinates", "blocks")]


def plain(decoded, vector, weight, likelihood, average):
    """The definition, a number at a time."""
    total = mass = 0.0
    for said, true, row_weight in zip(decoded, vector, weight, strict=True):
        start = 0
        for scored, width in BLOCKS:
            for j in range(start, start + width):
                q, v = said[j], true[j]
                if math.isnan(v):
                    continue
                if likelihood == "mse" or scored == "square":
                    error = (q - v) ** 2
                else:
                    error = -v * math.log(q) - (1 - v) * math.log(1 - q)
                counts = row_weight / (width if average == "blocks" else 1)
                total, mass = total + counts * error, mass + counts
            start += width
    return total / mass if mass else 0.0


def rows(n, seed, missing):
    """Decoded, portrait vectors with a share of missing values, and weights."""
    generator = torch.Generator().manual_seed(seed)
    chance = torch.rand(3, n, LAYOUT.width, generator=generator, dtype=torch.float64)
    vector = chance[1].where(chance[1] < 0.6, (chance[1] > 0.8).double()).masked_fill(chance[2] < missing, torch.nan)
    return 0.01 + 0.98 * chance[0], vector, 3 * chance[2, :, 0].clone()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 5),
    st.integers(0, 10**6),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.booleans(),
    st.sampled_from(CHOICES),
)
def test_it_is_the_mean_of_what_is_known(n, seed, missing, weighted, choice):
    decoded, vector, weight = rows(n, seed, missing)
    likelihood, average = choice
    decoded.requires_grad_()
    got = reconstruct(
        decoded, vector, LAYOUT, likelihood=likelihood, average=average, weight=weight if weighted else None
    )
    scales = weight.tolist() if weighted else [1.0] * n
    want = plain(decoded.tolist(), vector.tolist(), scales, likelihood, average)
    assert float(got.detach()) == pytest.approx(want, rel=1e-9, abs=1e-12)
    gradient = torch.autograd.grad(got, decoded)[0]
    assert torch.isfinite(gradient).all()
    assert (gradient[vector.isnan()] == 0).all(), "what is missing teaches nothing"


@pytest.mark.parametrize(("likelihood", "average"), CHOICES)
def test_it_is_least_at_the_truth(likelihood, average):
    _, vector, _ = rows(6, 0, 0.2)
    said = vector.nan_to_num(0.5).clamp(1e-3, 1 - 1e-3).requires_grad_()
    options = {"likelihood": likelihood, "average": average}
    value = reconstruct(said, vector, LAYOUT, **options)
    for seed in range(5):
        other = (said + 0.1 * torch.randn(said.shape, generator=torch.Generator().manual_seed(seed))).clamp(0.01, 0.99)
        assert reconstruct(other, vector, LAYOUT, **options) > value


def test_with_blocks_a_wide_field_weighs_as_much_as_a_number():
    vector = torch.zeros(1, LAYOUT.width)
    said = torch.zeros(1, LAYOUT.width)
    said[:, -5:] = 0.5  # the tags alone are wrong
    assert float(reconstruct(said, vector, LAYOUT, average="blocks")) == pytest.approx(0.25 / 5)
    assert float(reconstruct(said, vector, LAYOUT)) == pytest.approx(0.25 * 5 / 14)


def test_a_decoder_that_is_sure_and_wrong_costs_much_but_not_everything():
    vector, said = torch.ones(1, LAYOUT.width), torch.zeros(1, LAYOUT.width, requires_grad=True)
    value = reconstruct(said, vector, LAYOUT, likelihood="cross_entropy")
    assert 10 < float(value.detach()) < 1000


def test_a_side_of_which_nothing_is_portrayed_costs_nothing():
    ids = Layout((Block("user_id", "code", 12, 0, "none"),))
    for likelihood, average in CHOICES:
        assert (
            float(reconstruct(torch.zeros(4, 0), torch.zeros(4, 0), ids, likelihood=likelihood, average=average)) == 0
        )
