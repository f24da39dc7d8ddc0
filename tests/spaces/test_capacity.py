"""The capacity of a box, against the grid that attains it and an exhaustive search."""

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import ConfigError
from penchant.spaces import capacity


def sup(x, y):
    return max(abs(a - b) for a, b in zip(x, y, strict=True))


def most(points, cap, chosen=0):
    """Size of the largest set with pairwise sup distance >= cap: branch and bound over every subset."""
    best = chosen
    while points and best < chosen + len(points):
        first, *points = points
        best = max(best, most([p for p in points if sup(p, first) >= cap], cap, chosen + 1))
    return best


@pytest.mark.parametrize(("dim", "side"), [(1, 7), (2, 3), (3, 2)])
def test_it_is_the_best_of_all_subsets(dim, side):
    """With a whole cap, rounding all coordinates down brings no two points below it: whole points do."""
    lattice = list(itertools.product(range(side + 1), repeat=dim))
    for cap in range(1, side + 2):
        assert capacity(cap, dim, side) == most(lattice, cap)


@settings(max_examples=40, deadline=None)
@given(st.fractions(Fraction(1, 4), 3, max_denominator=20), st.integers(1, 3), st.sampled_from([1, 2]))
def test_it_is_attained_by_the_grid_and_no_other_point_fits(cap, dim, side):
    """In fractions. A grid of step `cap` from a corner; tried are the corners of all its cells, cut to the box."""
    axis = [cap * i for i in range(math.floor(side / cap) + 1)]
    grid = list(itertools.product(axis, repeat=dim))
    assert len(grid) == capacity(float(cap), dim, side)
    assert all(sup(x, y) >= cap for x, y in itertools.islice(itertools.combinations(grid, 2), 2000))
    between = sorted({*axis, *(a + cap / 2 for a in axis if a + cap / 2 <= side), Fraction(side)})
    for x in itertools.islice(itertools.product(between, repeat=dim), 300):
        assert any(sup(x, y) < cap for y in grid)


@settings(deadline=None)
@given(st.floats(0.1, 10), st.integers(1, 10_000), st.integers(1, 60))
def test_a_cap_that_divides_the_side_counts_both_ends_however_it_is_rounded(side, parts, dim):
    assert capacity(side / parts, dim, side) == (parts + 1) ** dim


def test_a_cap_beyond_the_side_leaves_one_point():
    assert capacity(2.1, 5) == capacity(math.inf, 5) == 1
    assert capacity(2, 5) == 2**5, "the corners"


@pytest.mark.parametrize("wrong", [(0, 3), (-1, 3), (math.nan, 3), (1, 0), (1, 3, 0), (1, 3, math.inf)])
def test_arguments_outside_their_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=r"capacity\("):
        capacity(*wrong)
