"""Popularity against a plain count."""

import polars as pl
import pytest

from penchant.baselines import Popular
from penchant.errors import ConfigError, DataError
from penchant.tables import Schema, Tables


def tables(rows, weight=None, item_name=None):
    users = pl.DataFrame({"user": ["a", "b", "c"]})
    items = pl.DataFrame({"item": [10, 20, 30, 40], "title": ["x", "y", "z", None]})
    schema = Schema(
        fields=(),
        user_id="user",
        item_id="item",
        user="user",
        item="item",
        weight=weight,
        item_name=item_name,
    )
    names = ["user", "item", "label", *([weight] if weight else [])]
    return Tables(schema, users, items, pl.DataFrame(rows, schema=names, orient="row"))


ROWS = [("a", 10, 1), ("b", 10, 0), ("a", 20, 1), ("b", 20, 1), ("c", 30, 0)]


def test_rates_are_likes_drawn_towards_the_average():
    model = Popular(smoothing=2).fit(tables(ROWS))
    every = tables([("a", item, 0) for item in (10, 20, 30, 40)])
    expected = [(1 + 2 * 0.6) / 4, (2 + 2 * 0.6) / 4, (0 + 2 * 0.6) / 3, 0.6]
    assert model.predict_proba(every)["probability"].to_list() == pytest.approx(expected)


def test_without_smoothing_an_item_nobody_met_has_the_average():
    model = Popular(smoothing=0).fit(tables(ROWS))
    found = model.recommend("c", n=4, exclude_seen=False)
    assert found["item"].to_list() == [20, 40, 10, 30]
    assert found["score"].to_list() == pytest.approx([1.0, 0.6, 0.5, 0.0])


def test_rows_count_by_their_weights():
    model = Popular(smoothing=0).fit(tables([("a", 10, 1, 3.0), ("b", 10, 0, 1.0)], weight="w"))
    assert model.predict_proba(tables([("c", 10, 0)]))["probability"].to_list() == [0.75]


def test_a_new_item_has_the_average():
    model = Popular(smoothing=2).fit(tables(ROWS))
    later = tables([("a", 50, 1)])
    later = Tables(later.schema, later.users, pl.DataFrame({"item": [50]}), later.interactions)
    assert model.predict_proba(later)["probability"].to_list() == pytest.approx([0.6])


def test_the_most_liked_unseen_items_come_first_with_their_names():
    model = Popular(smoothing=1).fit(tables(ROWS, item_name="title"))
    found = model.recommend(["c", "a"], n=2)
    assert found.columns == ["user", "rank", "item", "title", "score"]
    assert found.select("user", "rank", "item").rows() == [
        ("c", 1, 20),
        ("c", 2, 40),
        ("a", 1, 40),
        ("a", 2, 30),
    ]
    assert found["title"].to_list() == ["y", None, None, "z"]


def test_rows_of_features_are_served_alike():
    model = Popular().fit(tables(ROWS))
    assert model.recommend([{"age": 3}, {}], n=1).rows() == [(0, 1, 20, 8 / 12), (1, 1, 20, 8 / 12)]
    with pytest.raises(ConfigError, match="not both"):
        model.recommend([{"age": 3}, "a"])


def test_no_rows_and_a_bad_option():
    with pytest.raises(DataError, match="training needs interactions"):
        Popular().fit(tables(ROWS).with_interactions(tables(ROWS).interactions.clear()))
    with pytest.raises(ConfigError, match="smoothing = -1"):
        Popular(smoothing=-1).fit(tables(ROWS))


def test_with_likes_alone_the_most_liked_comes_first():
    likes = [("a", 20, 1), ("b", 20, 1), ("c", 20, 1), ("a", 10, 1), ("b", 10, 1), ("a", 30, 1)]
    found = Popular(smoothing=2).fit(tables(likes)).recommend("c", n=4, exclude_seen=False)
    assert found["item"].to_list() == [20, 10, 30, 40]
    assert found["score"].to_list() == pytest.approx([3 / 5, 2 / 4, 1 / 3, 0.0])
