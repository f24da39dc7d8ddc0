"""Any number of values."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant._spec import FIRST, MISSING, UNSEEN
from penchant.tables.kinds import Counts, Tags
from penchant.tables.schema import Field
from penchant.testing import check_kind


def field(**options) -> Field:
    return Field(name="x", side="item", kind="tags", **options)


def rows(bag) -> list[list[int]]:
    return [bag.values[a:b].tolist() for a, b in zip(bag.offsets[:-1], bag.offsets[1:], strict=True)]


WORD = st.text(st.characters(exclude_categories=("Cs", "Z", "Cc")), min_size=1, max_size=3)


@given(st.lists(st.none() | st.lists(WORD, max_size=4), max_size=12))
@settings(deadline=None, max_examples=50)
def test_any_lists_come_back(values) -> None:
    column = pl.Series("x", values, dtype=pl.List(pl.String))
    check_kind(Tags, field(), column)
    kind = Tags.fit(field(), column)
    back = kind.decode(kind.portrait(kind.encode(column))).to_list()
    if len(kind.values):
        assert [None if b is None else set(b) for b in back] == [None if v is None else set(v) for v in values]


def test_lists_and_text_are_encoded_alike() -> None:
    lists = pl.Series("x", [["b", "a"], None, [], ["b", "b", None, "中"]])
    text = pl.Series("x", [" b|a", None, "", "b|b||中 "])
    one, other = Tags.fit(field(), lists), Tags.fit(field(delimiter="|"), text)
    assert one.labels() == other.labels() == ("b", "a", "中")
    assert rows(one.encode(lists)) == [[FIRST, FIRST + 1], [MISSING], [], [FIRST, FIRST + 2]]
    assert rows(other.encode(text)) == rows(one.encode(lists))
    assert rows(other.encode(lists)) == rows(one.encode(lists))


def test_nothing_known_is_not_missing() -> None:
    kind = Tags.fit(field(), pl.Series("x", [["a"], []]))
    new = pl.Series("x", [["a", "z", "y"], ["z"], [], None])
    assert rows(kind.encode(new)) == [[UNSEEN, FIRST], [UNSEEN], [], [MISSING]]
    assert kind.counts(new) == Counts(1, 2, 0)
    portrait = kind.portrait(kind.encode(new))
    assert portrait[:3, 0].tolist() == [1, 0, 0]
    assert np.isnan(portrait[3]).all()
    assert kind.decode(portrait).to_list() == [["a"], [], [], None]
    assert [kind.words(row) for row in portrait] == ["a", "none", "none", "unknown"]


def test_rare_tags_are_unseen_and_counted_once_a_row() -> None:
    kind = Tags.fit(field(min_count=2), pl.Series("x", [["a", "b", "b"], ["a"]]))
    assert kind.labels() == ("a",)


def test_whole_numbers_and_arrays() -> None:
    kind = Tags.fit(field(), pl.Series("x", [[7, 8], [7, 9]], dtype=pl.Array(pl.Int64, 2)))
    assert kind.labels() == ("7", "8", "9")
    assert kind.decode(np.array([[0.9, 0.1, 0.5]], dtype=np.float32)).to_list() == [[7, 9]]


def test_nothing_to_fit() -> None:
    for column in (pl.Series("x", [None, None]), pl.Series("x", [], dtype=pl.List(pl.String))):
        kind = Tags.fit(field(), column)
        assert kind.block().width == 0
        assert rows(kind.encode(pl.Series("x", [["a"], None]))) == [[UNSEEN], [MISSING]]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pl.Series("x", ["a|b", None]), "1 row (0): list expected, got text 'a|b'. Set delimiter"),
        (pl.Series("x", [1, 2]), "2 rows (0, 1): list expected, got 1"),
        (pl.Series("x", [[0.5], None]), "lists of text or whole numbers expected, got [0.5]"),
        (pl.Series("x", [["a"], "b", None, 3], dtype=pl.Object), "2 rows (1, 3): list expected, got 'b'"),
    ],
)
def test_what_is_no_list_is_named(column, said) -> None:
    (problem,) = Tags.problems(field(), column, "items")
    assert said in str(problem)


def test_text_is_sound_with_a_delimiter() -> None:
    assert Tags.problems(field(delimiter="|"), pl.Series("x", ["a|b", None]), "items") == []
