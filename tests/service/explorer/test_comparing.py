import pytest

from penchant.dynamics.events import Event
from penchant.estimator.queries import resolve_one
from penchant.service.explorer.comparing import compared


def test_without_a_change_nothing_moves(kinds_loaded):
    for side, who in (("user", "u3"), ("item", "i3")):
        found = compared(kinds_loaded, side, who, {}, {}, reach=0)
        assert found["moved"] == 0
        assert found["left"] == found["told"] == []
        assert all(one["before"] == one["share"] for one in found["bars"])
        assert [one["was"] for one in found["top"]] == list(range(1, 11))


def test_a_change_is_the_what_if_of_the_library(kinds_loaded):
    found = compared(kinds_loaded, "user", "u3", {}, {"age": 79}, reach=0)
    wanted = kinds_loaded.model.what_if("u3", {"age": 79})
    assert found["moved"] == pytest.approx(wanted.moved, abs=1e-5)
    shares = {(one["feature"], one["value"]): (one["before"], one["after"]) for one in wanted.features.to_dicts()}
    for one in found["bars"]:
        assert (one["before"], one["share"]) == pytest.approx(shares[one["feature"], one["value"]], abs=1e-4)
    new = kinds_loaded.model.recommend("u3", n=10)["item_id"].to_list()
    assert [one["id"] for one in found["top_before"]] == new
    assert {one["id"] for one in found["left"]} == set(new) - {one["id"] for one in found["top"]}
    met = kinds_loaded.fitted.seen.filter(kinds_loaded.fitted.seen["user"] == 3)["item"].to_list()
    assert not {f"i{row}" for row in met} & {one["id"] for one in found["top"]}


def test_bars_stay_in_the_order_of_the_start(kinds_loaded):
    still = compared(kinds_loaded, "user", "u3", {}, {}, reach=0)["bars"]
    moved = compared(kinds_loaded, "user", "u3", {}, {"age": 79, "vip": "1"}, reach=0)["bars"]
    assert [(one["feature"], one["value"]) for one in still] == [(one["feature"], one["value"]) for one in moved]
    assert all(one["shown"] for one, old in zip(moved, still, strict=True) if old["shown"])


def test_one_who_is_in_no_table_is_changed_too(kinds_loaded):
    found = compared(kinds_loaded, "user", None, {"age": 30}, {"age": 60}, reach=5)
    wanted = kinds_loaded.model.what_if({"age": 30}, {"age": 60})
    assert found["moved"] == pytest.approx(wanted.moved, abs=1e-5)
    assert found["after"]["ranges"] is True


def test_who_was_moved_by_events_stays_moved(live):
    """A change of a feature does not undo what events have taught."""
    model = live.service.models.serving.first
    age = model.fitted.known["user"].frame.filter(model.fitted.known["user"].frame["user_id"] == "u7")["age"][0]
    model.following(live.service.store)
    model.model.observe([Event(id=f"c{n}", user="u7", item=f"i{n}", label=1, time=1.7e9 + n) for n in range(1, 6)])
    asked = resolve_one(model.fitted, "user", "u7")
    assert compared(model, "user", "u7", {}, {"age": age}, reach=0)["moved"] == pytest.approx(0, abs=1e-5)
    assert float((asked.points - model.fitted.points("user", asked.rows)).abs().max()) > 1e-4
    assert model.model.what_if("u7", {"age": age}).moved == pytest.approx(0, abs=1e-5)
