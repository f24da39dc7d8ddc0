"""Necks against their formulas in plain loops, and what each is known for."""

import math
from functools import partial

import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.losses import KINDS, capped, hinge, literal, logistic, weighted_mean

rows = st.lists(st.tuples(st.floats(0, 2), st.booleans(), st.floats(0.01, 5)), min_size=1, max_size=12)
some = settings(max_examples=60, deadline=None)


def columns(given_rows):
    """Distances, labels and weights, float64."""
    return torch.tensor([[d, y, w] for d, y, w in given_rows], dtype=torch.float64).unbind(1)


def slope(neck, d):
    """Value and gradient by the distances."""
    d = d.clone().requires_grad_()
    value = neck(d)
    return value.detach(), torch.autograd.grad(value, d)[0]


OPTIONS = {
    "hinge": {"threshold": 0.7, "margin": 0.2},
    "logistic": {"threshold": 0.7, "scale": 5.0},
    "capped": {"cap": 0.9},
    "literal": {"margin": 0.6},
}

FORMULAS = {
    "hinge": lambda d, y: max(0.0, 0.2 + y * (d - 0.7)),
    "logistic": lambda d, y: math.log(1 + math.exp(5.0 * y * (d - 0.7))),
    "capped": lambda d, y: y * min(0.9, d),
    "literal": lambda d, y: max(0.0, 0.6 + (y * d - 0.5)),
}


@some
@given(rows, st.sampled_from(sorted(KINDS)), st.booleans())
def test_each_neck_is_the_weighted_mean_of_its_formula(given_rows, name, weighted):
    d, liked, weight = columns(given_rows)
    each = [FORMULAS[name](a, 1 if y else -1) for a, y, _ in given_rows]
    scales = [w if weighted else 1.0 for *_, w in given_rows]
    want = sum(a * w for a, w in zip(each, scales, strict=True)) / sum(scales)
    got = KINDS[name](d, liked, weight=weight if weighted else None, **OPTIONS[name])
    assert float(got) == pytest.approx(want, rel=1e-9, abs=1e-12)


@some
@given(rows, st.floats(0.1, 1.5), st.floats(0, 1))
def test_for_disliked_pairs_the_hinge_is_what_the_cap_leaves(given_rows, threshold, share):
    """a − min(a, d) with a = p + λ, in value and gradient: the uniform metric, trained."""
    d, _, weight = columns(given_rows)
    margin = share * threshold * 0.99
    cap, no = threshold + margin, torch.zeros_like(d)
    weight = weight.where((d - cap).abs() > 1e-9, 0.0)  # at the kink each side's slope is a gradient
    if not weight.any():
        return
    got = slope(lambda d: hinge(d, no, threshold=threshold, margin=margin, weight=weight), d)
    want = slope(lambda d: cap + capped(d, no, cap=cap, weight=weight), d)
    torch.testing.assert_close(got, want)


def test_for_liked_pairs_the_hinge_pulls_from_beyond_the_cap_where_the_cap_does_not():
    d, yes = torch.tensor([0.5, 0.9, 1.9]), torch.ones(3)
    assert slope(partial(hinge, liked=yes, threshold=0.7, margin=0.1), d)[1].tolist() == pytest.approx(
        [0, 1 / 3, 1 / 3]
    )
    assert slope(partial(capped, liked=yes, cap=0.8), d)[1].tolist() == pytest.approx([1 / 3, 0, 0])


@some
@given(rows, st.floats(0.1, 1.5), st.floats(0.1, 20))
def test_the_logistic_neck_is_the_cross_entropy_of_its_probability(given_rows, threshold, scale):
    d, liked, weight = columns(given_rows)
    p, tau = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (threshold, scale))
    value = logistic(d, liked, threshold=p, scale=tau, weight=weight)

    def entropy(options):
        """−Σ w·log P(label) / Σ w with P(liked) = σ(τ(p − d)), P(disliked) = σ(τ(d − p))."""
        logits = [options[1] * (options[0] - a) * (1 if y else -1) for a, y, _ in given_rows]
        surprise = [-w * math.log(1 / (1 + math.exp(-z))) for z, (*_, w) in zip(logits, given_rows, strict=True)]
        return sum(surprise) / float(weight.sum())

    assert float(value.detach()) == pytest.approx(entropy([threshold, scale]), rel=1e-7, abs=1e-9)
    gradients = [float(g) for g in torch.autograd.grad(value, (p, tau))]
    assert gradients == pytest.approx(oracles.slopes(entropy, [threshold, scale]), rel=1e-4, abs=1e-6)


def test_the_logistic_neck_neither_overflows_nor_dies():
    d = torch.tensor([0.0, 2.0])
    for liked in (torch.ones(2), torch.zeros(2)):
        value, gradient = slope(partial(logistic, liked=liked, threshold=1.0, scale=1e4), d)
        assert float(value) == pytest.approx(1e4 / 2)
        assert gradient.abs().max() == 1e4 / 2


def test_no_margin_of_the_literal_neck_serves_both_labels():
    d = torch.linspace(0, 2, 50)
    for margin in (0.0, 0.3, 0.5):
        value, gradient = slope(partial(literal, liked=torch.zeros(50), margin=margin), d)
        assert (value, gradient.abs().max()) == (0, 0), "up to ½, disliked pairs cost nothing"
    _, gradient = slope(partial(literal, liked=torch.ones(50), margin=0.6), d)
    assert (gradient > 0).all(), "beyond it, liked pairs are never near enough"


def test_nothing_to_weigh_is_zero_with_a_finite_gradient():
    for each, weight in ((torch.ones(0), None), (torch.ones(0), torch.ones(0)), (torch.ones(3), torch.zeros(3))):
        each.requires_grad_()
        value = weighted_mean(each, weight)
        assert float(value.detach()) == 0
        assert (torch.autograd.grad(value, each)[0] == 0).all()
