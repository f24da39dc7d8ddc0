"""Lists against sets, frames against dictionaries, and what is refused."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from penchant.errors import ConfigError, DataError
from penchant.evaluation import Lists, lists_from_frames


def made(ranked, liked) -> Lists:
    """From a list of lists each."""
    width = max([len(one) for one in ranked] + [1])
    return Lists(
        ranked=np.array([one + [-1] * (width - len(one)) for one in ranked], dtype=np.int32).reshape(-1, width),
        offsets=np.cumsum([0] + [len(one) for one in liked]),
        items=np.array([item for one in liked for item in one], dtype=np.int64),
    )


some = st.lists(st.integers(0, 12), unique=True, max_size=8)
people = st.lists(st.tuples(some, some), max_size=9)


@settings(deadline=None)
@given(people)
def test_hits_are_those_of_sets(people):
    ranked, liked = [one for one, _ in people], [one for _, one in people]
    lists = made(ranked, liked)
    assert lists.relevant.tolist() == [len(one) for one in liked]
    for u, one in enumerate(ranked):
        assert lists.hit[u, : len(one)].tolist() == [item in liked[u] for item in one]
        assert not lists.hit[u, len(one) :].any()


def test_more_users_than_one_block_and_large_row_numbers():
    g = np.random.default_rng(0)
    ranked = np.argsort(g.random((5000, 20)), axis=1)[:, :6] + (2**31 - 20)
    liked = [(np.flatnonzero(g.random(20) < 0.2) + (2**31 - 20)).tolist() for _ in range(5000)]
    lists = made([[]] * 5000, liked)
    lists = Lists(ranked=ranked, offsets=lists.offsets, items=lists.items)
    wanted = [[item in set(one) for item in row] for row, one in zip(ranked.tolist(), liked, strict=True)]
    assert lists.hit.tolist() == wanted


def test_the_end_of_a_list_is_no_item_of_the_user_before():
    assert not made([[], [3]], [[2**31 - 1], [4]]).hit.any()
    assert not made([[], []], [[2**31 - 1], [2**31 - 1]]).hit.any()


@settings(deadline=None)
@given(people, st.sampled_from([None, 1, 3, 20]), st.integers(0, 1000))
def test_frames_are_dictionaries(people, ranks, seed):
    g = np.random.default_rng(seed)
    top = [(f"u{u}", r + 1, f"i{i}") for u, (one, _) in enumerate(people) for r, i in enumerate(one)]
    kept = [(f"u{u}", f"i{i}") for u, (_, one) in enumerate(people) for i in one]
    top, kept = [top[j] for j in g.permutation(len(top))], [kept[j] for j in g.permutation(len(kept))]
    text, number = pl.String, pl.Int64
    recommended = pl.DataFrame(top, schema={"who": text, "rank": number, "what": text}, orient="row")
    held_out = pl.DataFrame(kept + kept[:2], schema={"who": text, "what": text}, orient="row")
    lists = lists_from_frames(recommended, held_out, user="who", item="what", ranks=ranks)
    width = ranks or max((len(one) for one, _ in people), default=0)
    assert lists.ranked.shape == (len({user for user, *_ in [*top, *kept]}), width)
    assert set(lists.users) == {user for user, *_ in [*top, *kept]}
    for row, user in enumerate(lists.users):
        one, liked = people[int(user[1:])]
        wanted = [f"i{i}" for i in one[:width]]
        assert lists.catalogue.gather(lists.ranked[row, : len(wanted)]).to_list() == wanted
        assert (lists.ranked[row, len(wanted) :] == -1).all()
        found = lists.items[lists.offsets[row] : lists.offsets[row + 1]]
        assert sorted(lists.catalogue.gather(found)) == sorted(f"i{i}" for i in liked)


def test_row_numbers_are_places_in_the_catalogue():
    recommended = pl.DataFrame({"user": [1, 1], "rank": [2, 1], "item": [30, 10]}, schema_overrides={"item": pl.Int32})
    held_out = pl.DataFrame({"user": [1, 2], "item": [20, 30]})
    lists = lists_from_frames(recommended, held_out, ranks=3, catalogue=pl.Series([10, 20, 30, 40]))
    assert lists.ranked.tolist() == [[0, 2, -1], [-1, -1, -1]]
    assert lists.items.tolist() == [1, 2]
    assert lists.users.to_list() == [1, 2]
    assert lists.catalogue.to_list() == [10, 20, 30, 40]


def test_categories_are_read_as_their_words():
    recommended = pl.DataFrame({"user": ["a"], "rank": [1], "item": ["x"]}, schema_overrides={"item": pl.Categorical})
    held_out = pl.DataFrame({"user": ["a"], "item": ["x"]})
    assert lists_from_frames(recommended, held_out).hit.tolist() == [[True]]


def test_empty_frames_are_no_users():
    empty = pl.DataFrame({"user": [], "rank": [], "item": []})
    assert lists_from_frames(empty, empty, ranks=5).ranked.shape == (0, 5)
    held_out = pl.DataFrame({"user": ["a"], "item": ["x"]})
    assert lists_from_frames(empty, held_out, ranks=2).ranked.tolist() == [[-1, -1]]
    recommended = pl.DataFrame({"user": ["a"], "rank": [1], "item": ["x"]})
    assert lists_from_frames(recommended, empty).relevant.tolist() == [0]


@pytest.mark.parametrize(
    ("ranked", "offsets", "items", "said"),
    [
        ([[0, 1]], [0, 1, 1], [0], "2 whole numbers expected, got int64 .3,"),
        ([[0, 1]], [0, 2], [0], "rise from 0 to 1 expected"),
        ([[0, 1], [0, 1]], [0, 2, 1], [0], "rise from 0 to 1 expected"),
        ([[0, -2]], [0, 1], [0], "row numbers from 0, or -1, expected, got -2 to 0"),
        ([[0, 2**31]], [0, 1], [0], "got 0 to 2147483648"),
        ([[0, 1]], [0, 1], [-1], "column 'items': row numbers from 0 expected, got -1 to -1"),
        ([[0, 1], [-1, 3]], [0, 1, 1], [0], "user 1 has an item after -1"),
        ([[0, 1], [3, 3]], [0, 1, 1], [0], "user 1 is recommended item 3 twice"),
        ([[0, 1], [3, 4]], [0, 1, 3], [0, 7, 7], "user 1 has item 7 twice"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(ranked, offsets, items, said):
    with pytest.raises(DataError, match=said):
        Lists(ranked=np.array(ranked), offsets=np.array(offsets), items=np.array(items))


@pytest.mark.parametrize(
    ("ranked", "items"), [(np.array([[0.5]]), np.array([0])), (np.array([0]), np.array([0])), (None, np.array([0.5]))]
)
def test_numbers_that_are_not_whole_are_refused(ranked, items):
    with pytest.raises((DataError, TypeCheckError), match=r"whole numbers|annotation"):
        Lists(ranked=np.array([[0]]) if ranked is None else ranked, offsets=np.array([0, 1]), items=items)


RECOMMENDED = {"user": ["a", "a"], "rank": [1, 2], "item": ["x", "y"]}
HELD_OUT = {"user": ["a", "b"], "item": ["x", "z"]}


@pytest.mark.parametrize(
    ("recommended", "held_out", "options", "said"),
    [
        ({"rank": [1, 3]}, {}, {}, r"recommended: column 'rank', 1 row \(1\): each user's ranks are 1, 2, 3"),
        ({"rank": [1, 1]}, {}, {}, r"1 row \(1\): each user's ranks"),
        ({"rank": [0, 1]}, {}, {}, r"2 rows \(0, 1\): each user's ranks"),
        ({"rank": [1.0, 2.0]}, {}, {}, "whole numbers expected, got Float64"),
        ({"item": ["x", "x"]}, {}, {}, "user 0 is recommended item 0 twice"),
        ({"item": ["x", None]}, {}, {}, r"recommended: column 'item', 1 row \(1\): a value expected"),
        ({}, {"user": [None, "a"]}, {}, r"held_out: column 'user', 1 row \(0\): a value expected"),
        ({}, {"user": [1, 2]}, {}, "column 'user': ids of one type expected, got String and whole numbers"),
        ({}, {}, {"user": "who"}, "column 'who': not there; columns are user, rank, item"),
        ({}, {}, {"catalogue": pl.Series(["x", "y"])}, r"held_out: .*1 row \(1\): not in the catalogue: 'z'"),
        ({}, {}, {"catalogue": pl.Series([], dtype=pl.String)}, "not in the catalogue: 'x'"),
        ({}, {}, {"catalogue": pl.Series(["x", "y", "z", "x"])}, "catalogue: column 'item': an id is there twice"),
    ],
)
def test_frames_that_do_not_fit_are_refused(recommended, held_out, options, said):
    with pytest.raises(DataError, match=said):
        lists_from_frames(pl.DataFrame(RECOMMENDED | recommended), pl.DataFrame(HELD_OUT | held_out), **options)


def test_at_least_one_rank():
    with pytest.raises(ConfigError, match="ranks = 0: a whole number >= 1"):
        lists_from_frames(pl.DataFrame(RECOMMENDED), pl.DataFrame(HELD_OUT), ranks=0)
