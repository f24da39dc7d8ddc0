import pytest

from penchant import Penchant


@pytest.mark.parametrize("of", ["user", "item"])
@pytest.mark.parametrize("to", ["user", "item"])
def test_any_to_any(shell, model, of, to):
    key = f"{of[0]}1"
    said = shell("related", model, f"--{of}", key, "--to", to, "--n", 4, "--json")
    assert said.code == 0
    want = Penchant.load(model).related(**{of: key}, to=to, n=4)
    assert [row[f"{to}_id"] for row in said.json] == want[f"{to}_id"].to_list()
    assert key not in [row[f"{to}_id"] for row in said.json]


def test_rows_of_features(shell, model):
    said = shell("related", model, "--item-row", '{"lang": "zh"}', "--to", "user", "--json")
    assert said.code == 0, said.err
    assert len(said.json) == 10


def test_wrong_questions(shell, model):
    assert shell("related", model).code == 2
    assert shell("related", model, "--user", "u1", "--to", "moon").code == 2
