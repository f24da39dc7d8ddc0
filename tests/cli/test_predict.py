import polars as pl
import pytest

from penchant import Penchant


def test_pairs_need_no_label_and_keep_their_order(shell, files, model, tmp_path):
    pairs = pl.read_csv(files / "test.csv").select("item_id", "user_id").head(50)
    pairs.write_csv(tmp_path / "pairs.csv")
    said = shell("predict", model, "--interactions", tmp_path / "pairs.csv", "--out", tmp_path / "got.parquet")
    assert said.code == 0, said.err
    got = pl.read_parquet(tmp_path / "got.parquet")
    assert got.select("item_id", "user_id").equals(pairs)
    want = Penchant.load(model).predict(pairs)
    assert got["liked"].equals(want["liked"])
    assert got["probability"].to_list() == pytest.approx(want["probability"].to_list(), abs=1e-6)


def test_an_id_in_no_table_is_named_and_nothing_is_written(shell, model, tmp_path):
    (tmp_path / "pairs.csv").write_text("user_id,item_id\nu1,i1\nnobody,i1\n")
    said = shell("predict", model, "--interactions", tmp_path / "pairs.csv", "--out", tmp_path / "got.csv")
    assert said.code == 1
    assert "nobody" in said.err
    assert not (tmp_path / "got.csv").exists()


def test_an_altered_or_later_model_is_refused_by_name(shell, files, model, tmp_path):
    import json
    import shutil

    pairs = ["--interactions", files / "test.csv"]
    copy = tmp_path / "copy.penchant"
    shutil.copytree(model, copy)
    weights = bytearray((copy / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "weights.safetensors").write_bytes(weights)
    said = shell("predict", copy, *pairs)
    assert said.code == 1
    assert "weights.safetensors was altered" in said.err
    (copy / "weights.safetensors").write_bytes(weights[:-9])
    assert "truncated" in shell("predict", copy, *pairs).err
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "format": 99}))
    said = shell("predict", copy, *pairs)
    assert said.code == 1
    assert "format 99" in said.err
