"""Drift is plain geometry."""

import math

import numpy as np
import pytest
import torch

from penchant import Space
from penchant.estimator.drift import Drift, drift_between


def cloud(rng, n):
    return torch.tensor(np.random.default_rng(rng).uniform(-0.5, 0.5, (n, 3)), dtype=torch.float32)


@pytest.mark.parametrize("norm", [1.0, 2.0, math.inf])
def test_a_shift_of_all_items_is_seen_as_one(norm):
    space = Space(dim=3, norm=norm)
    old = {"user": cloud(0, 40), "item": cloud(1, 30)}
    new = {"user": old["user"], "item": old["item"] + 0.25}
    found = drift_between(space, old, new, (0.4, 0.4), 0)
    assert (found.users, found.users_90) == (0, 0)
    assert found.items == pytest.approx(0.25, abs=1e-6)
    assert found.items_90 == pytest.approx(0.25, abs=1e-6)
    assert found.variance == pytest.approx(0.0625, abs=1e-6)
    changed = (space.cross(old["user"], old["item"]) <= 0.4) != (space.cross(new["user"], new["item"]) <= 0.4)
    assert found.decisions == pytest.approx(float(changed.float().mean()), abs=0.01)
    assert drift_between(space, old, old, (0.4, 0.4), 0).decisions == 0
    assert drift_between(space, old, old, (1e-6, 2.0), 0).decisions == 1
    assert Drift(**found.config()) == found
