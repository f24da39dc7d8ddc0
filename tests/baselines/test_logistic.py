"""Logistic regression: against a dense float64 fit; with missing and new values."""

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from penchant.baselines import LogisticRegression
from penchant.errors import ConfigError, DataError
from penchant.evaluation import auc
from penchant.tables import Field, Schema, Tables, simulate, split_random


def tables(n=200, rng=0):
    """A user's number, an item's number and the hour of the pair decide."""
    g = np.random.default_rng(rng)
    schema = Schema(
        fields=(
            Field(name="x", side="user", kind="numeric"),
            Field(name="y", side="item", kind="numeric"),
            Field(name="hour", side="context", kind="numeric"),
        ),
        user_id="user",
        item_id="item",
        user="user",
        item="item",
    )
    users = pl.DataFrame({"user": range(12), "x": np.linspace(0, 1, 12)})
    items = pl.DataFrame({"item": range(9), "y": np.linspace(0, 1, 9)})
    user, item = np.r_[range(12), g.integers(0, 12, n - 12)], np.r_[range(9), g.integers(0, 9, n - 9)]
    hour = np.r_[0.0, 1.0, g.random(n - 2)]
    logit = 3 * users["x"].to_numpy()[user] - 4 * items["y"].to_numpy()[item] + 2 * hour - 0.5
    label = (g.random(n) < expit(logit)).astype(int)
    return Tables(schema, users, items, pl.DataFrame({"user": user, "item": item, "label": label, "hour": hour}))


def test_it_is_the_penalised_maximum_of_the_likelihood():
    train = tables()
    pairs = train.interactions
    x = np.column_stack([pairs["user"] / 11, pairs["item"] / 8, pairs["hour"]])
    sign = 2 * pairs["label"].to_numpy() - 1

    def loss(w):
        return np.logaddexp(0, -sign * (x @ w[1:] + w[0])).sum() + 0.5 * 0.3 * w[1:] @ w[1:]

    best = minimize(loss, np.zeros(4), tol=1e-12).x
    found = LogisticRegression(penalty=0.3).fit(train).predict_proba(train)["probability"].to_numpy()
    assert found == pytest.approx(expit(x @ best[1:] + best[0]), abs=1e-3)


def test_rankings_go_by_the_items_part_and_the_score_is_a_probability_without_a_situation():
    train = tables()
    model = LogisticRegression().fit(train)
    found = model.recommend([0, 11], n=9, exclude_seen=False)
    assert found["item"].to_list() == [*range(9), *range(9)]
    absent = train.interactions.head(9).with_columns(
        user=pl.lit(11), item=pl.int_range(9), hour=pl.lit(None, dtype=pl.Float64)
    )
    same = model.predict_proba(train.with_interactions(absent))["probability"]
    assert found["score"].tail(9).to_list() == pytest.approx(same.to_list(), abs=1e-6)


def test_it_learns_what_is_linear_in_the_simulation_and_serves_new_ones():
    train, _, test = split_random(simulate(n_interactions=10_000, rng=1, missing=0.1).tables, rng=1)
    model = LogisticRegression().fit(train)
    label = test.interactions["label"].to_numpy()
    assert auc(label, model.predict_proba(test)["probability"].to_numpy()) > 0.55  # balls are not linear
    assert model.recommend([{"age": 30}, {}], n=2)["row"].to_list() == [0, 0, 1, 1]
    with pytest.raises(DataError, match="agee"):
        model.recommend({"agee": 30})


def test_one_label_and_bad_options():
    train = tables()
    liked = train.with_interactions(train.interactions.filter(pl.col("label") == 1))
    with pytest.raises(DataError, match="found one label only"):
        LogisticRegression().fit(liked)
    with pytest.raises(ConfigError, match="penalty above 0"):
        LogisticRegression(penalty=0).fit(train)
