import math

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant._spec import UNSEEN
from penchant.errors import ConfigError, SpaceError
from penchant.portraits._weights import systematic_draw, weighted_quantiles
from penchant.portraits.distribution import LEVELS, ball_distribution, prior_distribution
from penchant.spaces import Ball, UniformSpace
from penchant.tables import Field, SideEncoder

FRAME = pl.DataFrame(
    {
        "id": [1, 2, 3],
        "year": [1900, 1950, 2000],
        "film": [True, False, True],
        "genre": ["a", "b", "b"],
        "tags": [["x"], ["x", "y"], []],
        "place": [[0.0, 0.0], [1.0, 2.0], [0.5, 1.0]],
        "always": [7.5, 7.5, 7.5],
    }
)
KINDS = {"id": "id", "year": "numeric", "film": "binary", "genre": "category", "tags": "tags", "place": "vector"}
FIELDS = tuple(Field(name=name, side="item", kind=KINDS.get(name, "numeric")) for name in FRAME.columns)
ENCODER = SideEncoder.fit(FIELDS, FRAME)
SPACE = UniformSpace(dim=2, norm=2)
CENTRE = np.zeros(2, dtype=np.float32)
KNOWN = np.random.default_rng(1).uniform(-1, 1, (60, 2)).astype(np.float32)


def decode(z):
    """year and the genre's share rise with the first axis, film and x with the second."""
    first, second = ((z + 1) / 2).astype(np.float32).T
    half, rare = np.full(len(z), 0.5, dtype=np.float32), np.full(len(z), 0.1, dtype=np.float32)
    return np.column_stack([first, second, first, 1 - first, second, rare, half, half, half])


def encode(features):
    """The year says the first axis, film the second: what lies at ±1 on it comes back near there only."""
    vector = ENCODER.portrait(features)
    return np.column_stack([2 * vector[:, 0] - 1, 1.6 * vector[:, 1] - 0.8]).astype(np.float32)


def slow_quantile(values, weights, level):
    """The least value that is reached, by adding up one after the other."""
    known = sorted((v, w) for v, w in zip(values, weights, strict=True) if not math.isnan(v) and w > 0)
    total, reached = math.fsum(w for _, w in known), []
    for v, w in known:
        reached.append(w)
        if math.fsum(reached) >= level * total - 1e-9 * total:
            return v
    return math.nan


weights = st.integers(0, 5).map(float)
cells = st.sampled_from([math.nan, 0.0, 0.25, 0.3, 0.5, 1.0])


@given(st.lists(st.tuples(cells, weights), max_size=12))
def test_quantiles_are_the_least_values_that_are_reached(rows):
    values = np.array([[v] for v, _ in rows]).reshape(-1, 1)
    weight = np.array([w for _, w in rows])
    found = weighted_quantiles(values, weight, np.array(LEVELS))[:, 0]
    wanted = [slow_quantile(values[:, 0], weight, level) for level in LEVELS]
    np.testing.assert_array_equal(found, wanted)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(1, 50), st.integers(0, 50))
def test_systematic_draws_are_true_to_the_weights_but_for_one(weight, size, seed):
    w = np.array(weight)
    random = np.random.default_rng(seed)
    if not w.sum() > 0:
        with pytest.raises(ConfigError):
            systematic_draw(w, size, random)
        return
    count = np.bincount(systematic_draw(w, size, random), minlength=len(w))
    assert count.sum() == size
    assert (np.abs(count - size * w / w.sum()) < 1 + 1e-9).all()
    assert not count[w == 0].any()


def prior(points=KNOWN, vectors=None, **more):
    vectors = decode(points) if vectors is None else vectors
    return prior_distribution(SPACE, CENTRE, points, vectors.__getitem__, **{"threshold": 0.4, "slope": 9.0, **more})


def test_the_prior_weighs_known_rows_by_how_likely_each_is_liked():
    found = prior()
    odds = [1 / (1 + math.exp(-9 * (0.4 - math.sqrt((x * x + y * y) / 2)))) for x, y in KNOWN.astype(float)]
    np.testing.assert_allclose(found.weight, np.array(odds) / math.fsum(odds), rtol=1e-5)
    np.testing.assert_array_equal(found.row, np.arange(60))
    years = (KNOWN[:, 0] + 1) / 2
    assert found.mean[0] == pytest.approx(float((years * odds).sum() / math.fsum(odds)), rel=1e-5)
    for q, level in zip(found.quantiles[:, 0], LEVELS, strict=True):
        assert q == pytest.approx(slow_quantile(years, odds, level))
    assert found.returned == 1.0
    assert found.effective == pytest.approx(math.fsum(odds) ** 2 / math.fsum(o * o for o in odds), rel=1e-5)


def test_a_radius_leaves_out_what_is_beyond():
    found = prior(radius=0.3)
    inside = [j for j, (x, y) in enumerate(KNOWN.tolist()) if math.sqrt((x * x + y * y) / 2) <= 0.3]
    assert found.row.tolist() == inside
    assert found.weight.sum() == pytest.approx(1)
    assert "rest on what" in found.notes[0], "few rows are said to be few"


def test_an_empty_ball_is_told():
    found = prior(radius=1e-6)
    assert len(found.points) == 0
    assert np.isnan(found.mean).all()
    assert np.isnan(found.quantiles).all()
    assert found.open.all()
    assert found.effective == 0
    assert "No known row" in found.notes[0]
    assert set(found.table(ENCODER)["said"]) == {"unknown"}


def test_far_from_everything_the_nearest_still_count():
    found = prior(np.array([[0.9, 0.9], [1.0, 1.0]], dtype=np.float32), slope=1e5)
    assert found.weight.tolist() == [1.0], "no weight of all underflows"
    assert found.row.tolist() == [0]


def test_a_large_catalogue_is_drawn_from_and_says_nearly_the_same():
    points = np.random.default_rng(2).uniform(-1, 1, (5000, 2)).astype(np.float32)
    whole, some = prior(points, most=5000), prior(points, most=500)
    assert len(whole.points) == 5000
    assert len(some.points) <= 500
    assert some.effective == whole.effective, "what the weights are worth, not the draw"
    np.testing.assert_allclose(some.mean, whole.mean, atol=0.02)
    np.testing.assert_allclose(some.quantiles, whole.quantiles, atol=0.06)
    again, other = prior(points, most=500), prior(points, most=500, rng=1)
    np.testing.assert_array_equal(some.row, again.row)
    assert not np.array_equal(some.row, other.row)


def test_missing_values_count_nowhere():
    vectors = decode(KNOWN)
    vectors[::2, 0] = np.nan
    vectors[:, 1] = np.nan
    found, odd = prior(vectors=vectors), prior(KNOWN[1::2])
    assert found.mean[0] == pytest.approx(odd.mean[0])
    np.testing.assert_allclose(found.quantiles[:, 0], odd.quantiles[:, 0])
    assert np.isnan(found.mean[1])


def test_the_table_says_open_where_a_range_says_nothing():
    narrow = prior(np.array([[0.0, -1], [0.1, 1], [0.0, -1], [0.0, -1]], dtype=np.float32), threshold=5.0)
    table = {(r["feature"], r["value"]): r for r in narrow.table(ENCODER).iter_rows(named=True)}
    assert list(table) == list(ENCODER.labels())
    assert table["year", "year"]["said"] == "1950 (1950 to 1955)"
    assert not table["year", "year"]["open"]
    assert table["film", "film"]["said"] == "25%"
    assert table["film", "film"]["open"], "films and others both occur"
    assert table["place", "place[0]"]["said"] == "0.50 (0.50 to 0.50)"
    assert table["always", "always"]["said"] == "7.5"
    wide = prior(np.array([[-1.0, 0], [1.0, 0]], dtype=np.float32), threshold=5.0).table(ENCODER)
    assert wide["said"][0] == "open"
    assert wide["q05"][0] == 0
    assert wide["q95"][0] == 1


def ball(centre=(0.0, 0.0), radius=0.6):
    return Ball(SPACE, torch.tensor(centre), radius)


def in_ball(n=400, rng=0, encode=encode, **where):
    return ball_distribution(ball(**where), decode=decode, encode=encode, encoder=ENCODER, n=n, rng=rng)


def test_what_comes_back_lies_in_the_ball_and_is_a_row():
    found = in_ball()
    assert (np.sqrt((found.points.astype(float) ** 2).mean(1)) <= 0.6 + 1e-6).all()
    assert 0 < found.returned < 1
    assert len(found.points) == round(found.returned * 400)
    values = found.vectors[:, 1:6]
    assert set(np.unique(values)) == {0.0, 1.0}, "tags, words, yes and no are whole"
    assert (found.vectors[:, 2:4].sum(1) == 1).all(), "one of many is one"
    assert (found.row == -1).all()
    # points at which film is encoded to ±.8: |first| ≤ √(2·.36 − .64) is what can come back
    assert np.abs(found.points[:, 0]).max() <= math.sqrt(0.08) + 1e-6


def test_shares_of_what_came_back_are_those_that_were_decoded():
    everywhere = in_ball(3000, encode=lambda f: np.zeros((len(f), 2), dtype=np.float32))
    assert everywhere.returned == 1
    np.testing.assert_allclose(everywhere.mean, decode(CENTRE[None])[0], atol=0.04)


def test_the_same_seed_gives_the_same_points():
    np.testing.assert_array_equal(in_ball().points, in_ball().points)
    assert not np.array_equal(in_ball().points[:5], in_ball(rng=1).points[:5])


def test_nothing_comes_back_from_where_nothing_is():
    found = in_ball(encode=lambda f: np.ones((len(f), 2), dtype=np.float32))
    assert found.returned == 0
    assert np.isnan(found.mean).all()
    assert "Only 0 of 400" in found.notes[0]
    few = in_ball(encode=lambda f: np.where(np.arange(len(f)) < 20, 0.0, 1.0)[:, None].repeat(2, 1))
    assert few.notes == (), "just enough"
    rare = in_ball(1000, encode=lambda f: np.where(np.arange(len(f)) < 20, 0.0, 1.0)[:, None].repeat(2, 1))
    assert "hardly anything real" in rare.notes[0]


@pytest.mark.parametrize("where", [{"centre": (1.0, 1.0)}, {"radius": 50.0}, {"centre": (-1.0, 1.0), "radius": 0.01}])
def test_corners_and_balls_larger_than_the_space(where):
    found = in_ball(50, encode=lambda f: np.full((len(f), 2), where.get("centre", (0, 0)), dtype=np.float32), **where)
    assert found.returned == 1


def test_ids_of_what_does_not_exist_are_new():
    seen = []

    def look(features):
        seen.append(features.codes[:, 0])
        return np.zeros((len(features), 2), dtype=np.float32)

    in_ball(10, encode=look)
    assert (seen[0] == UNSEEN).all()


def test_what_is_refused():
    with pytest.raises(ConfigError, match="n = 0"):
        in_ball(0)
    with pytest.raises(ConfigError, match="most = 0"):
        prior(most=0)
    with pytest.raises(SpaceError, match="finite"):
        prior(np.full((1, 2), np.nan, dtype=np.float32), decode(CENTRE[None]))
    only_ids = SideEncoder.fit(FIELDS[:1], FRAME)
    with pytest.raises(ConfigError, match="no id"):
        ball_distribution(ball(), decode=lambda z: np.zeros((len(z), 0)), encode=encode, encoder=only_ids)


@settings(max_examples=20)
@given(st.integers(0, 99))
def test_constant_points_have_no_width(seed):
    same = np.tile(np.random.default_rng(seed).uniform(-1, 1, (1, 2)), (30, 1)).astype(np.float32)
    found = prior(same)
    np.testing.assert_allclose(found.quantiles, np.tile(decode(same[:1]), (5, 1)))
    assert not found.open.any()
    assert found.effective == pytest.approx(30)
