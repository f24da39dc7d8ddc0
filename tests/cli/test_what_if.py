import json

from penchant import Penchant


def test_changes_in_words_json_and_html(shell, model, tmp_path):
    asked = ("what-if", model, "u1", "--change", '{"age": 18}', "--n", 3)
    said = shell(*asked)
    assert said.code == 0, said.err
    assert "The point moves by" in said.out
    assert shell(*asked, "--json").json == json.loads(Penchant.load(model).what_if("u1", {"age": 18}, n=3).to_json())
    assert shell(*asked, "--out", tmp_path / "w.html").code == 0
    assert shell("what-if", model, "i1", "--side", "item", "--change", '{"lang": "zh"}').code == 0
    assert shell("what-if", model, "--row", '{"age": 24}', "--change", '{"age": null}').code == 0


def test_wrong_questions(shell, model):
    assert shell("what-if", model, "u1").code == 2
    assert shell("what-if", model, "--change", '{"age": 18}').code == 2
    assert shell("what-if", model, "u1", "--change", '{"nope": 1}').code == 1
    assert shell("what-if", model, "u1", "--side", "both", "--change", '{"age": 1}').code == 2
