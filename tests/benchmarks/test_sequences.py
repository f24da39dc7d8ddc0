"""Sequences are padded and dealt out as they should be; peers keep the contract."""

import numpy as np
import pytest
import torch


@pytest.fixture(scope="module")
def peers(benchmark_module):
    pytest.importorskip("torch_rechub")
    return benchmark_module("_sequence_peers")


def test_the_last_of_each_is_kept_on_the_side_that_is_asked_for(peers):
    lists = [np.array([1, 2, 3]), np.array([4]), np.array([], dtype=np.int64)]
    assert peers._padded(lists, 2).tolist() == [[2, 3], [4, 0], [0, 0]]
    assert peers._padded(lists, 2, right=True).tolist() == [[2, 3], [0, 4], [0, 0]]


@pytest.mark.parametrize("kind", ["SASRec", "GRU4Rec"])
def test_scores_are_of_every_item_and_losses_are_finite(peers, kind):
    torch.manual_seed(0)
    model = getattr(peers, kind)(dim=8, length=5, batch=4)
    model._net = model._make(12)
    sequences = tuple(np.arange(3 + n) % 11 for n in range(5))
    assert all(torch.isfinite(loss) for loss in model._losses(sequences))
    model._net.eval()
    assert model._scored([np.array([1, 2]), np.array([3])]).shape == (2, 11)


def test_every_model_has_a_name_of_its_own(benchmark_module):
    pytest.importorskip("torch_rechub")
    module = benchmark_module("sequences")
    models = module.MODELS
    assert {"penchant", "SASRec", "GRU4Rec", "ItemKNN", "popularity"} <= set(models)
    for make in models.values():
        assert make() is not None
    gains = {"penchant": np.array([1.0, 0.5, 0.2]), "EASE": np.array([0.5, 0.1, 0.0])}
    assert [(row.model, row.metric) for row in module._significance(gains)] == [("EASE", "p")]


def test_every_kind_of_model_is_fitted_with_its_seed(benchmark_module, monkeypatch):
    pytest.importorskip("torch_rechub")
    module, seeds = benchmark_module("sequences"), []
    for kind in (module.SASRec, module.GRU4Rec):
        monkeypatch.setattr(kind, "learn", lambda self, data: seeds.append(self.rng) or self)
        module.fitted(kind(), None, 7)
    assert seeds == [7, 7]
