"""A report from values made up, so that every figure of its tables can be worked out by hand."""

import json
import math

import numpy as np
import polars as pl
import pytest

from penchant.errors import ConfigError
from penchant.evaluation import Report, compare_paired, mean_interval

USERS = 12
G = np.random.default_rng(0)
OWN = {"a": G.random((2, USERS)), "b": G.random((2, USERS)) + 0.3}


def report(models=("a", "b"), folds=(0, 1), **more) -> Report:
    by_user = [
        (model, fold, f"u{user}", figure, float(sign * OWN[model][fold, user]))
        for model in models
        for fold in folds
        for figure, sign in (("ndcg@5", 1), ("novelty@5", 1))
        for user in range(USERS)
    ]
    values = [
        row
        for model in models
        for fold in folds
        for row in (
            (model, fold, "ndcg@5", float(OWN[model][fold].mean())),
            (model, fold, "logloss", 0.5 + fold + (model == "b")),
        )
    ]
    kinds = {"model": pl.String, "fold": pl.Int64, "figure": pl.String, "value": pl.Float64}
    of_users = {"model": pl.String, "fold": pl.Int64, "user": pl.String, "figure": pl.String, "value": pl.Float64}
    seconds = [(model, fold, 1.0 + fold, 2.0) for model in models for fold in folds]
    return Report(
        protocol="random",
        words="rows held out",
        folds=folds,
        values=pl.DataFrame(values, schema=kinds, orient="row"),
        users=pl.DataFrame(by_user, schema=of_users, orient="row"),
        seconds=pl.DataFrame(seconds, schema=["model", "fold", "fit", "judge"], orient="row"),
        **more,
    )  # fmt: skip


def test_figures_of_users_have_intervals_over_users():
    row = report().to_frame().row(by_predicate=(pl.col("model") == "a") & (pl.col("figure") == "ndcg@5"), named=True)
    own = OWN["a"].mean(axis=0)
    assert row["value"] == pytest.approx(own.mean())
    order = np.argsort([f"u{user}" for user in range(USERS)])
    assert (row["low"], row["high"]) == pytest.approx(mean_interval(own[order]))
    assert row["spread"] == pytest.approx(np.std(OWN["a"].mean(axis=1), ddof=1))


def test_other_figures_have_their_least_and_largest_fold():
    frame = report().to_frame().filter(pl.col("figure") == "logloss")
    assert frame.rows() == [
        ("a", "logloss", 1.0, math.sqrt(0.5), 0.5, 1.5),
        ("b", "logloss", 2.0, math.sqrt(0.5), 1.5, 2.5),
    ]
    one = report(folds=(0,)).to_frame().filter(pl.col("figure") == "logloss")
    assert one.row(0)[2:] == (0.5, None, None, None)


def test_the_table_has_a_row_a_model():
    table = report().table()
    assert table.columns == ["model", "ndcg@5", "logloss", "seconds"]
    assert table["model"].to_list() == ["a", "b"]
    assert table["seconds"].to_list() == [1.5, 1.5]


def test_the_best_is_compared_with_the_second_on_the_same_users():
    found = report().significance()
    assert found["figure"].to_list() == ["ndcg@5"], "of novelty nothing is better"
    row = found.row(0, named=True)
    wanted = compare_paired(OWN["b"].mean(axis=0), OWN["a"].mean(axis=0))
    assert (row["best"], row["second"], row["users"]) == ("b", "a", USERS)
    assert row["difference"] == pytest.approx(wanted.difference)
    assert row["p_value"] == pytest.approx(wanted.p_value, abs=0.02)
    assert report().compare("a", "b", "ndcg@5").difference == pytest.approx(-wanted.difference)
    assert report(models=("a",)).significance().is_empty()


def test_of_the_log_loss_less_is_better():
    one = report()
    users = one.users.with_columns(figure=pl.lit("logloss"))
    lower = Report(**{**vars(one), "users": users})
    assert lower.significance().row(0)[1:3] == ("a", "b")


@pytest.mark.parametrize(
    ("words", "told"), [(("a", "c", "ndcg@5"), "'c': one of a, b"), (("a", "b", "logloss"), "ndcg@5, novelty@5")]
)
def test_wrong_comparisons_are_refused(words, told):
    with pytest.raises(ConfigError, match=told):
        report().compare(*words)


def test_json_holds_it_all_and_no_nan():
    one = report(skipped={"c": "it cannot"}, facts={"rng": 3})
    nan = one.values.with_columns(
        value=pl.when(pl.col("figure") == "logloss").then(math.nan).otherwise(pl.col("value"))
    )
    found = json.loads(Report(**{**vars(one), "values": nan}).to_json())
    assert (found["protocol"], found["folds"], found["rng"], found["skipped"]) == (
        "random",
        [0, 1],
        3,
        {"c": "it cannot"},
    )
    assert {row["value"] for row in found["figures"] if row["figure"] == "logloss"} == {None}
    assert len(found["by_fold"]) == 8
    assert found["significance"][0]["best"] == "b"


def test_the_page_draws_every_figure_and_needs_no_network():
    page = report(skipped={"c": "<it> cannot"}).to_html()
    assert page.startswith("<!doctype html>")
    assert "logloss (less is better)" in page
    assert "c: &lt;it&gt; cannot" in page
    assert "random, 2 folds: rows held out." in page
    assert 'src="http' not in page
    assert "error_x" in page
    nothing = Report(**{**vars(report()), "values": report().values.clear(), "users": report().users.clear()})
    assert "<h2>Figures</h2>" in nothing.to_html()


def test_the_title_names_folds_only_where_there_are_several():
    assert report().title == "random, 2 folds: rows held out"
    assert report(folds=(0,)).title == "random: rows held out"
