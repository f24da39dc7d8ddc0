import tomllib

import pytest

from penchant import Penchant

WORDS = ["--set", "epochs=1", "--set", "encoder.hidden=[8]", "--quiet"]


def test_without_optuna_the_way_to_install_it_is_said(shell, data, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    said = shell("tune", *data)
    assert said.code == 2
    assert "pip install penchant[tune]" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--model", "oracle"], "--model: 'oracle' is no model"),
        (["--protocol", "odd"], "leave_one_out"),
        (["--search", "nowhere.toml"], "nowhere.toml: cannot be read"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
        (["--out", "best.json"], ".toml expected"),
        (["--out", "nowhere/best.toml"], "nowhere"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_read(shell, data, words, told):
    said = shell("tune", *data, *words)
    assert said.code == 2
    assert told in said.err


def test_a_search_that_does_not_fit_the_model_is_refused(shell, data, tmp_path):
    search = tmp_path / "search.toml"
    search.write_text("loss.dleta = { low = 1, high = 2 }\n")
    said = shell("tune", *data, "--search", search)
    assert said.code == 2
    assert "--search: search: Loss has no option dleta" in said.err or "dleta" in said.err


def test_what_is_found_is_a_config_to_train_with_and_goes_on_where_it_was(shell, data, tmp_path):
    pytest.importorskip("optuna")
    search, out = tmp_path / "search.toml", tmp_path / "best.toml"
    search.write_text("space.dim = { choices = [4, 8] }\nencoder.hidden = false\n")
    words = [*data, *WORDS, "--search", search, "--study", tmp_path / "study.db", "--rng", 5]
    said = shell("tune", *words, "--trials", 2, "--out", out)
    assert said.code == 0, said.err
    assert "the best of 2 trials" in said.out
    assert "next: penchant train --config" in said.err
    found = tomllib.loads(out.read_text())
    assert found["epochs"] == 1
    again = shell("tune", *words, "--trials", 3, "--json").json
    assert [trial["trial"] for trial in again["trials"]] == [0, 1, 2]
    assert again["options"]["rng"] == 5
    model = tmp_path / "m.penchant"
    trained = shell("train", *data, "--config", out, "--out", model, "--quiet")
    assert trained.code == 0, trained.err
    params = Penchant.load(model).get_params()
    assert params["encoder__hidden"] == (8,)
    assert params["space__dim"] == found["space"]["dim"]


def test_a_baseline_on_another_protocol(shell, data):
    pytest.importorskip("optuna")
    words = ["--model", "ease", "--protocol", "strong_generalisation", "--trials", 3, "--figure", "recall@5", "--quiet"]
    said = shell("tune", *data, *words)
    assert said.code == 0, said.err
    assert "recall@5 on the validation rows" in said.out.replace("\n", " ")
    assert "penalty" in said.out
    wrong = shell("tune", *data, *words, "--figure", "auc")
    assert wrong.code == 2
    assert "asked by their past" in wrong.err
