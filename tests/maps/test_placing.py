import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.errors import SpaceError
from penchant.maps import landed, lay_out, place_points, scale_of
from penchant.spaces import Space


@pytest.fixture(scope="module")
def drawn(space, groups):
    """150 points laid out, 30 of the same groups held out."""
    points, group = groups
    return points[:150], lay_out(space, points[:150]), points[150:], group


def test_new_points_land_among_their_neighbours(space, drawn):
    points, xy, new, group = drawn
    placed = place_points(space, new, points, xy, scale_of(xy))
    assert landed(space, new, placed, points, xy).mean() >= 0.9
    centre = np.array([xy[group[:150] == g].mean(0) for g in range(3)])
    assert ((placed[:, None] - centre) ** 2).sum(-1).argmin(1).tolist() == group[150:].tolist()


def test_landing_is_not_given_away(space, drawn):
    points, xy, new, _ = drawn
    generator = np.random.default_rng(0)
    anywhere = xy[generator.permutation(150)[:30]]
    assert landed(space, new, anywhere, points, xy).mean() < 0.35  # three groups: a third lands among its kind
    assert not landed(space, new, np.full((30, 2), 5.0, np.float32), points, xy).all()


def test_known_points_are_placed_near_where_they_are(space, drawn):
    points, xy, _, _ = drawn
    scale = scale_of(xy)
    placed = place_points(space, points, points, xy, scale)
    assert np.median(np.hypot(*(placed - xy).T)) < 2 * scale


def test_a_point_whose_neighbours_were_torn_apart_goes_to_the_most_of_them():
    line = np.array([[0.0], [0.01], [0.02], [0.03], [0.04], [0.9]], np.float32)
    xy = np.array([[-1, 0], [-1, 0.01], [-1, 0.02], [1, 0], [-1, 0.03], [0, 0]], np.float32)
    x, y = place_points(Space(dim=1), np.array([[0.02]], np.float32), line, xy, 0.02)[0]
    assert x == pytest.approx(-1, abs=0.01)
    assert 0 <= y <= 0.03


@given(n=st.integers(0, 6), q=st.integers(0, 3), same=st.booleans())
def test_few_points(n, q, same):
    generator = np.random.default_rng(n)
    points = generator.uniform(-1, 1, (n, 4)).astype(np.float32) * (not same)
    xy = generator.uniform(-1, 1, (n, 2)).astype(np.float32)
    new = np.zeros((q, 4), np.float32)
    placed = place_points(Space(dim=4), new, points, xy, scale_of(xy))
    assert placed.shape == (q, 2)
    assert np.isfinite(placed).all()
    if n:
        assert (np.abs(placed) <= np.abs(xy).max(0) + 1e-6).all()
        assert landed(Space(dim=4), new, placed, points, xy).shape == (q,)


def test_the_scale_is_the_median_distance_to_the_fifteenth(drawn):
    _, xy, _, _ = drawn
    apart = np.sort(np.hypot(*(xy[:, None] - xy).transpose(2, 0, 1)), 1)[:, 15]
    assert scale_of(xy) == pytest.approx(np.median(apart), rel=1e-5)
    assert scale_of(xy[:1]) == 0


def test_points_of_another_space_are_refused(drawn):
    points, xy, new, _ = drawn
    with pytest.raises(SpaceError):
        place_points(Space(dim=8), np.full_like(new, np.inf), points, xy, 0.1)
