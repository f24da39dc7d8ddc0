"""Every variation can be built, and the tenths are what they say."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from penchant import Penchant, simulate, split_random


@pytest.fixture(scope="module")
def module(benchmark_module):
    return benchmark_module("variations")


def test_every_model_is_made(module):
    for make in module.MODELS.values():
        assert isinstance(make(), Penchant)


def test_uncertainty_is_told_by_tenths_and_by_rows(module):
    tables = simulate(n_users=60, n_items=40, n_interactions=1500, rng=1).tables
    parts = split_random(tables, rng=1)
    model = Penchant.preset("variational", epochs=2).fit(*parts[:2])
    split = SimpleNamespace(train=parts[0], test=parts[2])
    label = parts[2].interactions["label"].cast(pl.Float64).to_numpy()
    found = module.tenths(model, split, label, np.linspace(0, 1, len(label)))
    assert [f"sigma by rows {n}" in found for n in range(1, 6)] == [True] * 5
    assert 0 <= found["auc of the surest tenth"] <= 1
