import datetime as dt

import numpy as np
import polars as pl
import pytest

from penchant._spec import FIRST
from penchant.errors import ConfigError
from penchant.portraits import free_region, known_values
from penchant.portraits.bounds import OneOf, SetOf, Within
from penchant.tables import Field, SideEncoder

FRAME = pl.DataFrame(
    {
        "id": [1, 2, 3],
        "year": [1990, 1994, 2000],
        "length": [0.5, 1.0, 2.5],
        "day": [dt.date(2020, 1, 1), dt.date(2020, 1, 5), dt.date(2020, 1, 11)],
        "genre": ["a", "b", "b"],
        "tags": [["x"], ["x", "y"], []],
        "video": [True, False, True],
        "vector": [[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]],
    }
)
KINDS = {"id": "id", "year": "numeric", "length": "numeric", "day": "date", "genre": "category", "tags": "tags",
         "video": "binary", "vector": "vector"}  # fmt: skip
ENCODER = SideEncoder.fit([Field(name=n, side="item", kind=k) for n, k in KINDS.items()], FRAME)
ROW = ENCODER.encode(FRAME[:1])


def region(free):
    found = free_region(ENCODER, ROW, free)
    found.check(ENCODER.layout)
    return found.free


def test_anything_known_is_every_value_of_the_training_rows():
    free = region(list(KINDS))
    assert len(free["id"].values) == 3
    assert free["genre"] == OneOf((FIRST, FIRST + 1))
    assert free["tags"] == SetOf((FIRST, FIRST + 1))
    assert free["video"] == OneOf((0.0, 1.0))
    assert free["length"] == Within(0.0, 1.0)
    assert free["vector"] == Within()
    assert len(free["year"].values) == 11, "whole numbers are looked at one by one"
    assert len(free["day"].values) == 11


def test_whole_numbers_are_encoded_as_rows_are():
    rows = pl.concat([FRAME[:1].with_columns(year=pl.lit(year, dtype=pl.Int64)) for year in range(1990, 2001)])
    column = ENCODER.encode(rows).dense[:, 0]
    np.testing.assert_array_equal(np.array(region(["year"])["year"].values, dtype=np.float32), column)


def test_ranges_and_lists_narrow_what_is_free():
    free = region({"year": (1994, 1996), "length": (1.0, 99.0), "genre": ["b"], "tags": ["y"], "video": [True],
                   "day": (dt.date(2020, 1, 3), dt.date(2020, 1, 4)), "id": 2})  # fmt: skip
    assert [round(10 * v) for v in free["year"].values] == [4, 5, 6]
    assert (free["length"].low, free["length"].high) == (pytest.approx(0.25), 1.0), "no further than the training rows"
    assert len(free["genre"].values) == len(free["tags"].codes) == len(free["day"].values) - 1 == 1
    assert free["video"] == OneOf((1.0,))
    assert len(free["id"].values) == 1


@pytest.mark.parametrize(
    ("free", "said"),
    [
        (["nope"], "no column 'nope'"),
        ({"year": 1990}, r"\(from, to\) expected"),
        ({"year": ("a", "b")}, "two values of numeric"),
        ({"year": (2010, 2020)}, "they go from 1990 to 2000"),
        ({"year": (1995, 1992)}, "no training value lies there"),
        ({"genre": ["c"]}, "no training row has 'c'"),
        ({"genre": []}, "a list of values expected"),
        ({"tags": ["x", "z"]}, "no training row has 'z'"),
        ({"vector": [0.5, 0.5]}, "free as a whole"),
    ],
)
def test_what_cannot_be_is_named(free, said):
    with pytest.raises(ConfigError, match=said):
        region(free)


def test_rows_with_unknown_values_are_told_apart():
    assert known_values(ENCODER, ROW, list(KINDS))
    lacking = ENCODER.encode_rows([{"year": 1990, "genre": "c", "tags": ["x", "w"], "video": True}])
    assert known_values(ENCODER, lacking, ["year", "video"])
    for name in ("id", "length", "day", "genre", "tags", "vector"):
        assert not known_values(ENCODER, lacking, [name]), name
