import math

import numpy as np
import polars as pl
import pytest

from penchant._spec import UNSEEN
from penchant.errors import ConfigError
from penchant.portraits._rows import whole_rows
from penchant.portraits.examples import new_examples
from penchant.spaces import UniformSpace
from penchant.tables import Field, SideEncoder

FRAME = pl.DataFrame(
    {"id": [1, 2], "year": [1900.0, 2000.0], "genre": ["a", "b"], "tags": [["x", "y"], ["x", "z"]]},
)
FIELDS = (
    Field(name="id", side="item", kind="id"),
    Field(name="year", side="item", kind="numeric"),
    Field(name="genre", side="item", kind="category"),
    Field(name="tags", side="item", kind="tags"),
)
ENCODER = SideEncoder.fit(FIELDS, FRAME)
SPACE = UniformSpace(dim=2, norm=2)
CENTRE = np.array([0.2, 0.0], dtype=np.float32)
GRID = np.array([[x / 4, y / 4] for x in range(-4, 5) for y in range(-4, 5)], dtype=np.float32)


def decode(z):
    """The year is the first axis, the genre the sign of the second; x always, and the rarer y or z with the genre."""
    year = (z[:, 0] + 1) / 2
    b = np.clip(0.5 + z[:, 1], 0.05, 0.95)
    x = np.full(len(z), 0.9)
    return np.column_stack([year, 1 - b, b, x, 0.7 * (1 - b), 0.7 * b]).astype(np.float32)


def encode(features):
    assert (features.codes[:, 0] == UNSEEN).all(), "no known id"
    vector = ENCODER.portrait(features)
    return np.column_stack([2 * vector[:, 0] - 1, 0.25 * (vector[:, 2] - vector[:, 1])]).astype(np.float32)


def examples(points=GRID, known=None, **more):
    options = {"threshold": 0.4, "slope": 10.0, **more}
    if known is not None:  # one a row, of others nothing is known
        known = np.concatenate([known, np.full((len(points) - len(known), 6), np.nan, dtype=np.float32)])
    return new_examples(SPACE, CENTRE, points, decode=decode, encode=encode, encoder=ENCODER, known=known, **options)


def test_examples_are_whole_rows_with_the_probability_of_the_row():
    found = examples()
    frame = found.frame()
    assert frame.columns == ["year", "genre", "tags", "probability", "distance"]
    assert frame["probability"].is_sorted(descending=True)
    for row in frame.iter_rows(named=True):
        first, second = 2 * (row["year"] - 1900) / 100 - 1, {"a": -0.25, "b": 0.25}[row["genre"]]
        distance = math.sqrt(((first - 0.2) ** 2 + second**2) / 2)
        assert row["distance"] == pytest.approx(distance, abs=1e-5)
        assert row["probability"] == pytest.approx(1 / (1 + math.exp(-10 * (0.4 - distance))), abs=1e-4)
        assert "x" in row["tags"]
    assert found.notes == ()
    assert len(frame) == 5


def test_they_keep_their_distance_until_they_are_too_few():
    def least(found):
        p = found.points.astype(np.float64)
        return min(math.sqrt(((p[i] - p[j]) ** 2).mean()) for i in range(len(p)) for j in range(i))

    assert least(examples(apart=0.2, count=3)) >= 0.2
    assert len(examples(apart=1.9, count=4).rows) == 4, "halved, as the space is too small for four so far apart"
    greedy = examples(apart=0.0, count=5)
    assert (greedy.probability >= examples(count=5).probability - 1e-12).all(), "diversity costs probability"


def test_the_first_is_the_best_of_all():
    assert examples(apart=0.3).probability[0] == examples(apart=0.0).probability[0]


def test_they_come_from_the_likelier_half_however_far_apart_they_are():
    every = examples(apart=0.0, count=10_000).probability  # falling
    assert len(every) > 20
    assert (examples(apart=0.5, count=5).probability >= every[len(every) // 2]).all()


def test_what_is_known_is_no_example():
    free = examples(count=30, apart=0.0)
    taken = ENCODER.portrait(ENCODER.encode(free.rows.with_columns(id=pl.lit(None))))
    rest = examples(known=taken, count=30, apart=0.0)
    old = {(round(r["year"], 1), r["genre"]) for r in free.rows.iter_rows(named=True)}
    assert not {(round(r["year"], 1), r["genre"]) for r in rest.rows.iter_rows(named=True)} & old


def test_no_two_are_the_same():
    found = examples(np.zeros((3, 2), dtype=np.float32), count=3)
    assert len(found.rows) == 1, "rows at one point decode to one row"
    assert found.notes == ("Only 1 item could be made up that is new.",)
    everything = ENCODER.portrait(ENCODER.encode(found.rows.with_columns(id=pl.lit(None))))
    none = examples(np.zeros((3, 2), dtype=np.float32), known=everything, side="user")
    assert len(none.frame()) == 0
    assert none.notes == ("No user could be made up that is new.",)


def test_too_few_are_said_to_be():
    assert examples(count=400, draws=50).notes[0].startswith("Only ")
    assert "items could be made up that are not known yet." in examples(count=400, draws=50).notes[0]


def test_a_radius_holds_them_all():
    found = examples(radius=0.2)
    assert (found.distance <= 0.2).all()
    assert len(found.rows)
    beyond = examples(np.array([[-1.0, 0.5], [-0.9, 0.5]], dtype=np.float32), radius=0.2)
    assert len(beyond.rows) == 0, "made up from what is nearest, which is too far"


def test_one_known_row_is_enough():
    assert len(examples(GRID[:1]).rows) == 1


def test_made_up_points_lie_between_neighbours():
    """On a line of rows nothing is made up beside it, so no year beyond the rows' either."""
    line = np.column_stack([np.linspace(-0.5, 0.5, 11), np.full(11, 0.3)]).astype(np.float32)
    found = examples(line, count=100, apart=0.0)
    assert set(found.rows["genre"]) == {"b"}
    assert found.rows["year"].min() >= 1925 - 1e-3
    assert found.rows["year"].max() <= 1975 + 1e-3


def test_the_same_seed_gives_the_same_rows():
    assert examples(rng=3).frame().equals(examples(rng=3).frame())
    assert not examples(rng=3).frame().equals(examples(rng=4).frame())


def test_a_field_of_that_name_is_kept():
    from penchant.portraits.examples import Examples

    two = np.zeros((1, 2), dtype=np.float32)
    one = np.array([0.5])
    frame = Examples(pl.DataFrame({"distance": [7], "distance_": [8]}), two, one, one, ()).frame()
    assert frame.columns == ["distance", "distance_", "probability", "distance__"]
    assert frame["distance"][0] == 7


def test_rows_have_as_many_tags_as_are_expected():
    vectors = np.array([[0.5, 0.4, 0.6, 0.4, 0.35, 0.3], [0.5, 0.6, 0.4, 0.1, 0.1, 0.1]], dtype=np.float32)
    rows = whole_rows(ENCODER, vectors)
    assert rows["tags"].to_list() == [["x"], []], "1.05 and .3 tags are expected"
    assert rows["genre"].to_list() == ["b", "a"]


def test_drawn_rows_have_values_as_often_as_their_shares():
    vector = np.array([[0.5, 0.2, 0.6, 0.4, 0.35, 0.0]], dtype=np.float32)
    rows = whole_rows(ENCODER, np.repeat(vector, 4000, axis=0), np.random.default_rng(0))
    assert (rows["genre"] == "a").mean() == pytest.approx(0.25, abs=0.03), ".2 of .8"
    for tag, share in (("x", 0.4), ("y", 0.35), ("z", 0.0)):
        assert rows["tags"].list.contains(tag).mean() == pytest.approx(share, abs=0.03)
    assert set(rows["year"]) == {1950.0}


@pytest.mark.parametrize("options", [{"count": 0}, {"draws": 0}, {"apart": -1.0}, {"apart": math.nan}])
def test_what_is_refused(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        examples(**options)
    with pytest.raises(ConfigError, match="there is none"):
        examples(GRID[:0])
