"""The constants of the motion: the likelihood is that of a dense Gaussian, and true constants are found again."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from penchant.dynamics import Dynamics, Likes, fit_dynamics, fit_segments, marginal_log_likelihood
from penchant.errors import DataError

TRUE = Dynamics(process=0.02, observation=0.05, prior=0.1, half_life=8.0)


def histories(n_users=150, n_likes=30, k=2, rng=0, dynamics=TRUE):
    """Likes drawn from the model itself, with uneven times."""
    g = np.random.default_rng(rng)
    anchors = g.uniform(-0.5, 0.5, (n_users, k))
    rate, items, users, times = dynamics.rate, [], [], []
    for u in range(n_users):
        x, now = anchors[u] + g.normal(0, math.sqrt(dynamics.prior), k), 0.0
        for j in range(n_likes):
            if j:
                step = g.exponential(2.0)
                now += step
                decay = math.exp(-rate * step)
                spread = dynamics.process * ((1 - decay**2) / (2 * rate) if rate else step)
                x = anchors[u] + decay * (x - anchors[u]) + g.normal(0, math.sqrt(spread), k)
            items.append(x + g.normal(0, math.sqrt(dynamics.observation), k))
            users.append(u)
            times.append(now)
    order = g.permutation(len(users))
    return Likes(anchors, np.array(items)[order], np.array(users)[order], np.array(times)[order])


def test_the_marginal_likelihood_is_that_of_the_joint_gaussian():
    likes, total = histories(n_users=4, n_likes=6), 0.0
    for u in range(4):
        rows = np.flatnonzero(likes.user == u)
        rows = rows[np.argsort(likes.time[rows])]
        t, k = likes.time[rows] - likes.time[rows].min(), TRUE.rate
        stationary = TRUE.process / (2 * k)
        early, late = np.minimum(t[:, None], t), np.maximum(t[:, None], t)
        at_early = TRUE.prior * np.exp(-2 * k * early) + stationary * (1 - np.exp(-2 * k * early))
        cov = at_early * np.exp(-k * (late - early)) + TRUE.observation * np.eye(len(t))
        for axis in range(2):
            total += multivariate_normal(np.full(len(t), likes.anchors[u, axis]), cov).logpdf(likes.items[rows, axis])
    assert marginal_log_likelihood(likes, TRUE) == pytest.approx(total, rel=1e-9)


def test_true_constants_are_found_again():
    found = fit_dynamics(histories(), per_axis=False)
    assert found.observation == pytest.approx(0.05, rel=0.15)
    assert found.process == pytest.approx(0.02, rel=0.4)
    assert found.prior == pytest.approx(0.1, rel=0.4)
    assert found.half_life == pytest.approx(8.0, rel=0.5)


def test_what_was_fitted_is_likelier_on_other_users():
    found, others = fit_dynamics(histories(rng=1)), histories(rng=2)
    assert marginal_log_likelihood(others, found) > marginal_log_likelihood(others, Dynamics())


def test_gain_and_offset_are_found():
    likes = histories(n_users=200)
    shrunk = likes._replace(items=0.5 * likes.items + 0.2)
    found = fit_dynamics(shrunk, gain=True, pull=False)
    np.testing.assert_allclose(found.gain, 0.5, atol=0.1)
    np.testing.assert_allclose(found.offset, 0.2, atol=0.05)


def test_what_a_like_itself_moves_is_told_from_what_time_moves():
    likes = histories(n_users=300, dynamics=Dynamics(process=1e-6, observation=0.05, prior=0.1))
    g = np.random.default_rng(3)
    order = np.lexsort((likes.time, likes.user))
    moved = likes.items[order].copy()
    for user in range(300):
        rows = likes.user[order] == user
        moved[rows] += np.cumsum(g.normal(0, 0.1, (rows.sum(), 2)), 0)
    found = fit_dynamics(likes._replace(items=moved, user=likes.user[order], time=likes.time[order]), step=True,
                         pull=False, per_axis=False)  # fmt: skip
    assert found.step == pytest.approx(0.01, rel=0.15)
    assert found.process < 1e-3
    assert fit_dynamics(likes, iterations=2).step == 0


def test_segments_have_their_own_and_those_with_too_little_all_ones():
    likes = histories(n_users=60)
    few = np.zeros(60, np.int64)
    few[:30], few[59] = 1, 2
    kept = ~((likes.user == 59) & (likes.time > likes.time[likes.user == 59].min()))
    likes = Likes(likes.anchors, likes.items[kept], likes.user[kept], likes.time[kept])
    found = fit_segments(likes, few, iterations=5)
    assert set(found) == {0, 1, 2}
    assert found[0] != found[1]
    assert found[2] == fit_dynamics(likes, iterations=5)


def test_what_cannot_be_fitted_is_refused():
    likes = histories(n_users=3, n_likes=1)
    with pytest.raises(DataError):
        fit_dynamics(likes)
    bad = histories(n_users=3, n_likes=3)
    with pytest.raises(DataError):
        fit_dynamics(bad._replace(items=np.where(np.arange(9)[:, None] == 4, np.nan, bad.items)))
