"""Ids and rows."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import DataError, UnknownIdError
from penchant.tables.vocabulary import Vocabulary


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), unique=True) | st.lists(st.text(max_size=5), unique=True),
    st.data(),
)
@settings(deadline=None, max_examples=50)
def test_rows_and_ids_are_inverse(ids, data) -> None:
    vocabulary = Vocabulary(ids)
    assert len(vocabulary) == len(ids)
    rows = data.draw(st.lists(st.integers(0, len(ids) - 1))) if ids else []
    asked = [ids[row] for row in rows]
    assert vocabulary.rows(asked).tolist() == rows
    assert vocabulary.take(np.array(rows, dtype=np.int64)).to_list() == asked
    assert all(one in vocabulary for one in asked)


def test_the_type_is_kept_and_the_other_accepted() -> None:
    whole = Vocabulary(pl.Series([30, 10, 20]))
    assert whole.ids.dtype == pl.Int64
    assert whole.rows(["10", "20"]).tolist() == whole.rows([10, 20]).tolist() == [1, 2]
    assert whole.rows([10, "20"]).tolist() == [1, 2]
    text = Vocabulary(["30", "a"])
    assert text.ids.dtype == pl.String
    assert text.rows([30]).tolist() == [0]
    assert text.rows(pl.Series(["a", "30"], dtype=pl.Categorical)).tolist() == [1, 0]
    assert "b" not in text


def test_many_ids() -> None:
    ids = pl.Series([f"用户{j}" for j in range(20_000)]).shuffle(seed=1)
    vocabulary = Vocabulary(ids, what="user")
    assert (vocabulary.rows(ids) == np.arange(20_000)).all()
    assert vocabulary.find([*ids.head(3), "nobody"]).tolist() == [0, 1, 2, -1]


def test_an_unknown_id_is_named_with_what_is_near() -> None:
    vocabulary = Vocabulary(["alice", "alicia", "bob"], what="user")
    with pytest.raises(UnknownIdError) as caught:
        vocabulary.rows(["bob", "alize"])
    message = str(caught.value)
    assert message.startswith("no user 'alize' among the 3 known. Nearest: 'alice'.")
    assert "row of features" in message
    with pytest.raises(UnknownIdError, match=r"no users 'a', 'b', 'c', 'd', 'e' and 1 more among"):
        vocabulary.rows(list("abcdef"))
    with pytest.raises(KeyError, match=r"no item 18 among the 3 known\. Nearest: 17, 20, 3\."):
        Vocabulary([3, 17, 20], what="item").rows([18, 18])
    with pytest.raises(UnknownIdError, match=r"no id 'x' among the 1 known\. One that"):
        Vocabulary([3]).rows(["x"])
    with pytest.raises(UnknownIdError, match="no id None"):
        Vocabulary([3]).rows(pl.Series([None], dtype=pl.Int64))
    with pytest.raises(UnknownIdError, match="among the 0 known"):
        Vocabulary([]).rows(["x"])


def test_ids_are_distinct_and_present() -> None:
    with pytest.raises(DataError) as caught:
        Vocabulary(["a", None, "b", "a"], what="item")
    assert [p.rows for p in caught.value.problems] == [(1,), (3,)]
    assert "items, 1 row (3): an id of its own expected in each row, got 'a' again" in str(caught.value)


def test_what_can_be_no_id_is_unknown() -> None:
    """It must not be taken for the number it is stored as: {"a": 1} and 2 January 1970 are not user 1."""
    whole, text = Vocabulary([1, 2], what="user"), Vocabulary(["a", "b"])
    for one in (["a"], {"a": 1}, dt.date(1970, 1, 2), b"a", 1.5, float("nan"), True, 2**70, "\ud800", object()):
        assert whole.find([one]).tolist() == text.find([one]).tolist() == [-1]
    assert whole.find(pl.Series([dt.date(1970, 1, 2)])).tolist() == [-1]
    assert whole.find([np.int8(2), 1.0]).tolist() == [1, 0]
    with pytest.raises(UnknownIdError, match="no user '1970-01-02' among"):
        whole.rows([dt.date(1970, 1, 2)])


@pytest.mark.parametrize("ids", [[["a"]], [1, "a"], [1.5], [dt.date(2024, 5, 1)]])
def test_ids_are_whole_numbers_or_text(ids) -> None:
    with pytest.raises(DataError, match=r"users: column 'user', .* whole number"):
        Vocabulary(ids, what="user")


def test_ids_beyond_64_bits() -> None:
    ids = [2**64 - 1, 2**70, 5]
    assert Vocabulary(ids).rows(ids[::-1]).tolist() == [2, 1, 0]
    assert Vocabulary(pl.Series([2**64 - 1, 5], dtype=pl.UInt64)).rows([5, str(2**64 - 1)]).tolist() == [1, 0]


@pytest.mark.parametrize("ids", [["u1", 5], [5, "u1"], ["u1", 1.5], ["u1", ["u2"]]])
def test_ids_of_several_types_of_which_one_is_unknown_are_data_errors(ids) -> None:
    with pytest.raises(DataError, match=r"text or a whole number expected|text or whole numbers expected"):
        Vocabulary(["u1", "u2"], what="user").rows(ids)


def test_ids_of_several_types_that_are_all_known_are_found() -> None:
    assert Vocabulary([1, 2]).rows([1, "2"]).tolist() == [0, 1]
