import base64

import numpy as np
import polars as pl
import pytest

from penchant.maps import CategoryColumn, NumberColumn, map_columns
from penchant.tables import Field


def by_name(columns):
    return {column.name: column for column in columns}


def test_features_become_columns_of_their_side(sides):
    found = by_name(map_columns(sides))
    assert list(found) == [
        "likes", "topic", "tags", "length (items)", "out", "free", "length (users)", "role",
    ]  # fmt: skip
    topic = found["topic"]
    assert topic.side == "item"
    assert topic.words == ("games", "guides", "news")  # equally many: by the order of the encoder
    assert topic.values[:4].tolist() == [1, 2, 0, 1]
    assert (topic.values[120:] == -1).all()
    length = found["length (items)"]
    assert (length.low, length.high, length.unit) == (100, 40119, "words")
    assert np.isnan(length.values[120:]).all()
    assert found["out"].values[0] == pytest.approx(2020)
    assert 2020.3 < found["out"].high < 2020.35
    assert found["free"].words == ("no", "yes")
    assert found["likes"].side == "both"
    assert found["likes"].values[119:122].tolist() == [119, 0, 1]


def test_the_json_form_holds_the_numbers(sides):
    for column in map_columns(sides):
        told = column.to_dict()
        assert told["kind"] == ("category" if isinstance(column, CategoryColumn) else "number")
        kind = "<i2" if isinstance(column, CategoryColumn) else "<f4"
        values = np.frombuffer(base64.b64decode(told["values"]), kind)
        assert np.array_equal(values, column.values, equal_nan=isinstance(column, NumberColumn))


def test_of_tags_the_rarest_shown_counts(sides):
    tags = by_name(map_columns(sides))["tags"]
    assert tags.words == ("t0", "t1", "t2")
    assert tags.values[:3].tolist() == [0, 1, 2]


def test_ten_thousand_tags_become_twelve_words(make_side):
    generator = np.random.default_rng(0)
    tags = [[f"t{generator.integers(10_000)}" for _ in range(20)] + [f"f{n % 15}"] for n in range(600)]
    frame = pl.DataFrame({"tags": tags})
    side = make_side("item", frame, np.zeros((600, 8), np.float32), (Field(name="tags", side="item", kind="tags"),))
    column = by_name(map_columns([side]))["tags"]
    assert len(column.words) == 12
    assert column.words[-1] == "other"
    assert (column.values >= 0).all()
    assert (column.values < 11).sum() >= 400


def test_a_value_called_other_is_not_ours(make_side):
    words = ["other"] * 9 + [f"w{n % 40}" for n in range(80)]
    frame = pl.DataFrame({"topic": words})
    side = make_side("item", frame, np.zeros((89, 8), np.float32), (Field(name="topic", side="item", kind="category"),))
    column = by_name(map_columns([side]))["topic"]
    assert column.words[0] == "other"
    assert column.words[-1] == "all others"
    assert len(set(column.words)) == len(column.words)


def test_what_is_missing_everywhere_is_left_out_and_nobody_breaks_nothing(make_side):
    frame = pl.DataFrame(
        {
            "topic": [None, None],
            "tags": [None, None],
            "length": [None, None],
            "out": [None, None],
            "free": [None, None],
        },
        schema={
            "topic": pl.String,
            "tags": pl.List(pl.String),
            "length": pl.Float64,
            "out": pl.Date,
            "free": pl.Boolean,
        },
    )
    side = make_side("item", frame, np.zeros((2, 8), np.float32))
    assert list(by_name(map_columns([side]))) == ["likes"]
    nobody = make_side("item", frame.clear(), np.zeros((0, 8), np.float32))
    assert map_columns([nobody]) == ()
    assert list(by_name(map_columns([nobody, side]))) == ["likes"]


def test_missing_values_have_no_colour(make_side):
    frame = pl.DataFrame({"topic": ["a", None, "b"], "length": [1.0, None, 3.0]})
    fields = (Field(name="topic", side="item", kind="category"), Field(name="length", side="item", kind="numeric"))
    found = by_name(map_columns([make_side("item", frame, np.zeros((3, 8), np.float32), fields)]))
    assert found["topic"].values.tolist() == [0, -1, 1]
    assert np.isnan(found["length"].values).tolist() == [False, True, False]


def test_words_stay_as_they_are(make_side):
    odd = ['"quoted"', "<b>bold</b>", "مرحبا", "🦜", "a.json/..", "\u202ertl"]
    frame = pl.DataFrame({"topic": odd})
    side = make_side("item", frame, np.zeros((6, 8), np.float32), (Field(name="topic", side="item", kind="category"),))
    assert set(by_name(map_columns([side]))["topic"].words) == set(odd)
