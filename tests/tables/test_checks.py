"""Every problem of the tables is found, named and said with its remedy; right tables are never refused."""

import datetime as dt
import decimal
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import DataError, Problem
from penchant.tables._tables import Tables
from penchant.tables.encoding import TablesEncoder
from penchant.tables.kinds import KINDS
from penchant.tables.schema import Field, Schema
from penchant.tables.splits import split_time

USERS = pl.DataFrame({"user_id": ["a", "b", "c"], "age": [20, 30, None]})
ITEMS = pl.DataFrame({"item_id": [10, 20, 30], "price": [1.0, 2.5, 3.0]})
PAIRS = pl.DataFrame({"user_id": ["a", "b", "a"], "item_id": [10, 20, 30], "label": [1, 0, 1]})
AGE = Field(name="age", side="user", kind="numeric")
PRICE = Field(name="price", side="item", kind="numeric")


def schema(*fields: Field, **names: str) -> Schema:
    return Schema(fields=fields or (AGE, PRICE), **{"user_id": "user_id", "item_id": "item_id", **names})


def read(given: Schema | None = None, **tables: Any) -> Tables:
    return Tables.read(given or schema(), **{"users": USERS, "items": ITEMS, "interactions": PAIRS, **tables})


def said(given: Schema | None = None, **tables: Any) -> list[str]:
    """What is wrong with the tables, problem by problem."""
    with pytest.raises(DataError) as caught:
        read(given, **tables)
    return [str(problem) for problem in caught.value.problems]


def test_sound_tables_pass_without_a_word() -> None:
    tables = read()
    assert tables.warnings == ()
    assert tables.interactions.schema == {"user_id": pl.String, "item_id": pl.Int64, "label": pl.Int8}


def test_all_problems_come_in_one_error() -> None:
    users = pl.DataFrame({"user_id": ["a", "a", None, "b"], "age": [math.nan, 20.0, math.inf, None]})
    pairs = pl.DataFrame(
        {
            "user_id": ["a", "q", None, "b"],
            "item_id": [10, 99, 20, 98],
            "label": [2, None, 0, 1],
            "w": [-1.0, 1.0, math.nan, None],
            "hour": [[1], [2], [3], None],
        }
    )
    hour = Field(name="hour", side="context", kind="numeric")
    prise = Field(name="prise", side="item", kind="numeric")
    found = said(schema(AGE, prise, hour, weight="w", time="when"), users=users, interactions=pairs)
    assert sorted(found) == sorted(
        [
            "users: column 'age', 2 rows (0, 2): a finite number expected, got nan. Write null where there is none.",
            "users: column 'user_id', 1 row (2): a key expected, found nothing. Give each row its key.",
            "users: column 'user_id', 1 row (1): the key is there already ('a'). Keep one row for each key.",
            "items: column 'prise': the column is not there. Did you mean 'price'.",
            "interactions: column 'when': the column is not there. Columns: user_id, item_id, label, w, hour.",
            "interactions: column 'hour', 3 rows (0, 1, 2): a number expected, got List(Int64). "
            "Set kind = 'vector' or 'tags'.",
            "interactions: column 'user_id', 1 row (2): a key expected, found nothing. Name a row of users.",
            "interactions: column 'user_id', 1 row (1): no such key in users ('q'). "
            "Add them to users, or leave these rows out.",
            "interactions: column 'item_id', 2 rows (1, 3): no such key in items (99, 98). "
            "Add them to items, or leave these rows out.",
            "interactions: column 'label', 1 row (0): 0 or 1 expected, got 2. "
            "Give 1 for liked and 0 for not liked; turn ratings into these first.",
            "interactions: column 'label', 1 row (1): 0 or 1 expected, found nothing. "
            "Give 1 for liked and 0 for not liked; turn ratings into these first.",
            "interactions: column 'w', 2 rows (0, 2): a finite number >= 0 expected, got -1.0. "
            "Weigh a row 0, or leave it out.",
            "interactions: column 'w', 1 row (3): a finite number >= 0 expected, found nothing. "
            "Weigh a row 0, or leave it out.",
        ]
    )


def test_files_are_called_by_their_names(tmp_path) -> None:
    USERS.head(1).write_csv(tmp_path / "people.csv")
    PAIRS.write_parquet(tmp_path / "clicks.parquet")
    (text,) = said(users=tmp_path / "people.csv", interactions=tmp_path / "clicks.parquet")
    assert text.startswith("clicks.parquet: column 'user_id', 1 row (1): no such key in people.csv ('b'). Add them to")


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ([1, 0, 2], "1 row (2): 0 or 1 expected, got 2"),
        ([1, -1, 0.5], "2 rows (1, 2): 0 or 1 expected, got -1.0"),
        ([1.0, math.nan, math.inf], "2 rows (1, 2): 0 or 1 expected, got nan"),
        ([True, None, False], "1 row (1): 0 or 1 expected, found nothing"),
        ([None, None, None], "3 rows (0, 1, 2): 0 or 1 expected, found nothing"),
        (["1", "0", None], "2 rows (0, 1): numbers 0 and 1 expected, got String '1'"),
    ],
)
def test_labels_are_yes_or_no(label, expected) -> None:
    assert expected in said(interactions=PAIRS.with_columns(label=pl.Series(label, strict=False)))[0]


@pytest.mark.parametrize("label", [[True, False, True], [1.0, 0.0, 1.0], pl.Series([1, 0, 1], dtype=pl.UInt8)])
def test_labels_become_small_numbers(label) -> None:
    labels = read(interactions=PAIRS.with_columns(label=pl.Series(label))).interactions["label"]
    assert labels.dtype == pl.Int8
    assert labels.to_list() == [1, 0, 1]


def test_weights() -> None:
    weighed = schema(weight="w")
    for weight, expected in (
        ([1.0, 1e300, math.inf], "2 rows (1, 2): a finite number >= 0 expected, got 1e+300"),
        (["1", None, "2"], "2 rows (0, 2): numbers >= 0 expected, got String '1'. Cast the column to numbers"),
        ([None] * 3, "3 rows (0, 1, 2): a finite number >= 0 expected, found nothing"),
    ):
        assert expected in said(weighed, interactions=PAIRS.with_columns(w=pl.Series(weight)))[0]
    (warning,) = read(weighed, interactions=PAIRS.with_columns(w=0)).warnings
    assert "every row weighs 0" in str(warning)


def test_empty_tables_and_missing_columns() -> None:
    assert said(users=USERS.clear()) == ["users: the table is empty. Give at least one row."]
    wide = pl.DataFrame({f"column {j}": [1] for j in range(40)})
    (first, *_) = said(items=wide)
    assert "'item_id': the column is not there. Columns: column 0, column 1" in first
    assert "column 19, …" in first
    assert len(read(interactions=pl.DataFrame())) == 0


def test_lists_and_text_do_not_mix() -> None:
    users = USERS.with_columns(pl.Series("tags", [["x"], "y", 3], dtype=pl.Object))
    tags = Field(name="tags", side="user", kind="tags")
    (text,) = said(schema(tags), users=users)
    assert text.startswith("users: column 'tags', 2 rows (1, 2): list expected, got 'y'. Give lists in all rows")


def keys(users: Any, named: Any) -> tuple[Tables, list[Any]]:
    frame = pl.DataFrame({"user_id": users}).with_columns(age=1)
    pairs = pl.DataFrame({"user_id": named}).with_columns(item_id=10, label=1)
    tables = read(users=frame, interactions=pairs)
    return tables, tables.interactions["user_id"].to_list()


D = decimal.Decimal
BIG = [2**64 - 1, 5]


@pytest.mark.parametrize(
    ("users", "named", "expected"),
    [
        ([1, 2], ["1", "2"], [1, 2]),
        (["1", "2", "x"], [1, 2], ["1", "2"]),
        ([1.0, 2.0], [1, 2], [1, 2]),
        (["1", "2"], [1.0, 2.0], ["1", "2"]),
        (pl.Series([1, 2], dtype=pl.Int8), pl.Series([2], dtype=pl.UInt64), [2]),
        ([D(1), D(2)], ["2"], [2]),
        (pl.Series(BIG, dtype=pl.UInt64), pl.Series(BIG, dtype=pl.UInt64), [str(2**64 - 1), "5"]),
        (pl.Series([2**100, 5], dtype=pl.Int128), [5], ["5"]),
        (pl.Series(["a", "b"], dtype=pl.Categorical), pl.Series(["b"], dtype=pl.Enum(["b", "a"])), ["b"]),
        (["", "é", "\x00"], ["\x00", ""], ["\x00", ""]),
    ],
)
def test_keys_of_any_type_find_one_another(users, named, expected) -> None:
    tables, found = keys(users, named)
    assert found == expected
    assert tables.user_ids.dtype == tables.interactions["user_id"].dtype
    encoded = TablesEncoder.fit(tables).encode(tables)
    assert (tables.user_ids.gather(pl.Series(encoded.user)) == tables.interactions["user_id"]).all()


@pytest.mark.parametrize(
    ("users", "named", "expected"),
    [
        (["01", "2"], [1, 2], "1 row (0): no such key in users ('1'). Keys are text in users and whole numbers in"),
        ([1, 2], ["01"], "no such key in users ('01'). Keys are text in interactions and whole numbers in users: were"),
        ([1, 2], [1.5, 2.0], "column 'user_id', 1 row (0): text or whole numbers expected as keys, got 1"),
        ([1, 2], [D("1.5")], "text or whole numbers expected as keys, got Decimal('1.5')"),
        ([1, 2], [1.0, math.nan], "1 row (1): a key expected, found nothing. Name a row of users"),
        ([1.0, 1.0, 2.0], [1], "users: column 'user_id', 1 row (1): the key is there already (1)"),
        ([1.0, 2.0**60], [1], "Beyond 2^53 a float holds no exact whole number: give text"),
        ([1, 2], pl.Series([2**64 - 1], dtype=pl.UInt64), "no such key in users ('18446744073709551615')"),
        ([True, False], ["a"], "users: column 'user_id', 2 rows (0, 1): text or whole numbers expected as keys, got"),
        ([1], [dt.date(2024, 5, 1)], "keys, got Date such as datetime.date(2024, 5, 1). Give text or whole numbers"),
        (["a"], [["a"]], "keys, got List(String) such as ['a']"),
        (["a"], pl.Series([b"\xff"]), "keys, got Binary such as b'\\xff'"),
        (pl.Series(["a", 1], dtype=pl.Object), ["a"], "2 rows (0, 1): text or whole numbers as keys expected, got 'a'"),
        ([None, None], ["a"], "2 rows (0, 1): a key expected, found nothing. Give each row its key"),
        (["a"], ["x" * 99], "no such key in users ('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…)"),
    ],
)  # fmt: skip
def test_keys_that_are_none_are_named(users, named, expected) -> None:
    with pytest.raises(DataError) as caught:
        keys(users, named)
    assert expected in str(caught.value)


def test_times_are_put_in_order() -> None:
    timed = schema(time="t")
    for time in (["2024-05-10", "2024-05-09T12:00+02:00", "2024-05-09T11:00Z"], [3, 1, 2], [dt.date(2024, 5, 9)] * 3):
        tables = read(timed, interactions=PAIRS.with_columns(t=pl.Series(time)))
        order = tables.interactions["t"].arg_sort().to_list()
        assert order == ([1, 2, 0] if len(set(time)) == 3 else [0, 1, 2])
    for time, expected in (
        (
            ["2024-05-10", "x", None],
            "1 row (1): a date as ISO 8601 (2024-05-01) expected, got 'x'. Give numbers or",
        ),
        ([[1], [2], [3]], "3 rows (0, 1, 2): a time expected (a number or a date), got List(Int64) [1]"),
        ([True, False, None], "2 rows (0, 1): a time expected (a number or a date), got Boolean True"),
        ([1.0, math.nan, -math.inf], "2 rows (1, 2): a finite time expected, got nan. Write null where there is none"),
    ):
        assert expected in said(timed, interactions=PAIRS.with_columns(t=pl.Series(time)))[0]
    day = Field(name="t", side="context", kind="date", format="%d.%m.%Y")
    german = read(schema(day, time="t"), interactions=PAIRS.with_columns(t=pl.lit("10.05.2024")))
    assert german.interactions["t"].to_list() == [dt.date(2024, 5, 10)] * 3
    with pytest.raises(DataError, match=r"2 rows \(0, 2\): a time expected, found nothing"):
        split_time(read(timed, interactions=PAIRS.with_columns(t=pl.Series([None, 1.0, None]))))


def test_what_is_odd_is_a_warning() -> None:
    fields = tuple(Field(name=name, side="user", kind=kind) for name, kind in (("same", "tags"), ("rare", "category")))
    users = USERS.with_columns(same=pl.Series([["x"]] * 3), rare=pl.Series([None, None, "x"]))
    found = [str(warning) for warning in read(schema(*fields), users=users).warnings]
    assert found == [
        "users: column 'same': every row has the same value: it tells nothing. Consider leaving it out.",
        "users: column 'rare': 67% of the rows have no value. Consider leaving it out.",
        "users: column 'rare': every row has the same value: it tells nothing. Consider leaving it out.",
    ]
    bio = schema(Field(name="bio", side="user", kind="text"))
    (blank,) = read(bio, users=USERS.with_columns(bio=pl.Series(["", " ", "a"]))).warnings
    assert str(blank) == "users: column 'bio': 67% of the texts are empty. Write null where there is none."
    (nothing,) = read(users=USERS.with_columns(age=None)).warnings
    assert "100% of the rows have no value" in str(nothing)


def test_another_sides_key_is_an_ordinary_column() -> None:
    favourite = schema(Field(name="item_id", side="user", kind="id"))
    users = USERS.with_columns(item_id=pl.Series([1.0, 1.5, None]))
    assert "1 row (1): text or whole numbers expected, got 1.5" in said(favourite, users=users)[0]
    assert read(favourite, users=users.with_columns(item_id=7)).users["item_id"].to_list() == [7, 7, 7]


HOSTILE: dict[str, pl.Series] = {
    "decimal": pl.Series([D("1.5"), None, D(2)]),
    "whole decimal": pl.Series([D(1), None, D(2)]),
    "enum": pl.Series(["x", "y", None], dtype=pl.Enum(["x", "y"])),
    "categorical": pl.Series(["x", "y", None], dtype=pl.Categorical),
    "duration": pl.Series([dt.timedelta(1), None, dt.timedelta(2)]),
    "time of day": pl.Series([dt.time(1), None, dt.time(2)]),
    "bytes": pl.Series([b"a", None, b"\xff"]),
    "struct": pl.Series([{"a": 1}, None, {"a": 2}]),
    "lists of lists": pl.Series([[[1]], None, [[2], [3]]]),
    "lists of structs": pl.Series([[{"a": 1}], None, [{"a": 2}]]),
    "nothing": pl.Series([None] * 3),
    "lists of nothing": pl.Series([[None], [], None], dtype=pl.List(pl.Null)),
    "lists of dates": pl.Series([[dt.date(2020, 1, 1)], [], None]),
    "lists of bool": pl.Series([[True], [], None]),
    "lists of categories": pl.Series([["a"], [], None], dtype=pl.List(pl.Categorical)),
    "array": pl.Series([[1, 2], [1, 3], None], dtype=pl.Array(pl.Int8, 2)),
    "matrix": pl.Series([[[1, 2]], [[1, 3]], None], dtype=pl.Array(pl.Int8, (1, 2))),
    "large": pl.Series([2**62, -(2**63), None]),
    "hashed": pl.Series([2**64 - 1, 0, 5], dtype=pl.UInt64),
    "huge": pl.Series([2**100, 0, 5], dtype=pl.Int128),
    "half": pl.Series([1.5, None, 2.5], dtype=pl.Float16),
    "nan": pl.Series([1.5, math.nan, -math.inf]),
    "extreme": pl.Series([1.7e308, -1.7e308, 5e-324]),
    "numbers as text": pl.Series(["1", "2.5", " 3 "]),
    "empty text": pl.Series(["", "a", None]),
    "odd text": pl.Series(["👩‍👩‍👧", "\x00", "e\u0301"]),
    "objects": pl.Series([1, "a", None], dtype=pl.Object),
    "nested objects": pl.Series([[1], {"a": 2}, None], dtype=pl.Object),
    "no objects": pl.Series([None] * 3, dtype=pl.Object),
    "zoned": pl.Series([dt.datetime(2020, 1, 1), None, dt.datetime(2021, 1, 1)]).dt.replace_time_zone("Asia/Shanghai"),
    "nanoseconds": pl.Series([dt.datetime(2020, 1, 1), None, dt.datetime(2021, 1, 1)], dtype=pl.Datetime("ns")),
    "first and last day": pl.Series([dt.date.min, None, dt.date.max]),
    "days without a year": pl.Series([-(10**9), None, 10**9], dtype=pl.Int32).cast(pl.Date),
    "moments without a year": pl.Series([-(2**63), None, 2**63 - 1]).cast(pl.Datetime("us")),
    "dates as text": pl.Series(["2020-01-01", "2020-02-30", "2020-02-28T10:00+02:00"]),
    "yes and no": pl.Series(["true", "False", None]),
    "ragged": pl.Series([[1.0, 2.0], [3.0], None]),
    "holes": pl.Series([[1.0, None], [math.nan, 2.0], None]),
    "empty lists": pl.Series([[], [], None], dtype=pl.List(pl.Float64)),
    "huge lists": pl.Series([[2**100], [5], None], dtype=pl.List(pl.Int128)),
    "delimited": pl.Series(["a|b", "|", None]),
}


def attempt(given: Schema, **tables: Any) -> tuple[Tables | None, Sequence[Problem]]:
    """The tables, or what is wrong with them; every other error is one of ours."""
    whole = {} if "flat" in tables else {"users": USERS, "items": ITEMS, "interactions": PAIRS}
    try:
        return Tables.read(given, **{**whole, **tables}), ()
    except DataError as error:
        return None, error.problems


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", HOSTILE)
def test_any_column_is_read_whole_or_refused(name, kind) -> None:
    """On both sides, in a context and in a flat table: a problem that names the column, or the way to the end."""
    column = HOSTILE[name]
    for options in ({}, {"delimiter": "|"} if kind in ("tags", "vector") else {}):
        user, context = (Field(name="v", side=side, kind=kind, **options) for side in ("user", "context"))
        flat = PAIRS.with_columns(user_id=pl.Series(["a", "b", "c"]), v=column)
        ways: tuple[tuple[Field, dict[str, pl.DataFrame]], ...] = (
            (user, {"users": USERS.with_columns(v=column)}),
            (context, {"interactions": PAIRS.with_columns(v=column)}),
            (user, {"flat": flat}),
        )
        for field, sources in ways:
            tables, problems = attempt(schema(field), **sources)
            assert all(p.column == "v" and p.n_rows and p.fix for p in problems), problems
            if tables is None:
                continue
            encoder = TablesEncoder.fit(tables)
            encoded = encoder.encode(tables)
            assert len(encoded) == 3
            state = json.loads(json.dumps(encoder.state(), allow_nan=False))
            assert TablesEncoder.from_state(tables.schema, state) == encoder
            features = encoded.context if field.side == "context" else encoded.users
            side = encoder.context if field.side == "context" else encoder.user
            portrait = side.portrait(features)
            assert np.nanmin(portrait, initial=0) >= 0
            assert np.nanmax(portrait, initial=1) <= 1
            side.decode(portrait)
            side.words(portrait[0])


@pytest.mark.parametrize("name", HOSTILE)
def test_any_column_as_key_label_time_or_name(name) -> None:
    column = HOSTILE[name]
    pairs = PAIRS.with_columns(v=column)
    for names, sources in (
        (schema(user_id="v", user="user_id"), {"users": USERS.with_columns(v=column)}),
        (schema(user="v"), {"interactions": pairs}),
        (schema(label="v"), {"interactions": pairs}),
        (schema(weight="v"), {"interactions": pairs}),
        (schema(time="v"), {"interactions": pairs}),
        (schema(user_name="v"), {"users": USERS.with_columns(v=column)}),
    ):
        tables, problems = attempt(names, **sources)
        assert all(p.n_rows and p.fix for p in problems), problems
        if tables is not None and names.time is not None and not tables.interactions["v"].has_nulls():
            assert sum(map(len, split_time(tables, (0.5, 0.5)))) == 3


@given(
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6, unique=True),
    st.lists(st.tuples(st.sampled_from([*"abcdefg", None]), st.sampled_from([0, 1, 2, None])), min_size=1, max_size=8),
)
@settings(deadline=None, max_examples=50)
def test_rows_are_counted_right(users, rows) -> None:
    """Against a loop in plain Python."""
    pairs = pl.DataFrame(rows, schema={"user_id": pl.String, "label": pl.Int64}, orient="row").with_columns(item_id=10)
    expected = {
        "found nothing. Name": [j for j, (u, _) in enumerate(rows) if u is None],
        "no such key": [j for j, (u, _) in enumerate(rows) if u is not None and u not in users],
        "expected, got 2": [j for j, (_, y) in enumerate(rows) if y == 2],
        "0 or 1 expected, found nothing": [j for j, (_, y) in enumerate(rows) if y is None],
    }
    try:
        read(users=pl.DataFrame({"user_id": users}).with_columns(age=1), interactions=pairs)
        found = ()
    except DataError as error:
        found = error.problems
    for text, at in expected.items():
        (problem,) = [p for p in found if text in str(p)] or [None]
        assert (problem is None) == (not at)
        assert problem is None or (problem.rows, problem.n_rows) == (tuple(at[:5]), len(at))
    assert len(found) == sum(map(bool, expected.values()))
