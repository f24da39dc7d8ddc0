import json

import polars as pl
import pytest

from penchant.baselines import KINDS


def test_models_side_by_side_on_the_same_rows(shell, data):
    words = ["--models", "penchant, popular,ease", "--set", "epochs=2", "--k", 5, "--k", 10, "--quiet"]
    said = shell("compare", *data, *words, "--json")
    assert said.code == 0, said.err
    found = said.json
    by_model = {}
    for row in found["figures"]:
        by_model.setdefault(row["model"], set()).add(row["figure"])
    assert list(by_model) == ["penchant", "popular", "ease"]
    assert all({"auc", "logloss", "ndcg@5", "recall@10", "coverage@10"} <= names for names in by_model.values())
    again = shell("compare", *data, *words, "--json").json
    assert again["by_fold"] == found["by_fold"], "one seed gives one table"
    assert (found["protocol"], found["users"], found["rng"]) == ("random", 60, 0)


def test_users_held_out_whole_in_folds_and_who_cannot_is_named(shell, data):
    words = ["--models", "penchant,ease,popular", "--protocol", "strong_generalisation", "--folds", 3, "--k", 5]
    said = shell("compare", *data, *words, "--protocol-option", "given=0.5", "--figures", "ndcg, recall")
    assert said.code == 0, said.err
    assert "left out: penchant: the schema has no history" in said.err
    for told in ("strong_generalisation, 3 folds", "50%", "ndcg@5", "ease", "Best and second"):
        assert told in said.out
    assert "penchant" not in said.out.replace("penchant compare", "")


@pytest.mark.parametrize("suffix", ["csv", "html", "json"])
def test_a_file_of_any_form(shell, data, tmp_path, suffix):
    out = tmp_path / f"figures.{suffix}"
    words = ["--models", "popular,logistic", "--protocol", "cold_users", "--test-share", 0.3, "--out", out]
    said = shell("compare", *data, *words)
    assert (said.code, said.out) == (0, "")
    if suffix == "csv":
        assert set(pl.read_csv(out)["model"]) == {"popular", "logistic"}
    elif suffix == "json":
        assert json.loads(out.read_text())["protocol"] == "cold_users"
    else:
        assert "users held out whole" in out.read_text()


def test_sampled_rankings_are_named_so_and_presets_are_models(shell, data):
    words = [
        "--models",
        "popular,penchant:seed",
        "--set",
        "epochs=1",
        "--figures",
        "recall",
        "--negatives",
        5,
        "--quiet",
    ]
    said = shell("compare", *data, *words, "--json")
    assert said.code == 0, said.err
    assert {row["figure"] for row in said.json["figures"]} == {"recall@10 of 5 sampled"}
    assert said.json["options"]["penchant:seed"]["encoder"]["inputs"] == "vector"


def test_the_help_names_every_model(shell):
    said = shell("compare", "--help").out
    assert all(name in said for name in KINDS)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--models", "popular,oracle"], "'oracle' is no model"),
        (["--models", " , "], "no model given"),
        (["--models", "penchant:odd"], "preset 'odd'"),
        (["--set", "loss.dleta=4"], "did you mean delta"),
        (["--protocol", "odd"], "leave_one_out"),
        (["--protocol", "time", "--folds", 3], "one past and one future"),
        (["--protocol-option", "given=0.5"], "random.given is no option"),
        (["--protocol-option", "given"], "name=value expected"),
        (["--protocol", "cold_items", "--protocol-option", "among=some"], "cold_items.among = 'some'"),
        (["--figures", "recal", "--models", "popular"], "'recal' is not known"),
        (["--models", "penchant", "--protocol", "strong_generalisation"], "no history to fold a past into"),
        (["--out", "nowhere/figures.csv"], "nowhere"),
        (["--out", "figures.png"], ".html"),
    ],
)
def test_wrong_questions(shell, data, words, told):
    said = shell("compare", *data, *words)
    assert said.code == 2
    assert told in said.err


def test_data_that_a_protocol_cannot_do_with(shell, data, files, tmp_path):
    schema = tmp_path / "schema.toml"
    schema.write_text((files / "schema.toml").read_text().replace('time = "time"', ""))
    said = shell("compare", *data, "--schema", schema, "--models", "popular", "--protocol", "time")
    assert said.code == 1
    assert "needs a time column" in said.err
