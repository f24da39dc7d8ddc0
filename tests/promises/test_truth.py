"""On data whose truth is known, the model finds it: the space, the threshold, and what a user would like."""

import numpy as np
import polars as pl
import pytest

from penchant import Penchant, simulate, split_cold_users, split_random


@pytest.fixture(scope="module")
def found():
    simulation = simulate(n_users=500, n_items=400, n_interactions=30_000, rng=11)
    train, valid, test = split_random(simulation.tables, rng=11)
    return simulation, test, Penchant(epochs=16, rng=11).fit(train, valid)


def test_auc_is_at_least_97_percent_of_what_the_true_space_reaches(found):
    simulation, test, model = found
    assert model.score(test) >= 0.97 * simulation.truth.auc(test)


def test_the_threshold_decides_within_10_percent_of_the_true_decision(found):
    simulation, test, model = found
    right = (model.predict(test)["liked"] == (test.interactions["label"] == 1)).mean()
    assert right >= 0.9 * simulation.truth.accuracy(test)


def test_portraits_tell_what_users_truly_like(found):
    """Against the items inside the true ball: the portrait's lift points the same way for nearly everyone."""
    simulation, _, model = found
    truth, items = simulation.truth, simulation.tables.items
    everyone = np.arange(items.height)
    fitted = model._fitted
    vectors = fitted.encoder.item.portrait(fitted.encoder.item.encode(items))
    agreement = []
    for user in range(60):
        inside = truth.distance(np.full(items.height, user), everyone) <= truth.radius
        really = vectors[inside].mean(0) - vectors.mean(0)
        told = model.portrait(f"u{user}").features
        labels = fitted.encoder.item.labels()
        by_label = {(f, v): s for f, v, s in told.select("feature", "value", "share").iter_rows()}
        said = np.array([by_label[label] for label in labels]) - fitted.population["item"]
        agreement.append(np.corrcoef(really, said)[0, 1])
    assert np.mean(agreement) > 0.8
    assert np.quantile(agreement, 0.1) > 0.5


def test_users_never_seen_are_served_from_their_features_alone():
    simulation = simulate(n_users=600, n_items=300, n_interactions=30_000, rng=12)
    train, valid, test = split_cold_users(simulation.tables, rng=12)
    model = Penchant(epochs=14, rng=12).fit(train, valid)
    new = test.interactions["user_id"].unique()
    assert not set(new) & set(train.interactions["user_id"])
    assert model.score(test) >= 0.9 * simulation.truth.auc(test)
    row = simulation.tables.users.filter(pl.col("user_id") == new[0]).drop("user_id").row(0, named=True)
    assert len(model.recommend(row, n=5)) == 5
