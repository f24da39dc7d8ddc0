"""Ready embeddings."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import DataError
from penchant.tables.encoding import SideEncoder
from penchant.tables.kinds import Counts, Vector
from penchant.tables.schema import Field
from penchant.testing import check_kind


def field(**options) -> Field:
    return Field(name="x", side="item", kind="vector", **options)


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.none() | st.lists(FINITE, min_size=3, max_size=3), max_size=12))
@settings(deadline=None, max_examples=50)
def test_any_vectors_come_back(values) -> None:
    check_kind(Vector, field(), pl.Series("x", values, dtype=pl.List(pl.Float64)))


def test_each_axis_has_its_range() -> None:
    column = pl.Series("x", [[0.0, -4.0, 7.0], None, [10.0, 4.0, 7.0]])
    kind = Vector.fit(field(title="taste"), column)
    assert kind.encode(column).tolist() == pytest.approx(
        np.array([[0, 0, 0.5], [np.nan] * 3, [1, 1, 0.5]]), nan_ok=True
    )
    new = pl.Series("x", [[5.0, 0.0, 7.0], [11.0, 0.0, 7.0], None])
    assert kind.counts(new) == Counts(1, 0, 1)
    assert kind.decode(kind.encode(new)).to_list() == [[5.0, 0.0, 7.0], [10.0, 0.0, 7.0], None]
    assert kind.labels() == ("taste[0]", "taste[1]", "taste[2]")
    assert kind.words(kind.encode(new)[0]) == "(5, 0, 7)"
    assert kind.words(kind.encode(new)[2]) == "unknown"


def test_text_lists_and_arrays_are_encoded_alike() -> None:
    lists = pl.Series("x", [[0.5, 2.0], None, [1.5, 3.0]])
    kind = Vector.fit(field(), lists)
    array = lists.cast(pl.Array(pl.Float32, 2))
    assert np.array_equal(kind.encode(array), kind.encode(lists), equal_nan=True)
    for delimiter, text in ((",", ["[0.5, 2]", None, "1.5,3"]), (" ", ["0.5  2.0", None, "(1.5 3)"])):
        column = pl.Series("x", text)
        other = Vector.fit(field(delimiter=delimiter), column)
        assert Vector.problems(other.field, column, "t") == []
        assert np.array_equal(other.encode(column), kind.encode(lists), equal_nan=True)


def test_another_length_is_refused() -> None:
    kind = Vector.fit(field(), pl.Series("x", [[0.5, 2.0]]))
    with pytest.raises(DataError, match=r"items: column 'x', 1 row \(1\): vectors of 2 numbers expected .*, got 1"):
        kind.encode(pl.Series("x", [None, [1.0]]))


def test_rows_are_held_against_the_length_that_was_learned_not_against_one_another() -> None:
    """The majority may be wrong."""
    encoder = SideEncoder.fit([field()], pl.DataFrame({"x": [[0.5, 2.0], [1.0, 3.0]]}))
    rows = [{"x": [1.0, 2.0, 3.0]}, {"x": [0.5, 2.0]}, {}, {"x": [1, 2, 4]}, {"x": [0.5, float("nan")]}]
    with pytest.raises(DataError) as caught:
        encoder.encode_rows(rows)
    message = str(caught.value)
    assert "column 'x', 2 rows (0, 3): vectors of 2 numbers expected (as in the training rows), got 3" in message
    assert "column 'x', 1 row (4): finite numbers expected, got [0.5, nan]" in message
    assert encoder.encode_rows(rows[1:3]).dense[0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pl.Series("x", [[1.0, 2.0], [1.0], [3.0, 4.0]]), "1 row (1): 2 numbers expected, got 1"),
        (pl.Series("x", [[], [1.0, 2.0], []]), "2 rows (0, 2): 2 numbers expected, got 0."),
        (pl.Series("x", [[1.0, float("nan")], [0.0, 0.0]]), "1 row (0): finite numbers expected, got [1.0, nan]"),
        (
            pl.Series("x", [[1.0, None], [1.0, float("inf")], [0.0, 0.0]]),
            "2 rows (0, 1): finite numbers expected",
        ),
        (pl.Series("x", ["1 2"]), "got text '1 2'. Set delimiter"),
        (pl.Series("x", [["a"]]), "list of numbers expected, got ['a']"),
        (pl.Series("x", [3]), "list of numbers expected, got 3"),
        (pl.Series("x", [[1.0], "a"], dtype=pl.Object), "1 row (1): list of numbers expected, got 'a'"),
    ],
)
def test_what_is_no_vector_is_named(column, said) -> None:
    (problem,) = Vector.problems(field(), column, "items")
    assert said in str(problem)


def test_text_that_is_no_number_is_named() -> None:
    (problem,) = Vector.problems(field(delimiter=" "), pl.Series("x", ["1 2", "1 a", None]), "items")
    assert "1 row (1): finite numbers expected, got '1 a'" in str(problem)
