import json

import polars as pl
import pytest

from penchant import Penchant


def test_a_model_is_written_and_judged_on_rows_put_aside(shell, files, data, model):
    fitted = Penchant.load(model)
    assert fitted.history_.height == 2
    assert fitted.rng == 3
    aside = pl.read_csv(files / "test.csv")
    assert aside.height == 300


def test_json_tells_the_figures(shell, data, tmp_path):
    out = tmp_path / "m.penchant"
    said = shell("train", *data, "--out", out, "--epochs", 1, "--test-share", 0.2, "--quiet", "--json")
    assert said.code == 0
    assert said.json["epochs"] == 1
    assert 0 < said.json["test_auc"] <= 1
    assert 0 < said.json["valid_auc"] <= 1
    assert Penchant.load(out).threshold_ == pytest.approx(said.json["threshold"])


def test_options_come_from_preset_file_set_and_flag_and_later_ones_win(shell, data, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('preset = "seed"\nepochs = 9\n[loss]\ndelta = 2.0\n[space]\ndim = 5\n')
    out = tmp_path / "m.penchant"
    words = ["--config", config, "--set", "loss.delta=4", "--set", "space.norm=inf", "--epochs", 1, "--quiet"]
    said = shell("train", *data, "--out", out, *words)
    assert said.code == 0, said.err
    params = Penchant.load(out).get_params()
    assert (params["epochs"], params["loss__delta"], params["space__dim"]) == (1, 4.0, 5)
    assert params["space__norm"] == float("inf")
    assert params["encoder__inputs"] == "vector"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--set", "loss.dleta=4"], "did you mean delta"),
        (["--set", "loss"], "name=value"),
        (["--set", "epochs=2", "--set", "epochs.x=1"], "no group"),
        (["--preset", "best"], "default, seed"),
        (["--split", "odd"], "per_user"),
        (["--valid-share", "0.6", "--test-share", "0.5"], "nothing to train on"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
        (["--test-out", "nowhere/test.csv"], "--test-out nowhere/test.csv: there is no folder"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_read(shell, data, tmp_path, words, told):
    said = shell("train", *data, "--out", tmp_path / "m.penchant", *words)
    assert said.code == 2
    assert told in said.err
    assert not list(tmp_path.iterdir())


def test_wrong_data_leave_no_model(shell, data, tmp_path):
    clicks = tmp_path / "clicks.csv"
    clicks.write_text("user_id,item_id,label,time\nu1,i1,1,0\nu2,i1,1,0\n")
    said = shell("train", *data[:-1], clicks, "--out", tmp_path / "m.penchant", "--valid-share", 0)
    assert said.code == 1
    assert "one label only" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["clicks.csv"]


def test_what_is_no_model_is_not_replaced(shell, data, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("x")
    said = shell("train", *data, "--out", tmp_path / "letters")
    assert said.code == 1
    assert (tmp_path / "letters" / "dear.txt").read_text() == "x"


def test_interrupted_and_called_again_it_goes_on_to_the_same_model(shell, data, tmp_path, monkeypatch):
    from penchant.training import trainer

    words = ["train", *data, "--epochs", 3, "--rng", 1, "--quiet", "--json"]
    whole = shell(*words, "--out", tmp_path / "whole.penchant").json
    save = trainer._State.save

    def interrupted(self, epoch):
        save(self, epoch)
        if epoch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(trainer._State, "save", interrupted)
    again = [*words, "--out", tmp_path / "again.penchant", "--checkpoint", tmp_path / "checkpoint"]
    said = shell(*again)
    assert said.code == 130
    assert "goes on from the checkpoint" in said.err
    assert not (tmp_path / "again.penchant").exists()
    monkeypatch.setattr(trainer._State, "save", save)
    resumed = shell(*again).json
    assert {**resumed, "model": ""} == {**whole, "model": ""}
    weights = [(tmp_path / f"{name}.penchant" / "weights.safetensors").read_bytes() for name in ("whole", "again")]
    assert weights[0] == weights[1]


def test_validation_rows_of_ones_own(shell, files, data, model, tmp_path):
    out = tmp_path / "m.penchant"
    said = shell("train", *data, "--out", out, "--valid", files / "test.csv", "--epochs", 1, "--quiet", "--json")
    assert said.code == 0
    assert said.json["valid_auc"] > 0


def test_progress_is_plain_lines_where_there_is_no_terminal(shell, data, tmp_path):
    said = shell("train", *data, "--out", tmp_path / "m.penchant", "--epochs", 1, "--json")
    assert "training: 100%" in said.err
    json.loads(said.out)


def test_a_flat_table_trains_and_predicts(shell, tmp_path):
    flat = tmp_path / "flat.csv"
    rows = "\n".join(f"{20 + i % 7},{'ab'[i % 2]},{i % 5},{(i + i // 7) % 2}" for i in range(300))
    flat.write_text(f"age,role,length,label\n{rows}\n")
    schema = tmp_path / "schema.toml"
    schema.write_text(
        '[users.columns]\nage = "numeric"\nrole = "binary"\n[items.columns]\nlength = "numeric"\n'
        '[interactions]\nlabel = "label"\n'
    )
    out = tmp_path / "flat.penchant"
    said = shell("train", "--schema", schema, "--flat", flat, "--out", out, "--epochs", 1, "--quiet")
    assert said.code == 0, said.err
    unlabelled = tmp_path / "pairs.csv"
    unlabelled.write_text("age,role,length\n22,a,3\n99,b,1\n")
    got = shell("predict", out, "--flat", unlabelled, "--json")
    assert got.code == 0, got.err
    assert len(got.json) == 2
    assert shell("evaluate", out, "--flat", flat, "--json").json["rows"] == 300


def test_a_model_is_gone_on_from_with_its_own_options_and_those_that_are_given(shell, data, model, tmp_path):
    out = tmp_path / "later.penchant"
    words = ["--warm-start", model, "--set", "warm.anchor=50", "--set", "loss.delta=4", "--epochs", 1, "--quiet"]
    said = shell("train", *data, "--out", out, *words, "--json")
    assert said.code == 0, said.err
    assert 0 <= said.json["drift"]["users"] < 0.5
    before, after = Penchant.load(model), Penchant.load(out)
    assert after.space == before.space
    assert (after.warm.anchor, after.loss.delta, after.epochs) == (50, 4, 1)
    told = shell("info", out, "--json").json
    assert told["drift"] == after.drift_.config()
    assert "drift" in shell("info", out).out
    assert "drift" not in shell("info", model, "--json").json
    said = shell("train", *data, "--out", out, *words[:2], "--epochs", 1, "--quiet")
    assert "from where they were" in said.err + said.out


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (["--preset", "seed"], "a preset", 2),
        (["--set", "space.dim=3"], "space.dim = 3: 64 expected", 2),
        (["--set", "warm.rows=0"], "warm.rows = 0", 2),
    ],
)
def test_a_warm_start_that_cannot_be(shell, data, model, tmp_path, words, told, code):
    said = shell("train", *data, "--out", tmp_path / "m.penchant", "--warm-start", model, *words, "--quiet")
    assert said.code == code
    assert told in said.err
    assert not (tmp_path / "m.penchant").exists()
