"""Figures beyond accuracy against loops over lists, other formulas, and cases worked out by hand."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import ConfigError, DataError
from penchant.evaluation import beyond, coverage, evaluate_beyond, gini, intra_list_distance, novelty
from penchant.spaces import Space

M, RANKS = 10, 6

shown = st.lists(st.lists(st.integers(0, M - 1), unique=True, max_size=RANKS), min_size=1, max_size=8).filter(any)
cuts = st.integers(1, RANKS)


def array(shown) -> np.ndarray:
    return np.array([one + [-1] * (RANKS - len(one)) for one in shown])


def gap(x, y):
    return np.abs(x - y).sum(axis=-1)


@settings(deadline=None)
@given(shown, cuts)
def test_coverage_and_gini_are_those_of_loops(shown, k):
    counts = [sum(item in one[:k] for one in shown) for item in range(M)]
    assert coverage(array(shown), M, k) == sum(c > 0 for c in counts) / M
    # half the relative mean absolute difference: no sorting
    apart = sum(abs(a - b) for a in counts for b in counts) / (2 * M * sum(counts))
    found = gini(array(shown), M, k)
    assert found == pytest.approx(apart, abs=1e-12)
    assert 0 <= found <= 1 - 1 / M + 1e-12


@settings(deadline=None)
@given(shown, cuts, st.lists(st.integers(0, 50), min_size=M, max_size=M).filter(any))
def test_novelty_is_that_of_loops(shown, k, counts):
    found = novelty(array(shown), np.array(counts), k)
    total = sum(counts)
    for value, one in zip(found, shown, strict=True):
        bits = [-math.log(max(counts[item], 1) / total, 2) for item in one[:k]]
        assert value == pytest.approx(sum(bits) / len(bits), abs=1e-9) if one else math.isnan(value)


@settings(deadline=None)
@given(shown, cuts, st.integers(0, 100), st.sampled_from([1, 40, 2**22]))
def test_intra_list_distance_is_that_of_loops(shown, k, seed, numbers):
    vectors = np.random.default_rng(seed).random((M, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beyond, "_NUMBERS", numbers)
        found = intra_list_distance(array(shown), vectors, gap, k)
    for value, one in zip(found, shown, strict=True):
        pairs = [gap(vectors[i], vectors[j]) for i, j in itertools.combinations(one[:k], 2)]
        assert value == pytest.approx(np.mean(pairs)) if pairs else math.isnan(value)


@settings(deadline=None)
@given(shown, st.integers(0, 1000))
def test_the_order_of_users_does_not_matter(shown, seed):
    ranked, counts, vectors = array(shown), np.arange(M), np.arange(M, dtype=float)[:, None]
    order = np.random.default_rng(seed).permutation(len(ranked))
    before = evaluate_beyond(ranked, counts, k=3, vectors=vectors, distance=gap)
    after = evaluate_beyond(ranked[order], counts, k=3, vectors=vectors, distance=gap)
    assert list(before) == ["coverage@3", "gini@3", "novelty@3", "intra_list_distance@3"]
    assert after == pytest.approx(before, abs=1e-12, nan_ok=True)


def test_extremes():
    alike = np.arange(M).reshape(5, 2)
    assert coverage(alike, M) == 1
    assert gini(alike, M) == 0
    same = np.full((5, 1), 7)
    assert coverage(same, M) == 1 / M
    assert gini(same, M) == pytest.approx(1 - 1 / M)
    assert novelty(same, np.eye(M)[7]).tolist() == [0.0] * 5
    assert novelty(same, np.full(M, 0.01)).tolist() == [0.0] * 5


def test_a_case_by_hand():
    ranked = np.array([[0, 1, 2], [0, 3, -1], [-1, -1, -1]])
    found = evaluate_beyond(ranked, np.array([4, 2, 1, 1]), k=2, vectors=np.array([0.0, 1, 5, 3]), distance=_line)
    assert found["coverage@2"] == 3 / 4
    assert found["gini@2"] == pytest.approx((-3 * 0 - 1 * 1 + 1 * 1 + 3 * 2) / (4 * 4))
    assert found["novelty@2"] == ((1 + 2) / 2 + (1 + 3) / 2) / 2
    assert found["intra_list_distance@2"] == (1 + 3) / 2
    assert math.isnan(
        evaluate_beyond(ranked, np.ones(4), k=1, vectors=np.zeros(4), distance=_line)["intra_list_distance@1"]
    )


def _line(x, y):
    return np.abs(x - y)


def test_a_spaces_distance_serves():
    space = Space(dim=3, cap=0.5)
    points = np.random.default_rng(0).uniform(-1, 1, (M, 3)).astype(np.float32)

    def distance(x, y):
        return space.distance(torch.from_numpy(x), torch.from_numpy(y)).numpy()

    found = intra_list_distance(np.arange(M).reshape(2, 5), points, distance)
    assert found.shape == (2,)
    assert ((found > 0) & (found <= 0.5)).all()


@pytest.mark.parametrize(
    ("ranked", "k", "counts", "error", "said"),
    [
        ([[0, 1]], 3, [1, 1], ConfigError, "k = 3: a whole number from 1 to the 2 ranks"),
        ([[0, 1]], 0, [1, 1], ConfigError, "k = 0: a whole number from 1"),
        ([[0, 2]], 2, [1, 1], DataError, "items are -1 or 0 … 1, got 2"),
        ([[0, -3]], 2, [1, 1], DataError, "items are -1 or 0 … 1, got -3"),
        ([[-1, 0]], 2, [1, 1], DataError, "user 0 has an item after -1"),
        ([[-1, -1]], 2, [1, 1], DataError, "nothing is recommended to anybody"),
        ([[0, 1]], 2, [0, 0], DataError, "one number >= 0 for each item"),
        ([[0, 1]], 2, [1, -1], DataError, "one number >= 0 for each item"),
        ([[0, 1]], 2, [1, math.nan], DataError, "one number >= 0 for each item"),
    ],
)
def test_what_cannot_be_evaluated_is_said(ranked, k, counts, error, said):
    with pytest.raises(error, match=said):
        evaluate_beyond(np.array(ranked), np.array(counts), k=k)


def test_vectors_and_distances_go_together():
    with pytest.raises(ConfigError, match="vectors and distance go together"):
        evaluate_beyond(np.array([[0, 1]]), np.ones(2), k=2, vectors=np.zeros(2))


@pytest.mark.parametrize("distance", [lambda x, y: x - y, lambda x, y: np.full(len(x), np.nan)])
def test_distances_that_are_none_are_refused(distance):
    with pytest.raises(DataError, match="1 finite distances expected, one a row, got shape"):
        intra_list_distance(np.array([[0, 1]]), np.zeros((2, 3)), distance)
