import polars as pl
import pytest

from penchant import Penchant
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
