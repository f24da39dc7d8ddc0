"""Both sides as numbers and back."""

import datetime as dt
import json
import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant._spec import FIRST, MISSING, UNSEEN
from penchant.errors import DataError, SchemaError, UnknownIdError
from penchant.tables._rows import columns_of
from penchant.tables._tables import Tables
from penchant.tables.encoding import SideEncoder, TablesEncoder
from penchant.tables.schema import Field, Schema

FIELDS = (
    Field(name="user_id", side="user", kind="id"),
    Field(name="age", side="user", kind="numeric", unit="years", title="Age"),
    Field(name="tags", side="user", kind="tags"),
    Field(name="vip", side="user", kind="binary"),
    Field(name="city", side="user", kind="category"),
    Field(name="taste", side="user", kind="vector"),
    Field(name="joined", side="user", kind="date"),
    Field(name="likes", side="user", kind="tags", delimiter="|"),
)

USERS = pl.DataFrame(
    {
        "user_id": ["a", "b", "c", "d"],
        "age": [20, 30, None, 60],
        "tags": [["x", "y"], [], None, ["y"]],
        "vip": [True, False, None, True],
        "city": ["北京", "上海", "上海", None],
        "taste": [[0.0, 1.0], [1.0, 3.0], None, [0.5, 2.0]],
        "joined": [dt.date(1960, 1, 1), dt.date(2024, 5, 1), None, dt.date(1999, 9, 9)],
        "likes": ["1|2", "2", None, ""],
        "ignored": [1, 2, 3, 4],
    }
)


@pytest.fixture
def encoder() -> SideEncoder:
    return SideEncoder.fit(FIELDS, USERS)


def test_features_follow_the_layout(encoder) -> None:
    features, layout = encoder.encode(USERS), encoder.layout
    assert [block.name for block in layout.blocks] == [f.name for f in FIELDS]
    assert features.dense.shape == (4, layout.n_dense) == (4, 5)
    assert features.dense.dtype == np.float32
    assert features.dense[0].tolist() == [0, 1, 0, 0, 0]
    assert np.isnan(features.dense[2]).all()
    assert features.codes.tolist() == [[2, 3], [3, 2], [4, 2], [5, MISSING]]
    assert len(features.bags) == 2
    assert features.bags[0].values.tolist() == [FIRST, FIRST + 1, MISSING, FIRST]
    assert features.bags[0].offsets.tolist() == [0, 2, 2, 3, 4]


def test_portraits_there_and_back(encoder) -> None:
    portrait = encoder.portrait(encoder.encode(USERS))
    assert portrait.shape == (4, encoder.layout.width)
    assert len(encoder.labels()) == encoder.layout.width
    assert encoder.labels()[:3] == (("Age", "Age"), ("tags", "y"), ("tags", "x"))
    back = encoder.decode(portrait)
    assert back.columns == [f.name for f in FIELDS[1:]]
    for name in ("age", "vip", "city", "joined"):
        assert back[name].to_list() == USERS[name].to_list()
    assert back["tags"].list.sort().to_list() == USERS["tags"].to_list()
    assert back["likes"].to_list() == [["2", "1"], ["2"], None, []]
    assert encoder.words(portrait[0]) == {
        "Age": "20 years",
        "tags": "y, x",
        "vip": "yes",
        "city": "北京",
        "taste": "(0, 1)",
        "joined": "1960-01-01",
        "likes": "2, 1",
    }
    assert set(encoder.words(portrait[2]).values()) == {"unknown", "上海"}


def test_state_is_exact(encoder) -> None:
    again = SideEncoder.from_state(FIELDS, json.loads(json.dumps(encoder.state())))
    assert again == encoder
    one, other = again.encode(USERS), encoder.encode(USERS)
    assert np.array_equal(one.dense, other.dense, equal_nan=True)
    assert np.array_equal(one.codes, other.codes)


def test_the_report_counts(encoder) -> None:
    new = USERS.with_columns(age=pl.Series([10, 90, None, 30]), city=pl.lit("深圳"))
    report = encoder.report(new)
    assert report.columns == ["field", "rows", "missing", "unseen", "clipped"]
    assert report.row(1) == ("age", 4, 1, 0, 2)
    assert report.row(4) == ("city", 4, 0, 4, 0)
    assert report["rows"].to_list() == [4] * len(FIELDS)


def test_rows_from_nowhere_equal_rows_of_a_table(encoder) -> None:
    rows = [
        {
            "age": 30,
            "tags": ("y", "x"),
            "vip": True,
            "city": "上海",
            "taste": np.array([0.5, 1.5]),
            "likes": "2",
        },
        {"user_id": "b", "joined": "1999-09-09", "tags": []},
        {},
    ]
    features = encoder.encode_rows(rows)
    frame = pl.DataFrame(
        {
            "user_id": [None, "b", None],
            "age": [30, None, None],
            "tags": [["x", "y"], [], None],
            "vip": [True, None, None],
            "city": ["上海", None, None],
            "taste": [[0.5, 1.5], None, None],
            "joined": [None, dt.date(1999, 9, 9), None],
            "likes": ["2", None, None],
        }
    )
    expected = encoder.encode(frame)
    assert np.array_equal(features.dense, expected.dense, equal_nan=True)
    assert np.array_equal(features.codes, expected.codes)
    for one, other in zip(features.bags, expected.bags, strict=True):
        assert np.array_equal(one.values, other.values)
        assert np.array_equal(one.offsets, other.offsets)
    assert (encoder.encode_rows([{}]).codes == MISSING).all()
    assert (encoder.encode_rows([{"city": "x"}]).codes[:, 1] == UNSEEN).all()
    assert len(encoder.encode_rows([])) == 0


CELLS = {
    "user_id": st.sampled_from(["a", "d", "z", "", "é", 7, None, 1.5, True]),
    "age": st.sampled_from([20, 25.5, 60, -1e9, 2**53, 2**70, math.nan, math.inf, "30", True, None]),
    "vip": st.sampled_from([True, False, None, 1, "true", "?"]),
    "city": st.sampled_from(["北京", "上海", "x", "é", None, 3]),
    "taste": st.sampled_from([[0.5, 1.5], [0, 9], [1.0], [0.5, math.nan], [0.5, None], None, [True, 2.0], "1,2"]),
    "joined": st.sampled_from(
        ["1999-09-09", "1959-02-28", "2023-02-30", "1999-09-09T12:30:00", " 2001-01-01", "", None]
    ),
}


def told(ask):
    """What comes of it, or the problems."""
    try:
        return ask()
    except DataError as error:
        return tuple(error.problems)


@settings(max_examples=300)
@given(st.lists(st.fixed_dictionaries({}, optional=CELLS), min_size=1, max_size=3), st.booleans())
def test_cells_read_directly_are_what_columns_say(rows, moment) -> None:
    joined = [dt.datetime(1960, 1, 1, 5), dt.datetime(2024, 5, 1, 7)] if moment else USERS["joined"]
    encoder = SideEncoder.fit(FIELDS, USERS.with_columns(joined=pl.Series([*joined, *[None] * (4 - len(joined))])))
    expected = told(lambda: encoder.encode(columns_of(encoder.kinds, rows)))
    features = told(lambda: encoder.encode_rows(rows))
    if isinstance(expected, tuple):
        assert features == expected
        return
    assert np.array_equal(features.dense, expected.dense, equal_nan=True)
    assert np.array_equal(features.codes, expected.codes)


def test_wrong_rows_are_refused_with_every_problem(encoder) -> None:
    with pytest.raises(DataError) as caught:
        encoder.encode_rows([{"age": 3, "cty": "x"}, {"age": "old", "vip": [1]}, {"age": 2.5, "tags": 3}])
    message = str(caught.value)
    assert "column 'cty', 1 row (0): there is no such field; the fields are user_id, age" in message
    assert "Perhaps 'city' is meant" in message
    assert "rows of users: column 'age', 1 row (1): a number expected, got 'old'" in message
    assert "column 'vip', 1 row (1): one of two values expected" in message
    assert "column 'tags', 1 row (2): list expected, got 3" in message
    with pytest.raises(DataError, match="vectors of 2 numbers expected"):
        encoder.encode_rows([{"taste": [1.0, 2.0, 3.0]}])
    with pytest.raises(DataError, match="a finite number expected, got nan"):
        encoder.encode_rows([{"age": float("nan")}])


def test_values_of_other_libraries_are_understood(encoder) -> None:
    odd = [
        {"age": np.int8(30), "tags": pd.Series(["x"]), "joined": np.datetime64("2024-05-01T12:00:00.000000001")},
        {"age": pd.NA, "tags": {"x"}, "joined": pd.Timestamp("2024-05-01"), "taste": pa.array([0.5, 1.5])},
        {"age": None, "tags": np.array(["x", None], dtype=object), "joined": pd.NaT, "taste": range(2)},
    ]
    plain = [
        {"age": 30, "tags": ["x"], "joined": dt.date(2024, 5, 1)},
        {"tags": ["x"], "joined": dt.date(2024, 5, 1), "taste": [0.5, 1.5]},
        {"tags": ["x"], "taste": [0.0, 1.0]},
    ]
    one, other = encoder.encode_rows(odd), encoder.encode_rows(plain)
    assert np.array_equal(one.dense, other.dense, equal_nan=True)
    assert one.bags[0].values.tolist() == other.bags[0].values.tolist()


def test_one_row_does_not_suffer_from_another(encoder) -> None:
    rows = [
        {"city": "北京", "joined": "2024-05-01", "user_id": "a"},
        {"city": 7, "joined": dt.date(1960, 1, 1), "user_id": 3},
        {"city": "\ud800"},
    ]
    both = encoder.encode_rows(rows[:2])
    for j in (0, 1):
        alone = encoder.encode_rows([rows[j]])
        assert np.array_equal(alone.dense[0], both.dense[j], equal_nan=True)
        assert alone.codes[0].tolist() == both.codes[j].tolist()
    with pytest.raises(DataError, match="column 'city', 1 row"):
        encoder.encode_rows([rows[2]])
    for strange in (["age"], USERS, [None, {}]):
        with pytest.raises(DataError, match=r"rows of users, .* \(0.*\): a row expected, got .*Give {col"):
            encoder.encode_rows(strange)


def test_columns_of_another_kind_are_named(encoder) -> None:
    """Frames that no reader has checked; what can only be meant one way is taken so."""
    lists = pl.Series([[1, 2], None, [3], []])
    for name in ("age", "vip", "city", "joined", "user_id"):
        wrong = USERS.with_columns(lists.alias(name))
        for ask in (lambda f: SideEncoder.fit(FIELDS, f), encoder.encode, encoder.report):
            with pytest.raises(DataError, match=f"users: column '{name}', 3 rows"):
                ask(wrong)
    struct = USERS.with_columns(age=pl.struct("age"))
    with pytest.raises(DataError, match=r"column 'age', 4 rows .*a number expected, got Struct"):
        encoder.encode(struct)


def test_a_state_of_another_schema_is_refused(encoder) -> None:
    state = encoder.state()
    age = "column 'age': what was learned does not fit this field. Give the schema with which it was fitted"
    for wrong in ({}, {**state, "age": {}}, {**state, "age": state["city"]}, {**state, "age": {"knots": "x"}}):
        with pytest.raises(SchemaError) as caught:
            SideEncoder.from_state(FIELDS[1:2], wrong)
        assert age in str(caught.value)
    with pytest.raises(SchemaError, match="'city'"):
        SideEncoder.from_state(FIELDS, {**state, "city": {"type": "int", "values": ["x"]}})
    with pytest.raises(SchemaError, match="'user_id'"):
        TablesEncoder.from_state(SCHEMA, {})


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"users: column 'city': the column is not there\. Perhaps 'cityy' is meant"):
        SideEncoder.fit(FIELDS, USERS.rename({"city": "cityy"}))


def test_no_fields_at_all() -> None:
    encoder = SideEncoder.fit((), USERS)
    features = encoder.encode(USERS)
    assert (features.dense.shape, features.codes.shape, features.bags) == ((4, 0), (4, 0), ())
    assert encoder.portrait(features).shape == (4, 0)
    assert encoder.report(USERS).height == 0
    assert len(encoder.encode_rows([{}, {}])) == 2


SCHEMA = Schema(
    fields=(
        *FIELDS,
        Field(name="price", side="item", kind="numeric"),
        Field(name="hour", side="context", kind="numeric"),
    ),
    user_id="user_id",
    item_id="item_id",
    weight="weight",
)


def tables(**columns) -> Tables:
    pairs = {
        "user_id": ["a", "b", "a"],
        "item_id": [30, 10, 10],
        "label": [1, 0, 1],
        "weight": [1.0, 0.5, 2.0],
        "hour": [0, 12, 24],
    }
    items = pl.DataFrame({"item_id": [10, 20, 30], "price": [1.0, 100.0, 3.0]})
    return Tables(schema=SCHEMA, users=USERS, items=items, interactions=pl.DataFrame({**pairs, **columns}))


def test_only_training_rows_are_fitted() -> None:
    encoder = TablesEncoder.fit(tables())
    assert encoder.user.kinds[1].scaler.high == 30
    assert encoder.item.kinds[0].scaler.high == 3
    encoded = encoder.encode(tables())
    assert encoded.users.dense[:, 0].tolist() == pytest.approx([0, 1, np.nan, 1], nan_ok=True)
    assert encoded.users.codes[:, 0].tolist() == [2, 3, UNSEEN, UNSEEN]
    assert encoded.items.dense[:, 0].tolist() == [0, 1, 1]
    assert encoder.item.report(tables().items)["clipped"].to_list() == [1]


def test_interactions_become_rows() -> None:
    encoded = TablesEncoder.fit(tables()).encode(tables())
    assert len(encoded) == 3
    assert encoded.user.tolist() == [0, 1, 0]
    assert encoded.item.tolist() == [2, 0, 0]
    assert encoded.label.tolist() == [1, 0, 1]
    assert encoded.weight.tolist() == [1, 0.5, 2]
    assert encoded.context.dense[:, 0].tolist() == [0, 0.5, 1]
    assert encoded.label.dtype == encoded.weight.dtype == np.float32


def test_labels_of_yes_and_no_and_none() -> None:
    encoder = TablesEncoder.fit(tables())
    assert encoder.encode(tables(label=[True, False, True])).label.tolist() == [1, 0, 1]
    whole = tables()
    bare = Tables(
        schema=SCHEMA,
        users=whole.users,
        items=whole.items,
        interactions=whole.interactions.drop("label", "weight"),
    )
    encoded = encoder.encode(bare)
    assert np.isnan(encoded.label).all()
    assert (encoded.weight == 1).all()


def test_no_interactions() -> None:
    encoder = TablesEncoder.fit(tables())
    whole = tables()
    none = Tables(schema=SCHEMA, users=whole.users, items=whole.items, interactions=whole.interactions.clear())
    encoded = encoder.encode(none)
    assert (len(encoded), len(encoded.users), len(encoded.context)) == (0, 4, 0)
    with pytest.raises(DataError, match="training needs interactions"):
        TablesEncoder.fit(none)


def test_an_interaction_of_nobody() -> None:
    encoder = TablesEncoder.fit(tables())
    with pytest.raises(UnknownIdError, match="no user 'z'"):
        encoder.encode(tables(user_id=["a", "z", "a"]))


def test_the_encoder_is_restored_from_its_state() -> None:
    encoder = TablesEncoder.fit(tables())
    assert TablesEncoder.from_state(SCHEMA, json.loads(json.dumps(encoder.state()))) == encoder


def test_without_ids_only_ids_are_new(encoder) -> None:
    features = encoder.encode(USERS)
    nameless = encoder.without_ids(features)
    assert nameless.codes[:, 0].tolist() == [UNSEEN] * 4
    assert nameless.codes[:, 1].tolist() == features.codes[:, 1].tolist()
    assert features.codes[0, 0] != UNSEEN


LATER = pl.DataFrame(
    {
        "user_id": ["e", "a"],
        "age": [200, 10],
        "tags": [["z", "x"], ["w"]],
        "vip": [True, None],
        "city": ["広島", "北京"],
        "taste": [[9.0, 9.0], None],
        "joined": [dt.date(2030, 1, 1), None],
        "likes": ["7|1", None],
    }
)


def test_later_rows_add_values_and_move_none(encoder) -> None:
    more = encoder.extended(LATER)
    before, after = encoder.encode(USERS), more.encode(USERS)
    for part in ("dense", "codes"):
        np.testing.assert_array_equal(getattr(before, part), getattr(after, part))
    for one, other in zip(before.bags, after.bags, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
    grown = {b.name: b.size - a.size for a, b in zip(encoder.layout.blocks, more.layout.blocks, strict=True)}
    assert {name: n for name, n in grown.items() if n} == {"user_id": 1, "tags": 2, "city": 1, "likes": 1}
    told = more.encode(LATER)
    assert told.codes.tolist() == [[6, 4], [2, 3]]
    assert told.dense[0].tolist() == [1, 1, 1, 1, 1], "beyond the scale is clipped"
    assert more.words(more.portrait(told)[0])["city"] == "広島"
    assert SideEncoder.from_state(FIELDS, json.loads(json.dumps(more.state()))) == more
    with pytest.raises(DataError, match="city"):
        encoder.extended(LATER.drop("city"))


def test_whole_numbers_become_text_where_text_comes_later() -> None:
    fields = (Field(name="zip", side="user", kind="id"),)
    early, late = pl.DataFrame({"zip": [7, 5, 7]}), pl.DataFrame({"zip": ["A1", "5"]})
    more = SideEncoder.fit(fields, early).extended(late)
    assert more.encode(early).codes[:, 0].tolist() == [2, 3, 2]
    assert more.encode(late).codes[:, 0].tolist() == [4, 3]
    back = SideEncoder.fit(fields, late).extended(early)
    assert back.encode(early).codes[:, 0].tolist() == [4, 2, 4]
    same = SideEncoder.fit(fields, early).extended(pl.DataFrame({"zip": ["9", "5"]}))
    assert same.encode(pl.DataFrame({"zip": [9, 7]})).codes[:, 0].tolist() == [4, 2]


def test_rare_values_stay_unseen_until_they_are_frequent() -> None:
    fields = (Field(name="zip", side="user", kind="category", min_count=2),)
    encoder = SideEncoder.fit(fields, pl.DataFrame({"zip": ["a", "a", "b"]}))
    assert encoder.extended(pl.DataFrame({"zip": ["b"]})) == encoder
    assert encoder.extended(pl.DataFrame({"zip": ["b", "b"]})).encode(pl.DataFrame({"zip": ["b"]})).codes[0, 0] == 3


def test_tables_extend_all_sides() -> None:
    start = tables()
    encoder = TablesEncoder.fit(start)
    more = encoder.extended(start)
    assert more.state() == encoder.state()
    with pytest.raises(DataError, match="training needs interactions"):
        encoder.extended(start.with_interactions(start.interactions.head(0)))
