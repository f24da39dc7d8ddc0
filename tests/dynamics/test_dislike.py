"""Dislikes: against dense integration, against sampling in many axes, and what must never happen."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from penchant.dynamics.belief import Belief, Dynamics
from penchant.dynamics.dislike import Neck, update_dislike, update_ignored, update_like_logistic
from penchant.errors import ConfigError, SpaceError

FREE = Dynamics(low=-9.0, high=9.0)
NORMS = [1.0, 1.5, 2.0, 4.0, math.inf]


def distance(x: np.ndarray, e: np.ndarray, r: float) -> np.ndarray:
    size = np.abs(x - e)
    return size.max(-1) if math.isinf(r) else (size**r).mean(-1) ** (1 / r)


def moments(x: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    share = share / share.sum()
    mean = share @ x
    return mean, share @ (x - mean) ** 2


def some(rng: int, k: int) -> tuple[Belief, np.ndarray, float, float]:
    g = np.random.default_rng(rng)
    belief = Belief(g.uniform(-0.7, 0.7, k), g.uniform(0.01, 0.15, k), 3.0)
    return belief, g.uniform(-0.7, 0.7, k), float(g.uniform(0.2, 0.6)), float(g.uniform(3, 15))


@pytest.mark.parametrize("norm", NORMS)
@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([1.0, 0.3]), st.booleans())
def test_in_two_axes_it_is_the_dense_integral(norm, rng, weight, liked) -> None:
    belief, item, threshold, slope = some(rng, 2)
    axis = np.linspace(-6, 6, 201)
    z = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    x = belief.mean + np.sqrt(belief.variance) * z
    sign = 1 if liked else -1
    likelihood = expit(sign * slope * (threshold - distance(x, item, norm))) ** weight
    mean, variance = moments(x, np.exp(-(z**2).sum(1) / 2) * likelihood)
    update = update_like_logistic if liked else update_dislike
    found = update(belief, item, Neck(threshold, slope, norm), FREE, weight)
    assert (np.abs(found.mean - mean) / np.sqrt(variance)).max() < 0.01
    assert np.abs(found.variance / variance - 1).max() < 0.01
    assert found.time == 3.0


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("k", [1, 3, 8, 32])
def test_in_many_axes_it_is_what_sampling_gives(norm, k) -> None:
    belief, item, _, slope = some(k, k)
    z = np.random.default_rng(0).standard_normal((50_000, k))
    x = belief.mean + np.sqrt(belief.variance) * np.concatenate([z, -z])
    away = distance(x, item, norm)
    threshold = float(np.median(away))  # where a dislike tells most
    mean, variance = moments(x, expit(slope * (away - threshold)))
    found = update_dislike(belief, item, Neck(threshold, slope, norm), FREE)
    assert (np.abs(found.mean - mean) / np.sqrt(variance)).max() < 0.035
    assert np.abs(found.variance / variance - 1).max() < 0.05
    assert np.abs(found.mean - belief.mean).max() > 0  # it does something


@given(st.integers(0, 10**6), st.sampled_from(NORMS), st.integers(1, 9), st.floats(-3, 3), st.floats(-8, 1))
def test_variances_stay_positive_and_means_in_the_box(rng, norm, k, log_slope, log_variance) -> None:
    belief, item, threshold, _ = some(rng, k)
    belief = belief._replace(variance=np.full(k, 10.0**log_variance))
    neck = Neck(threshold, 10.0**log_slope, norm)
    for update in (update_dislike, update_ignored, update_like_logistic):
        moved = belief
        for _ in range(3):
            moved = update(moved, item, neck, Dynamics())
            assert (moved.variance > 0).all()
            assert np.isfinite(moved.variance).all()
            assert (np.abs(moved.mean) <= 1).all()


@pytest.mark.parametrize("norm", NORMS)
def test_a_dislike_pushes_away_and_an_ignored_impression_less(norm) -> None:
    belief, item = Belief(np.array([0.2, 0.1, 0.0]), np.full(3, 0.05), 0.0), np.array([0.0, 0.0, 0.0])
    neck = Neck(0.3, 10.0, norm)
    before, strong, weak, toward = (
        distance(b.mean, item, norm)
        for b in (
            belief,
            update_dislike(belief, item, neck, FREE),
            update_ignored(belief, item, neck, FREE),
            update_like_logistic(belief, item, neck, FREE),
        )
    )
    assert toward < before < weak < strong


@pytest.mark.parametrize("norm", NORMS)
def test_a_belief_on_the_disliked_item_widens_where_it_is(norm) -> None:
    belief = Belief(np.full(4, 0.3), np.full(4, 0.04), 0.0)
    found = update_dislike(belief, belief.mean, Neck(0.2, 10.0, norm), FREE)
    np.testing.assert_allclose(found.mean, belief.mean, atol=1e-12)
    assert (found.variance > belief.variance).all()


@pytest.mark.parametrize("norm", NORMS)
def test_what_is_far_away_or_weightless_tells_nothing(norm) -> None:
    belief, neck = Belief(np.full(3, -0.9), np.full(3, 1e-3), 0.0), Neck(0.3, 30.0, norm)
    far = update_dislike(belief, np.full(3, 0.9), neck, FREE)
    np.testing.assert_allclose(far.mean, belief.mean, atol=1e-6)
    np.testing.assert_allclose(far.variance, belief.variance, rtol=1e-6)
    assert update_dislike(belief, belief.mean, neck, FREE, weight=0.0) is belief


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("k", [1, 2, 5])
def test_users_together_are_users_alone(norm, k) -> None:
    g = np.random.default_rng(1)
    mean, variance, items = g.uniform(-1, 1, (300, k)), g.uniform(0.01, 0.1, (300, k)), g.uniform(-1, 1, (300, k))
    neck, tensor = Neck(0.4, 8.0, norm), torch.as_tensor
    arrays = update_dislike(Belief(mean, variance, 0.0), items, neck, FREE)
    tensors = update_dislike(Belief(tensor(mean), tensor(variance), 0.0), tensor(items), neck, FREE)
    one_item = update_dislike(Belief(mean, variance, 0.0), items[0], neck, FREE)
    for j in (0, 7, 299):
        alone = update_dislike(Belief(mean[j], variance[j], 0.0), items[j], neck, FREE)
        for many in (arrays, tensors):
            np.testing.assert_allclose(np.asarray(many.mean[j]), alone.mean, atol=1e-9)
            np.testing.assert_allclose(np.asarray(many.variance[j]), alone.variance, atol=1e-9)
        same = update_dislike(Belief(mean[j], variance[j], 0.0), items[0], neck, FREE)
        np.testing.assert_allclose(one_item.mean[j], same.mean, atol=1e-9)
    nobody = update_dislike(Belief(mean[:0], variance[:0], 0.0), items[0], neck, FREE)
    assert nobody.mean.shape == (0, k)


def test_bad_necks_and_points_are_refused() -> None:
    for threshold, slope, norm in ((0.0, 1.0, 2.0), (0.3, math.inf, 2.0), (0.3, 1.0, 0.5)):
        with pytest.raises(ConfigError, match="threshold and slope above 0"):
            Neck(threshold, slope, norm)
    with pytest.raises(SpaceError, match="an item of 2 axes"):
        update_dislike(Belief(np.zeros(3), np.ones(3), 0.0), np.zeros(2), Neck(0.3, 9.0), FREE)
