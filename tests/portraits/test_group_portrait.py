import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from penchant.portraits import GroupPortrait, Part, Portrait, Radius, liked_more

FEATURES = pl.DataFrame(
    {"feature": ["tag"], "value": ["<v>"], "share": [0.6], "low": [0.5], "high": [0.7], "population": [0.4],
     "difference": [0.2], "lift": [1.5]}
)  # fmt: skip
EXAMPLES = pl.DataFrame({"id": [7], "distance": [0.1], "probability": [0.8], "liked_by": [0.75]})
LIKELY = pl.DataFrame(schema={"feature": pl.String, "level": pl.Float64, "open": pl.Boolean, "said": pl.String})
BALL = Radius(0.5, "distance", 0.5, 0.25, False, "The ball.")
PORTRAIT = Portrait("a group", "item", FEATURES, {"tag": "v"}, {"tag": "w"}, EXAMPLES, BALL, LIKELY)
TOGETHER = GroupPortrait("a group", 9, "common taste", 0.5, 0.3, 0.2, 1.0, PORTRAIT, ())
PARTS = (Part(tuple(range(8)), 0.3, 0.2, ("Drama: 60% against 35%",)), Part(("<u>",), 0.6, -0.1, ()))
APART = replace(TOGETHER, verdict="no common taste", reach=0.6, left=-0.1, served=0.5, parts=PARTS)


@pytest.mark.parametrize(
    ("group", "said"),
    [
        (TOGETHER, "All 9 have a common taste: whatever is within 0.200 of their centre."),
        (APART, "No common taste (proved): nothing is within 0.500 of all 9."),
        (APART, "What lies at their centre 50% of them like."),
        (APART, "Part 1, 8 with a common taste (0, 1, 2, 3, 4, 5 and 2 more): Drama: 60% against 35%."),
        (APART, "Part 2, 1 who have none in common either (<u>)."),
        (replace(APART, verdict="none found"), "whether there is one was not settled."),
    ],
)
def test_the_verdict_is_said_in_words(group, said):
    assert any(said in line for line in group.sentences())
    assert said in " ".join(str(group).split())


def test_it_is_shown_on_a_page_and_as_json():
    told = json.loads(APART.to_json())
    assert told["parts"][0]["members"] == list(range(8))
    assert told["portrait"]["examples"][0]["liked_by"] == 0.75
    page = APART.to_html()
    assert "&lt;u&gt;" in page
    assert "<u>" not in page
    assert "liked by 75%, least P 0.80" in page


def test_parts_are_told_by_what_differs_most():
    labels = [("tag", "a"), ("tag", "b"), ("tag", "c"), ("tag", "d")]
    mine, theirs = np.array([0.5, 0.30, 0.2, 0.9]), np.array([0.4, 0.0, 0.2, 0.885])
    assert liked_more(mine, theirs, labels) == ("b: 30% against 0%", "a: 50% against 40%")
