"""What benchmarks write has the format that the documentation reads."""

import json

import pytest


@pytest.fixture(scope="module")
def results(benchmark_module):
    return benchmark_module("_results")


def _rows(results):
    runs = [{"auc": 0.8, "logloss": 0.4}, {"auc": 0.9, "logloss": 0.2}, {"auc": 0.7, "logloss": 0.3}]
    return results.over("case", "penchant", runs)


def test_a_row_holds_mean_least_and_most(results):
    auc, logloss = _rows(results)
    assert (auc.metric, auc.low, auc.high) == ("auc", 0.7, 0.9)
    assert auc.value == pytest.approx(0.8)
    assert (logloss.low, logloss.high) == (0.2, 0.4)


def test_the_median_is_for_times(results):
    (row,) = results.median_over("case", "penchant", [{"s": 1.0}, {"s": 2.0}, {"s": 30.0}])
    assert (row.value, row.low, row.high) == (2.0, 1.0, 30.0)


def test_the_file_has_the_format_of_the_house(results, tmp_path, capsys):
    path = results.write("some", _rows(results), threads=1, seeds=(0, 1, 2), notes=["a note"], folder=tmp_path)
    assert path == tmp_path / "some.json"
    content = json.loads(path.read_text())
    assert set(content) == {"meta", "rows"}
    meta = content["meta"]
    assert {"commit", "date", "python", "torch", "cores", "threads", "seeds", "notes"} <= set(meta)
    assert (meta["threads"], meta["seeds"], meta["notes"]) == (1, [0, 1, 2], ["a note"])
    assert [set(row) for row in content["rows"]] == [{"case", "model", "metric", "value", "low", "high"}] * 2
    said = capsys.readouterr().out
    assert "penchant" in said
    assert "a note" in said


def test_a_later_run_replaces_the_whole_file(results, tmp_path):
    results.write("some", _rows(results), threads=1, seeds=(0,), folder=tmp_path)
    path = results.write("some", _rows(results)[:1], threads=1, seeds=(0,), folder=tmp_path)
    assert len(json.loads(path.read_text())["rows"]) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_merged_run_keeps_other_cases_with_the_meta_of_their_own_runs(results, tmp_path):
    def run(seed, *cases, merge=True):
        rows = [row for case in cases for row in results.over(case, "m", [{"auc": seed / 10}])]
        path = results.write("some", rows, threads=1, seeds=[seed], notes=[str(seed)], folder=tmp_path, merge=merge)
        content = json.loads(path.read_text())
        return content["meta"], [(row["case"], row["value"]) for row in content["rows"]]

    meta, rows = run(1, "a", "b", "c")  # no file yet
    assert "earlier" not in meta
    meta, rows = run(2, "b", "d")
    assert rows == [("a", 0.1), ("b", 0.2), ("c", 0.1), ("d", 0.2)]
    assert [(one["cases"], one["seeds"], one["notes"]) for one in meta["earlier"]] == [(["a", "c"], [1], ["1"])]
    meta, rows = run(3, "a")
    assert rows == [("a", 0.3), ("b", 0.2), ("c", 0.1), ("d", 0.2)]
    assert [(one["cases"], one["seeds"]) for one in meta["earlier"]] == [(["b", "d"], [2]), (["c"], [1])]
    meta, _ = run(4, "a", "b", "c", "d")
    assert "earlier" not in meta
    assert run(5, "a", merge=False)[1] == [("a", 0.5)]


def test_cases_are_written_at_the_end_or_each_as_soon_as_it_is_there(results, tmp_path):
    def measured(case):
        if case == "c":
            raise KeyError("a run that breaks")
        return results.over(case, "m", [{"auc": 0.5}]), [f"{case}'s note", "a note"]

    kept = {"threads": 1, "seeds": [0], "folder": tmp_path}
    with pytest.raises(KeyError):
        results.write_cases("some", "abc", measured, **kept)
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyError):
        results.write_cases("some", "abc", measured, merge=True, **kept)
    content = json.loads((tmp_path / "some.json").read_text())
    assert [row["case"] for row in content["rows"]] == ["a", "b"]
    assert content["meta"]["earlier"][0]["notes"] == ["a's note", "a note"]
    results.write_cases("some", "ab", measured, **kept)
    assert json.loads((tmp_path / "some.json").read_text())["meta"]["notes"] == ["a's note", "a note", "b's note"]


def test_figures_that_are_wrong_leave_no_file(results, tmp_path):
    rows = _rows(results)
    with pytest.raises(ValueError, match="twice"):
        results.write("some", [*rows, rows[0]], threads=1, seeds=(0,), folder=tmp_path)
    with pytest.raises(ValueError, match="JSON"):
        results.write("some", results.over("c", "m", [{"auc": float("nan")}]), threads=1, seeds=(0,), folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_runs_must_agree_on_their_metrics(results):
    with pytest.raises(ValueError, match="same metrics"):
        results.over("c", "m", [{"auc": 0.5}, {"logloss": 0.5}])
    with pytest.raises(ValueError, match="same metrics"):
        results.over("c", "m", [])


def test_memory_is_in_mib(results):
    assert 10 < results.peak_memory() < 1_000_000
