import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness

from penchant.maps import lay_out, measure_quality
from penchant.spaces import Space


def dense(points: np.ndarray, norm: float) -> np.ndarray:
    apart = np.abs(points.astype(np.float64)[:, None] - points)
    return apart.max(-1) if np.isinf(norm) else (apart**norm).mean(-1) ** (1 / norm)


@pytest.mark.parametrize("norm", [1.0, 2.0, float("inf")])
def test_trustworthiness_is_that_of_scikit_learn_on_the_same_distances(groups, norm):
    points, _ = groups
    space = Space(dim=8, norm=norm)
    xy = lay_out(space, points, method="pca")
    found = measure_quality(space, points, xy)
    assert (found.k, found.sampled) == (15, 180)
    expected = trustworthiness(dense(points, norm), xy, n_neighbors=15, metric="precomputed")
    assert found.trustworthiness == pytest.approx(expected, abs=1e-4)
    true, shown = (np.argsort(d, 1)[:, 1:16] for d in (dense(points, norm), dense(xy, 2)))
    kept = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(true, shown, strict=True)])
    assert found.knn_preservation == pytest.approx(kept, abs=1e-3)


def test_a_plane_is_kept_whole_and_a_shuffled_one_is_not(groups):
    plane = np.random.default_rng(0).uniform(-1, 1, (400, 2)).astype(np.float32)
    found = measure_quality(Space(dim=2), plane, plane)
    assert (found.trustworthiness, found.knn_preservation) == (1, 1)
    shuffled = measure_quality(Space(dim=2), plane, plane[np.random.default_rng(1).permutation(400)])
    assert shuffled.trustworthiness == pytest.approx(0.5, abs=0.05)  # what no relation at all gives
    assert shuffled.knn_preservation == pytest.approx(15 / 399, abs=0.02)


def test_of_many_points_some_are_asked_about(monkeypatch):
    from penchant.maps import quality

    monkeypatch.setattr(quality, "_SAMPLED", 100)
    points = np.random.default_rng(0).uniform(-1, 1, (600, 3)).astype(np.float32)
    xy = points[:, :2]
    found = measure_quality(Space(dim=3), points, xy)
    assert found.sampled == 100
    whole = trustworthiness(dense(points, 2.0), xy, n_neighbors=15, metric="precomputed")
    assert found.trustworthiness == pytest.approx(whole, abs=0.02)


@given(n=st.integers(0, 40), same=st.booleans())
def test_few_or_equal_points(n, same):
    points = np.random.default_rng(n).uniform(-1, 1, (n, 3)).astype(np.float32) * (not same)
    found = measure_quality(Space(dim=3), points, lay_out(Space(dim=3), points, method="pca"))
    assert found.k == max(0, min(15, (n - 1) // 2))
    if n < 3:
        assert found.trustworthiness is None
    else:
        assert 0 <= found.trustworthiness <= 1
        assert 0 <= found.knn_preservation <= 1
    if same and n >= 3:
        assert found.trustworthiness == 1  # all are equally far
