import numpy as np
import polars as pl
import pytest

from penchant import Penchant
from penchant.errors import DataError


def test_one_label_only_is_refused_before_training(parts):
    train, valid, _ = parts
    liked = train.with_interactions(train.interactions.filter(pl.col("label") == 1))
    with pytest.raises(DataError, match="one label only"):
        Penchant().fit(liked, valid)
    with pytest.raises(DataError, match="validation rows hold no rows"):
        Penchant().fit(train, valid.with_interactions(valid.interactions.head(0)))


def test_without_validation_all_epochs_run_and_the_neck_decides(parts):
    model = Penchant(epochs=2, rng=1).fit(parts[0])
    assert len(model.history_) == 2
    assert "valid" not in model.history_.columns
    assert model.threshold_ == pytest.approx(model.module_.threshold.item())


def test_the_population_is_the_mean_over_liked_pairs(model, parts):
    train = parts[0]
    liked = train.interactions.filter(pl.col("label") == 1).join(train.items, on="item_id", how="left")
    zh = (liked["lang"].drop_nulls() == "zh").mean()
    told = model.portrait("u1").features.filter((pl.col("feature") == "lang") & (pl.col("value") == "zh"))
    assert told["population"][0] == pytest.approx(zh, abs=1e-5)


def test_users_and_items_outside_the_training_rows_are_known_too(model, parts):
    assert len(model.recommend(parts[0].user_ids.to_list(), n=1)) == len(parts[0].users)


def test_weights_of_rows_reach_the_loss(simulation):
    from dataclasses import replace

    tables = simulation.tables
    schema = replace(tables.schema, weight="weight")

    def fitted(weights):
        pairs = tables.interactions.with_columns(weight=pl.Series(weights))
        return (
            Penchant(epochs=1, rng=1).fit(replace(tables, schema=schema, interactions=pairs)).module_.threshold.item()
        )

    n = len(tables)
    assert fitted(np.ones(n)) != fitted(np.where(tables.interactions["label"] == 1, 5.0, 1.0))


def test_training_keeps_to_its_threads_and_gives_them_back(parts, monkeypatch):
    import torch

    from penchant.estimator import fitting

    train, seen = fitting.train, []
    monkeypatch.setattr(fitting, "train", lambda job: seen.append(torch.get_num_threads()) or train(job))
    before = torch.get_num_threads()
    for asked in (1, 2, 0):
        Penchant(epochs=1, threads=asked).fit(parts[0])
        assert torch.get_num_threads() == before
    assert seen == [1, 2, before]
