"""Files and frames of all kinds give the same tables; what cannot be read is named."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from penchant.errors import DataError, SchemaError
from penchant.tables._tables import Tables
from penchant.tables.readers import SUFFIXES, read_frame
from penchant.tables.schema import Field, Schema

USERS = pl.DataFrame(
    {
        "user_id": ["007", "用户,2", 'a "b"'],
        "age": [31, None, 7],
        "vip": [True, False, None],
        "spent": [1.5, -2e-7, None],
        "likes": ["x|y", None, "y"],
        "since": ["2024-05-01", None, "1999-12-31"],
        "ignored": [1, 2, 3],
    }
)
ITEMS = pl.DataFrame({"item_id": [10, 1234567890123456789], "lang": ["zh", None]})
PAIRS = pl.DataFrame(
    {
        "user_id": ["007", "用户,2", "007", 'a "b"'],
        "item_id": [1234567890123456789, 10, 10, 10],
        "label": [1, 0, 0, 1],
        "time": [5, 6, 7, 7],
        "weight": [0.5, 1.0, 2.0, 1.0],
        "hour": [3, 22, None, 4],
    }
)
SCHEMA = Schema(
    fields=(
        Field(name="user_id", side="user", kind="id"),
        Field(name="age", side="user", kind="numeric"),
        Field(name="vip", side="user", kind="binary"),
        Field(name="spent", side="user", kind="numeric"),
        Field(name="likes", side="user", kind="tags", delimiter="|"),
        Field(name="since", side="user", kind="date"),
        Field(name="lang", side="item", kind="category"),
        Field(name="hour", side="context", kind="numeric"),
    ),
    user_id="user_id",
    item_id="item_id",
    time="time",
    weight="weight",
)


def file(suffix: str, write: Callable[[pl.DataFrame, Path], Any]) -> Callable[[pl.DataFrame, Path, str], Path]:
    def written(frame: pl.DataFrame, folder: Path, name: str) -> Path:
        path = folder / f"{name}{suffix}"
        write(frame, path)
        return path

    return written


def stream(frame: pl.DataFrame, path: Path) -> None:
    frame.write_ipc_stream(path)


SOURCES: dict[str, Callable[[pl.DataFrame, Path, str], Any]] = {
    "csv": file(".csv", lambda f, p: f.write_csv(p)),
    "quoted csv": file(".csv", lambda f, p: f.write_csv(p, quote_style="non_numeric", line_terminator="\r\n")),
    "csv with a mark": file(".csv", lambda f, p: f.write_csv(p, include_bom=True)),
    "tsv": file(".TSV", lambda f, p: f.write_csv(p, separator="\t")),
    "parquet": file(".parquet", lambda f, p: f.write_parquet(p)),
    "a name with brackets": file("[1]*.parquet", lambda f, p: f.write_parquet(p)),
    "arrow": file(".arrow", lambda f, p: f.write_ipc(p)),
    "feather": file(".feather", lambda f, p: f.write_ipc(p)),
    "arrow stream": file(".ipc", stream),
    "json": file(".json", lambda f, p: f.write_json(p)),
    "ndjson": file(".ndjson", lambda f, p: f.write_ndjson(p)),
    "jsonl": file(".jsonl", lambda f, p: f.write_ndjson(p)),
    "polars": lambda f, *_: f,
    "lazy": lambda f, *_: f.lazy(),
    "pandas": lambda f, *_: f.to_pandas().set_index(pd.Index(range(5, 5 + f.height))),
    "pandas on arrow": lambda f, *_: f.to_pandas(use_pyarrow_extension_array=True),
    "pyarrow": lambda f, *_: f.to_arrow(),
    "batches": lambda f, *_: f.to_arrow().to_reader(),
    "lists": lambda f, *_: f.to_dict(as_series=False),
    "arrays": lambda f, *_: {c: f[c].to_numpy() if not f[c].has_nulls() else f[c].to_list() for c in f.columns},
}


def assert_same(one: Tables, other: Tables, **options: Any) -> None:
    for table in ("users", "items", "interactions"):
        assert_frame_equal(getattr(one, table), getattr(other, table), **options)


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_the_same_tables(source, tmp_path) -> None:
    given = {"users": USERS, "items": ITEMS, "interactions": PAIRS}
    tables = Tables.read(SCHEMA, **{t: SOURCES[source](frame, tmp_path, t) for t, frame in given.items()})
    assert_same(tables, Tables.read(SCHEMA, **given), check_dtypes=source != "pandas")  # whose ints have no null
    assert tables.schema == SCHEMA
    assert tables.users.columns == ["user_id", "age", "vip", "spent", "likes", "since"]
    assert tables.user_ids.to_list() == USERS["user_id"].to_list()
    assert tables.item_ids.to_list() == [10, 1234567890123456789]
    assert len(tables) == 4


@pytest.mark.parametrize("source", ["csv", "parquet", "pandas", "polars"])
def test_a_flat_table_gives_the_same_tables(source, tmp_path) -> None:
    flat = PAIRS.join(USERS, on="user_id").join(ITEMS, on="item_id")
    tables = Tables.read(SCHEMA, flat=SOURCES[source](flat, tmp_path, "flat"))
    whole = Tables.read(SCHEMA, users=USERS, items=ITEMS, interactions=PAIRS)
    assert_same(tables, whole, check_row_order=False, check_dtypes=source != "pandas")


def test_lists_come_from_everywhere(tmp_path) -> None:
    tags, taste = [["x", "y"], None, []], [[0.5, 1.0], [2.0, 3.0], None]
    schema = Schema(
        fields=(Field(name="tags", side="user", kind="tags"), Field(name="taste", side="user", kind="vector")),
        user_id="user_id",
        item_id="item_id",
    )
    plain = pl.DataFrame({"user_id": [1, 2, 3], "tags": tags, "taste": taste})
    arrays = pd.DataFrame({"user_id": [1, 2, 3]})
    arrays["tags"] = [np.array(["x", "y"]), None, np.array([], dtype=object)]
    arrays["taste"] = [np.array([0.5, 1.0], dtype=np.float32), np.array([2.0, 3.0]), None]
    for name in ("parquet", "arrow", "json", "ndjson", "pandas", "pyarrow", "lists"):
        users = SOURCES[name](plain, tmp_path, "users")
        assert_frame_equal(Tables.read(schema, users=users, items=ITEMS).users, plain)
    assert_frame_equal(Tables.read(schema, users=arrays, items=ITEMS).users, plain)


def test_interactions_may_be_left_out() -> None:
    tables = Tables.read(SCHEMA, users=USERS, items=ITEMS)
    assert len(tables) == 0
    assert set(tables.interactions.columns) == set(PAIRS.columns)
    assert tables.summary()["holds"].to_list() == ["6 features", "1 features", "density 0.00%"]


def test_pairs_to_predict_need_no_labels() -> None:
    bare = PAIRS.select("user_id", "item_id", "hour")
    tables = Tables.read(SCHEMA, users=USERS, items=ITEMS, interactions=bare, labelled=False)
    assert tables.interactions.columns == bare.columns
    assert (
        Tables.read(SCHEMA, users=USERS, items=ITEMS, interactions=bare.with_columns(label=None), labelled=False)
        .interactions["label"]
        .is_null()
        .all()
    )
    flat = bare.join(USERS, on="user_id").join(ITEMS, on="item_id")
    assert len(Tables.read(SCHEMA, flat=flat, labelled=False)) == 4
    with pytest.raises(DataError, match="'label': the column is not there"):
        Tables.read(SCHEMA, users=USERS, items=ITEMS, interactions=bare)


def test_columns_are_chosen_before_they_are_read() -> None:
    frame = read_frame({"a": [1, 2], "b": [1j, {}]}, columns=["a", "zz"])
    assert frame.to_dict(as_series=False) == {"a": [1, 2]}
    assert read_frame(pl.DataFrame({"a": [1, 2]}), columns=["zz"]).shape == (2, 0)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["007", "8"], ["007", "8"]),
        (["+1", "2"], ["+1", "2"]),
        (["1", "-2", ""], [1, -2, None]),
        (["1", '""'], [1, None]),
        (["1.5", "2", "1e3", ".5"], [1.5, 2.0, 1000.0, 0.5]),
        (["True", "false", '""'], [True, False, None]),
        (["18446744073709551615", "1"], [2**64 - 1, 1]),
        (["9" * 50, "1"], ["9" * 50, "1"]),
        (["1", "NA"], ["1", "NA"]),
        (["2024-05-01", "x"], ["2024-05-01", "x"]),
        (["e", "-", "."], ["e", "-", "."]),
    ],
)
def test_cells_of_csv_lose_nothing(cells, expected, tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n,x\n" + "\n".join(f"{n},{cell}" for n, cell in enumerate(cells)))
    assert read_frame(path)["x"].to_list() == expected


@given(numbers=st.lists(st.integers(-(2**63), 2**64), min_size=1) | st.lists(st.floats(allow_nan=False), min_size=1))
@settings(deadline=None, max_examples=50)
def test_numbers_of_csv_are_exact(tmp_path_factory, numbers) -> None:
    path = tmp_path_factory.getbasetemp() / "exact.csv"
    path.write_text("x\n" + "\n".join(map(repr, numbers)))
    assert read_frame(path)["x"].to_list() == numbers


def test_types_that_change_late_in_json(tmp_path) -> None:
    path = tmp_path / "t.ndjson"
    path.write_text('{"a": 1}\n' * 12_000 + '{"a": 1.5}\n')
    assert read_frame(path)["a"].dtype == pl.Float64
    path.write_text('{"a": "[draft]"}\n\n{"b": 2}\n')
    assert read_frame(path).to_dict(as_series=False) == {"a": ["[draft]", None], "b": [None, 2]}


@pytest.mark.parametrize("name", ["json", "ndjson", "pandas", "lists"])
def test_lists_and_text_in_one_column_are_named_by_row(name, tmp_path) -> None:
    rows = [{"user_id": 1, "tags": ["x"]}, {"user_id": 2, "tags": "y"}, {"user_id": 3, "tags": None}]
    columns = {c: [row[c] for row in rows] for c in rows[0]}
    path = tmp_path / f"users.{name}"
    sources = {"json": path, "ndjson": path, "pandas": pd.DataFrame(columns), "lists": columns}
    path.write_text(json.dumps(rows) if name == "json" else "\n".join(map(json.dumps, rows)))
    schema = Schema(fields=(Field(name="tags", side="user", kind="tags"),), user_id="user_id", item_id="item_id")
    with pytest.raises(DataError, match=r"column 'tags', 1 row \(1\): list expected, got 'y'\. Give lists"):
        Tables.read(schema, users=sources[name], items=ITEMS)


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "empty.csv: the table is empty. Give a file with a header and rows"),
    "empty.parquet": (b"", "the table is empty"),
    "blank.csv": (b"\n\n", "the table is empty"),
    "latin.csv": ("a\né".encode("latin-1"), "UTF-8 text expected"),
    "wide.csv": ("a\n1".encode("utf-16"), "UTF-8 text expected, got UTF-16. Save it as UTF-8"),
    "ragged.csv": (b"a,b\n1,2\n1,2,3\n", "ragged.csv, 1 row (1): 2 cells expected as in the header, got 3"),
    "open.csv": (b'a,b\n"1,2\n', "Check that every quote is closed"),
    "twice.csv": (b"a,b,a\n1,2,3\n", "column 'a': the column is there twice. Keep one"),
    "t.parquet": (b"PAR1 but no more PAR1", "cannot be read as parquet"),
    "t.arrow": (b"ARROW1", "cannot be read as arrow"),
    "t.feather": (b"nothing", "cannot be read as feather"),
    "t.json": (b"{", "cannot be read as json"),
    "n.json": (b"[1, 2]", "a list of rows expected"),
    "t.ndjson": (b'{"a": 1}\n{"a": ', "cannot be read as ndjson"),
    "t.xlsx": (b"PK", ".xlsx is not known. One of .csv, .tsv, .parquet"),
    "t": (b"a", "no suffix is not known"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_named(name, tmp_path) -> None:
    data, said = BROKEN[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_frame(tmp_path / name)
    assert said in str(caught.value)
    assert str(caught.value.problems[0]).startswith(name)


def test_a_whole_file_cut_short_is_refused(tmp_path) -> None:
    for name in ("parquet", "arrow", "arrow stream", "json"):
        path = SOURCES[name](USERS, tmp_path, "users")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(DataError, match="cannot be read as"):
            read_frame(path)


def test_no_file_and_no_frame(tmp_path) -> None:
    (tmp_path / "folder.csv").mkdir()
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    cases: list[tuple[Any, str]] = [
        ("nowhere.csv", r"nowhere\.csv: there is no such file\. Check the path"),
        (tmp_path / "folder.csv", "a file expected, got a folder"),
        (3, "table: a table expected, got int. Give a path, or a frame"),
        ([{"a": 1}], "a table expected, got list"),
        (pl.Series([1]), "a table expected, got Series"),
        (pd.Series([1]), "a table expected, got Series"),
        (io.BytesIO(b"a"), "a table expected, got BytesIO"),
        (twice, "column 'a': the column is there twice"),
        (pa.table([[1], [2]], names=["a", "a"]), "column 'a': the column is there twice"),
        ({"a": [1, 2], "b": [1]}, r"columns of one length expected, got 2 \('a'\) and 1 \('b'\)"),
        ({"a": 1}, "column 'a': a column of values expected"),
        ({"a": "text"}, "column 'a': a column of values expected"),
        (pl.LazyFrame({"a": ["x"]}).cast(pl.Int64), "cannot be read as a table"),
        (pl.scan_csv("nowhere.csv"), "cannot be read as a table"),
    ]
    for source, said in cases:
        with pytest.raises(DataError, match=said):
            read_frame(source)
    assert read_frame(twice.set_axis(["a", "b"], axis=1), columns=["b"]).shape == (1, 1)


def test_odd_columns_of_pandas_do_not_harm_the_others() -> None:
    frame = pd.DataFrame(
        {
            "whole": np.array([1, None], dtype=object),
            "big": np.array([2**70, None], dtype=object),
            "missing": [np.nan, 1.5],
            "sparse": pd.arrays.SparseArray([0, 1]),
            "category": pd.Categorical(["x", None]),
            "complex": [1j, 2j],
            "mixed": [1, "x"],
            "sets": [{"x"}, None],
            3: ["a", pd.NA],
        }
    )
    read = read_frame(frame)
    assert read["whole"].to_list() == [1, None]
    assert read["big"].to_list() == [2**70, None]
    assert read["missing"].to_list() == [None, 1.5]
    assert read["sparse"].to_list() == [0, 1]
    assert read["category"].to_list() == ["x", None]
    assert read["sets"].to_list() == [["x"], None]
    assert read["3"].to_list() == ["a", None]
    assert [c for c in read.columns if read[c].dtype == pl.Object] == ["complex", "mixed"]
    assert read_frame(pd.DataFrame({"a": [1, "x", np.nan]}))["a"].to_list() == [1, "x", None]


def test_whole_numbers_and_fractions_in_a_list_are_numbers() -> None:
    assert read_frame({"a": [1, 2.5, None], "b": range(3)})["a"].to_list() == [1.0, 2.5, None]


def test_every_table_that_cannot_be_read_is_named(tmp_path) -> None:
    (tmp_path / "items.parquet").write_bytes(b"no parquet")
    bad = PAIRS.with_columns(label=pl.lit(7))
    with pytest.raises(DataError) as caught:
        Tables.read(SCHEMA, users="nowhere.csv", items=tmp_path / "items.parquet", interactions=bad)
    said = [str(problem) for problem in caught.value.problems]
    assert [text.split(":")[0] for text in said[:2]] == ["nowhere.csv", "items.parquet"]
    assert "0 or 1 expected, got 7" in said[2]
    with pytest.raises(DataError, match="users: the table was not given"):
        Tables.read(SCHEMA, items=ITEMS)


def test_schemas_are_read_too(tmp_path) -> None:
    SCHEMA.write(tmp_path / "schema.toml")
    assert Tables.read(tmp_path / "schema.toml", users=USERS, items=ITEMS).schema == SCHEMA
    with pytest.raises(SchemaError, match="a Schema or the path of its file expected, got int"):
        Tables.read(3, users=USERS, items=ITEMS)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"\[users\] has no id"):
        Tables.read(Schema(fields=()), users=USERS, items=ITEMS)


def test_duplicate_columns_of_parquet_are_refused(tmp_path) -> None:
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="'a' has more than one occurrence"):
        read_frame(tmp_path / "t.parquet")


def test_what_can_be_read_is_listed() -> None:
    assert set(SUFFIXES) == {
        ".csv", ".tsv", ".parquet", ".arrow", ".feather", ".ipc", ".json", ".ndjson", ".jsonl",
    }  # fmt: skip


FLAT = pl.DataFrame(
    {
        "age": [20, 30, 20, None, 30, None],
        "city": ["x", "y", "x", "y", "y", "y"],
        "price": [1.0, 1.0, 2.0, 2.0, 2.0, 1.0],
        "tags": [["a"], ["a"], [], [], [], ["a"]],
        "label": [1, 0, 1, 0, 1, 1],
    }
)
KEYLESS = Schema(
    fields=(
        Field(name="age", side="user", kind="numeric"),
        Field(name="city", side="user", kind="category"),
        Field(name="price", side="item", kind="numeric"),
        Field(name="tags", side="item", kind="tags"),
    )
)


def test_distinct_rows_of_a_flat_table_are_users_and_items() -> None:
    tables = Tables.read(KEYLESS, flat=FLAT)
    assert (tables.schema.user_id, tables.schema.item_id) == ("user_id", "item_id")
    assert tables.users.rows() == [("user-0", 20, "x"), ("user-1", 30, "y"), ("user-2", None, "y")]
    assert tables.items["item_id"].to_list() == ["item-0", "item-1"]
    assert tables.items["tags"].to_list() == [["a"], []]
    assert tables.interactions["user_id"].to_list() == [f"user-{j}" for j in (0, 1, 0, 2, 1, 2)]
    assert tables.interactions["item_id"].to_list() == [f"item-{j}" for j in (0, 0, 1, 1, 1, 0)]
    assert tables.interactions["label"].to_list() == FLAT["label"].to_list()


@given(st.lists(st.tuples(st.none() | st.integers(0, 2), st.sampled_from("xy"), st.booleans()), min_size=1))
@settings(deadline=None, max_examples=50)
def test_rows_find_their_features_again(rows) -> None:
    flat = pl.DataFrame(rows, schema={"age": pl.Int64, "city": pl.String, "hot": pl.Boolean}, orient="row")
    fields = (*KEYLESS.fields[:2], Field(name="hot", side="item", kind="binary"))
    tables = Tables.read(Schema(fields=fields), flat=flat.with_columns(label=1))
    assert len(tables.users) == len({row[:2] for row in rows})
    again = tables.interactions.join(tables.users, on="user_id", maintain_order="left")
    again = again.join(tables.items, on="item_id", maintain_order="left")
    assert again.select(flat.columns).rows() == rows


def test_a_flat_table_that_contradicts_itself() -> None:
    flat = pl.DataFrame(
        {
            "user_id": ["a", "a", "b", None, "b"],
            "item_id": [1, 2, 2, 2, 1],
            "age": [20.0, 21.0, float("inf"), 5.0, float("inf")],
            "label": [1, 0, 1, 0, 2],
        }
    )
    schema = Schema(fields=(Field(name="age", side="user", kind="numeric"),), user_id="user_id", item_id="item_id")
    with pytest.raises(DataError) as caught:
        Tables.read(schema, flat=flat)
    message = str(caught.value)
    for said in (
        "flat: column 'age', 1 row (1): one value for each user expected, got 20.0 and 21.0 for 'a'. Keep one, or put",
        "flat: column 'age', 1 row (2): a finite number expected, got inf",
        "flat: column 'user_id', 1 row (3): a key expected, found nothing",
        "flat: column 'label', 1 row (4): 0 or 1 expected, got 2",
    ):
        assert said in message
    assert len(caught.value.problems) == 4
    ages = {"age": pl.Series([0, 10**9, 10**9, 3, 10**9], dtype=pl.Int32).cast(pl.Date)}  # beyond Python's years
    dated = Schema(fields=(Field(name="age", side="user", kind="date"),), user_id="user_id", item_id="item_id")
    with pytest.raises(DataError, match=r"one value for each user expected, got .* and a value beyond those of Date"):
        Tables.read(dated, flat=flat.with_columns(**ages))


def test_a_flat_table_that_lacks_something() -> None:
    with pytest.raises(DataError) as caught:
        Tables.read(KEYLESS, flat=FLAT.rename({"city": "citty", "label": "lable"}).drop("price", "tags"))
    message = str(caught.value)
    assert "flat: column 'city': the column is not there. Did you mean 'citty'" in message
    assert "flat: column 'label': the column is not there. Did you mean 'lable'" in message
    assert "[items] has neither an id nor a column that is there" in message
    with pytest.raises(DataError) as caught:
        Tables.read(KEYLESS, flat=FLAT.with_columns(price=pl.lit("dear")).drop("label"))
    assert [p.column for p in caught.value.problems] == ["label", "price"]
    with pytest.raises(DataError, match="flat: the table is empty"):
        Tables.read(KEYLESS, flat=FLAT.clear())
    with pytest.raises(DataError, match="a flat table and separate ones were given"):
        Tables.read(KEYLESS, flat=FLAT, users=USERS)
    named = Schema(fields=(*KEYLESS.fields, Field(name="user_id", side="user", kind="id")))
    with pytest.raises(DataError, match="keys cannot be made up in a column of features"):
        Tables.read(named, flat=FLAT.with_columns(user_id=1))


def test_the_key_of_a_flat_table_may_have_another_name_in_the_interactions() -> None:
    flat = FLAT.with_columns(uid=pl.Series([1, 2, 1, 3, 2, 3]))
    schema = Schema(fields=KEYLESS.fields, user_id="uid", user="who")
    tables = Tables.read(schema, flat=flat)
    assert tables.interactions["who"].to_list() == flat["uid"].to_list()
    assert tables.users["uid"].to_list() == [1, 2, 3]
