import json

from penchant import Penchant


def test_a_portrait_in_words_json_and_html(shell, model, tmp_path):
    said = shell("portrait", model, "u1")
    assert said.code == 0
    assert "What user u1 would like" in said.out
    as_json = shell("portrait", model, "u1", "--examples", 2, "--json").json
    assert as_json["side"] == "item"
    assert len(as_json["examples"]) == 2
    assert as_json == json.loads(Penchant.load(model).portrait("u1", examples=2).to_json())
    assert shell("portrait", model, "u1", "--out", tmp_path / "p.html").code == 0
    page = (tmp_path / "p.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "What user u1 would like" in page
    assert "<script" not in page


def test_a_user_from_nowhere(shell, model):
    said = shell("portrait", model, "--row", '{"age": 24, "role": "healer"}')
    assert said.code == 0, said.err
    assert "a user with age 24, role healer" in said.out


def test_wrong_questions(shell, model, tmp_path):
    assert shell("portrait", model).code == 2
    assert shell("portrait", model, "u1", "--row", "{}").code == 2
    assert shell("portrait", model, "u1", "--out", tmp_path / "p.docx").code == 2
    assert shell("portrait", model, "nobody").code == 1
