"""Two values."""

import numpy as np
import polars as pl
import pytest

from penchant.tables.kinds import Binary, Counts
from penchant.tables.schema import Field

FIELD = Field(name="x", side="user", kind="binary", title="会员")


@pytest.mark.parametrize(
    ("values", "encoded", "label", "words"),
    [
        ([True, None, False], [1, np.nan, 0], "会员", ["yes", "unknown", "no"]),
        ([0, 1, None], [0, 1, np.nan], "会员", ["no", "yes", "unknown"]),
        ([0.0, 1.0], [0, 1], "会员", ["no", "yes"]),
        ([1, 1], [1, 1], "会员", ["yes", "yes"]),
        (["M", "F", None], [1, 0, np.nan], "M", ["M", "F", "unknown"]),
        ([5, 3], [1, 0], "5", ["5", "3"]),
        ([2.5, -1.0], [1, 0], "2.5", ["2.5", "-1"]),
        (["a", "a"], [0, 0], "会员", ["a", "a"]),
    ],
)
def test_values(values, encoded, label, words) -> None:
    column = pl.Series("x", values)
    kind = Binary.fit(FIELD, column)
    got = kind.encode(column)
    assert got[:, 0].tolist() == pytest.approx(encoded, nan_ok=True)
    assert kind.labels() == (label,)
    assert [kind.words(row) for row in got] == words
    assert kind.decode(got).to_list() == values


def test_true_one_and_one_point_are_the_same() -> None:
    kind = Binary.fit(FIELD, pl.Series("x", [True, False]))
    for values in ([1, 0], [1.0, 0.0], ["true", "false"], ["True", "False"]):
        assert kind.encode(pl.Series("x", values))[:, 0].tolist() == [1, 0]


def test_a_third_value_is_unseen() -> None:
    kind = Binary.fit(FIELD, pl.Series("x", ["F", "M"]))
    new = pl.Series("x", ["F", "X", None])
    assert kind.counts(new) == Counts(1, 1, 0)
    assert np.isnan(kind.encode(new)[1:]).all()


def test_nothing_to_fit() -> None:
    kind = Binary.fit(FIELD, pl.Series("x", [None, None]))
    assert kind.decode(np.array([[0.9]], dtype=np.float32)).to_list() == [None]
    assert kind.words(np.array([0.9], dtype=np.float32)) == "unknown"


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pl.Series("x", ["a", "a", "b", "b", "c", None]), "1 row (4): two values expected ('a' and 'b'"),
        (pl.Series("x", [0, 1, 0, 1, 2]), "got '2'"),
        (pl.Series("x", [0.0, 1.0, float("nan")]), "1 row (2): one of two values expected, got nan"),
        (pl.Series("x", [["a"]]), "one of two values expected, got List"),
        (pl.Series("x", ["a", ["b"]], dtype=pl.Object), "1 row (1): one of two values expected, got ['b']"),
    ],
)
def test_what_has_not_two_values_is_named(column, said) -> None:
    (problem,) = Binary.problems(FIELD, column, "users")
    assert said.replace("'a' and 'b'", "") in str(problem).replace("'a' and 'b'", "").replace("'b' and 'a'", "")
