from penchant.estimator.queries import resolve
from penchant.service.explorer import widening
from penchant.service.explorer.controls import controls_of
from penchant.service.explorer.filled import Filled
from penchant.service.explorer.standing import reach_of_points
from penchant.service.explorer.widening import widenings


def form(loaded, *pairs):
    return Filled(controls_of(loaded, "item"), {}, pairs)


def test_what_is_said_to_widen_does_and_one_change_a_feature(kinds_loaded):
    fitted = kinds_loaded.fitted
    draft = form(kinds_loaded, ("f.price", "100"), ("f.topics", "tag 1\ntag 2"))
    before = int(reach_of_points(kinds_loaded, resolve(fitted, "item", draft.row()).points)[0])
    found = widenings(kinds_loaded, draft, draft.row())
    assert [one["reach"] for one in found] == sorted((one["reach"] for one in found), reverse=True)
    assert len({one["field"] for one in found}) == len(found) <= 3
    for one in found:
        changed = form(kinds_loaded, *map(tuple, one["query"]))
        reach = int(reach_of_points(kinds_loaded, resolve(fitted, "item", changed.row()).points)[0])
        assert reach > before
        assert abs(reach - one["reach"]) <= 1


def test_no_other_price_at_hand_reaches_more(kinds_loaded):
    """The ends of the range are among what is tried."""
    fitted, price = kinds_loaded.fitted, controls_of(kinds_loaded, "item")["price"].told()
    draft = form(kinds_loaded, ("f.price", "100"))
    rows = [draft.row(), {"price": price["low"]}, {"price": price["high"]}]
    now, *ends = reach_of_points(kinds_loaded, resolve(fitted, "item", rows).points).tolist()
    found = [one["reach"] for one in widenings(kinds_loaded, draft, draft.row(), most=9) if one["field"] == "price"]
    assert max([now, *found]) >= max(ends) - 1


def test_with_too_many_users_nothing_is_tried(kinds_loaded, monkeypatch):
    monkeypatch.setattr(widening, "_USERS", 3)
    draft = form(kinds_loaded)
    assert widenings(kinds_loaded, draft, {}) is None
