import json

from penchant import Penchant


def test_a_group_and_a_segment(shell, model, tmp_path):
    said = shell("group", model, "u1", "u2", "u3")
    assert said.code == 0, said.err
    assert "common taste" in said.out
    as_json = shell("group", model, "--where", "age > 30", "--examples", 2, "--json").json
    assert as_json == json.loads(Penchant.load(model).group(where="age > 30", examples=2).to_json())
    assert shell("group", model, "i1", "i2", "--side", "item", "--out", tmp_path / "g.html").code == 0
    assert shell("group", model, "--row", '{"age": 20}', "--row", '{"age": 60}').code == 0


def test_wrong_questions(shell, model):
    assert shell("group", model).code == 2
    assert shell("group", model, "u1", "--where", "age > 3").code == 2
    assert shell("group", model, "--where", "nope = 1").code == 1
    assert shell("group", model, "--where", "age > 1000").code == 2
    assert shell("group", model, "u1", "--side", "both").code == 2
