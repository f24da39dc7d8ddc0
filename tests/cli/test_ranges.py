from penchant import Penchant


def test_ranges_are_a_table(shell, model):
    said = shell("ranges", model, "u1", "--distance", 0.1, "--json")
    assert said.code == 0, said.err
    assert said.json == Penchant.load(model).ranges("u1", distance=0.1).to_dicts()
    assert shell("ranges", model, "--row", '{"lang": "zh"}', "--side", "item", "--core", 0.2).code == 0


def test_wrong_questions(shell, model):
    assert shell("ranges", model).code == 2
    assert shell("ranges", model, "u1", "--side", "both").code == 2
    assert shell("ranges", model, "u1", "--core", 2).code == 2
