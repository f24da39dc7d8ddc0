"""Balls, boxes and what they share, against lattices; points drawn, against rejection and closed forms."""

import itertools
import math

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from penchant.errors import ConfigError, SpaceError
from penchant.spaces import Ball, Box, UniformSpace, intersection

INF = math.inf
NORMS = [1, 1.5, 2, 4, 20, INF]
LATTICE = torch.tensor(list(itertools.product([i / 8 for i in range(-9, 10)], repeat=2)))
eighths = st.integers(-8, 8).map(lambda i: i / 8)
balls = st.tuples(eighths, eighths, st.integers(1, 10).map(lambda i: i / 8))


def ball(centre, radius, norm, box="tanh", dtype=torch.float32):
    return Ball(UniformSpace(dim=len(centre), norm=norm, box=box), torch.tensor(centre, dtype=dtype), radius)


def seed(n: int = 0):
    return torch.Generator().manual_seed(n)


@settings(max_examples=40, deadline=None)
@given(balls, st.sampled_from(NORMS), st.sampled_from(["tanh", "sigmoid"]))
def test_a_ball_holds_what_is_within_its_radius_and_in_the_space(given_ball, norm, box):
    *centre, radius = given_ball
    b = ball(centre, radius, norm, box)
    inside, bounds = b.contains(LATTICE), b.bounds()
    for x, got in zip(LATTICE.tolist(), inside.tolist(), strict=True):
        d = oracles.distance(x, centre, norm)
        if math.isinf(norm) or abs(d - radius) > 1e-6:
            assert got == (d <= radius and all(b.space.low <= a <= 1 for a in x))
    assert bounds.contains(LATTICE[inside]).all()
    assert not inside.any() or not b.empty
    if math.isinf(norm):
        assert torch.equal(bounds.contains(LATTICE), inside), "under the sup norm they are one"


@pytest.mark.parametrize("norm", NORMS)
def test_the_bounds_are_touched(norm):
    b = ball([0.1, -0.2, 0.3], 0.2, norm, dtype=torch.float64)
    step = b.reach * torch.eye(3, dtype=torch.float64)
    for sign in (-1, 1):
        assert b.contains(b.centre + sign * step * (1 - 1e-9)).all()
        assert not b.contains(b.centre + sign * step * (1 + 1e-9)).any()
    assert torch.allclose(b.bounds().low, b.centre - b.reach)
    assert torch.allclose(b.bounds().high, b.centre + b.reach)
    cut = ball([0.9, -0.9], 0.6, norm).bounds()
    assert (cut.high[0], cut.low[1]) == (1, -1), "cut to the space"


def test_a_ball_outside_the_space_is_empty_or_touches_it():
    assert ball([1.5, 0.0], 0.25, INF).empty
    touching = ball([1.5, 0.0], 0.5, INF)
    assert not touching.empty
    assert (touching.sample(5, seed())[:, 0] == 1).all()
    with pytest.raises(SpaceError, match="no point of the space"):
        ball([1.5, 0.0], 0.25, INF).sample(1, seed())
    for radius in (0.1000000238, 0.1000000239, 0.10000003):  # around 1.1 - 1 in float32: one opinion
        near = ball([1.1], radius, INF)
        assert near.empty != bool(near.contains(torch.ones(1)))


def test_a_box_holds_its_edges():
    box = Box(torch.tensor([0.0, -1.0]), torch.tensor([0.5, 1.0]))
    assert box.contains(torch.tensor([[0.0, -1.0], [0.5, 1.0], [0.6, 0.0], [0.2, -1.1]])).tolist() == [1, 1, 0, 0]
    assert not box.empty
    assert Box(box.high, box.low).empty


@settings(max_examples=100, deadline=None)
@given(st.lists(balls, min_size=1, max_size=4))
def test_sup_norm_balls_meet_if_and_only_if_every_two_do(several):
    """Helly number 2; their corners are on the lattice, so the lattice tells whether they meet."""
    made = [ball(centre, radius, INF) for *centre, radius in several]
    shared = intersection(made)
    in_all = torch.stack([b.contains(LATTICE) for b in made]).all(0)
    assert shared.exact
    assert shared.empty == (not in_all.any())
    assert torch.equal(shared.contains(LATTICE), in_all)
    assert torch.equal(shared.box.contains(LATTICE), in_all)
    far = [
        made[i].space.base_distance(made[i].centre, made[j].centre) > made[i].radius + made[j].radius
        for i, j in itertools.combinations(range(len(made)), 2)
    ]
    assert shared.empty == any(far)


@settings(max_examples=40, deadline=None)
@given(st.lists(balls, min_size=1, max_size=3), st.sampled_from([1, 2, 4]))
def test_other_intersections_are_held_by_their_box_and_say_what_is_proved(several, norm):
    shared = intersection([ball(centre, radius, norm) for *centre, radius in several])
    inside = shared.contains(LATTICE)
    assert shared.box.contains(LATTICE[inside]).all()
    assert not shared.exact
    assert shared.empty in (True, None)
    assert shared.empty is None or not inside.any()


def test_balls_that_have_nothing_to_do_with_each_other_are_refused():
    with pytest.raises(SpaceError, match="no balls"):
        intersection([])
    one = ball([0.0], 0.5, 2)
    for other in (ball([0.0, 0.0], 0.5, 2), ball([0.0], 0.5, 4), ball([0.0], 0.5, 2, "sigmoid")):
        with pytest.raises(SpaceError, match="one space"):
            intersection([one, other])
    capped = Ball(UniformSpace(dim=1, norm=2, cap=0.7), one.centre, 0.1)
    assert intersection([one, capped]).empty is None, "the cap is of no matter"
    with pytest.raises(SpaceError, match="points of 2 axes"):
        Ball(UniformSpace(dim=3), torch.zeros(2), 0.5)
    for radius in (0, -1, math.nan, INF):
        with pytest.raises(ConfigError, match="a distance above 0"):
            ball([0.0], radius, 2)


def by_rejection(b: Ball, n: int) -> np.ndarray:
    """Uniform in the ball and the space: thrown into the box around it, kept if inside."""
    rng, centre, box = np.random.default_rng(1), b.centre.double().numpy(), b.bounds()
    x = rng.uniform(box.low.numpy(), box.high.numpy(), (40 * n, len(centre)))
    away = np.abs(x - centre) / b.radius
    kept = x[away.max(1) <= 1] if math.isinf(b.space.norm) else x[(away**b.space.norm).mean(1) <= 1]
    assert len(kept) >= n, "this oracle serves low dimensions"
    return kept[:n]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(
    ("centre", "radius"),
    [
        ([0.1, -0.2], 0.3),  # whole
        ([0.9, -0.8, 0.0], 0.4),  # cut on two sides
        ([0.0, 0.5], 0.9),  # the space is cut from it at the corners
        ([1.2, 0.3], 0.3),  # its centre outside
        ([1.3, -1.4, 0.1], 0.45),  # far outside on two axes
    ],
)
def test_points_are_drawn_uniformly_from_ball_and_space(norm, centre, radius):
    b = ball(centre, radius, norm, dtype=torch.float64)
    x = b.sample(2000, seed())
    assert x.shape == (2000, len(centre))
    assert b.contains(x).all()
    x, want = x.numpy(), by_rejection(b, 2000)
    for direction in np.vstack([np.eye(len(centre)), np.ones(len(centre)), np.arange(len(centre)) - 0.7]):
        assert stats.ks_2samp(x @ direction, want @ direction).pvalue > 1e-3
    edges = [np.linspace(want[:, j].min(), want[:, j].max(), 6) for j in (0, 1)]
    cells = np.stack([np.histogram2d(*p[:, :2].T, bins=edges)[0].ravel() for p in (x, want)])
    assert stats.chi2_contingency(cells[:, cells.sum(0) >= 10]).pvalue > 1e-3, "every part gets its share"


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("where", [0.0, 1.0])
def test_in_high_dimensions_the_radius_follows_its_law(norm, where):
    """(d / radius)^k is uniform in a whole ball, and in the 2^-k of it that a corner of the space leaves."""
    b = ball([where] * 32, 0.15, norm)
    x = b.sample(1000, seed())
    assert b.contains(x).all()
    share = (b.space.base_distance(x, b.centre).double() / b.radius) ** 32
    if b.reach <= 1 + where:
        assert stats.kstest(share.numpy(), "uniform").pvalue > 1e-3
    assert torch.corrcoef(x.T).fill_diagonal_(0).abs().max() < 0.2


@pytest.mark.parametrize("norm", [1, 1.5, 2, 4, 20])
@pytest.mark.parametrize("more", [1e-2, 1e-4, 1e-6])
def test_what_is_left_of_a_ball_that_hardly_reaches_the_space_is_found(norm, more):
    centre = torch.linspace(-1.5, 1.5, 32, dtype=torch.float64)
    space = UniformSpace(dim=32, norm=norm)
    b = Ball(space, centre, float(space.base_distance(centre.clamp(-1, 1), centre)) * (1 + more))
    assert b.contains(b.sample(50, seed())).all()


def test_draws_follow_their_generator_and_keep_the_dtype():
    b = ball([0.5, 0.9], 0.3, 4)
    assert torch.equal(b.sample(50, seed(3)), b.sample(50, seed(3)))
    assert not torch.equal(b.sample(50, seed(3)), b.sample(50, seed(4)))
    assert len(b.sample(500, seed()).unique(dim=0)) == 500
    for dtype in (torch.float16, torch.float32, torch.float64):
        x = ball([0.5, 0.9], 0.3, 4, dtype=dtype).sample(20, seed())
        assert x.dtype == dtype
    assert b.sample(0, seed()).shape == (0, 2)


def test_a_ball_finer_than_its_numbers_gives_up():
    """Of 32 axes one always rounds to the next number, 1/128 away; where the radius is far below, all to the centre."""
    centre = [0.75] * 32
    assert ball(centre, 1e-9, INF, dtype=torch.bfloat16).sample(5, seed()).shape == (5, 32)
    with pytest.raises(SpaceError, match="too small for points of torch"):
        ball(centre, 7.5e-3, INF, dtype=torch.bfloat16).sample(5, seed())
