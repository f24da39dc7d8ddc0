import polars as pl

from penchant import Penchant


def test_a_table_of_portraits(shell, model, tmp_path):
    said = shell("portraits", model, "--out", tmp_path / "p.parquet")
    assert said.code == 0, said.err
    assert "60 rows written" in said.err
    own = Penchant.load(model)
    assert pl.read_parquet(tmp_path / "p.parquet").equals(own.portraits())
    assert [row["item_id"] for row in shell("portraits", model, "i1", "i3", "--side", "item", "--json").json] == [
        "i1",
        "i3",
    ]


def test_wrong_questions(shell, model, tmp_path):
    assert shell("portraits", model, "--side", "both").code == 2
    assert shell("portraits", model, "nobody").code == 1
    assert shell("portraits", model, "--out", tmp_path / "p.html").code == 2
