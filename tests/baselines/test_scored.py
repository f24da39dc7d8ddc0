"""What baselines that score by likes have in common: probabilities, popularity, ties and what they refuse."""

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize
from scipy.special import logit

from penchant.baselines import EASE, ItemKNN, Popular, UserKNN
from penchant.errors import ConfigError, DataError, UnknownIdError
from penchant.evaluation import auc
from penchant.tables import Schema, Tables, simulate, split_random

KINDS = pytest.mark.parametrize("kind", [ItemKNN, UserKNN, EASE])


def tables(rows, n_users=6, n_items=6):
    schema = Schema(fields=(), user_id="user", item_id="item", user="user", item="item", item_name="title")
    items = pl.DataFrame({"item": range(n_items), "title": [f"t{i}" for i in range(n_items)]})
    pairs = pl.DataFrame(rows, schema=["user", "item", "label"], orient="row")
    return Tables(schema, pl.DataFrame({"user": range(n_users)}), items, pairs)


ROWS = [(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1), (1, 2, 1), (2, 2, 1), (2, 3, 0), (3, 3, 1), (3, 2, 1), (4, 0, 0)]
"""User 4 likes nothing, user 5 was never there; items 4 and 5 have no rows."""


@KINDS
def test_it_beats_popularity_on_the_simulation_and_its_probabilities_are_the_fitted_line(kind):
    data = simulate(n_users=200, n_items=100, n_interactions=8000, rng=1).tables
    train, valid, test = split_random(data, rng=1)
    model = kind().fit(train, valid)
    label = test.interactions["label"].to_numpy()
    ours, theirs = (m.predict_proba(test)["probability"].to_numpy() for m in (model, Popular().fit(train)))
    assert auc(label, ours) > auc(label, theirs) + 0.03

    p = model.predict_proba(valid)["probability"].to_numpy()  # a line on these logits can gain nothing
    z, sign = logit(p), 2 * valid.interactions["label"].to_numpy() - 1
    best = minimize(lambda w: np.logaddexp(0, -sign * (w[0] * z + w[1])).sum(), [0.5, 0.3], tol=1e-10).x
    assert best == pytest.approx([1, 0], abs=0.02)  # not 1 and 0 to the last: a ridge of weight 1


@KINDS
def test_without_two_labels_in_valid_the_training_rows_calibrate(kind):
    train = tables(ROWS)
    one_label = train.with_interactions(train.interactions.filter(pl.col("label") == 1))
    alone = kind().fit(train).predict_proba(train)
    for valid in (one_label, train.with_interactions(train.interactions.clear())):
        assert kind().fit(train, valid).predict_proba(train).equals(alone)


@KINDS
def test_with_likes_only_probabilities_keep_the_order_and_popularity_counts_likes(kind):
    train = tables([row for row in ROWS if row[2]])
    model = kind().fit(train)
    p = model.predict_proba(train)["probability"]
    assert logit(p.to_numpy()).mean() == pytest.approx(0, abs=1e-9)
    assert 0 < p.min() < p.max() < 1
    found = model.recommend(5, n=6)
    assert found["item"].to_list() == [2, 0, 1, 3, 4, 5]
    assert found["score"].is_sorted(descending=True)


@KINDS
def test_scores_that_fall_with_liking_are_not_turned_round(kind):
    train = tables(ROWS)
    upside_down = train.with_interactions(train.interactions.with_columns(label=1 - pl.col("label")))
    plain, other = kind().fit(train), kind().fit(train, upside_down)
    users = list(range(4))
    orders = [m.recommend(users, n=6, exclude_seen=False)["item"] for m in (plain, other)]
    assert orders[0].equals(orders[1])
    found = other.recommend(users, n=6, exclude_seen=False)
    assert all(rows["score"].is_sorted(descending=True) for _, rows in found.group_by("user"))
    assert found["score"].n_unique() > 1


@KINDS
def test_users_without_a_like_get_popularity(kind):
    train = tables(ROWS)
    model, popular = kind().fit(train), Popular().fit(train)
    every = train.with_interactions(tables([(u, i, 0) for u in (4, 5) for i in range(6)]).interactions)
    expected = popular.predict_proba(every)["probability"].to_list()
    assert model.predict_proba(every)["probability"].to_list() == pytest.approx(expected)
    found, other = (m.recommend([4, 5], n=6) for m in (model, popular))
    assert found["title"].to_list()[:1] == [f"t{found['item'][0]}"]
    assert found["score"].to_list() == pytest.approx(other["score"].to_list())
    assert found.filter(pl.col("user") == 4)["item"].to_list().count(0) == 0  # disliked, and seen


@KINDS
def test_new_users_and_items_in_later_tables(kind):
    model = kind().fit(tables(ROWS))
    later = tables([(9, 0, 0), (0, 9, 0), (0, 5, 0), (9, 9, 0)], n_users=10, n_items=10)
    p = model.predict_proba(later)["probability"].to_list()
    by_popularity = Popular().fit(tables(ROWS)).predict_proba(later)["probability"].to_list()
    assert [p[0], p[3]] == pytest.approx([by_popularity[0], by_popularity[3]])
    assert p[1] == p[2]  # no like of either is known
    with pytest.raises(UnknownIdError):
        model.recommend(9)
    with pytest.raises(ConfigError, match=f"{kind.__name__} knows users by their likes only"):
        model.recommend({"age": 3})


@KINDS
def test_equal_scores_go_by_popularity(kind):
    """User 0's only liked item shares nobody with the others: all of these score 0."""
    rows = [(0, 0, 1), (1, 3, 1), (2, 3, 1), (3, 2, 1), (4, 1, 0)]
    found = kind().fit(tables(rows)).recommend(0, n=5)
    assert found["item"].to_list() == [3, 2, 4, 5, 1]
    assert found["score"].n_unique() == 1


@KINDS
def test_without_likes_there_is_nothing_to_learn(kind):
    train = tables(ROWS)
    disliked = train.interactions.filter(pl.col("label") == 0)
    for pairs in (disliked, disliked.clear()):
        with pytest.raises(DataError, match="training needs liked rows"):
            kind().fit(train.with_interactions(pairs))
