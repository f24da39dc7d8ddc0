"""The filter equals a dense Gaussian solve; time composes; one user, NumPy and torch batches agree."""

import math

import numpy as np
import pytest
import torch
from gaussians import dense_posterior, some_dynamics, some_history
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from penchant.dynamics.belief import Belief, Dynamics, begin
from penchant.dynamics.kalman import log_likelihood, motion, observe_like, predict, update_like
from penchant.errors import SpaceError


def run(anchor, time, items, dynamics):
    belief = begin(anchor, dynamics, time[0])
    for now, item in zip(time, items, strict=True):
        belief = observe_like(belief, now, item, anchor, dynamics)
        yield belief


@given(st.integers(0, 10**6), st.booleans())
def test_the_filter_is_the_dense_posterior_of_what_it_has_seen(rng, pull) -> None:
    anchor, time, items = some_history(rng)
    dynamics = some_dynamics(rng, **{} if pull else {"half_life": math.inf})
    for t, belief in enumerate(run(anchor, time, items, dynamics), 1):
        mean, variance = dense_posterior(anchor, time[:t], items[:t], np.ones(t, bool), dynamics)
        np.testing.assert_allclose(belief.mean, mean[-1], rtol=0, atol=1e-9)
        np.testing.assert_allclose(belief.variance, variance[-1], rtol=0, atol=1e-9)
        assert belief.time == time[t - 1]


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.floats(0.1, 1e9))
def test_two_lapses_are_one(first, second, half_life) -> None:
    dynamics, anchor = Dynamics(process=0.01, half_life=half_life), np.array([0.3, -0.8])
    belief = Belief(np.array([-0.5, 0.9]), np.array([0.02, 0.2]), 10.0)
    at_once = predict(belief, 10 + first + second, anchor, dynamics)
    stepped = predict(predict(belief, 10 + first, anchor, dynamics), 10 + first + second, anchor, dynamics)
    np.testing.assert_allclose(at_once.mean, stepped.mean, atol=1e-9)
    np.testing.assert_allclose(at_once.variance, stepped.variance, rtol=1e-9)


def test_the_pull_halves_the_way_and_bounds_the_variance() -> None:
    dynamics, anchor = Dynamics(process=0.02, half_life=5.0), np.array([0.4])
    belief = Belief(np.array([-0.4]), np.array([0.001]), 0.0)
    assert predict(belief, 5.0, anchor, dynamics).mean == pytest.approx(0.0)
    assert predict(belief, 1e6, anchor, dynamics).variance == pytest.approx(0.02 * 5 / math.log(2) / 2)
    weak = motion(7.0, Dynamics(half_life=1e12))
    assert weak == pytest.approx(motion(7.0, Dynamics()), rel=1e-9)


def test_an_earlier_time_moves_nothing() -> None:
    dynamics, anchor = Dynamics(half_life=3.0), np.zeros((2, 2))
    one = Belief(np.array([0.1, 0.2]), np.array([0.3, 0.4]), 8.0)
    same = predict(one, 2.0, anchor[0], dynamics)
    assert (same.mean == one.mean).all()
    assert (same.variance == one.variance).all()
    assert same.time == 8.0
    many = predict(
        Belief(np.ones((2, 2)), np.ones((2, 2)), np.array([8.0, 1.0])), np.array([2.0, 2.0]), anchor, dynamics
    )
    assert many.time.tolist() == [8.0, 2.0]
    assert (many.mean[0] == 1).all()
    assert (many.mean[1] < 1).all()


@given(st.integers(0, 10**6))
def test_by_likes_alone_a_mean_stays_among_the_points(rng) -> None:
    anchor, time, items = some_history(rng)
    seen = np.vstack([anchor, items])
    for belief in run(anchor, time, items, some_dynamics(rng, gain=1.0, offset=0.0)):
        assert (belief.mean >= seen.min(0) - 1e-12).all()
        assert (belief.mean <= seen.max(0) + 1e-12).all()
        assert (belief.variance > 0).all()


def test_a_like_of_weight_three_is_three_likes() -> None:
    dynamics = some_dynamics(1)
    belief, item = begin(np.array([0.1, -0.5, 0.3]), dynamics, 0.0), np.array([0.7, 0.2, 0.9])
    thrice = belief
    for _ in range(3):
        thrice = update_like(thrice, item, dynamics)
    heavy = update_like(belief, item, dynamics, 3.0)
    np.testing.assert_allclose(heavy.mean, thrice.mean, atol=1e-12)
    np.testing.assert_allclose(heavy.variance, thrice.variance, atol=1e-12)
    rows = Belief(belief.mean[None], belief.variance[None], 0.0)
    assert (update_like(rows, item[None], dynamics, np.array([3.0])).mean == heavy.mean).all()


@pytest.mark.parametrize("half_life", [4.0, math.inf])
def test_users_together_are_users_alone(half_life) -> None:
    g = np.random.default_rng(0)
    anchors, time, items = g.uniform(-1, 1, (5, 3)), np.cumsum(g.uniform(0, 9, (5, 4)), 1), g.uniform(-1, 1, (5, 4, 3))
    dynamics = some_dynamics(2, half_life=half_life)
    alone = [list(run(a, t, e, dynamics))[-1] for a, t, e in zip(anchors, time, items, strict=True)]
    for make, tolerance in ((np.asarray, 0), (torch.as_tensor, 1e-15), (lambda x: torch.as_tensor(x).float(), 1e-6)):
        a, t, e = make(anchors), (np.asarray if make is np.asarray else torch.as_tensor)(time), make(items)
        belief = begin(a, dynamics, t[:, 0])
        for j in range(4):
            belief = observe_like(belief, t[:, j], e[:, j], a, dynamics)
        assert belief.mean.dtype == a.dtype
        np.testing.assert_allclose(np.asarray(belief.mean), [b.mean for b in alone], atol=tolerance + 1e-15)
        np.testing.assert_allclose(np.asarray(belief.variance), [b.variance for b in alone], atol=tolerance + 1e-15)
        assert list(belief.time) == [b.time for b in alone]


def test_how_expected_a_like_was_is_a_normal_density() -> None:
    dynamics, item = some_dynamics(3), np.array([0.2, -0.1, 0.4])
    belief = begin(np.array([0.1, -0.5, 0.3]), dynamics, 0.0)
    c, b, r = (np.array(x) for x in (dynamics.gain, dynamics.offset, dynamics.observation))
    want = norm.logpdf(item, c * belief.mean + b, np.sqrt(c**2 * belief.variance + r)).sum()
    assert log_likelihood(belief, item, dynamics) == pytest.approx(want)
    assert log_likelihood(belief, np.stack([item, item]), dynamics) == pytest.approx([want, want])


def test_points_of_another_dimension_are_refused() -> None:
    belief = begin(np.zeros(3), Dynamics(), 0.0)
    with pytest.raises(SpaceError, match="an item of 1 axes, an interest point of 3"):
        update_like(belief, np.zeros(1), Dynamics())
