import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import ConfigError, SpaceError
from penchant.maps import METHODS, lay_out, measure_quality
from penchant.maps.layout import LAID_OUT
from penchant.spaces import GaussianSpace, Space

SPACES = [
    Space(dim=8, norm=1, cap=0.3),
    Space(dim=8, norm=float("inf")),
    GaussianSpace(dim=8, metric="wasserstein"),
    GaussianSpace(dim=8, metric="fisher_rao", sigma_min=0.1),
]


def need(method: str) -> None:
    if method == "umap" and find_spec("umap") is None:
        pytest.skip("the extra umap is not installed")


@pytest.mark.parametrize("method", METHODS)
def test_groups_are_told_apart_and_the_same_seed_gives_the_same_map(space, groups, method):
    need(method)
    points, group = groups
    xy = lay_out(space, points, method=method, rng=3)
    assert xy.dtype == np.float32
    assert np.abs(xy).max() == pytest.approx(1)
    centre = np.array([xy[group == g].mean(0) for g in range(3)])
    own = ((xy[:, None] - centre) ** 2).sum(-1).argmin(1)
    assert (own == group).mean() > 0.98
    assert np.array_equal(xy, lay_out(space, points, method=method, rng=3))
    assert measure_quality(space, points, xy).trustworthiness > 0.8


@pytest.mark.parametrize("other", SPACES, ids=str)
def test_every_metric_lays_out(other, groups):
    points, group = groups
    xy = lay_out(other, points)
    near = ((xy[:, None] - xy) ** 2).sum(-1) + 9 * np.eye(len(xy))
    assert (group[near.argmin(1)] == group).mean() > 0.95


@settings(max_examples=20)
@given(n=st.integers(0, 14), same=st.booleans(), method=st.sampled_from(["tsne", "pca"]))
def test_few_or_equal_points_have_places(n, same, method):
    points = np.random.default_rng(n).uniform(-1, 1, (n, 8)).astype(np.float32)
    xy = lay_out(Space(dim=8), points[:1].repeat(n, 0) if same and n else points, method=method)
    assert xy.shape == (n, 2)
    assert np.isfinite(xy).all()
    assert len(np.unique(xy, axis=0)) == n  # copies are set apart


def test_copies_lie_around_their_place_and_move_nobody(space, groups):
    points, _ = groups
    many = np.concatenate([points, points[:1].repeat(50, 0)])
    alone, with_copies = lay_out(space, points), lay_out(space, many)
    assert with_copies[:180] == pytest.approx(alone, abs=1e-6)
    assert np.abs(with_copies[180:] - alone[0]).max() < 0.005


def test_points_on_a_line_have_one_axis():
    points = np.linspace(-1, 1, 9, dtype=np.float32)[:, None].repeat(8, 1)
    xy = lay_out(Space(dim=8), points, method="pca")
    assert xy[:, 0] == pytest.approx(np.linspace(-1, 1, 9), abs=1e-6) or xy[:, 0] == pytest.approx(
        np.linspace(1, -1, 9), abs=1e-6
    )
    assert xy[:, 1] == pytest.approx(np.zeros(9), abs=1e-6)
    assert lay_out(Space(dim=1), points[:, :1], method="pca").shape == (9, 2)


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_progress_is_told(space, groups, method, steps):
    lay_out(space, groups[0], method=method, progress=steps)
    assert steps.done == LAID_OUT


def test_what_is_refused(space, groups, monkeypatch):
    points, _ = groups
    with pytest.raises(ConfigError, match="one of tsne, pca, umap"):
        lay_out(space, points, method="mds")
    with pytest.raises(ConfigError, match="threads = 0"):
        lay_out(space, points, threads=0)
    with pytest.raises(SpaceError, match="map: a metric is needed"):
        lay_out(GaussianSpace(dim=8, metric="kl"), points)
    with pytest.raises(SpaceError, match="8 axes"):
        lay_out(Space(dim=4), points)
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    with pytest.raises(ConfigError, match=r"pip install penchant\[map\]"):
        lay_out(space, points)
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ConfigError, match=r"pip install penchant\[umap\]"):
        lay_out(space, points, method="umap")
