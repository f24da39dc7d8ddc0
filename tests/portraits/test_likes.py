import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant._spec import Layout
from penchant.errors import ConfigError
from penchant.portraits.likes import Likes, liked_means


def test_means_are_those_of_each_subjects_known_values():
    value = np.array([[0.0, 1.0], [1.0, np.nan], [0.5, np.nan], [0.2, 0.4]], dtype=np.float32)
    likes = Likes(np.full((4, 2), 0.5, np.float32), value, np.array([0, 0, 0, 1, 3]), np.array([0, 1, 3, 1, 2]))
    found = liked_means(likes)
    assert found.count.tolist() == [[3, 2], [1, 0], [0, 0], [1, 0]]
    np.testing.assert_allclose(found.mean, [[0.4, 0.7], [1, np.nan], [np.nan] * 2, [0.5, np.nan]], rtol=1e-6)
    np.testing.assert_allclose(found.variance[0], [np.var([0, 1, 0.2], ddof=1), 0.18], rtol=1e-6)
    assert np.isnan(found.variance[1:]).all()


@given(st.integers(0, 10_000))
def test_means_equal_those_of_a_loop(seed):
    rng = np.random.default_rng(seed)
    n, rows, pairs, width = 5, 7, int(rng.integers(0, 40)), 3
    value = np.where(rng.random((rows, width)) < 0.2, np.nan, rng.random((rows, width)))
    likes = Likes(rng.random((n, width)), value, rng.integers(0, n, pairs), rng.integers(0, rows, pairs))
    found = liked_means(likes)
    for u in range(n):
        for j in range(width):
            own = [value[i, j] for s, i in zip(likes.subject, likes.liked, strict=True) if s == u]
            own = [v for v in own if not np.isnan(v)]
            assert found.count[u, j] == len(own)
            np.testing.assert_allclose(found.mean[u, j], np.mean(own) if own else np.nan)
            variance = np.var(own, ddof=1) if len(own) > 1 else np.nan
            np.testing.assert_allclose(found.variance[u, j], variance, atol=1e-12)


def test_pairs_of_some_subjects():
    likes = Likes(np.zeros((3, 1)), np.zeros((4, 1)), np.array([0, 1, 2, 1]), np.array([3, 2, 1, 0]))
    some = likes.of(np.array([1]))
    assert some.subject.tolist() == [1, 1]
    assert some.liked.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("subject", "liked", "said"),
    [([3], [0], "likes.subject: rows 0 to 2"), ([0], [-1], "likes.liked: rows 0 to 3")],
)
def test_rows_that_are_not_there_are_refused(subject, liked, said):
    with pytest.raises(ConfigError, match=said):
        Likes(np.zeros((3, 1)), np.zeros((4, 1)), np.array(subject), np.array(liked))


def test_vectors_of_another_layout_are_refused(layout: Layout):
    likes = Likes(np.zeros((3, 1)), np.zeros((4, 1)), np.array([0]), np.array([0]))
    with pytest.raises(ConfigError, match=f"{layout.width} coordinates expected, got 1"):
        likes.check(layout)
    with pytest.raises((ConfigError, TypeError)):  # TypeError: shapes held against their annotations
        Likes(np.zeros((3, 1)), np.zeros((4, 2)), np.array([0]), np.array([0]))
