import polars as pl

from penchant import Penchant


def test_known_users_by_id(shell, model):
    said = shell("recommend", model, "u1", "u2", "--n", 3, "--json")
    assert said.code == 0
    assert [(row["user_id"], row["rank"]) for row in said.json] == [(u, r) for u in ("u1", "u2") for r in (1, 2, 3)]
    assert [row["item_id"] for row in said.json] == Penchant.load(model).recommend(["u1", "u2"], n=3)[
        "item_id"
    ].to_list()
    assert "u1" in shell("recommend", model, "u1").out


def test_conditions_candidates_and_seen_items(shell, files, model):
    zh = set(pl.read_parquet(files / "items.parquet").filter(pl.col("lang") == "zh")["item_id"])
    got = shell("recommend", model, "u1", "--where", "lang = 'zh'", "--seen", "--n", 100, "--json").json
    assert {row["item_id"] for row in got} == zh
    got = shell("recommend", model, "u1", "--candidates", "i1, i2,i3", "--seen", "--json").json
    assert {row["item_id"] for row in got} == {"i1", "i2", "i3"}
    every = shell("recommend", model, "--all", "--n", 1, "--json").json
    assert len(every) == 60


def test_users_from_nowhere(shell, model, tmp_path):
    got = shell("recommend", model, "--row", '{"age": 30, "role": "scout"}', "--n", 2, "--json")
    assert got.code == 0, got.err
    assert [row["row"] for row in got.json] == [0, 0]
    (tmp_path / "rows.csv").write_text("age,role\n30,scout\n50,\n")
    got = shell("recommend", model, "--rows", tmp_path / "rows.csv", "--n", 1, "--json")
    assert got.code == 0, got.err
    assert [row["row"] for row in got.json] == [0, 1]


def test_wrong_questions(shell, model):
    assert shell("recommend", model).code == 2
    assert shell("recommend", model, "u1", "--all").code == 2
    assert shell("recommend", model, "u1", "--n", 0).code == 2
    assert shell("recommend", model, "--row", "{age: 3}").code == 2
    assert shell("recommend", model, "--row", "[3]").code == 2
    said = shell("recommend", model, "u1", "--where", "lang = ")
    assert said.code == 1
    assert "lang" in said.err
    said = shell("recommend", model, "u999")
    assert said.code == 1
    assert "row of features" in said.err
    assert "colour" in shell("recommend", model, "--row", '{"colour": "red"}').err
