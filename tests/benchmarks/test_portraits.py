"""The script itself, on tiny tables: every case gives its figures, and the file holds them."""

import json
import math

import numpy as np
import pytest


@pytest.fixture(scope="module")
def portraits(benchmark_module):
    return benchmark_module("portraits")


@pytest.fixture(scope="module")
def grid(benchmark_module):
    return benchmark_module("_portrait_grid")


@pytest.mark.parametrize("case", ["ml-100k cold", "simulator rare"])
def test_a_case_holds_penchant_its_variants_and_the_peers(portraits, case):
    found = portraits.measured(case, 0, quick=True)
    assert {"penchant", "decoded point", "without portrait term", "50 nearest", "population", "ridge"} <= set(found)
    for model, figures in found.items():
        assert {"correlation", "squared_error", "top3"} <= set(figures), model
        assert all(math.isfinite(value) for value in figures.values()), model
    assert ("examples_liked" in found["penchant"]) == case.startswith("simulator")
    assert found["population"]["correlation"] == 0


def test_proofs_hold_and_are_tight(portraits):
    (figures,) = portraits.measured("certificates", 0, quick=True).values()
    assert figures["violations"] == 0
    assert figures["points"] == 20_000
    assert 1 <= figures["ratio of logits"] < 3
    assert figures["zeta"] >= 0
    assert 0 <= figures["decided"] <= 1
    assert figures["decided"] + figures["proved to depend"] + figures["not settled"] <= 1 + 1e-9


def test_explanations_are_the_model_asked_anew(portraits):
    (figures,) = portraits.measured("explain", 0, quick=True).values()
    assert figures["figures compared"] > 100
    assert figures["largest difference"] < 1e-6


def test_the_file_holds_what_was_asked_for_and_the_picture_is_drawn(portraits, tmp_path):
    options = ["--quick", "--cases", "sensitivity", "--seeds", "0", "--results", str(tmp_path)]
    portraits.main([*options, "--picture", str(tmp_path / "p.svg")])
    content = json.loads((tmp_path / "portraits.json").read_text())
    assert {row["metric"] for row in content["rows"]} == {"auc", "correlation, decoded", "correlation, portrait"}
    assert any("Not run this time: ml-100k warm" in note for note in content["meta"]["notes"])
    assert (tmp_path / "p.svg").read_text().startswith("<svg")


def test_charts_are_text_with_every_line(grid):
    lines = [grid.Line("k = 1", [0.1, 0.2]), grid.Line("<k>", [0.2, 0.2])]
    drawn = grid.chart("a & b", ["0", "1"], "δ", lines)
    assert drawn.count("<polyline") == 2
    assert "&lt;k&gt;" in drawn
    assert "a &amp; b" in drawn
    whole = grid.picture({(d, k): {"auc": float(np.sin(d + k))} for d in (0.0, 1.0) for k in (16, 32)})
    assert whole.count("<polyline") == 2


def test_data_that_are_not_there_are_left_out_before_the_work_and_named(portraits, monkeypatch, tmp_path):
    monkeypatch.setattr(portraits, "COAT", tmp_path / "nowhere")
    cases, missing = portraits._there(["clothing", "coat"])
    assert cases == ["clothing"]
    assert "coat" in missing[0]
    assert portraits._there(["clothing"]) == (["clothing"], [])
