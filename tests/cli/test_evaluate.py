import polars as pl
import pytest

from penchant import Penchant
from penchant.cli import main
from penchant.evaluation import auc


def test_figures_are_those_of_the_model_on_the_rows(shell, files, model):
    said = shell("evaluate", model, "--interactions", files / "test.csv", "--json")
    assert said.code == 0
    rows = pl.read_csv(files / "test.csv")
    probability = Penchant.load(model).predict_proba(rows.select("user_id", "item_id"))["probability"]
    assert said.json["rows"] == rows.height
    assert said.json["auc"] == pytest.approx(auc(rows["label"].to_numpy(), probability.to_numpy()), abs=1e-6)
    assert {"user_auc", "logloss", "brier", "accuracy", "calibration_error"} <= set(said.json)
    table = shell("evaluate", model, "--interactions", files / "test.csv").out
    assert f"{said.json['auc']:.4f}" in table


def test_new_users_come_with_their_table(shell, files, model, tmp_path):
    users = pl.read_parquet(files / "users.parquet").with_columns(user_id="new-" + pl.col("user_id"))
    users.write_parquet(tmp_path / "users.parquet")
    clicks = pl.read_csv(files / "test.csv").with_columns(user_id="new-" + pl.col("user_id"))
    clicks.write_csv(tmp_path / "clicks.csv")
    lost = shell("evaluate", model, "--interactions", tmp_path / "clicks.csv")
    assert lost.code == 1
    assert "new-" in lost.err
    words = [
        "--interactions",
        tmp_path / "clicks.csv",
        "--users",
        tmp_path / "users.parquet",
        "--out",
        tmp_path / "f.csv",
    ]
    assert shell("evaluate", model, *words).code == 0
    assert "auc" in pl.read_csv(tmp_path / "f.csv")["figure"]


def test_rows_without_labels_or_with_one_label_only_are_refused(shell, files, model, tmp_path):
    clicks = pl.read_csv(files / "test.csv")
    clicks.drop("label").write_csv(tmp_path / "none.csv")
    clicks.filter(pl.col("label") == 1).write_csv(tmp_path / "one.csv")
    assert "column 'label'" in shell("evaluate", model, "--interactions", tmp_path / "none.csv").err
    said = shell("evaluate", model, "--interactions", tmp_path / "one.csv")
    assert (said.code, said.out) == (1, "")
    assert "liked and disliked" in said.err
    assert shell("evaluate", model).code == 2


def test_rankings_are_given_where_they_are_asked_for(shell, files, model):
    words = ["evaluate", model, "--interactions", files / "test.csv"]
    said = shell(*words, "--k", 5, "--k", 10, "--json")
    assert said.code == 0, said.err
    assert {"auc", "recall@5", "ndcg@10", "map@5", "mrr@5", "hit@5", "precision@5", "coverage@10"} <= set(said.json)
    assert "recall@10" in shell(*words, "--ranking").out
    assert "recall@10" not in shell(*words).out
    test = pl.read_csv(files / "test.csv")
    fitted, found = Penchant.load(model), []
    for (user,), rows in test.filter(pl.col("label") == 1).group_by("user_id"):
        top = fitted.recommend([user], n=5)["item_id"]
        found.append(top.is_in(rows["item_id"].implode()).sum() / min(5, rows.height))
    assert said.json["recall@5"] == pytest.approx(sum(found) / len(found))


@pytest.fixture(scope="module")
def with_history(files, tmp_path_factory):
    """A model whose users have a history, and the rows of users whom it has not met: earlier ones, later ones."""
    folder = tmp_path_factory.mktemp("history")
    clicks = pl.read_csv(files / "clicks.csv")
    new = clicks.filter(pl.col("user_id").is_in([f"u{j}" for j in range(10)]))
    clicks.join(new, on=["user_id", "item_id"], how="anti").write_csv(folder / "train.csv")
    new[: new.height // 2].write_csv(folder / "earlier.csv")
    new[new.height // 2 :].write_csv(folder / "later.csv")
    schema = (files / "schema.toml").read_text().replace("[users.columns]", '[users.columns]\npast = "history"')
    (folder / "schema.toml").write_text(schema)
    words = ["train", "--schema", folder / "schema.toml", "--users", files / "users.parquet", "--items"]
    words += [files / "items.parquet", "--interactions", folder / "train.csv", "--out", folder / "m", "--epochs", 1]
    with pytest.raises(SystemExit) as ended:
        main([*map(str, words), "--quiet"])
    assert not ended.value.code
    return folder


def test_users_the_model_has_not_met_are_told_by_their_past(shell, with_history):
    words = ["evaluate", with_history / "m", "--interactions", with_history / "later.csv", "--k", 5]
    said = shell(*words, "--given", with_history / "earlier.csv", "--json")
    assert said.code == 0, said.err
    assert "auc" not in said.json
    assert 0 <= said.json["recall@5"] <= 1
    without = shell(*words, "--json").json
    assert without["ndcg@5"] != said.json["ndcg@5"], "the past matters"


def test_a_past_that_holds_the_answer_or_cannot_be_used_is_refused(shell, files, model, with_history):
    later = with_history / "later.csv"
    said = shell("evaluate", with_history / "m", "--interactions", later, "--given", later)
    assert said.code == 1
    assert "is among the test and the given rows" in said.err
    said = shell("evaluate", model, "--interactions", later, "--given", with_history / "earlier.csv")
    assert said.code == 2
    assert "the schema has no history" in said.err
