from types import SimpleNamespace

import numpy as np
import pytest

from penchant.service.explorer.reading import REACHES, bar_rows, columns_of, effects_of, named, past_of, reach_of


def coordinate(value, difference, feature="tags", **more):
    row = {"feature": feature, "value": value, "share": 0.5, "low": 0.4, "high": 0.6, "population": 0.5 - difference}
    return {**row, "difference": difference, "lift": 1.0, **more}


def portrait(*rows):
    ordered = sorted(rows, key=lambda row: -abs(row["difference"]))
    return {"features": ordered, "typical": {"age": "24 years"}, "population": {"age": "31 years"}}


def test_bars_go_from_more_to_less_than_everyone():
    found = bar_rows(portrait(coordinate("a", -0.2), coordinate("b", 0.3), coordinate("c", 0.1)), None)
    assert [one["value"] for one in found["rows"]] == ["b", "c", "a"]
    assert (found["shown"], found["last"], found["more"]) == (3, 0, 0)
    assert found["rows"][0]["proved_low"] is None


def test_ranges_join_their_bars_and_numbers_have_words():
    rows = portrait(coordinate("age", 0.1, feature="age", lift=None), coordinate("a", 0.0))
    ranges = [
        {"feature": "age", "value": "age", "decoded": 0.4, "low": 0.1, "high": 0.9, "found_low": 0.2, "found_high": 0.8}
    ]
    age, tag = bar_rows(rows, ranges)["rows"]
    assert (age["text"], age["usual"], age["number"]) == ("24 years", "31 years", True)
    assert (age["proved_low"], age["found_high"], age["low"]) == (0.1, 0.8, 0.4)
    assert tag["decoded"] is None
    assert tag["number"] is False


def test_of_ten_thousand_tags_the_most_telling_stay():
    found = bar_rows(portrait(*(coordinate(f"t{n}", n / 20_000 - 0.25) for n in range(10_000))), None)
    assert len(found["rows"]) == 200
    assert found["more"] == 9800
    assert (found["shown"], found["last"]) == (10, 5)
    assert found["rows"][0]["value"] == "t9999"
    assert found["rows"][-1]["value"] == "t0"


def test_tags_stand_for_their_field_and_the_id_for_the_item():
    def effect(field, tag, size):
        return {"field": field, "tag": tag, "effect": size}

    told = {
        "effects": [
            effect("tags", None, -0.5),
            effect("tags", "a", -0.2),
            effect("year", None, 0.4),
            effect("item_id", None, 0.1),
        ],
        "history": [{"item": "x", "effect": -0.6, "liked": True}],
    }
    found = effects_of(told, "item_id")
    assert [(one["field"], one["tag"], one["itself"]) for one in found["effects"]] == [
        ("tags", "a", False), ("item_id", None, True), ("year", None, False),
    ]  # fmt: skip
    assert found["largest"] == 0.6
    assert effects_of({"effects": [], "history": []}, None)["largest"] == 1.0


def test_what_tables_say(live):
    loaded = live.service.models.serving.first
    fitted = loaded.fitted
    row = fitted.known["user"].frame.row(0, named=True)
    who = row[fitted.schema.user_id]
    found = columns_of(loaded, "user", who)
    assert {one["name"] for one in found} <= {one.heading for one in fitted.schema.side("user")}
    assert fitted.schema.user_id not in {one["name"] for one in found}
    assert all(len(one["value"]) <= 80 for one in found)
    assert columns_of(loaded, "user", "nobody") == []
    past = past_of(loaded, "user", who, 2)
    seen = fitted.seen.filter(fitted.seen["user"] == 0)
    assert past["liked"]["n"] == int(seen["liked"].sum())
    assert past["disliked"]["n"] == int((~seen["liked"]).sum())
    assert len(past["liked"]["some"]) == min(2, past["liked"]["n"])
    assert past_of(loaded, "item", "nothing", 2)["liked"] == {"n": 0, "some": []}
    assert named(loaded, "item", np.array([0]))[0]["id"] == fitted.known["item"].vocabulary.ids[0]


@pytest.mark.parametrize(("asked", "reach"), [(1, 5), (10, 10), (20, 25), (100, 100)])
def test_the_reach_is_one_of_a_few(asked, reach):
    assert reach_of(SimpleNamespace(whole=lambda *_: asked)) == reach
    assert reach in REACHES
