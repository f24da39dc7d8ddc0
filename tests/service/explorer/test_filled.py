import pytest
from many_kinds import EVIL

from penchant.service.explorer.controls import controls_of
from penchant.service.explorer.filled import Filled, average_of, query_of, start_of


def filled(loaded, side, start, *pairs):
    return Filled(controls_of(loaded, side), start, pairs)


def test_fields_that_are_not_sent_stay_and_the_others_are_read(kinds_loaded):
    start = start_of(kinds_loaded, "user", "u3")
    form = filled(kinds_loaded, "user", start, ("f.age", "61"), ("f.town", ""), ("f.nothing", "x"), ("who", "y"))
    assert form.values["age"] == 61
    assert form.values["town"] is None
    assert form.values["vip"] == start["vip"]
    assert set(form.changes) == {"age", "town"}
    assert query_of(form) == [("f.age", "61"), ("f.town", "")]


@pytest.mark.parametrize("side", ["user", "item"])
def test_a_form_sent_as_it_came_changes_nothing(kinds_loaded, side):
    for who in kinds_loaded.fitted.known[side].vocabulary.ids.head(8):
        start = start_of(kinds_loaded, side, who)
        form = filled(kinds_loaded, side, start)
        sent = [(prefix + name, one) for name, (own, disliked, _) in form.written(start).items()
                for prefix, many in (("f.", own), ("d.", disliked)) for one in many]  # fmt: skip
        again = filled(kinds_loaded, side, start, *sent)
        assert again.changes == {}
        assert again.problems == {}


def test_the_query_says_the_form_again(kinds_loaded):
    start = start_of(kinds_loaded, "item", "i4")
    pairs = [("f.price", "12,5"), ("f.topics", f"tag 3\n{EVIL[2]}"), ("f.mood", EVIL[0]), ("f.day", "2020-03-04")]
    form = filled(kinds_loaded, "item", start, *pairs)
    again = filled(kinds_loaded, "item", start, *query_of(form))
    assert again.values == form.values
    none = filled(kinds_loaded, "item", start, ("f.topics", ""), ("none.topics", "1"))
    assert none.values["topics"] == []
    assert filled(kinds_loaded, "item", start, *query_of(none)).values["topics"] == []


def test_problems_and_oddities_are_told_at_their_fields(kinds_loaded):
    pairs = [("f.price", "<b>dear</b>"), ("f.mood", "furious"), ("f.day", "2050-01-01"), ("f.vec", "1")]
    form = filled(kinds_loaded, "item", {}, *pairs)
    form.check(kinds_loaded.fitted, "item")
    told = {one["name"]: one for one in form.told(kinds_loaded.fitted, "item")}
    assert told["price"]["problem"] == {"code": "number", "got": "<b>dear</b>"}
    assert told["price"]["value"] == ["<b>dear</b>"], "it stays, to be corrected"
    assert told["vec"]["problem"]["code"] == "vector"
    assert (told["mood"]["odd"], told["day"]["odd"], told["body"]["odd"]) == ("unseen", "clipped", None)
    assert set(form.row()) == {"mood", "day"}


def test_an_average_one_is_in_the_middle(kinds_loaded):
    frame = kinds_loaded.fitted.known["user"].frame
    user = average_of(kinds_loaded, "user")
    assert user["age"] == round(frame["age"].median())
    assert user["vip"] == "false"
    item = average_of(kinds_loaded, "item")
    assert len(item["topics"]) == 1, "the most frequent one, as none has half of them"
    assert str(item["day"]) in ("2020-08-08", "2020-08-09")
    assert item["body"] is None
    assert average_of(kinds_loaded, "item") is item
    form = filled(kinds_loaded, "item", item)
    assert form.problems == {}
    assert form.changes == {}


def test_a_past_is_in_order_and_comes_back_as_the_model_takes_it(kinds_loaded):
    past = start_of(kinds_loaded, "user", "u5")["past"]
    met = kinds_loaded.fitted.seen
    assert len(past) == met.filter(met["user"] == 5).height
    assert [liked for _, liked in past] == sorted(liked for _, liked in past)
    form = filled(kinds_loaded, "user", {"past": past}, ("f.past", "i2"))
    assert form.taken("past") == [{"item": "i2", "liked": True}]
