"""Few clicks are part of more clicks, nothing of a new user but features is known, and missing data are a note."""

import polars as pl
import pytest

from penchant import simulate
from penchant.baselines import Popular


@pytest.fixture(scope="module")
def module(benchmark_module):
    return benchmark_module("cold_start")


def test_fewer_clicks_are_the_first_of_more(module):
    tables = simulate(n_users=20, n_items=30, n_interactions=400, rng=1).tables
    before = set()
    for n in (0, 1, 3, 10):
        rows = module.told(tables, n).interactions
        pairs = set(rows.select("user_id", "item_id").rows())
        assert before <= pairs
        assert rows.group_by("user_id").len()["len"].max() in (n, None)
        before = pairs


def test_every_case_has_models(module, benchmark_module):
    for case in module.CASES[:3]:
        assert set(benchmark_module("_cold_models").models(case)) >= {"penchant", "LightFM", "popularity"}
    assert module.CLICKS[0] == 0
    with pytest.raises(SystemExit):
        module.main(["--cases", "nope"])


def test_likes_alone_are_judged_by_places_and_labels_by_probabilities(module, monkeypatch):
    monkeypatch.setattr(module, "models", lambda case: {"popularity": Popular()})
    labelled = simulate(n_users=40, n_items=30, n_interactions=900, rng=1).tables
    likes = labelled.with_interactions(labelled.interactions.filter(pl.col("label") == 1))
    for tables in (labelled, likes):
        rows = module._cold("CiteULike-t cold items", tables, [0, 1])
        assert {row.metric for row in rows} == {"auc", "ndcg@20"}
        assert all(0 <= row.low <= row.high <= 1 for row in rows)
    found = {row.metric: row.value for row in module._cold("CiteULike-t cold items", labelled, [0])}
    assert found["auc"] == 0.5  # to popularity new items are all alike


def test_clicks_are_told_one_after_the_other(module, monkeypatch):
    tables = simulate(n_users=40, n_items=30, n_interactions=900, liked=0.5, rng=1).tables
    likes = tables.with_interactions(tables.interactions.filter(pl.col("label") == 1))
    monkeypatch.setattr(module, "movielens_likes", lambda: likes)
    monkeypatch.setattr(module, "model", lambda case, name: Popular())
    monkeypatch.setattr(module, "_FOLDING", ("popularity",))
    rows = module._clicks([0, 1])
    assert {row.case for row in rows} == {f"ml-100k cold users, {n} clicks" for n in module.CLICKS}
    assert {row.metric for row in rows} == {"ndcg@20", "recall@20", "auc"}


def test_data_that_are_missing_are_a_note(module, tmp_path, capsys):
    asked = ["--cases", "CiteULike-t cold items", "--citeulike", str(tmp_path / "nowhere")]
    module.main([*asked, "--results", str(tmp_path)])
    assert "Not measured" in capsys.readouterr().out
    module.main([*asked, "--results", str(tmp_path / "merged"), "--merge"])
    assert not (tmp_path / "merged").exists()
