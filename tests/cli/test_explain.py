import json

from penchant import Penchant


def test_an_explanation_in_words_json_and_html(shell, model, tmp_path):
    asked = ("explain", model, "--user", "u1", "--item", "i2")
    said = shell(*asked)
    assert said.code == 0, said.err
    assert "like" in said.out
    as_json = shell(*asked, "--only", "lang", "--max-changes", 1, "--json").json
    own = Penchant.load(model).explain("u1", "i2", only=["lang"], max_changes=1)
    assert as_json == json.loads(own.to_json())
    assert shell(*asked, "--out", tmp_path / "why.html").code == 0
    assert (tmp_path / "why.html").read_text().startswith("<!doctype html>")


def test_rows_of_features_and_wrong_questions(shell, model):
    rows = ("--user-row", '{"age": 24}', "--item-row", '{"lang": "zh"}')
    assert shell("explain", model, *rows).code == 0
    assert shell("explain", model, "--user", "u1").code == 2
    assert "--item-row" in shell("explain", model, "--user", "u1").err
    assert shell("explain", model, "--user", "u1", "--item", "nobody").code == 1
    assert shell("explain", model, "--user", "u1", "--item", "i2", "--only", "nope").code == 2
