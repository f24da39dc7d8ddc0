def test_the_audience_of_an_item_published_or_not(shell, model):
    assert "Who would like i1" in shell("audience", model, "i1").out
    said = shell("audience", model, "--row", '{"lang": "zh", "topics": ["patch"]}', "--json")
    assert said.code == 0, said.err
    assert said.json["side"] == "user"
    assert "user_id" in said.json["examples"][0]


def test_wrong_questions(shell, model):
    assert shell("audience", model).code == 2
    assert shell("audience", model, "nothing").code == 1
