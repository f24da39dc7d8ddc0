"""Constants of the motion, of everyone and of segments, found on a simulator whose segments move otherwise."""

import copy
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from penchant import Penchant
from penchant.errors import ConfigError
from penchant.estimator import motion
from penchant.estimator.motion import check_segments, constants_of

DAY = 86_400


@pytest.fixture(scope="module")
def walked(model):
    """Likes of items drawn near the user: with much wandering for users of one group, without for the other."""
    fitted = copy.copy(model._fitted)
    g = np.random.default_rng(0)
    groups = pl.Series("group", ["a", "b"] * 40)[: model.users_.height]
    known = copy.copy(fitted.known["user"])
    known.frame = known.frame.with_columns(groups)
    fitted.known = {**fitted.known, "user": known}
    items = fitted.known["item"].points.numpy()
    rows = []
    for user, group, anchor in zip(known.vocabulary.ids, groups, known.points.numpy(), strict=True):
        spread = 0.6 if group == "a" else 0.0
        place = anchor + g.normal(0, spread, anchor.shape)
        nearest = np.argsort(((items - place) ** 2).sum(1))[:12]
        rows += [(user, fitted.known["item"].vocabulary.ids[int(i)], 1, t * DAY) for t, i in enumerate(nearest)]
    schema = replace(fitted.schema, time="time")
    pairs = pl.DataFrame(rows, schema=["user_id", "item_id", "label", "time"], orient="row")
    from penchant import Tables

    return fitted, Tables(schema, known.frame, model.items_, pairs)


def test_segments_with_likes_enough_have_constants_of_their_own(walked, monkeypatch):
    fitted, tables = walked
    monkeypatch.setattr(motion, "_ITERATIONS", 8)
    monkeypatch.setattr(motion, "_SEGMENT_LIKES", 100)
    everyone, segments = constants_of(fitted, tables, "group")
    assert segments.column == "group"
    assert set(segments.constants) == {"a", "b"}
    a, b = segments.of("a"), segments.of("b")
    assert np.mean(a.prior) > np.mean(b.prior)
    assert a.gain == b.gain == everyone.gain
    few = tables.with_interactions(tables.interactions.filter(
        (pl.col("user_id") != "") & (~pl.col("user_id").is_in(fitted.known["user"].vocabulary.ids[1::2].implode())
                                     | (pl.col("time") == 0))))  # fmt: skip
    assert set(constants_of(fitted, few, "group")[1].constants) == {"a"}
    assert constants_of(fitted, tables)[1].column is None


def test_without_times_or_likes_enough_there_is_nothing_to_say(walked):
    fitted, tables = walked
    timeless = replace(tables, schema=replace(tables.schema, time=None))
    assert constants_of(fitted, timeless) is None
    assert constants_of(fitted, tables.with_interactions(tables.interactions.head(0))) is None
    assert constants_of(fitted, tables.with_interactions(tables.interactions.filter(pl.col("time") < DAY))) is None
    strangers = tables.interactions.with_columns(user_id=pl.lit("nobody"))
    assert constants_of(fitted, tables.with_interactions(strangers)) is None


def test_a_segment_is_a_value_of_a_users_column(parts):
    with pytest.raises(ConfigError, match=r"segments = 'age': a users' column of kind category or binary expected"):
        Penchant(segments="age", epochs=1).fit(parts[0])
    with pytest.raises(ConfigError, match="segments = 'nothing'"):
        check_segments("nothing", parts[0])
    check_segments(None, parts[0])
