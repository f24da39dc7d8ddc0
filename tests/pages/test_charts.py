import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.pages.charts import area, ceiling, evenly, every, longest, path, place, shares, span, ticks

NUMBERS = st.floats(-1e6, 1e6)


def points(text):
    return [tuple(map(float, one.split(","))) for one in text.split()]


@given(NUMBERS, NUMBERS, NUMBERS)
def test_a_place_is_on_its_axis_and_keeps_order(value, low, high):
    assert 0 <= place(value, low, high, 50) <= 50
    if low < high:
        assert place(low, low, high, 50) == 0
        assert place(high, low, high, 50) == 50
        assert place(value, low, high, 50) <= place(value + 1, low, high, 50)


@given(st.floats(-1, 2), st.floats(0, 1))
def test_a_span_lies_inside_and_can_be_seen(low, width):
    start, wide = span(low, low + width)
    assert start >= 0
    assert start + wide <= 100.01
    assert wide >= 0.4


def test_lines_go_up_where_values_do_and_bands_come_back():
    assert points(path([0, 0.5, 1], [0, 1, 2], (0, 2), 100, 40)) == [(0, 40), (50, 20), (100, 0)]
    around = points(area([0, 1], [0, 0], [1, 2], (0, 2), 100, 40))
    assert around == [(0, 20), (100, 0), (100, 40), (0, 40)]


@pytest.mark.parametrize("n", [0, 1, 2, 400, 401, 10_000])
def test_many_points_are_thinned_and_ends_stay(n):
    kept = every(n)
    assert len(kept) == min(n, 400)
    assert kept == sorted(set(kept))
    assert not n or (kept[0], kept[-1]) == (0, n - 1)


@given(NUMBERS, st.floats(1e-3, 1e6), st.integers(1, 8))
def test_ticks_are_few_round_and_inside(low, width, about):
    found = ticks(low, low + width, about)
    assert len(found) <= about + 1
    steps = {round(b - a, 9) for a, b in itertools.pairwise(found)}
    for step in steps:
        first = step / 10 ** math.floor(math.log10(step) + 1e-9)
        assert any(math.isclose(first, one, rel_tol=1e-3) for one in (1, 2, 5, 10))
    assert all(low - 1e-3 * width <= tick <= low + width * (1 + 1e-3) for tick in found)


def test_axes_of_one_value():
    assert ticks(3, 3) == [3]
    assert evenly(1) == [0.5]
    assert evenly(3) == [0, 0.5, 1]
    assert shares([1, 2, 3], (1, 3)) == [0, 0.5, 1]


def test_a_wide_band_does_not_flatten_its_line():
    assert ceiling([0.1, 0.2], [0.5, 0.4]) == 0.5
    assert ceiling([0.1, 0.2], [5.0, 4.0]) == pytest.approx(0.6)
    assert ceiling([0.0], [0.0]) > 0


def test_bars_have_an_axis_that_holds_all_of_them():
    assert longest([{"value": 0.21, "population": None, "high": 0.33}, {"value": 0.3}]) == pytest.approx(0.4)
    assert longest([{"value": 0.4}]) == pytest.approx(0.4)
    assert longest([{"value": 0.999}]) == 1
    assert longest([]) == 1
    assert longest([{"value": 0.0}]) == 1
