import numpy as np
import pytest

from penchant.estimator.queries import resolve_one
from penchant.service.explorer.audience import near_of, portrait_at


def test_a_portrait_is_that_of_the_library_with_its_ranges(kinds_loaded):
    asked = resolve_one(kinds_loaded.fitted, "item", "i3")
    found = portrait_at(kinds_loaded, "item", asked, "i3", reach=10)
    wanted = kinds_loaded.model.audience("i3", details=False)
    shares = {(one["feature"], one["value"]): one["share"] for one in wanted.features.to_dicts()}
    assert {(one["feature"], one["value"]): one["share"] for one in found["bars"]["rows"]} == pytest.approx(
        shares, abs=1e-5
    )
    assert (found["ranges"], found["trained"], found["known"]) == (True, True, 40)
    assert found["inside"] == round(40 * wanted.ball.inside)
    radius = 0.1 * kinds_loaded.fitted.calibration.threshold
    ranges = kinds_loaded.model.ranges("i3", side="item", distance=radius)
    proved = dict(zip(ranges["value"], ranges["high"], strict=True))
    assert {one["value"]: one["proved_high"] for one in found["bars"]["rows"]} == pytest.approx(proved, abs=1e-5)
    assert portrait_at(kinds_loaded, "item", asked, "i3")["ranges"] is None, "not asked for"


def test_lists_are_told_as_text(kinds_loaded):
    fitted = kinds_loaded.fitted
    found = near_of(fitted, "item", kinds_loaded.model.related(user="u1", n=3))
    assert [one["name"] for one in found] == [f"title {one['id'][1:]}" for one in found]
    assert np.all(np.diff([one["distance"] for one in found]) >= 0)
