import polars as pl


def test_tables_that_are_right_are_summed_up(shell, data):
    said = shell("check", *data)
    assert said.code == 0
    assert "1500" in said.out
    assert "no problem found" in said.err
    assert [row["table"] for row in shell("check", *data, "--json").json["tables"]] == [
        "users",
        "items",
        "interactions",
    ]


def test_every_problem_is_said_at_once_with_table_column_row_and_what_to_do(shell, files, data, tmp_path):
    items = pl.read_parquet(files / "items.parquet").with_columns(topics=pl.lit(3), length=pl.lit(float("inf")))
    items[:5].vstack(items[:1]).write_parquet(tmp_path / "items.parquet")
    (tmp_path / "clicks.csv").write_text("user_id,item_id,label,time\nu1,i1,0.5,0\nghost,i1,1,0\n,i2,1,0\n")
    words = ["check", "--schema", files / "schema.toml", "--users", files / "users.parquet",
             "--items", tmp_path / "items.parquet", "--interactions", tmp_path / "clicks.csv"]  # fmt: skip
    said = shell(*words)
    assert (said.code, said.out) == (1, "")
    for told in (
        "column 'topics'",
        "column 'length'",
        "items.parquet: column 'item_id', 1 row (5)",
        "clicks.csv: column 'label', 1 row (0)",
        "'ghost'",
        "clicks.csv: column 'user_id', 1 row (2)",
    ):
        assert told in said.err


def test_what_is_odd_is_a_warning_and_no_error(shell, files, data, tmp_path):
    pl.read_parquet(files / "users.parquet").with_columns(age=pl.lit(30)).write_parquet(tmp_path / "users.parquet")
    words = [tmp_path / "users.parquet" if word.endswith("users.parquet") else word for word in data]
    said = shell("check", *words)
    assert said.code == 0
    assert "warning: users.parquet: column 'age'" in said.err
    assert len(shell("check", *words, "--json").json["warnings"]) == 1


def test_tables_have_to_be_given(shell, data):
    said = shell("check", *data[:2])
    assert said.code == 2
    assert "--flat" in said.err
