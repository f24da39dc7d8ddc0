import polars as pl
import pytest


def test_models_side_by_side_on_the_same_rows(shell, data):
    words = ["--models", "penchant, popular,ease", "--set", "epochs=2", "--k", 5, "--k", 10, "--quiet"]
    said = shell("compare", *data, *words, "--json")
    assert said.code == 0, said.err
    assert [row["model"] for row in said.json] == ["penchant", "popular", "ease"]
    for row in said.json:
        assert {"auc", "logloss", "ndcg@5", "recall@10", "coverage@10"} <= set(row)
    assert said.json == shell("compare", *data, *words, "--json").json, "one seed gives one table"


def test_new_users_and_a_file(shell, data, tmp_path):
    out = tmp_path / "figures.csv"
    words = ["--models", "popular,logistic", "--split", "cold_users", "--test-share", 0.3, "--out", out]
    assert shell("compare", *data, *words).code == 0
    assert pl.read_csv(out)["model"].to_list() == ["popular", "logistic"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--models", "popular,oracle"], "'oracle' is no model"),
        (["--models", " , "], "no model given"),
        (["--set", "loss.dleta=4"], "did you mean delta"),
        (["--split", "odd"], "per_user"),
        (["--out", "nowhere/figures.csv"], "nowhere"),
    ],
)
def test_wrong_questions(shell, data, words, told):
    said = shell("compare", *data, *words)
    assert said.code == 2
    assert told in said.err
