"""The script itself, on tiny tables: peers keep the contract, any metric is a sup norm, rows are named as promised."""

from typing import ClassVar

import numpy as np
import polars as pl
import pytest

from penchant import Field, Penchant, evaluate_protocol, simulate
from penchant.baselines import Popular
from penchant.evaluation.protocols import StrongGeneralisation
from penchant.tables import Schema, Tables


@pytest.fixture(scope="module")
def likes() -> Tables:
    """Likes alone, users known by their past."""
    made = simulate(n_users=60, n_items=40, n_interactions=2000, liked=0.4, noise=0.0, rng=3).tables
    rows = made.interactions.filter(pl.col("label") == 1)
    items = made.schema.side("item")
    schema = Schema(
        fields=(Field(name="past", side="user", kind="history"), *items), user_id="user_id", item_id="item_id"
    )
    return Tables.read(schema, users=made.users, items=made.items, interactions=rows)


@pytest.fixture(scope="module")
def report(likes, benchmark_module):
    """Popularity twice: ours, and as a library would give it by its scores."""
    peers = benchmark_module("_ranking_peers")

    class Counted(peers.Peer):
        folds_in: ClassVar[bool] = True

        def _learn(self, likes, train):
            self._count = np.asarray(likes.sum(0)).ravel()

        def _scores(self, likes, users):
            return np.tile(self._count, (likes.shape[0], 1))

    models = {"penchant": Popular(smoothing=0.5), "counted": Counted()}
    return evaluate_protocol(
        models, likes, StrongGeneralisation(folds=3, least=3), k=(20, 50, 100), figures=("ndcg", "recall"), folds=[0, 1]
    )


def test_a_library_behind_the_contract_gives_the_figures_of_its_scores(report):
    assert not report.skipped
    table = report.table()
    ours, theirs = (table.filter(pl.col("model") == name)["ndcg@20"][0] for name in ("penchant", "counted"))
    assert theirs == pytest.approx(ours, abs=0.02)


def test_rows_hold_every_figure_and_the_name_of_the_norm(report, benchmark_module):
    rows = benchmark_module("ranking").rows_of("SG-100K", report)
    assert {row.model for row in rows} == {"penchant", "penchant 4-norm", "counted"}
    assert {row.metric for row in rows} == {"ndcg@100", "recall@20", "recall@50", "recall@100"}
    assert all(row.low <= row.value <= row.high for row in rows)


def test_distances_to_all_items_rank_by_the_sup_norm_as_the_metric_does(likes, benchmark_module):
    made = benchmark_module("_ranking_sup").DistancesAsAxes
    model = Penchant.preset("ranking", epochs=1, batch_size=128)
    task = StrongGeneralisation(folds=3, least=3).task(likes)
    embedded = made(model=model).fit(task.train, task.valid, given=task.given_of(task.valid))
    pasts = [likes.item_ids[:3].to_list(), likes.item_ids[5:9].to_list()]
    rows = [{"liked": past} for past in pasts]
    own = model.recommend([{"past": {"liked": past}} for past in pasts], n=15)
    found = embedded.recommend(rows, n=15)
    for key in ("row", "item_id"):
        assert found[key].to_list() == own[key].to_list()
    np.testing.assert_allclose(-found["score"].to_numpy(), own["distance"].to_numpy(), atol=1e-4)


def test_every_model_of_the_settings_is_known_and_can_be_made(benchmark_module):
    models = benchmark_module("_ranking_models")
    for case, settings in models.SETTINGS.items():
        assert set(settings) <= set(models.MODELS)
        for name in models.MODELS:
            assert models.model(case, name) is not None
    assert set(models.GRIDS) <= set(models.MODELS)
    assert len(list(models.grid("EASE"))) == 6
