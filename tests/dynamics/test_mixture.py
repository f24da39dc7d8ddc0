"""Several interests: born, merged, faded, bounded; one alone is the filter."""

import numpy as np
import pytest
from gaussians import some_dynamics, some_history
from hypothesis import given
from hypothesis import strategies as st

from penchant.dynamics.belief import Dynamics, begin
from penchant.dynamics.kalman import observe_like
from penchant.dynamics.mixture import (
    Interests,
    InterestsOptions,
    begin_interests,
    observe_interests,
    predict_interests,
)
from penchant.errors import ConfigError

TIGHT = Dynamics(process=1e-4, observation=0.01, prior=0.2)


def run(anchor: np.ndarray, items: np.ndarray, options: InterestsOptions, dynamics: Dynamics = TIGHT) -> Interests:
    interests = begin_interests(anchor, dynamics, 0.0)
    for day, item in enumerate(items):
        interests = observe_interests(interests, float(day), item, anchor, dynamics, options)
    return interests


@given(st.integers(0, 10**6))
def test_one_interest_is_the_filter(rng) -> None:
    anchor, time, items = some_history(rng)
    dynamics, options = some_dynamics(rng), InterestsOptions(most=1, birth=1e-300)
    interests, belief = begin_interests(anchor, dynamics, time[0]), begin(anchor, dynamics, time[0])
    for now, item in zip(time, items, strict=True):
        interests = observe_interests(interests, now, item, anchor, dynamics, options)
        belief = observe_like(belief, now, item, anchor, dynamics)
    np.testing.assert_allclose(interests.mean[0], belief.mean, atol=1e-9)
    np.testing.assert_allclose(interests.belief(0).variance, belief.variance, atol=1e-9)
    assert interests.weight.tolist() == [1.0]


@pytest.mark.parametrize("most", [1, 4])
def test_a_like_of_weight_two_counts_as_two_of_the_same(most) -> None:
    """One interest: exactly. Several: in the count, and nearly in the place (the second of two is shared out anew)."""
    anchor, _, items = some_history(5)
    dynamics, options = some_dynamics(5, step=0.0), InterestsOptions(most=most, birth=1e-300 if most == 1 else 0.1)
    twice, double = (begin_interests(anchor, dynamics, 0.0) for _ in range(2))
    for day, item in enumerate(items):
        double = observe_interests(double, day, item, anchor, dynamics, options, 2.0)
        for _ in range(2):
            twice = observe_interests(twice, day, item, anchor, dynamics, options)
    assert double.likes.sum() == pytest.approx(twice.likes.sum())
    np.testing.assert_allclose(double.mean, twice.mean, atol=1e-9 if most == 1 else 0.05)
    np.testing.assert_allclose(double.variance, twice.variance, rtol=1e-9 if most == 1 else 0.1)


def two_tastes(rng: int = 0) -> np.ndarray:
    g = np.random.default_rng(rng)
    centres = np.where(g.random(60) < 0.7, 1, -1)[:, None] * np.array([0.6, 0.6, -0.6])
    return centres + 0.1 * g.standard_normal((60, 3))


def test_two_tastes_become_two_interests_the_heavier_first() -> None:
    found = run(np.zeros(3), two_tastes(), InterestsOptions())
    assert len(found.likes) == 2
    np.testing.assert_allclose(found.mean, [[0.6, 0.6, -0.6], [-0.6, -0.6, 0.6]], atol=0.1)
    assert found.weight[0] == pytest.approx(0.7, abs=0.12)
    again = run(np.zeros(3), two_tastes(), InterestsOptions())
    assert all(np.array_equal(one, other) for one, other in zip(found, again, strict=True))


@given(st.integers(0, 10**6), st.integers(1, 5), st.floats(0, 3), st.floats(0.001, 50))
def test_whatever_comes_there_are_at_most_m_and_all_are_sound(rng, most, merge, birth) -> None:
    items = np.random.default_rng(rng).uniform(-1, 1, (30, 2))
    found = run(np.zeros(2), items, InterestsOptions(most=most, merge=merge, birth=birth, half_life=9.0))
    assert 1 <= len(found.likes) <= most
    assert (found.variance > 0).all()
    assert (np.abs(found.mean) <= 1).all()
    assert found.weight.sum() == pytest.approx(1)
    assert (np.diff(found.likes) <= 0).all()


def test_close_interests_merge_with_their_moments() -> None:
    anchor, item = np.array([0.0]), np.array([0.05])
    near = Interests(
        np.array([3.0, 1.0]), np.array([[0.0], [0.1]]), np.array([[0.02], [0.04]]), np.array([[0.0], [0.9]]), 0.0
    )
    found = observe_interests(near, 0.0, item, anchor, Dynamics(observation=1e9, prior=0.05, process=0.0))
    assert len(found.likes) == 1
    share = np.array([3.0, 1.0])
    assert found.likes == pytest.approx(5.0)
    assert found.mean[0, 0] == pytest.approx(0.025, abs=0.02)
    between = (share / 4 @ (near.mean[:, 0] - 0.025) ** 2) + share / 4 @ near.variance[:, 0]
    assert found.variance[0, 0] == pytest.approx(between, rel=0.05)
    assert found.anchor[0, 0] == 0.0


def test_what_is_not_liked_any_more_fades_away() -> None:
    options = InterestsOptions(half_life=5.0, least=0.05)
    old, new = np.tile([0.7, 0.7], (10, 1)), np.tile([-0.7, -0.7], (40, 1))
    found = run(np.zeros(2), np.concatenate([old, new]), options)
    assert len(found.likes) == 1
    assert (found.mean[0] < -0.5).all()


def test_time_fades_and_pulls_and_an_earlier_one_does_not() -> None:
    dynamics, options = Dynamics(half_life=10.0, process=0.01), InterestsOptions(half_life=10.0)
    one = begin_interests(np.array([0.5]), dynamics, 0.0, likes=4.0)._replace(mean=np.array([[0.9]]))
    later = predict_interests(one, 10.0, dynamics, options)
    assert later.likes[0] == pytest.approx(2.0)
    assert later.mean[0, 0] == pytest.approx(0.7)
    earlier = predict_interests(later, 3.0, dynamics, options)
    assert earlier.time == 10.0
    assert earlier.likes[0] == later.likes[0]
    assert earlier.mean[0, 0] == later.mean[0, 0]


@pytest.mark.parametrize("bad", [{"most": 0}, {"birth": 0.0}, {"merge": -1.0}, {"half_life": 0.0}, {"least": 0.5}])
def test_bad_options_are_refused(bad) -> None:
    with pytest.raises(ConfigError, match="most >= 1"):
        InterestsOptions(**bad)
