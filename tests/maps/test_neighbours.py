import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.errors import SpaceError
from penchant.maps import _neighbours
from penchant.maps._neighbours import nearest_neighbours, nearest_others
from penchant.spaces import GaussianSpace, Space

SPACES = [
    Space(dim=6, norm=1),
    Space(dim=6, norm=2),
    Space(dim=6, norm=3.5),
    Space(dim=6, norm=float("inf")),
    GaussianSpace(dim=6, metric="wasserstein"),
    GaussianSpace(dim=6, metric="sup", sigma_min=0.1),
    GaussianSpace(dim=6, metric="fisher_rao", sigma_min=0.1),
    GaussianSpace(dim=6, metric="hellinger", sigma_min=0.1),
]


def points_of(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (n, 6)).astype(np.float32)


def brute(space, x, y):
    import torch

    return space.base_distance(torch.from_numpy(x).double()[:, None], torch.from_numpy(y).double()).numpy()


@pytest.mark.parametrize("tree", [False, True])
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_they_are_the_nearest_by_tree_and_without(space, tree, monkeypatch):
    if tree:
        monkeypatch.setattr(_neighbours, "_MANY", 1)
        monkeypatch.setattr(_neighbours, "_FEW_AXES", 6)
    queries, points = points_of(30, 1), points_of(200, 2)
    found, every = nearest_neighbours(space, queries, points, 7), brute(space, queries, points)
    assert found.row.tolist() == every.argsort(1)[:, :7].tolist()
    assert found.distance == pytest.approx(np.sort(every, 1)[:, :7], rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("tree", [False, True])
def test_nobody_is_a_neighbour_of_its_own(tree, monkeypatch):
    if tree:
        monkeypatch.setattr(_neighbours, "_MANY", 1)
        monkeypatch.setattr(_neighbours, "_FEW_AXES", 6)
    points = np.concatenate([np.zeros((12, 6), np.float32), points_of(8, 3)])  # many at one place
    found = nearest_others(SPACES[1], points, 5)
    assert found.row.shape == (20, 5)
    assert not (found.row == np.arange(20)[:, None]).any()
    assert (found.distance[:12] == 0).all()


@given(n=st.integers(0, 4), k=st.integers(0, 9))
def test_few_points(n, k):
    found = nearest_others(SPACES[1], points_of(n, 4), k)
    assert found.row.shape == (n, max(0, min(k, n - 1)))
    assert nearest_neighbours(SPACES[1], points_of(2, 5), points_of(n, 4), k).row.shape == (2, min(k, n))


def test_a_tree_is_taken_where_few_axes_hold_the_variance():
    flat = points_of(300, 6) * np.array([1, 1, 0.01, 0.01, 0.01, 0.01], np.float32)
    assert _neighbours._near_few_axes(flat)
    wide = np.random.default_rng(0).uniform(-1, 1, (500, 40)).astype(np.float32)
    assert not _neighbours._near_few_axes(wide)


def test_points_that_are_not_finite_are_refused():
    with pytest.raises(SpaceError, match="finite"):
        nearest_others(SPACES[1], np.full((3, 6), np.nan, np.float32), 1)
