"""The simulator: its truth is true, and its features tell it."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.linear_model import RidgeCV
from sklearn.metrics import roc_auc_score

from penchant.errors import ConfigError
from penchant.tables._tables import Tables
from penchant.tables.encoding import TablesEncoder
from penchant.tables.simulator import Simulation, simulate

SMALL = {"n_users": 60, "n_items": 50, "n_interactions": 1500}


def pairs(made: Simulation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row of the user, row of the item, label."""
    frame = made.tables.interactions
    users, items = (frame[c].str.slice(1).cast(pl.Int64).to_numpy() for c in ("user_id", "item_id"))
    return users, items, frame["label"].to_numpy()


@pytest.mark.parametrize("norm", [1.0, 2.0, 4.0, float("inf")])
def test_without_noise_the_labels_are_the_balls(norm) -> None:
    made = simulate(norm=norm, noise=0.0, dim=3, **SMALL)
    users, items, label = pairs(made)
    gaps = np.abs(made.truth.user_points[users] - made.truth.item_points[items])
    distance = gaps.max(1) if np.isinf(norm) else (gaps**norm).mean(1) ** (1 / norm)
    assert made.truth.distance(users, items) == pytest.approx(distance)
    assert (label == (distance <= made.truth.radius)).all()
    assert made.truth.accuracy(made.tables) == 1
    assert made.truth.auc(made.tables) == 1


def test_noise_flips_labels_and_the_truth_knows_it() -> None:
    made = simulate(noise=0.2, n_interactions=20_000)
    users, items, label = pairs(made)
    assert made.truth.accuracy(made.tables) == pytest.approx(0.8, abs=0.02)
    assert set(made.truth.probability(users, items).round(9)) == {0.2, 0.8}
    assert made.truth.auc(made.tables) == pytest.approx(roc_auc_score(label, made.truth.probability(users, items)))
    liked_only = made.tables.with_interactions(made.tables.interactions.filter(pl.col("label") == 1))
    assert np.isnan(made.truth.auc(liked_only))


@pytest.mark.parametrize("liked", [0.1, 0.4, 0.9])
def test_the_share_of_likes_is_as_wished(liked) -> None:
    label = simulate(liked=liked, noise=0.0, n_interactions=50_000).tables.interactions["label"]
    assert label.mean() == pytest.approx(liked, abs=0.02)


def test_one_seed_gives_one_world() -> None:
    one, same, other = (simulate(rng=rng, missing=0.1, **SMALL) for rng in (3, 3, 4))
    for table in ("users", "items", "interactions"):
        assert_frame_equal(getattr(one.tables, table), getattr(same.tables, table))
    assert (one.truth.user_points == same.truth.user_points).all()
    assert one.truth.radius != other.truth.radius


def test_pairs_are_distinct_and_may_be_all() -> None:
    made = simulate(n_users=20, n_items=15, n_interactions=300)
    assert made.tables.interactions.select("user_id", "item_id").n_unique() == 300
    assert np.abs(made.truth.user_points).max() <= 1


def test_the_tables_pass_every_check() -> None:
    made = simulate(missing=0.2, **SMALL).tables
    again = Tables.read(made.schema, users=made.users, items=made.items, interactions=made.interactions)
    assert again.warnings == ()
    assert {f.kind for f in made.schema.fields} == {"id", "numeric", "binary", "category", "date", "vector", "tags"}


def test_features_are_left_out_as_often_as_wished() -> None:
    made = simulate(missing=0.3, n_users=2000, n_items=2000).tables
    for frame in (made.users, made.items):
        shares = frame.select(pl.all().is_null().mean()).row(0)
        assert shares[0] == 0
        assert shares[1:] == pytest.approx([0.3] * (len(shares) - 1), abs=0.05)
    whole = simulate(**SMALL).tables
    assert not any(frame.null_count().row(0)[j] for frame in (whole.users, whole.items) for j in range(frame.width))


@pytest.mark.parametrize("without", [(), ("taste", "content")], ids=["all features", "no vectors"])
def test_features_determine_the_hidden_points(without) -> None:
    """A ridge on the encoded features finds the points of users and items it has not seen."""
    made = simulate(n_users=800, n_items=800, dim=3, feature_noise=0.02)
    kept = tuple(f for f in made.tables.schema.fields if f.name not in without and f.kind != "id")
    tables = dataclasses.replace(made.tables, schema=dataclasses.replace(made.tables.schema, fields=kept))
    encoder = TablesEncoder.fit(tables)
    for side, frame, points in (
        (encoder.user, tables.users, made.truth.user_points),
        (encoder.item, tables.items, made.truth.item_points),
    ):
        x = side.portrait(side.encode(frame))
        found = RidgeCV().fit(x[:600], points[:600]).predict(x[600:])
        explained = 1 - ((found - points[600:]) ** 2).mean(0) / points[600:].var(0)
        assert explained.min() > (0.95 if not without else 0.7)


def test_features_of_pure_noise_are_still_features() -> None:
    made = simulate(feature_noise=1e6, **SMALL).tables
    assert Tables.read(made.schema, users=made.users, items=made.items).warnings == ()


def test_every_argument_out_of_range_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        simulate(n_users=0, dim=1, norm=0.5, liked=1.0, noise=0.5, feature_noise=-1.0, missing=1.0)
    message = str(caught.value)
    for name in ("n_users, n_items", "n_interactions", "dim", "norm", "liked", "noise", "feature_noise", "missing"):
        assert f"{name}: " in message
    with pytest.raises(ConfigError, match=r"n_interactions: 1 … 4, the number of pairs expected"):
        simulate(n_users=2, n_items=2, n_interactions=5)
