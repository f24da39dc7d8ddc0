"""Sums over what subjects met, against plain loops."""

import numpy as np

from penchant.portraits import Others, past_of

G = np.random.default_rng(0)
VECTORS = G.random((6, 3))
VECTORS[2, 1] = np.nan
OTHERS = Others(VECTORS, G.normal(size=(6, 2)))
SUBJECT, OTHER = np.array([0, 0, 2, 2, 2]), np.array([1, 2, 2, 3, 0])
LIKED = np.array([1.0, 0.0, 1.0, 1.0, 0.0])


def test_sums_are_those_of_a_loop():
    means = np.stack([OTHERS.mean(OTHER[LIKED == 1]), OTHERS.mean(OTHER[LIKED == 0])])
    both = np.hstack([OTHERS.vectors, OTHERS.points])
    np.testing.assert_allclose(means[0], np.nanmean(both[OTHER[LIKED == 1]], axis=0))
    past = past_of(3, SUBJECT, OTHER, LIKED, OTHERS, means)
    wanted = {1: np.zeros((3, 5)), 0: np.zeros((3, 5))}
    for s, o, y in zip(SUBJECT, OTHER, LIKED, strict=True):
        wanted[int(y)][s] += np.nan_to_num(both[o] - means[1 - int(y)])
    np.testing.assert_allclose(past.liked, wanted[1])
    np.testing.assert_allclose(past.disliked, wanted[0])
    assert past.counts.tolist() == [[1, 1], [0, 0], [2, 1]]
    assert len(past) == 3


def test_of_no_rows_the_mean_is_zero():
    assert OTHERS.mean(np.zeros(0, np.int64)).tolist() == [0] * 5
