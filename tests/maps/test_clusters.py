import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.maps import find_clusters


def blobs(centres: list[tuple[float, float]], sizes: list[int], spread: float = 0.05, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    parts = [np.array(c) + spread * generator.standard_normal((n, 2)) for c, n in zip(centres, sizes, strict=True)]
    return np.concatenate(parts).astype(np.float32)


def test_hills_are_found_the_largest_first_with_their_peaks():
    centres = [(-0.6, -0.6), (0.6, -0.5), (0.0, 0.7)]
    found = find_clusters(blobs(centres, [100, 300, 200]))
    assert len(found.peak) == 3
    order = [1, 2, 0]
    for number, place in enumerate(order):
        assert found.peak[number] == pytest.approx(centres[place], abs=0.08)
    truth = np.repeat([2, 0, 1], [100, 300, 200])
    inside = found.label >= 0
    assert inside.mean() > 0.95
    assert (found.label[inside] == truth[inside]).all()


def test_one_blob_is_one_cluster():
    found = find_clusters(blobs([(0, 0)], [500], spread=0.2))
    assert len(found.peak) == 1
    assert (found.label >= 0).mean() > 0.9


def test_what_lies_alone_is_in_no_cluster():
    xy = np.concatenate([blobs([(-0.5, 0), (0.5, 0)], [200, 200], spread=0.03), [[0.0, 0.9]]]).astype(np.float32)
    assert find_clusters(xy).label[-1] == -1


def test_no_more_than_people_read():
    grid = [(x, y) for x in np.linspace(-0.9, 0.9, 7) for y in np.linspace(-0.9, 0.9, 7)]
    found = find_clusters(blobs(grid, [40] * 49, spread=0.02), most=12)
    assert 0 < len(found.peak) <= 12


def test_identical_points_are_one_cluster():
    found = find_clusters(np.zeros((50, 2), np.float32))
    assert found.label.tolist() == [0] * 50


@settings(max_examples=25)
@given(n=st.integers(0, 80), spread=st.sampled_from([0.0, 0.1, 1.0]), seed=st.integers(0, 9))
def test_it_never_fails(n, spread, seed):
    xy = np.clip(spread * np.random.default_rng(seed).standard_normal((n, 2)), -1, 1).astype(np.float32)
    found = find_clusters(xy)
    assert found.label.shape == (n,)
    sizes = np.bincount(found.label[found.label >= 0], minlength=len(found.peak))
    assert len(sizes) == len(found.peak)
    assert (sizes >= 10).all()
    assert (np.diff(sizes) <= 0).all()
    if n < 30:
        assert not len(found.peak)
    assert np.array_equal(found.label, find_clusters(xy).label)
