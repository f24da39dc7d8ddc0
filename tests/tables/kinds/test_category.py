"""One value of several."""

import datetime as dt
import decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant._spec import FIRST, MISSING, UNSEEN
from penchant.tables.kinds import Category, Counts
from penchant.tables.schema import Field
from penchant.testing import check_kind


def field(**options) -> Field:
    return Field(name="x", side="item", kind="category", **options)


@given(st.lists(st.none() | st.text(max_size=4)) | st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
@settings(deadline=None, max_examples=50)
def test_any_values_come_back_exactly(values) -> None:
    column = pl.Series("x", values) if any(v is not None for v in values) else pl.Series("x", values, dtype=pl.String)
    check_kind(Category, field(), column)


def test_codes_by_count_then_value() -> None:
    column = pl.Series("x", ["c", "b", "a", "b", None, "中", "中", "b"])
    kind = Category.fit(field(), column)
    assert kind.labels() == ("b", "中", "a", "c")
    assert kind.encode(column).tolist() == [
        FIRST + 3,
        FIRST,
        FIRST + 2,
        FIRST,
        MISSING,
        FIRST + 1,
        FIRST + 1,
        FIRST,
    ]


def test_rare_and_new_values_are_unseen() -> None:
    kind = Category.fit(field(min_count=2), pl.Series("x", ["a", "a", "b"]))
    new = pl.Series("x", ["a", "b", "z", None])
    assert kind.encode(new).tolist() == [FIRST, UNSEEN, UNSEEN, MISSING]
    assert kind.counts(new) == Counts(1, 2, 0)
    portrait = kind.portrait(kind.encode(new))
    assert portrait[0].tolist() == [1]
    assert np.isnan(portrait[1:]).all()
    assert kind.decode(portrait).to_list() == ["a", None, None, None]


def test_the_likeliest_is_read() -> None:
    kind = Category.fit(field(), pl.Series("x", [3, 3, 8]))
    portrait = np.array([[0.2, 0.3], [0.3, 0.2]], dtype=np.float32)
    assert kind.decode(portrait).to_list() == [8, 3]
    assert kind.words(portrait[0]) == "8"


@pytest.mark.parametrize("n", [10, 5_000])
def test_short_and_long_columns_are_looked_up_alike(n) -> None:
    names = [f"值{j}" for j in range(700)]
    kind = Category.fit(field(), pl.Series("x", names))
    row = {name: FIRST + j for j, name in enumerate(kind.labels())}
    wanted = [None if j % 11 == 0 else f"值{(j * 37) % 900}" for j in range(n)]
    expected = [MISSING if w is None else row.get(w, UNSEEN) for w in wanted]
    assert kind.encode(pl.Series("x", wanted)).tolist() == expected


def test_types_may_differ_from_training() -> None:
    whole = Category.fit(field(), pl.Series("x", [1, 2]))
    assert whole.encode(pl.Series("x", ["2", "x", None])).tolist() == [FIRST + 1, UNSEEN, MISSING]
    assert whole.encode(pl.Series("x", [1.0, 1.5])).tolist() == [FIRST, UNSEEN]
    text = Category.fit(field(), pl.Series("x", ["1", "2"]))
    assert text.encode(pl.Series("x", [2, 3])).tolist() == [FIRST + 1, UNSEEN]
    hashed = Category.fit(field(), pl.Series("x", [2**64 - 1, 5], dtype=pl.UInt64))
    assert hashed.encode(pl.Series("x", [5, 2**64 - 1], dtype=pl.UInt64)).tolist() == [FIRST + 1, FIRST]
    huge = Category.fit(field(), pl.Series("x", [2**100, 5, 5], dtype=pl.Int128))
    assert huge.encode(pl.Series("x", [2**100, 5, 7], dtype=pl.Int128)).tolist() == [FIRST + 1, FIRST, UNSEEN]
    money = pl.Series("x", [decimal.Decimal(2), decimal.Decimal(1), None])
    assert Category.problems(field(), money, "items") == []
    assert whole.encode(money).tolist() == [FIRST + 1, FIRST, MISSING]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pl.Series("x", [1.0, 1.5, None]), "1 row (1): text or whole numbers expected, got 1.5"),
        (pl.Series("x", [1.0, float("nan")]), "got nan"),
        (pl.Series("x", [decimal.Decimal("1.5"), None]), "1 row (0): text or whole numbers expected, got 1.5"),
        (pl.Series("x", [dt.timedelta(1)]), "such as datetime.timedelta(days=1). Cast the column to text or"),
        (
            pl.Series("x", [["a"], None]),
            "1 row (0): text or whole numbers expected, got List(String) such as ['a']",
        ),
        (pl.Series("x", ["a", {}], dtype=pl.Object), "1 row (1): text or a whole number expected, got {}"),
    ],
)
def test_what_is_no_value_is_named(column, said) -> None:
    (problem,) = Category.problems(field(), column, "items")
    assert said in str(problem)
