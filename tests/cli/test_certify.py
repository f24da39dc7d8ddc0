import json

from penchant import Penchant


def test_a_verdict_in_words_json_and_html(shell, model, tmp_path):
    asked = ("certify", model, "u1", "--item", "i2", "--free", "lang", "--free", "video")
    said = shell(*asked)
    assert said.code == 0, said.err
    assert "Proved: distances lie between" in said.out
    own = Penchant.load(model).certify("u1", item="i2", free=["lang", "video"])
    assert shell(*asked, "--json").json == json.loads(own.to_json())
    assert shell(*asked, "--out", tmp_path / "v.html").code == 0


def test_ranges_fixed_features_and_rows(shell, model):
    said = shell(
        "certify", model, "--row", '{"age": 24}', "--fixed", '{"lang": "zh"}', "--free", '{"video": [true]}', "--json"
    )
    assert said.code == 0, said.err
    assert said.json["fixed"] == {"lang": "zh"}
    assert said.json["free"] == {"video": "True"}


def test_wrong_questions(shell, model):
    assert shell("certify", model).code == 2
    assert shell("certify", model, "u1", "--free", "nope").code == 2
    assert shell("certify", model, "u1", "--free", "lang", "--free", '{"video": [true]}').code == 2
    assert shell("certify", model, "u1", "--fixed", "not json").code == 2
