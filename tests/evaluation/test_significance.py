"""Comparisons against all sign patterns one by one, theory for many users, and laws."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from scipy import stats

from penchant.errors import ConfigError, DataError
from penchant.evaluation import compare_paired, mean_interval

whole = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=9)


@settings(deadline=None)
@given(whole)
def test_few_users_are_counted_out(pairs):
    a, b = np.array(pairs, dtype=float).T
    d = [x - y for x, y in pairs]
    throws = [sum(s * x for s, x in zip(signs, d, strict=True)) for signs in itertools.product([1, -1], repeat=len(d))]
    wanted = sum(abs(throw) >= abs(sum(d)) for throw in throws) / len(throws)
    found = compare_paired(a, b, draws=600)
    assert found.p_value == pytest.approx(wanted)
    assert found.n == len(d)
    assert found.difference == pytest.approx(found.mean_a - found.mean_b, abs=1e-12)
    assert min(d) <= found.low <= found.high <= max(d)


def test_thrown_signs_come_near_the_exact_answer():
    d = np.random.default_rng(0).normal(0.25, 1, 12)
    exact = compare_paired(d, np.zeros(12), draws=5000).p_value
    thrown = [compare_paired(d, np.zeros(12), draws=4000, rng=seed).p_value for seed in range(3)]
    assert exact * 2**12 == int(exact * 2**12)
    assert thrown == pytest.approx([exact] * 3, abs=0.03)


def test_many_users_are_as_students_t():
    g = np.random.default_rng(1)
    b = g.random(2000)
    a = b + g.normal(0.02, 0.5, 2000)
    found = compare_paired(a, b, draws=4000)
    theory = stats.ttest_rel(a, b)
    interval = theory.confidence_interval(0.95)
    assert found.p_value == pytest.approx(theory.pvalue, abs=0.03)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=0.003)
    narrow = compare_paired(a, b, draws=4000, level=0.5)
    assert found.low < narrow.low < found.difference < narrow.high < found.high


def test_chance_alone_is_significant_as_often_as_it_says():
    g = np.random.default_rng(2)
    values = [compare_paired(g.random(30), g.random(30), draws=200).p_value for _ in range(300)]
    assert stats.binomtest(sum(p <= 0.1 for p in values), 300, 0.1).pvalue > 0.01


def test_a_clear_difference_is_found():
    g = np.random.default_rng(3)
    found = compare_paired(g.random(500) + 0.5, g.random(500), draws=999)
    assert found.p_value == 1 / 1000
    assert found.low > 0.4


def test_swapping_mirrors_and_a_seed_repeats():
    g = np.random.default_rng(4)
    a, b = g.random(50), g.random(50)
    there, back = compare_paired(a, b, rng=7), compare_paired(b, a, rng=7)
    assert there == compare_paired(a, b, rng=7)
    assert there != compare_paired(a, b, rng=8)
    assert (back.difference, back.low, back.high) == pytest.approx((-there.difference, -there.high, -there.low))
    assert back.p_value == there.p_value


def test_equal_figures_do_not_differ():
    same = compare_paired(np.full(40, 0.3), np.full(40, 0.3))
    assert dataclasses.astuple(same)[3:] == (0.0, 0.0, 0.0, 1.0)


def test_equal_sums_count_as_equal_however_they_are_added():
    d = np.array([0.1] * 3 + [-0.1] * 27)  # thrown sums meet the seen one up to rounding very often
    throws = stats.binom(30, 0.5)
    exact = throws.cdf(3) + throws.sf(26)
    thrown = compare_paired(d, np.zeros(30), draws=200_000).p_value
    assert thrown == pytest.approx(exact, abs=2e-5)
    even = compare_paired(np.array([0.1, 0.2, -0.3] * 10), np.zeros(30), draws=500)
    assert even.p_value == 1.0


def test_users_without_figures_are_left_out():
    a, b = np.array([0.5, math.nan, 0.7, 0.2]), np.array([0.4, math.nan, 0.1, 0.3])
    assert compare_paired(a, b) == compare_paired(a[[0, 2, 3]], b[[0, 2, 3]])
    assert compare_paired(a, b).n == 3


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([0.1, math.nan, 0.2], [0.1, 0.3, 0.2], r"users, 1 row \(1\): NaN in one of the two figures only"),
        ([0.1, math.inf], [0.1, 0.3], "finite figures expected"),
        ([0.1, math.nan], [0.2, math.nan], "at least two users with figures expected, got 1 of 2"),
        ([], [], "got 0 of 0"),
    ],
)
def test_figures_that_cannot_be_compared(a, b, said):
    with pytest.raises(DataError, match=said):
        compare_paired(np.array(a), np.array(b))


def test_lengths_that_differ_are_refused():
    with pytest.raises((DataError, TypeCheckError), match=r"same users expected|Type-check"):
        compare_paired(np.zeros(3), np.zeros(2))


@pytest.mark.parametrize(
    ("options", "said"),
    [({"draws": 99}, "draws = 99: a whole number >= 100"), ({"level": 1.0}, r"level = 1.0: a share in \(0, 1\)")],
)
def test_options_outside_their_range(options, said):
    with pytest.raises(ConfigError, match=said):
        compare_paired(np.zeros(3), np.ones(3), **options)


def test_the_interval_of_a_mean_is_that_of_a_difference_from_nothing():
    values = np.random.default_rng(2).random(40)
    compared = compare_paired(values, np.zeros(40), draws=1000)
    assert mean_interval(values) == pytest.approx((compared.low, compared.high))
    assert mean_interval(np.array([0.5])) == (0.5, 0.5)


def test_the_interval_of_a_mean_is_the_normal_one_for_many():
    values = np.random.default_rng(3).random(4000)
    half = 1.96 * values.std(ddof=1) / math.sqrt(4000)
    low, high = mean_interval(values, draws=4000)
    assert low == pytest.approx(values.mean() - half, abs=half / 10)
    assert high == pytest.approx(values.mean() + half, abs=half / 10)


@pytest.mark.parametrize("values", [[], [1.0, math.nan]])
def test_the_interval_of_nothing_is_refused(values):
    with pytest.raises(DataError, match="finite figures of at least one user"):
        mean_interval(np.array(values, dtype=float))
    with pytest.raises(ConfigError, match="draws = 5"):
        mean_interval(np.ones(3), draws=5)
