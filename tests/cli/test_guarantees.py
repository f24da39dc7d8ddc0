def test_promises_beside_what_is_found(shell, model, files):
    said = shell("guarantees", model, "--interactions", files / "test.csv", "--json")
    assert said.code == 0, said.err
    assert {row["promised"] for row in said.json} == {0.8, 0.9, 0.95}
    assert "Promised and found" in shell("guarantees", model, "--interactions", files / "test.csv").out


def test_wrong_questions(shell, model):
    assert shell("guarantees", model).code == 2
