import datetime as dt
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from many_kinds import EVIL

from penchant import Field
from penchant.pages.rendering import View, environment
from penchant.pages.words import Words
from penchant.service.explorer.controls import Control, UnfitError, controls_of, number_of
from penchant.tables.kinds import Tags


@pytest.fixture(scope="module")
def item(kinds_loaded):
    return controls_of(kinds_loaded, "item")


def test_there_is_a_field_for_every_feature_but_the_key(kinds_loaded, item):
    assert list(item) == ["price", "mood", "topics", "day", "at", "body", "vec", "author"]
    assert list(controls_of(kinds_loaded, "user")) == ["age", "vip", "town", "past"]
    looks = {name: control.told()["kind"] for name, control in item.items()}
    assert looks == {
        "price": "numeric", "mood": "category", "topics": "many-tags", "day": "date", "at": "moment", "body": "text",
        "vec": "vector", "author": "id",
    }  # fmt: skip
    assert controls_of(kinds_loaded, "item") is item, "made once"


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_numbers_are_read_as_they_are_written(value):
    assert number_of(f"{value:.9g}") == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize(
    ("typed", "number"),
    [("1994", 1994), (" 3,5 ", 3.5), ("1,200", 1200), ("1 200", 1200), ("1,234,567.5", 1234567.5), ("1e3", 1000),
     ("\N{MINUS SIGN}2", -2), ("x", None), ("nan", None), ("inf", None), ("", None), ("1e999", None), ("1,2,3", None)],
)  # fmt: skip
def test_numbers_as_people_type_them(typed, number):
    assert number_of(typed) == number


def test_what_is_written_is_read_back(kinds_loaded, item):
    """A table's own values go through the form unchanged: no form makes a change by being sent."""
    frame = kinds_loaded.fitted.known["item"].frame
    for name, control in item.items():
        for value in frame[name].head(12).to_list():
            sent = control.written(value)
            again = control.read([one.replace("\n", "\r\n") for one in sent])
            assert control.written(again) == sent, (name, value)
            first, second = (control.kind.encode(pl.Series(name, [one])) for one in (value, again))
            for one, other in zip(second, first, strict=True):
                np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "typed", "code"),
    [("price", "cheap", "number"), ("day", "tomorrow", "date"), ("at", "12:30", "moment"), ("vec", "1, 2", "vector"),
     ("vec", "1, 2, x", "vector"), ("body", "x" * 20_001, "long"), ("mood", "x" * 600, "long"),
     ("topics", "\n".join(map(str, range(1001))), "many")],
)  # fmt: skip
def test_what_cannot_be_a_value_says_why(item, name, typed, code):
    with pytest.raises(UnfitError) as error:
        item[name].read([typed])
    assert error.value.code == code
    assert len(error.value.got) <= 80


def test_two_values_and_a_past(kinds_loaded):
    user = controls_of(kinds_loaded, "user")
    assert user["vip"].read(["1"]) == "1"
    assert user["vip"].read([""]) is None
    assert user["vip"].written(True) == ["1"]
    with pytest.raises(UnfitError):
        user["vip"].read(["maybe"])
    assert user["past"].read(["i1\r\ni2"], disliked=["i3"]) == [("i3", False), ("i1", True), ("i2", True)]
    with pytest.raises(UnfitError) as error:
        user["past"].read(["i1\nnothing <b>"])
    assert (error.value.code, error.value.got) == ("item", "nothing <b>")


def test_tags_none_of_them_and_unknown(item):
    topics = item["topics"]
    assert topics.split == "\n", "one of them has a comma"
    assert topics.read(["tag 1\ntag 2", "tag 1"]) == ["tag 1", "tag 2"]
    assert topics.read([""]) is None
    assert topics.read([""], none=True) == []
    assert topics.read([EVIL[2]]) == [EVIL[2]]
    assert topics.read(["new"]) == ["new"]
    assert len(topics.choices) == 40
    assert topics.containing("TAG 1", 5)[0].startswith("tag 1")


def test_a_scale_that_is_not_even_brings_the_places_of_its_slider(item):
    price = item["price"].told()
    assert price["marks"] == sorted(price["marks"])
    assert (price["marks"][0], price["marks"][-1]) == pytest.approx((price["low"], price["high"]), rel=1e-4)
    assert item["day"].told()["low"] == "2020-01-01"
    assert item["at"].read(["2020-01-02T03:04+02:00"]) == dt.datetime(2020, 1, 2, 1, 4)


def test_ten_thousand_tags_are_searched_and_not_listed():
    field = Field(name="topics", side="item", kind="tags")
    many = Control(field, Tags.fit(field, pl.Series([[f"tag {n}" for n in range(10_000)]])))
    told = many.told()
    assert (told["kind"], told["n"], len(told["choices"])) == ("many-tags", 10_000, 40)
    assert many.containing("tag 999", 20)[0] == "tag 999"
    template = environment().from_string('{% import "controls.html" as c with context %}{{ c.control(field, "item") }}')
    shown = {**told, "at": "f0", "value": ["tag 7"], "disliked": [], "none": False, "problem": None, "odd": None}
    began = time.process_time()
    html = template.render(field=shown, _=Words("en"), view=View())
    assert len(html) < 5000
    assert time.process_time() - began < 5
