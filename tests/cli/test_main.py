import subprocess
import sys

import pytest

from penchant import __version__

VERBS = [
    "compare",
    "demo",
    "check",
    "train",
    "evaluate",
    "predict",
    "recommend",
    "related",
    "portrait",
    "audience",
    "info",
    "schema",
]


def test_help_names_every_verb_and_comes_without_heavy_imports():
    code = (
        "import sys; from penchant.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'sklearn', 'plotly.graph_objects', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(verb in done.stdout for verb in VERBS)


def test_it_runs_as_a_module_too():
    done = subprocess.run([sys.executable, "-m", "penchant", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"penchant {__version__}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(shell, verb):
    said = shell(verb, *(["infer"] if verb == "schema" else []), "--help")
    assert said.code == 0
    assert f"penchant {verb}" in said.out.split("Example")[1]


def test_words_that_are_none_are_bad_usage(shell):
    assert shell("fly").code == 2
    assert shell("info", "x", "--colour").code == 2
    assert shell("info").code == 2


def test_wrong_data_and_models_are_1_and_say_so_on_stderr_alone(shell, tmp_path):
    said = shell("info", tmp_path / "none")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: ")
    assert "no such model" in said.err


def test_wrong_options_are_2(shell, model):
    said = shell("related", model, "--user", "u1", "--item", "i1")
    assert (said.code, said.out) == (2, "")
    assert "one of" in said.err


def test_errors_are_json_where_json_was_asked_for(shell, data, tmp_path):
    import json

    clicks = tmp_path / "clicks.csv"
    clicks.write_text("user_id,item_id,label,time\nu1,i1,7,0\nu1,nobody,1,0\n")
    said = shell("check", *data[:-1], clicks, "--json")
    assert (said.code, said.out) == (1, "")
    error = json.loads(said.err)
    assert error["error"] == "DataError"
    assert {(p["table"], p["column"]) for p in error["problems"]} == {
        ("clicks.csv", "label"),
        ("clicks.csv", "item_id"),
    }
    assert all(p["fix"] for p in error["problems"])


def test_a_reader_that_has_seen_enough_is_no_error(model):
    words = [sys.executable, "-m", "penchant", "recommend", str(model), "--all", "--json"]
    writer = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    writer.stdout.close()
    assert writer.wait() in (0, 1)
    assert b"Traceback" not in writer.stderr.read()
    writer.stderr.close()


def test_results_are_files_that_are_whole_or_not_there(shell, model, tmp_path):
    out = tmp_path / "got.parquet"
    said = shell("recommend", model, "u1", "u2", "--n", 3, "--out", out)
    assert (said.code, said.out) == (0, "")
    assert "6 rows written" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["got.parquet"]
    for bad in (tmp_path / "got.docx", tmp_path / "nowhere" / "got.csv"):
        said = shell("recommend", model, "u1", "--out", bad)
        assert said.code == 2
        assert "--out" in said.err


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".arrow", ".json", ".ndjson"])
def test_every_form_written_is_read_back(shell, model, tmp_path, suffix):
    from penchant.tables import read_frame

    out = tmp_path / f"got{suffix}"
    shell("recommend", model, "u1", "--n", 4, "--out", out)
    assert read_frame(out)["rank"].to_list() == [1, 2, 3, 4]
