"""Boxes of interest points that explain a history, and the split where none does."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.dynamics.box import explained_by, split_interests
from penchant.errors import ConfigError


def likes(rng: int, n: int, k: int = 2) -> np.ndarray:
    return np.random.default_rng(rng).uniform(-1, 1, (n, k))


@given(st.integers(0, 10**6), st.integers(1, 8), st.floats(0.05, 1.2))
def test_the_box_is_what_is_near_every_like(rng, n, threshold) -> None:
    items = likes(rng, n)
    found = explained_by(items, threshold)
    points = likes(rng + 1, 400)
    near = (np.abs(points[:, None] - items).max(-1) <= threshold).all(1)
    assert (found.contains(points) == near).all()
    far = [(i, j) for i, j in itertools.combinations(range(n), 2) if np.abs(items[i] - items[j]).max() > 2 * threshold]
    assert found.empty == bool(far)  # Helly's number of boxes is 2
    assert found.conflicts.tolist() == [list(pair) for pair in far]


def test_no_like_leaves_the_whole_box_and_edges_count() -> None:
    whole = explained_by(np.zeros((0, 2)), 0.3, low=0.0)
    assert (whole.low == 0).all()
    assert (whole.high == 1).all()
    assert not whole.empty
    touching = explained_by(np.array([[0.1], [0.7]]), 0.3)  # 0.7 - 0.3 is above 0.1 + 0.3 in the last digit
    assert not touching.empty
    assert len(touching.conflicts) == 0


@given(st.integers(0, 10**6), st.integers(0, 30), st.floats(0.05, 0.8))
def test_every_group_has_a_point(rng, n, threshold) -> None:
    items = likes(rng, n)
    group = split_interests(items, threshold)
    assert group.shape == (n,)
    for g in range(n and group.max() + 1):
        assert not explained_by(items[group == g], threshold, low=-9, high=9).empty
    sizes = np.bincount(group)
    assert (np.diff(sizes) <= 0).all()
    assert (sizes > 0).all()
    cut = split_interests(items, threshold, most=2)
    assert (cut == np.where(group < 2, group, -1)).all()
    assert (split_interests(items, threshold) == group).all()


def test_two_interests_are_told_apart() -> None:
    g = np.random.default_rng(0)
    items = np.concatenate([0.6 + 0.1 * g.standard_normal((20, 3)), -0.6 + 0.1 * g.standard_normal((9, 3))])
    assert (split_interests(items, 0.5) == np.repeat([0, 1], [20, 9])).all()
    assert (split_interests(items[:20], 0.5) == 0).all()


def test_bad_arguments_are_refused() -> None:
    for call in (explained_by, split_interests):
        with pytest.raises(ConfigError, match="threshold = 0"):
            call(np.zeros((1, 2)), 0.0)
    with pytest.raises(ConfigError, match="most = 0"):
        split_interests(np.zeros((1, 2)), 0.1, most=0)
