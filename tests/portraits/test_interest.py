import json

import numpy as np
import polars as pl
import pytest
from pydantic import TypeAdapter

from penchant.portraits.forms import InterestForm
from penchant.portraits.interest import Interest

TRAJECTORY = pl.DataFrame(
    {
        "time": pl.datetime_range(pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 3), "1d", eager=True),
        "item": ["<b>i1</b>", "i2", "i3"],
        "label": [1, 0, 1],
        "moved": [0.0, 0.2, 0.4],
        "radius": [0.3, 0.2, 0.1],
    }
)
FEATURES = pl.DataFrame(
    {
        "feature": ["topics", "length"], "value": ["guide", "length"], "before": [0.26, 0.5], "after": [0.62, 0.502],
        "change": [0.36, 0.002],
    }
)  # fmt: skip
TWO = pl.DataFrame({"weight": [0.7, 0.3], "likes": [2.1, 0.9], "radius": [0.1, 0.2], "nearest": [["i3"], ["i1", "i2"]]})


def interest(**changes):
    given = {
        "subject": "user <u1>", "point": np.array([0.1, -0.2]), "radius": 0.12, "moved": 0.4, "events": 3,
        "interests": TWO, "features": FEATURES, "trajectory": TRAJECTORY, "notes": ("A note.",),
    }  # fmt: skip
    return Interest(**{**given, **changes})


def test_words_say_how_far_how_surely_and_what_changed():
    said = str(interest())
    assert "3 events moved the point by 0.400" in said
    assert "within 0.120" in said
    assert "2 interests: 70%, 30%." in said
    assert "guide: 26% → 62%" in said
    assert "length" not in said.split("distance from")[0], "what hardly changed is left out"
    assert "A note." in said
    assert "▁▅█ (up to 0.400)" in said
    assert "1 event moved" in str(interest(events=1))


def test_the_json_form_keeps_its_schema():
    plain = json.loads(interest().to_json())
    TypeAdapter(InterestForm).validate_python(plain)
    assert plain["trajectory"][1]["item"] == "i2"
    assert set(Interest.json_schema()["properties"]) == set(plain)


def test_html_escapes_and_draws():
    page = interest().to_page()
    assert "<b>i1" not in page
    assert "&lt;u1&gt;" in page
    assert "<svg" in page
    assert "role='img'" in page
    assert "nan" not in page


@pytest.mark.parametrize("rows", [0, 1])
def test_without_a_way_nothing_is_drawn(rows):
    found = interest(trajectory=TRAJECTORY.head(rows), events=rows)
    assert "<svg" not in found.to_html()
    assert ("No event yet" in str(found)) == (rows == 0)


def test_long_ways_are_thinned_out():
    n = 5000
    long = pl.DataFrame(
        {"time": [0] * n, "item": ["i"] * n, "label": [1] * n, "moved": np.linspace(0, 1, n), "radius": np.full(n, 0.1)}
    )
    found = interest(trajectory=long)
    assert len(found.sparkline().split(" (")[0]) == 60
    assert len(found.to_html()) < 40_000
