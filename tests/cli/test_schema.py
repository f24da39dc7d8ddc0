from penchant import Schema


def test_a_draft_is_printed_or_written_and_is_a_schema(shell, files, tmp_path):
    tables = [
        "--users",
        files / "users.parquet",
        "--items",
        files / "items.parquet",
        "--interactions",
        files / "clicks.csv",
    ]
    said = shell("schema", "infer", *tables)
    assert said.code == 0
    drafted = Schema.from_toml(said.out)
    assert (drafted.user_id, drafted.item_id, drafted.label) == ("user_id", "item_id", "label")
    out = tmp_path / "schema.toml"
    said = shell("schema", "infer", *tables, "--out", out)
    assert (said.code, said.out) == (0, "")
    assert "read it over" in said.err
    assert Schema.read(out) == drafted


def test_a_file_that_is_there_is_kept_unless_forced(shell, files, tmp_path):
    out = tmp_path / "schema.toml"
    out.write_text("mine")
    words = ["schema", "infer", "--users", files / "users.parquet", "--items", files / "items.parquet",
             "--interactions", files / "clicks.csv", "--out", out]  # fmt: skip
    assert shell(*words).code == 2
    assert out.read_text() == "mine"
    assert shell(*words, "--force").code == 0
    assert out.read_text() != "mine"


def test_a_key_that_cannot_be_found_is_asked_for(shell, tmp_path):
    for name in ("users", "items", "clicks"):
        (tmp_path / f"{name}.csv").write_text(f"{name}_a,{name}_b\n1.5,x\n1.5,y\n")
    words = [
        "--users",
        tmp_path / "users.csv",
        "--items",
        tmp_path / "items.csv",
        "--interactions",
        tmp_path / "clicks.csv",
    ]
    said = shell("schema", "infer", *words)
    assert (said.code, said.out) == (1, "")
    assert "key" in said.err
