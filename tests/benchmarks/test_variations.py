"""Every variation can be built and asked for a ranking, tenths are what they say, and options come from validation."""

import json
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from penchant import Penchant, simulate, split_random


@pytest.fixture(scope="module")
def module(benchmark_module):
    return benchmark_module("variations")


def test_every_model_is_made_with_each_of_its_settings(module):
    assert set(module.SETTINGS) == set(module.MODELS)
    for name, make in module.MODELS.items():
        assert len(module.SETTINGS[name]) == 4
        assert len({module.label(name, changes) for changes in module.SETTINGS[name]}) == 4
        for changes in module.SETTINGS[name]:
            assert isinstance(make().set_params(**changes), Penchant)
            ranker = module.ranker(name, changes)
            assert ranker.loss.neck == "softmax"
            assert ranker.space.kind == make().space.kind
            assert ranker.latent.kind == make().latent.kind
    assert module.ranker("point", {}).get_params() == Penchant.preset("ranking", device="cpu").get_params()


def test_uncertainty_is_told_by_tenths_and_by_rows(module):
    tables = simulate(n_users=60, n_items=40, n_interactions=1500, rng=1).tables
    parts = split_random(tables, rng=1)
    model = Penchant.preset("variational", epochs=2).fit(*parts[:2])
    split = SimpleNamespace(train=parts[0], test=parts[2])
    label = parts[2].interactions["label"].cast(pl.Float64).to_numpy()
    found = module.tenths(model, split, label, np.linspace(0, 1, len(label)))
    assert [f"sigma by rows {n}" in found for n in range(1, 6)] == [True] * 5
    assert 0 <= found["auc of the surest tenth"] <= 1


def test_options_are_those_of_the_best_validation_and_none_where_nothing_was_tuned(module, tmp_path):
    assert module.chosen(tmp_path) == {}
    first, second, *_ = module.SETTINGS["contrastive"]
    rows = [
        {"case": case, "model": module.label("contrastive", changes), "metric": "valid auc", "value": value}
        for case, changes, value in (
            (module.OPTIONS, first, 0.6),
            (module.OPTIONS, second, 0.7),
            ("AutoInt-100K ids", first, 0.9),
        )
    ]
    (tmp_path / "variations.json").write_text(json.dumps({"rows": rows}))
    assert module.chosen(tmp_path) == {"contrastive": second}


def test_speed_is_told_by_the_plain_points_of_the_same_round(module, monkeypatch):
    tables = simulate(n_users=30, n_items=20, n_interactions=300, rng=1).tables
    parts = SimpleNamespace(train=tables)
    monkeypatch.setitem(module.rows_of_speed.__globals__, "prepared", lambda case: (parts, None))
    rows = module.rows_of_speed(["point", "wasserstein"], rounds=1, n=200)
    found = {(row.model, row.metric): row.value for row in rows}
    assert found["point", "epoch ratio"] == 1
    assert {name for name, _ in found} == {"point", "wasserstein", "gru", "lstm", "attention"}
    assert all(value > 0 for value in found.values())
