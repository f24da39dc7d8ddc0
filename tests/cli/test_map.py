import json
import sys

import pytest

from penchant.maps import InterestMap
from penchant.storage import read_manifest, version_of


def test_a_map_is_told_in_words(model, shell):
    said = shell("map", model, "--method", "pca", "--quiet")
    assert said.code == 0
    assert "A map of 100 users and items" in said.out
    assert "Trustworthiness" in said.out
    assert said.err == ""


def test_json_and_a_directory_hold_the_same_map(model, shell, tmp_path):
    said = shell("map", model, "--method", "pca", "--rng", 4, "--json", "--save", tmp_path / "one.map")
    told = said.json
    assert told["form"] == "penchant.map/1"
    assert told["model"] == version_of(read_manifest(model))
    assert json.loads(InterestMap.load(tmp_path / "one.map").to_json()) == told
    assert "100%" in said.err
    assert shell("map", model, "--method", "pca", "--most", 30, "--json", "-q").json["n"] == 30


def test_tsne_is_the_default(model, shell):
    assert shell("map", model, "--json", "-q").json["method"] == "tsne"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_html_is_one_file(model, shell, tmp_path, lang):
    pytest.importorskip("jinja2")
    file = tmp_path / "map.html"
    said = shell("map", model, "--method", "pca", "--html", file, "--lang", lang, "-q")
    assert said.code == 0
    page = file.read_text()
    assert page.startswith("<!doctype html>")
    assert "penchant.map/1" in page
    assert said.out == ""


def test_wrong_usage_is_said_before_the_work(model, shell, tmp_path, monkeypatch):
    assert shell("map", model, "--html", tmp_path / "map.txt").code == 2
    assert shell("map", model, "--html", tmp_path / "no" / "map.html").code == 2
    assert shell("map", model, "--html", tmp_path / "map.html", "--lang", "xx").code == 2
    assert "one of tsne, pca, umap" in shell("map", model, "--method", "mds").err
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "other.txt").write_text("mine")
    assert shell("map", model, "--save", tmp_path / "full", "--json").code == 1
    assert shell("map", tmp_path / "none.penchant").code == 1
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    assert "pip install penchant[map]" in shell("map", model).err
    monkeypatch.setitem(sys.modules, "penchant.pages.map_file", None)
    assert "pip install penchant[serve]" in shell("map", model, "--html", tmp_path / "map.html").err
