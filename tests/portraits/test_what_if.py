import json
from dataclasses import replace

import polars as pl
import pytest

from penchant.portraits import Portrait, Radius, WhatIf, moved_features

LIKELY = pl.DataFrame(schema={"feature": pl.String, "level": pl.Float64, "open": pl.Boolean, "said": pl.String})
BALL = Radius(0.5, "core", 0.5, 0.1, False, "The ball.")
EXAMPLES = pl.DataFrame({"id": [7], "distance": [0.1], "probability": [0.8]})


def portrait(shares):
    names = ["<drama>", "comedy", "war"]
    features = pl.DataFrame(
        {"feature": ["tag"] * 3, "value": names, "share": shares, "low": shares, "high": shares,
         "population": [0.3] * 3, "difference": [s - 0.3 for s in shares], "lift": [s / 0.3 for s in shares]}
    )  # fmt: skip
    features = features.sort(pl.col("difference").abs(), descending=True)
    return Portrait("user 7", "item", features, {"tag": "v"}, {"tag": "w"}, EXAMPLES, BALL, LIKELY)


BEFORE, AFTER = portrait([0.5, 0.3, 0.1]), portrait([0.2, 0.4, 0.1])
TOP = pl.DataFrame({"id": [7], "rank_before": [1], "rank_after": [2], "probability_before": [0.9],
                    "probability_after": [0.8]})  # fmt: skip
CHANGES = {"age": (42, 18), "tags": (None, ["x", "y"]), "past": ("3 earlier items", {"liked": [1, 2]})}
MOVED = WhatIf("user 7", CHANGES, BEFORE, AFTER, 0.25, moved_features(BEFORE, AFTER), TOP, 0.1, 0.8)


def test_coordinates_are_put_side_by_side_the_largest_change_first():
    found = moved_features(BEFORE, AFTER)
    assert found["value"].to_list() == ["<drama>", "comedy", "war"]
    assert found["change"].to_list() == pytest.approx([-0.3, 0.1, 0.0])
    assert sorted(found["before"].to_list()) == [0.1, 0.3, 0.5]


def test_it_says_what_changes_and_what_moves():
    title = "user 7, with age 42 → 18, tags missing → x, y, past 3 earlier items → liked 1, 2"
    assert MOVED.title == title
    said = list(MOVED.sentences())
    assert said[0] == "The point moves by 0.250; 80% of the core (the nearest 10%) stay."
    assert said[1:] == ["<drama>: 50% → 20%", "comedy: 30% → 40%"]
    for line in said:
        assert line in str(MOVED)


def test_it_is_shown_on_a_page_and_as_json():
    told = json.loads(MOVED.to_json())
    assert told["changes"]["age"] == {"from": 42, "to": 18}
    assert told["top"][0]["rank_after"] == 2
    page = replace(MOVED, subject="<i>").to_html()
    assert "&lt;i&gt;" in page
    assert "<i>" not in page
    assert "<drama>" not in page
