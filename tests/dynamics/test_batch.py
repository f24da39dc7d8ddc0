"""The posterior of all likes at once: the filter's without wandering, in any order."""

import numpy as np
import pytest
import torch
from gaussians import some_dynamics, some_history
from hypothesis import given
from hypothesis import strategies as st

from penchant.dynamics.batch import posterior, posteriors
from penchant.dynamics.belief import begin
from penchant.dynamics.kalman import observe_like
from penchant.errors import SpaceError

STILL = {"process": 0.0, "step": 0.0, "half_life": float("inf")}


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_it_is_the_filter_without_wandering_in_any_order(rng, random) -> None:
    anchor, time, items = some_history(rng)
    dynamics = some_dynamics(rng, **STILL)
    belief = begin(anchor, dynamics, 0.0)
    for now, item in zip(time, items, strict=True):
        belief = observe_like(belief, now, item, anchor, dynamics)
    order = list(range(len(items)))
    random.shuffle(order)
    found = posterior(anchor, items[order], dynamics, time=belief.time)
    np.testing.assert_allclose(found.mean, belief.mean, atol=1e-9)
    np.testing.assert_allclose(found.variance, belief.variance, atol=1e-9)
    assert found.time == belief.time


def test_many_users_and_weights() -> None:
    g = np.random.default_rng(0)
    dynamics, anchors, items = some_dynamics(1, **STILL), g.uniform(-1, 1, (4, 3)), g.uniform(-1, 1, (9, 3))
    user, weight, variance = np.array([3, 0, 0, 1, 3, 3, 0, 1, 1]), g.uniform(0, 2, 9), g.uniform(0.1, 0.2, (4, 3))
    arrays = posteriors(anchors, items, user, dynamics, weight=weight, variance=variance)
    t = torch.as_tensor
    tensors = posteriors(t(anchors), t(items), t(user), dynamics, weight=t(weight), variance=t(variance))
    for j in range(4):
        own = user == j
        alone = posterior(anchors[j], items[own], dynamics, weight=weight[own], variance=variance[j])
        for many in (arrays, tensors):
            np.testing.assert_allclose(np.asarray(many.mean[j]), alone.mean, atol=1e-12)
            np.testing.assert_allclose(np.asarray(many.variance[j]), alone.variance, atol=1e-12)
    np.testing.assert_allclose(arrays.mean[2], anchors[2])  # no like: the prior
    np.testing.assert_allclose(arrays.variance[2], variance[2])


def test_no_like_is_the_prior_and_other_axes_are_refused() -> None:
    dynamics = some_dynamics(2, **STILL)
    prior = posterior(np.array([0.1, 0.2, 0.3]), np.zeros((0, 3)), dynamics)
    assert prior.mean == pytest.approx([0.1, 0.2, 0.3])
    assert prior.variance == pytest.approx(dynamics.prior)
    with pytest.raises(SpaceError, match="items of 2 axes"):
        posterior(np.zeros(3), np.zeros((1, 2)), dynamics)
