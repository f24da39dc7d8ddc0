"""The smoother equals one dense solve of the joint Gaussian; padded users are users alone."""

import math

import numpy as np
import pytest
import torch
from gaussians import dense_posterior, some_dynamics, some_history
from hypothesis import given
from hypothesis import strategies as st

from penchant.dynamics.belief import Belief
from penchant.dynamics.smoothing import smooth
from penchant.errors import DataError


@given(st.integers(0, 10**6), st.booleans())
def test_the_smoother_is_the_dense_solve(rng, pull) -> None:
    anchor, time, items = some_history(rng)
    dynamics = some_dynamics(rng, **{} if pull else {"half_life": math.inf})
    seen = np.random.default_rng(rng).random(len(time)) < 0.7
    found = smooth(anchor, time, items, dynamics, seen=seen)
    mean, variance = dense_posterior(anchor, time, items, seen, dynamics)
    np.testing.assert_allclose(found.mean, mean, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.variance, variance, rtol=0, atol=1e-9)
    assert (found.variance <= found.filtered_variance + 1e-12).all()
    assert (found.mean[-1] == found.last().mean).all()
    assert found.last().time == time[-1]


def test_padded_users_together_are_users_alone() -> None:
    dynamics, histories = some_dynamics(5), [some_history(rng, t) for rng, t in ((1, 7), (2, 4), (3, 1))]
    time, items, seen = np.zeros((3, 7)), np.zeros((3, 7, 3)), np.zeros((3, 7), bool)
    for j, (_, t, e) in enumerate(histories):
        time[j], items[j, : len(t)], seen[j, : len(t)] = np.append(t, np.full(7 - len(t), t[-1])), e, True
    anchors = np.stack([a for a, *_ in histories])
    arrays = smooth(anchors, time, items, dynamics, seen=seen)
    tensors = smooth(*map(torch.as_tensor, (anchors, time, items)), dynamics, seen=torch.as_tensor(seen))
    for j, (a, t, e) in enumerate(histories):
        alone = smooth(a, t, e, dynamics)
        for part in ("mean", "variance", "filtered_mean", "filtered_variance"):
            want = getattr(alone, part)
            np.testing.assert_allclose(getattr(arrays, part)[j, : len(t)], want, atol=1e-12)
            np.testing.assert_allclose(getattr(tensors, part)[j, : len(t)].numpy(), want, atol=1e-12)


def test_it_starts_from_a_belief() -> None:
    anchor, time, items = some_history(4)
    dynamics = some_dynamics(4)
    whole = smooth(anchor, time, items, dynamics)
    first = Belief(whole.filtered_mean[2], whole.filtered_variance[2], time[2])
    rest = smooth(anchor, time[3:], items[3:], dynamics, start=first)
    np.testing.assert_allclose(rest.mean, whole.mean[3:], atol=1e-12)


@pytest.mark.parametrize("time", [[], [1.0, 0.5]])
def test_no_moment_and_falling_times_are_refused(time) -> None:
    with pytest.raises(DataError, match="rising times"):
        smooth(np.zeros(2), np.array(time), np.zeros((len(time), 2)), some_dynamics(0, 2))
