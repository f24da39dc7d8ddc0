import math

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import ConfigError, SpaceError
from penchant.portraits.radius import resolve_radius
from penchant.spaces import UniformSpace

NORMS = [1, 2, 4, math.inf]
SLOPE = 8.0
POINTS = np.random.default_rng(0).uniform(-1, 1, (200, 3)).astype(np.float32)
CENTRE = np.array([0.1, -0.2, 0.3], dtype=np.float32)


def radius(points=POINTS, norm=2.0, threshold=0.5, slope=SLOPE, centre=CENTRE, **meaning):
    space = UniformSpace(dim=len(centre), norm=norm)
    return resolve_radius(space, centre, points, threshold=threshold, slope=slope, **meaning)


def apart(points, norm, centre=CENTRE):
    return np.array([oracles.distance(x, centre.tolist(), norm) for x in points.tolist()])


@settings(max_examples=40)
@given(st.floats(0.01, 1.0), st.sampled_from(NORMS), st.integers(1, 30), st.integers(0, 99))
def test_a_core_holds_its_share_and_not_one_row_more(share, norm, n, seed):
    points = np.random.default_rng(seed).uniform(-1, 1, (n, 3)).astype(np.float32)
    found = radius(points, norm, core=share)
    needed = min(j for j in range(1, n + 1) if j / n >= share - 1e-9)  # counted, not computed
    inside = (apart(points, norm) <= found.distance).sum()
    assert inside == needed == round(found.inside * n)
    assert sorted(apart(points, norm))[needed - 1] == pytest.approx(found.distance, rel=1e-5)


def test_equal_rows_are_all_in_the_core():
    points = np.zeros((10, 3), dtype=np.float32)
    points[:8, 0] = 0.5
    found = radius(points, core=0.3, centre=np.zeros(3, dtype=np.float32))
    assert found.inside == 1.0
    nearer = radius(points, core=0.2, centre=np.zeros(3, dtype=np.float32))
    assert nearer.inside == 0.2
    assert nearer.distance > 0, "rows at the centre itself: a ball all the same"


@given(st.floats(0.02, 0.98), st.floats(0.05, 1.5), st.floats(3.0, 40.0))
def test_at_the_edge_of_a_probability_a_like_has_it(q, threshold, slope):
    certain = 1 / (1 + math.exp(-slope * (threshold - 2e-4)))
    if q >= certain:
        return
    found = radius(threshold=threshold, slope=slope, probability=q)
    if found.clipped:
        assert found.distance == 2.0
        assert found.probability >= q
        assert "no two points are further apart" in found.words
    else:
        assert 1 / (1 + math.exp(-slope * (threshold - found.distance))) == pytest.approx(q)
        assert found.probability == pytest.approx(q)
    assert found.inside == pytest.approx((apart(POINTS, 2) <= found.distance).mean(), abs=0.011)


@settings(max_examples=30)
@given(st.floats(0.0, 1.5), st.floats(0.5, 20.0))
def test_a_probability_beyond_reach_names_the_largest_within(threshold, slope):
    with pytest.raises(ConfigError, match="At most") as error:
        radius(threshold=threshold, slope=slope, probability=1 - 1e-15)
    named = float(str(error.value).rsplit("At most ", 1)[1].split()[0])
    assert radius(threshold=threshold, slope=slope, probability=named).distance > 0
    certain = 1 / (1 + math.exp(-slope * (threshold - 2e-4)))
    assert certain - named < max(0.02 * (1 - certain), 1e-11), "and not far below the largest there is"


def test_a_threshold_of_nothing_is_told_from_a_half():
    with pytest.raises(ConfigError, match=r"At most 0\.49"):
        radius(threshold=0.0, probability=0.5)
    assert radius(threshold=0.0, probability=0.3).distance == pytest.approx(math.log(7 / 3) / SLOPE)


def test_a_distance_is_taken_as_it_is():
    found = radius(distance=0.4)
    assert (found.distance, found.meaning, found.clipped) == (0.4, "distance", False)
    assert found.probability == pytest.approx(1 / (1 + math.exp(-0.8)))
    assert radius(distance=5).distance == 2
    assert radius(distance=5).inside == 1


def test_the_words_say_what_is_inside():
    assert "at least 0.75" in radius(probability=0.75).words
    assert "It holds 10% of the known items." in radius(core=0.1).words
    assert "It holds none of the known users." in radius(distance=0.001, side="user").words
    many = np.full((1000, 3), 1, dtype=np.float32)
    many[0] = CENTRE
    assert "It holds 0.1% of" in radius(many, distance=0.1).words
    many[1:] = CENTRE
    many[0] = 1
    assert "over 99%" in radius(many, distance=0.1).words


def test_a_corner_is_a_centre_like_any_other():
    corner = np.ones(3, dtype=np.float32)
    assert radius(core=1.0, centre=corner).inside == 1.0
    assert radius(probability=0.5, centre=corner).distance == 0.5


@pytest.mark.parametrize(
    ("meaning", "said"),
    [
        ({}, "exactly one"),
        ({"core": 0.1, "distance": 0.2}, "exactly one"),
        ({"probability": 1.0}, "between 0 and 1"),
        ({"probability": math.nan}, "between 0 and 1"),
        ({"core": 0.0}, "share above 0"),
        ({"core": 1.1}, "share above 0"),
        ({"distance": 0.0}, "radius of at least"),
        ({"distance": math.inf}, "radius of at least"),
        ({"distance": 0.3, "slope": 0.0}, "slope above 0"),
        ({"distance": 0.3, "threshold": math.nan}, "finite distance"),
    ],
)
def test_what_is_refused(meaning, said):
    with pytest.raises(ConfigError, match=said):
        radius(**meaning)


def test_nothing_known_has_no_core():
    nothing = np.zeros((0, 3), dtype=np.float32)
    with pytest.raises(ConfigError, match="no users are known"):
        radius(nothing, core=0.1, side="user")
    assert radius(nothing, probability=0.5).inside == 0


def test_points_that_are_none():
    with pytest.raises(SpaceError, match="finite"):
        radius(np.full((2, 3), np.nan, dtype=np.float32), core=0.1)
    with pytest.raises(SpaceError, match="2 axes in a space of 3"):
        resolve_radius(UniformSpace(dim=3), np.zeros(2), np.zeros((1, 2)), threshold=0.5, slope=1.0, distance=0.1)
