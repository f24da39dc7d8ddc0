"""The script itself, on tiny tables: peers keep the contract, any metric is a sup norm, rows are named as promised."""

from importlib.util import find_spec
from typing import ClassVar

import numpy as np
import polars as pl
import pytest
import torch

from penchant import Field, Penchant, evaluate_protocol, simulate
from penchant.baselines import CML, Popular
from penchant.evaluation import StrongGeneralisation, fit_on
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
    assert {row.metric for row in rows} == {"ndcg@100", "recall@20", "recall@50", "recall@100", "p"}
    assert {row.model for row in rows if row.metric == "p"} == {"counted"}
    assert all(row.low <= row.value <= row.high for row in rows)


def test_distances_to_all_items_rank_by_the_sup_norm_as_the_metric_does(likes, benchmark_module):
    made = benchmark_module("_ranking_sup").DistancesAsAxes
    model = Penchant.preset("ranking", epochs=1, batch_size=128)
    task = StrongGeneralisation(folds=3, least=3).task(likes)
    embedded = made(model=model).fit(task.train, task.valid, given=task.given_of(task.valid))
    pasts = [likes.item_ids[:3].to_list(), likes.item_ids[5:9].to_list()]
    rows = [{"liked": past} for past in pasts]
    own = fit_on(model, task).recommend([{"past": {"liked": past}} for past in pasts], n=15)
    found = embedded.recommend(rows, n=15)
    for key in ("row", "item_id"):
        assert found[key].to_list() == own[key].to_list()
    np.testing.assert_allclose(-found["score"].to_numpy(), own["distance"].to_numpy(), atol=1e-4)


def test_every_model_of_the_settings_is_known_and_can_be_made(benchmark_module):
    models, settings = benchmark_module("_ranking_models"), benchmark_module("_ranking_settings")
    for case, chosen in settings.SETTINGS.items():
        assert set(chosen) | set(settings.SPACES[case]) <= set(models.MODELS)
        for name in models.MODELS:
            assert models.model(case, name) is not None
            for tried in settings.drawn(case, name):
                assert models.model(case, name, **tried) is not None


def test_settings_are_drawn_once_each_and_no_more_than_the_budget(benchmark_module):
    settings = benchmark_module("_ranking_settings")
    for case, spaces in settings.SPACES.items():
        for name in spaces:
            found = [repr(one) for one in settings.drawn(case, name)]
            assert 1 < len(set(found)) == len(found) <= settings.TRIALS
            assert found == [repr(one) for one in settings.drawn(case, name)]
        assert settings.drawn(case, "no such model") == [{}]


def test_what_is_given_joins_the_training_rows_of_those_who_cannot_fold_in(likes, benchmark_module):
    told = benchmark_module("_ranking_told")
    task = StrongGeneralisation(folds=3, least=3).task(likes)
    asked = told.Told(folds=3, least=3).task(likes)
    assert len(asked.train) == len(task.train) + len(task.given)
    assert asked.given is None
    assert asked.test.interactions.equals(task.test.interactions)
    assert asked.validation().test.interactions.equals(task.validation().test.interactions)
    assert told.told(asked) is asked


def test_models_that_can_and_cannot_fold_in_stand_in_one_report(likes, benchmark_module, monkeypatch):
    ranking = benchmark_module("ranking")
    made = {"penchant": Popular(), "CML": CML(epochs=1, dim=4), "BPR (cornac)": CML(epochs=2, dim=4)}
    monkeypatch.setattr(ranking, "model", lambda case, name: made[name])
    report = ranking.measured("SG-100K", likes, list(made), folds=[0, 1])
    assert report.models == list(made)
    assert not report.skipped
    users = [set(report.of_users(name, "ndcg@100")["user"]) for name in made]
    assert users[0] == users[1] == users[2]
    assert ranking.measured("SG-100K", likes, ["CML"], folds=[0]).models == ["CML"]


@pytest.mark.skipif(find_spec("cornac") is None, reason="cornac comes with the extra bench")
def test_cornac_ranks_by_its_own_scores(likes, benchmark_module):
    cornac = benchmark_module("_ranking_cornac")
    task = StrongGeneralisation(folds=3, least=3).task(likes)
    pasts = [{"liked": likes.item_ids[:3].to_list()}, {"liked": likes.item_ids[5:9].to_list()}]
    folded = cornac.VAECF(dim=4, hidden=8, epochs=2).fit(task.train).recommend(pasts, n=5)
    assert folded["row"].to_list() == [0] * 5 + [1] * 5
    users = task.train.interactions["user_id"].unique(maintain_order=True).to_list()[:2]
    found = cornac.CornacBPR(factors=4, iterations=3).fit(task.train).recommend(users, n=5)
    assert found["user_id"].to_list() == [users[0]] * 5 + [users[1]] * 5


def test_signs_and_functionals_are_norms(benchmark_module):
    ideas = benchmark_module("_ranking_sup_ideas")
    g = torch.Generator().manual_seed(3)
    x, y = torch.randn(5, 4, generator=g), torch.randn(7, 4, generator=g)
    s = ideas.signs(4)
    torch.testing.assert_close(ideas.sup(x @ s.T, y @ s.T), torch.cdist(x, y, p=1.0))
    w = ideas.functionals(x, y, 200)
    four, read = torch.cdist(x, y, p=4.0), ideas.sup(x @ w.T, y @ w.T)
    assert (read <= four + 1e-5).all()  # functionals of the dual ball
    torch.testing.assert_close(read, four)  # all 35 pairs are among 200 drawn ones


def test_far_items_are_far_from_one_another(benchmark_module):
    among = torch.cdist(*[torch.tensor([[0.0], [1.0], [10.0], [5.0]])] * 2)
    assert benchmark_module("_ranking_sup_ideas").farthest(among, 3).tolist() == [0, 2, 3]


def test_figures_of_ideas_are_those_of_the_protocol(likes, benchmark_module):
    ideas = benchmark_module("_ranking_sup_ideas")
    protocol = StrongGeneralisation(folds=3, least=3)
    model = Penchant.preset("ranking", epochs=1, batch_size=128)
    report = evaluate_protocol({"penchant": model}, likes, protocol, k=(20, 100), figures=("ndcg", "recall"), folds=[0])
    task = protocol.task(likes)
    wanted, fitted = ideas.Wanted.of(task), fit_on(model, task)
    (_, users, items), *more = list(ideas.read(fitted, task, wanted))
    found = wanted.figures(fitted.space_.cross(users, items))
    expected = dict(report.values.select("figure", "value").rows())
    for name, value in found.items():
        assert value == pytest.approx(expected[name], abs=1e-6)
    exact = next(ideas.sup(x, y) for name, x, y in more if "all items" in name)
    assert wanted.figures(exact) == pytest.approx(found, abs=1e-3)


def test_throughput_is_measured_on_small_tables(benchmark_module):
    found = benchmark_module("_ranking_throughput").measured(60)
    assert found["users_per_s"] > 0
    assert found["peak_mib"] > 0


@pytest.mark.skipif(find_spec("implicit") is None, reason="the extra bench")
def test_every_weight_of_wmf_has_its_figures(likes, benchmark_module):
    rows = benchmark_module("_ranking_wmf").rows_of_weights(
        benchmark_module("ranking").PROTOCOLS["CiteULike-t"].task(likes)
    )
    models = {row.model for row in rows}
    assert len(models) == 9
    assert {"CML", "WMF, 64 factors, weight 2", "WMF, 128 factors, weight 81"} < models
    assert {row.metric for row in rows} == {"ndcg@100", "recall@50", "recall@100"}
    assert all(0 < row.value <= 1 for row in rows)
