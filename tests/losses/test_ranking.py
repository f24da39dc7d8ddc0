"""Ranking necks against their formulas in plain loops, gradients against differences, samples against the whole."""

import math

import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.losses import RANKING, bpr, softmax, warp

some = settings(max_examples=50, deadline=None)
sizes = st.tuples(st.integers(1, 5), st.integers(0, 6), st.integers(0, 10**6))
SCALE, MARGIN = 5.0, 0.2


def case(size):
    """Distances of liked items and of others, a mask, log chances and weights, float64."""
    b, c, seed = size
    g = torch.Generator().manual_seed(seed)
    chance = torch.rand(4, b, c + 1, generator=g, dtype=torch.float64)
    liked, others = 2 * chance[0, :, 0], 2 * chance[1, :, :c]
    return liked, others, chance[2, :, :c] < 0.3, chance[3, 0, :c].clamp(min=0.05).log(), chance[3, :, -1] + 0.1


def plain(name, d, others, chances):
    """One pair, of candidates that are not masked."""
    if name == "softmax":
        rest = sum(math.exp(-SCALE * o) / q for o, q in zip(others, chances, strict=True))
        return -math.log(math.exp(-SCALE * d) / (math.exp(-SCALE * d) + rest))
    if not others:
        return 0.0
    if name == "bpr":
        return sum(-math.log(1 / (1 + math.exp(-SCALE * (o - d)))) for o in others) / len(others)
    rank = sum(1 / q for o, q in zip(others, chances, strict=True) if o < d + MARGIN)
    return math.log(1 + rank) * max(0.0, MARGIN + d - min(others))


def options(name, log_q):
    own = {"margin": MARGIN} if name == "warp" else {"scale": SCALE}
    return own if name == "bpr" else {**own, "log_q": log_q}


@some
@given(sizes, st.sampled_from(sorted(RANKING)), st.booleans(), st.booleans())
def test_each_neck_is_the_weighted_mean_of_its_formula(size, name, weighted, sampled):
    liked, others, masked, log_q, weight = case(size)
    total = mass = 0.0
    for j in range(len(liked)):
        free = [k for k in range(others.shape[1]) if not masked[j, k]]
        chances = [math.exp(float(log_q[k])) if sampled and name != "bpr" else 1.0 for k in free]
        w = float(weight[j]) if weighted else 1.0
        total += w * plain(name, float(liked[j]), [float(others[j, k]) for k in free], chances)
        mass += w
    got = RANKING[name](
        liked, others, masked=masked, weight=weight if weighted else None, **options(name, log_q if sampled else None)
    )
    assert float(got) == pytest.approx(total / mass, rel=1e-9, abs=1e-12)


@some
@given(st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(0, 10**6)), st.sampled_from(["softmax", "bpr"]))
def test_gradients_are_those_of_the_formula_also_by_the_scale(size, name):
    liked, others, masked, _, _ = case(size)
    b, c = others.shape
    flat = [SCALE, *liked.tolist(), *others.flatten().tolist()]

    def value(numbers, grad=False):
        x = torch.tensor(list(numbers), dtype=torch.float64, requires_grad=grad)
        out = RANKING[name](x[1 : b + 1], x[b + 1 :].view(b, c), scale=x[0], masked=masked)
        return (x, out) if grad else float(out)

    x, out = value(flat, grad=True)
    got = torch.autograd.grad(out, x)[0].tolist()
    assert got == pytest.approx(oracles.slopes(value, flat), rel=1e-4, abs=1e-6)


def test_warp_moves_the_liked_item_and_the_nearest_other_by_the_log_of_the_rank():
    liked, others = torch.tensor([0.5], requires_grad=True), torch.tensor([[0.9, 0.4, 0.55, 0.69]], requires_grad=True)
    value = warp(liked, others, margin=0.2)
    assert float(value.detach()) == pytest.approx(math.log(4) * 0.3)
    to_liked, to_others = torch.autograd.grad(value, (liked, others))
    assert to_liked.tolist() == pytest.approx([math.log(4)])
    assert to_others[0].tolist() == pytest.approx([0, -math.log(4), 0, 0])


def test_the_rank_is_the_share_of_impostors_times_the_catalogue():
    liked, others = torch.zeros(1), torch.tensor([[0.1, 0.3, 0.1, 0.5]])
    drawn = torch.full((4,), math.log(4 / 1000))
    assert float(warp(liked, others, margin=0.2, log_q=drawn)) == pytest.approx(math.log(1 + 500) * 0.1, rel=1e-5)


def test_of_the_whole_catalogue_the_softmax_is_the_multinomial_likelihood():
    d = torch.rand(6, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    own = torch.arange(6)
    want = torch.nn.functional.cross_entropy(-SCALE * d, own)
    mask = torch.nn.functional.one_hot(own, 9).bool()
    torch.testing.assert_close(softmax(d[own, own], d, scale=SCALE, masked=mask), want)


def test_with_log_q_the_gradient_of_samples_tends_to_that_of_the_catalogue():
    """And is nearer to it than without: the same draws, each candidate by itself with a chance of its own."""
    g = torch.Generator().manual_seed(0)
    n = 400
    d, liked = torch.rand(1, n, generator=g, dtype=torch.float64), torch.full((1,), 0.3, dtype=torch.float64)
    chance = torch.where(d[0] < 0.5, 0.5, 0.1).double()

    def slope(columns, log_q):
        x = d.clone().requires_grad_()
        value = softmax(liked, x[:, columns], scale=SCALE, log_q=log_q)
        return torch.autograd.grad(value, x)[0][0]

    whole = slope(torch.arange(n), None)
    right, wrong = torch.zeros(n), torch.zeros(n)
    for _ in range(600):
        columns = (torch.rand(n, generator=g) < chance).nonzero()[:, 0]
        right = right + slope(columns, chance[columns].log()) / 600
        wrong = wrong + slope(columns, None) / 600
    assert float((right - whole).norm() / whole.norm()) < 0.1
    assert float((right - whole).norm()) < 0.5 * float((wrong - whole).norm())
    assert float(right.sum()) == pytest.approx(float(whole.sum()), rel=0.02)


def test_large_scales_neither_overflow_nor_die():
    liked, others = torch.tensor([2.0, 0.0], requires_grad=True), torch.tensor([[0.0], [2.0]])
    for neck in (softmax, bpr):
        value = neck(liked, others, scale=1e4)
        assert float(value.detach()) == pytest.approx(1e4)
        assert torch.autograd.grad(value, liked)[0].tolist() == pytest.approx([1e4 / 2, 0])
