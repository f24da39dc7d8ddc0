import itertools
import math

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import ConfigError, SpaceError
from penchant.portraits import groups
from penchant.portraits._enclosing import enclosing_ball
from penchant.portraits.groups import find_common_taste
from penchant.spaces import Ball, UniformSpace, intersection

INF = math.inf
NORMS = [1, 1.5, 2, 4, INF]
eighths = st.integers(-8, 8).map(lambda i: i / 8)


def members(most=7, k=2):
    return st.lists(st.tuples(*[eighths] * k), min_size=1, max_size=most).map(lambda rows: np.array(rows, dtype=float))


def space(norm, k=2):
    return UniformSpace(dim=k, norm=norm)


def pair(x, y, norm):
    return oracles.distance(list(map(float, x)), list(map(float, y)), norm)


def diameter(points, norm):
    return max((pair(x, y, norm) for x, y in itertools.combinations(points, 2)), default=0.0)


def divisions(m):
    """Every way to put m into two parts, both with someone."""
    for bits in range(1, 2 ** (m - 1)):
        second = np.array([bits >> j & 1 for j in range(m)], dtype=bool)
        yield np.flatnonzero(~second), np.flatnonzero(second)


@settings(max_examples=60)
@given(members(), st.integers(1, 9).map(lambda i: i / 8))
def test_under_the_sup_norm_all_have_a_taste_in_common_iff_every_two_have(points, p):
    found = find_common_taste(space(INF), points, p)
    every_two = all(pair(x, y, INF) <= 2 * p for x, y in itertools.combinations(points, 2))
    assert (found.verdict == "common taste") == every_two
    assert found.verdict != "none found", "always decided"
    shared = intersection([Ball(space(INF), torch.from_numpy(x), p) for x in points])
    assert (found.box is not None) == (not shared.empty)
    if found.box is not None:
        np.testing.assert_allclose(found.box[0], shared.box.low)
        np.testing.assert_allclose(found.box[1], shared.box.high)
        assert found.served == 1
        assert found.parts == ()


@settings(max_examples=40)
@given(members(), st.sampled_from(NORMS))
def test_no_point_is_nearer_to_the_furthest_than_the_centre(points, norm):
    centre, reach, proved = enclosing_ball(points, norm, -1.0, 1.0)
    assert reach == pytest.approx(max(pair(x, centre, norm) for x in points), abs=1e-9)
    grid = np.array(list(itertools.product(np.linspace(-1, 1, 17), repeat=2)))
    size = np.abs(grid[:, None] - points)
    apart = size.max(2) if math.isinf(norm) else (size**norm).mean(2) ** (1 / norm)
    best = apart.max(1).min()
    assert reach <= best * (1 + 3e-3) + 1e-6, "found"
    assert proved <= best + 1e-9, "proved"
    assert diameter(points, norm) / 2 <= reach + 1e-9, "the triangle inequality"
    assert proved >= reach * (1 - 3e-3) - 1e-6, "nearly the same"


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("k", [3, 24])
def test_found_and_proved_meet_in_many_axes(norm, k):
    points = np.tanh(np.random.default_rng(k).standard_normal((300, k)))
    _, reach, proved = enclosing_ball(points, norm, -1.0, 1.0)
    assert 0 <= reach - proved <= 4e-3 * reach


@settings(max_examples=40)
@given(members(), st.sampled_from(NORMS), st.integers(1, 9).map(lambda i: i / 8))
def test_everyone_likes_what_is_left(points, norm, p):
    found = find_common_taste(space(norm), points, p)
    assert found.left == p - found.reach
    assert found.proved <= found.reach
    np.testing.assert_allclose(found.mean, points.mean(0))
    if found.left > 1e-6:
        ball = Ball(space(norm), torch.from_numpy(found.centre), found.left * (1 - 1e-9))
        liked = ball.sample(50, torch.Generator().manual_seed(0))
        for x in points:
            assert Ball(space(norm), torch.from_numpy(x), p * (1 + 1e-9)).contains(liked).all()
    within = [pair(x, found.mean, norm) for x in points]
    assert sum(d <= p - 1e-9 for d in within) <= found.served_by_mean * len(points) + 1e-9
    assert found.served_by_mean * len(points) <= sum(d <= p + 1e-9 for d in within) + 1e-9


@settings(max_examples=40)
@given(members(7), st.integers(1, 6).map(lambda i: i / 16))
def test_under_the_sup_norm_no_division_into_two_is_better(points, p):
    found = find_common_taste(space(INF), points, p)
    if found.verdict == "common taste":
        return
    best = min(max(diameter(points[a], INF), diameter(points[b], INF)) for a, b in divisions(len(points)))
    assert max(part.reach for part in found.parts) == pytest.approx(best / 2)
    assert all(part.left >= 0 for part in found.parts) == (best <= 2 * p), "both have a taste in common, if any two do"


@settings(max_examples=12)
@given(members(6), st.sampled_from([1, 2, 4]))
def test_for_other_norms_the_division_is_near_the_best(points, norm):
    found = find_common_taste(space(norm), points, 1e-3)
    if found.verdict == "common taste":
        return
    best = min(
        max(enclosing_ball(points[rows], norm, -1.0, 1.0)[1] for rows in both) for both in divisions(len(points))
    )
    # the smallest diameters: a ball is at most 2k/(k+1) times half of one (Bohnenblust 1938), here 4/3
    assert max(part.reach for part in found.parts) <= best * 4 / 3 + 2e-3


@settings(max_examples=15)
@given(members(9), st.sampled_from(NORMS))
def test_parts_are_a_division_the_larger_first(points, norm):
    found = find_common_taste(space(norm), points, 1e-3)
    if not found.parts:
        return
    a, b = found.parts
    assert sorted([*a.members, *b.members]) == list(range(len(points)))
    assert len(a.members) >= len(b.members) >= 1
    for part in found.parts:
        apart = [pair(x, part.centre, norm) for x in points[part.members]]
        assert part.reach == pytest.approx(max(apart), abs=1e-6)
        assert part.left == 1e-3 - part.reach
        assert part.served == pytest.approx(np.mean([d <= 1e-3 for d in apart]), abs=1e-9) or part.reach < 1e-3


@pytest.mark.parametrize("norm", [2, INF])
def test_two_camps_are_told_apart(norm):
    random = np.random.default_rng(0)
    camps = np.concatenate([random.uniform(-0.9, -0.6, (30, 6)), random.uniform(0.5, 0.8, (20, 6))]).astype(np.float32)
    found = find_common_taste(space(norm, 6), camps, 0.3)
    assert found.verdict == "no common taste"
    assert [part.members.tolist() for part in found.parts] == [list(range(30)), list(range(30, 50))]
    assert all(part.left > 0 and part.served == 1 for part in found.parts)
    assert found.served == 0
    assert found.centre.dtype == np.float32, "as the points that decoders are given"


@pytest.mark.parametrize("norm", [2, 4, INF])
def test_a_large_segment_is_divided_where_most_are(norm, monkeypatch):
    random = np.random.default_rng(1)
    camps = np.concatenate([random.normal(-0.5, 0.1, (2500, 8)), random.normal(0.5, 0.1, (1500, 8))]).clip(-1, 1)
    monkeypatch.setattr(groups, "_two_colours", None)  # not all pairs of so many
    found = find_common_taste(space(norm, 8), camps.astype(np.float32), 0.4)
    assert [part.members.tolist() for part in found.parts] == [list(range(2500)), list(range(2500, 4000))]
    again = find_common_taste(space(norm, 8), camps.astype(np.float32), 0.4)
    np.testing.assert_array_equal(found.parts[0].centre, again.parts[0].centre)


@pytest.mark.parametrize("norm", NORMS)
def test_one_member_two_alike_and_a_corner(norm):
    corner = np.ones((1, 2))
    alone = find_common_taste(space(norm), corner, 0.3)
    assert (alone.verdict, alone.reach, alone.left, alone.served) == ("common taste", 0.0, 0.3, 1.0)
    alike = find_common_taste(space(norm), np.repeat(corner, 5, axis=0), 0.3)
    np.testing.assert_array_equal(alike.centre, [1, 1])
    assert alike.left == 0.3
    if alone.box is not None:
        np.testing.assert_allclose(alone.box, [[0.7, 0.7], [1, 1]], err_msg="cut to the space")
    opposite = find_common_taste(space(norm), np.array([[1.0, 1.0], [-1.0, -1.0]]), 0.3)
    assert opposite.reach == pytest.approx(1, rel=2e-3)
    assert [part.members.tolist() for part in opposite.parts] == [[0], [1]]
    assert find_common_taste(space(norm), np.array([[1.0, 1.0], [-1.0, -1.0]]), 2.5).verdict == "common taste"


def test_at_exactly_twice_the_radius_one_point_is_in_common():
    found = find_common_taste(space(INF), np.array([[-0.25, 0.0], [0.25, 0.125]]), 0.25)
    assert found.verdict == "common taste"
    assert found.left == 0
    assert found.box is not None
    assert found.box[0][0] == found.box[1][0] == 0


def test_what_lies_between_found_and_proved_is_not_decided():
    points = np.tanh(np.random.default_rng(3).standard_normal((40, 8)))
    _, reach, proved = enclosing_ball(points, 4, -1.0, 1.0)
    assert proved < reach
    assert find_common_taste(space(4, 8), points, (proved + reach) / 2).verdict == "none found"
    assert find_common_taste(space(4, 8), points, proved * (1 - 1e-6)).verdict == "no common taste"
    assert find_common_taste(space(4, 8), points, reach).verdict == "common taste"


def test_what_is_refused():
    with pytest.raises(ConfigError, match="a group of nobody"):
        find_common_taste(space(2), np.zeros((0, 2)), 0.3)
    for radius in (0.0, -1.0, math.nan, INF):
        with pytest.raises(ConfigError, match="radius"):
            find_common_taste(space(2), np.zeros((1, 2)), radius)
    with pytest.raises(SpaceError, match="3 axes in a space of 2"):
        find_common_taste(space(2), np.zeros((1, 3)), 0.3)
    with pytest.raises(SpaceError, match="outside the space"):
        find_common_taste(space(2), np.full((1, 2), 1.5), 0.3)
    with pytest.raises(SpaceError, match="finite"):
        find_common_taste(space(2), np.full((1, 2), np.nan), 0.3)
