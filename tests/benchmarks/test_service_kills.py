"""Processes of the service killed under events leave what was acknowledged, once; memory is measured by a line."""

import pytest

from penchant import Penchant, simulate, split_random


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("kills") / "small.penchant"
    tables = simulate(n_users=60, n_items=60, n_interactions=900, rng=3).tables
    train, valid = split_random(tables, (0.8, 0.2), rng=1)
    Penchant(epochs=1, rng=1).fit(train, valid).save(path)
    return path


def test_kills_of_workers_and_of_the_database_lose_nothing(benchmark_module, postgres, model):
    found = benchmark_module("_service_kills").kills(model, 3, seed=2, database_every=2)
    assert found["acknowledged"] > 0
    assert found["of PostgreSQL"] == 1
    for what in ("lost or doubled", "torn batches", "states unlike replay", "other answers"):
        assert found[what] == 0, what


def test_a_line_through_points(benchmark_module):
    slope = benchmark_module("_service_soak").slope
    assert slope([0.0, 1.0, 2.0, 5.0], [3.0, 5.0, 7.0, 13.0]) == pytest.approx(2.0)
    assert slope([4.0], [1.0]) == 0.0


@pytest.mark.slow
def test_a_server_is_soaked(benchmark_module, model, tmp_path):
    found = benchmark_module("_service_soak").soak(model, 0.1, f"sqlite:///{tmp_path / 'events.db'}")
    assert found["requests"] > 0
    assert found["failed"] == 0
    assert found["memory_mib"] > 50
