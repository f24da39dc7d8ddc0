"""A user with a few clicks gets an interest point without retraining; nobody is helped by the answer itself."""

import numpy as np
import polars as pl
import pytest

from penchant import Field, Penchant, Schema, simulate, split_random
from penchant.evaluation import auc
from penchant.tables import Tables

SETTINGS = {"epochs": 12, "batch_size": 256, "rng": 3}


def only_history(tables: Tables) -> Tables:
    """The same tables, users known by nothing but their history."""
    items = tables.schema.side("item")
    schema = Schema(
        fields=(Field(name="past", side="user", kind="history"), *items), user_id="user_id", item_id="item_id"
    )
    return Tables.read(schema, users=tables.users, items=tables.items, interactions=tables.interactions)


@pytest.fixture(scope="module")
def parts():
    tables = only_history(simulate(n_users=150, n_items=80, n_interactions=7000, rng=3).tables)
    return split_random(tables, rng=3)


@pytest.fixture(scope="module")
def model(parts):
    return Penchant(**SETTINGS).fit(parts[0], parts[1])


def test_the_history_alone_tells_users_apart(model, parts):
    assert model.score(parts[2]) > 0.75


def test_a_new_user_who_brings_a_known_history_is_that_user(model, parts):
    train = parts[0].interactions
    for user in parts[0].user_ids[:3]:
        own = train.filter(pl.col("user_id") == user)
        row = {
            "past": {
                "liked": own.filter(pl.col("label") == 1)["item_id"].to_list(),
                "disliked": own.filter(pl.col("label") == 0)["item_id"].to_list(),
            }
        }
        np.testing.assert_allclose(model.encode("user", row), model.encode("user", user), atol=1e-5)
        new = model.recommend(row, n=3)
        assert new.columns[0] == "row"
        assert new["item_id"].to_list() == model.recommend(user, n=3)["item_id"].to_list(), "the past is left out too"
        assert not set(new["item_id"]) & set(own["item_id"])
        everything = model.recommend(row, n=80, exclude_seen=False)
        assert set(row["past"]["liked"]) <= set(everything["item_id"])


def test_each_click_makes_new_users_better_known(model, parts):
    """Fold in the first 0, 3 and 12 pairs of users, and judge the others."""
    pairs = parts[2].interactions.vstack(parts[0].interactions)
    items = {item: j for j, item in enumerate(parts[0].item_ids)}
    points = model.encode("item", parts[0].item_ids)
    found = []
    for n in (0, 3, 12):
        labels, scores = [], []
        for _, own in pairs.group_by("user_id", maintain_order=True):
            first, rest = own[:n], own[12:]
            liked, not_liked = (first.filter(pl.col("label") == y)["item_id"].to_list() for y in (1, 0))
            point = model.encode("user", {"past": {"liked": liked, "disliked": not_liked}})
            rows = [items[i] for i in rest["item_id"]]
            scores.append(-np.square(points[rows] - point).mean(1))
            labels.append(rest["label"].to_numpy())
        found.append(auc(np.concatenate(labels).astype(float), np.concatenate(scores).astype(float)))
    assert found[0] < found[1] < found[2]


def test_saved_and_loaded_it_knows_the_histories(model, parts, tmp_path):
    model.save(tmp_path / "m")
    again = Penchant.load(tmp_path / "m")
    assert again.predict_proba(parts[2]).equals(model.predict_proba(parts[2]))
    row = {"past": parts[0].item_ids[:4].to_list()}
    assert np.array_equal(again.encode("user", row), model.encode("user", row))
    assert not np.array_equal(again.encode("user", row), again.encode("user", {"past": []}))


def test_interrupted_and_resumed_gives_the_same_bits(parts, tmp_path):
    whole = Penchant(**{**SETTINGS, "epochs": 3}).fit(parts[0], parts[1])

    class StoppedError(RuntimeError):
        pass

    class Progress:
        steps = 0

        def start(self, total, what): ...
        def finish(self): ...

        def step(self, n, **figures):
            self.steps += 1
            if self.steps > 30:
                raise StoppedError

    with pytest.raises(StoppedError):
        Penchant(**{**SETTINGS, "epochs": 3}).fit(parts[0], parts[1], checkpoint=tmp_path, progress=Progress())
    resumed = Penchant(**{**SETTINGS, "epochs": 3}).fit(parts[0], parts[1], checkpoint=tmp_path)
    assert resumed.predict_proba(parts[2]).equals(whole.predict_proba(parts[2]))


def test_labels_that_are_noise_are_not_learned_from_themselves():
    """With random labels a history that held the pair's own answer would know it in training and fail after it."""
    tables = only_history(simulate(n_users=80, n_items=40, n_interactions=2500, noise=0.49, rng=1).tables)
    noise = np.random.default_rng(0).integers(0, 2, len(tables)).astype(np.int8)
    tables = tables.with_interactions(tables.interactions.with_columns(label=pl.Series(noise)))
    model = Penchant(epochs=5, batch_size=128, rng=1).fit(tables)
    assert model.history_["neck"][-1] > 0.66
