"""Splits: nothing is lost, nothing leaks, one seed gives one split."""

import dataclasses
import datetime as dt
import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import ConfigError, DataError
from penchant.tables._tables import Tables
from penchant.tables.schema import Schema
from penchant.tables.splits import (
    SPLITS,
    split_cold_both,
    split_cold_items,
    split_cold_users,
    split_leave_one_out,
    split_per_user,
    split_random,
    split_strong_generalisation,
    split_time,
)

SCHEMA = Schema(fields=(), user_id="user_id", item_id="item_id", time="time")


def tables(users, items=None, time=None) -> Tables:
    """Interactions only: splits look at nothing else. ``row`` tells which is which."""
    n = len(users)
    pairs = {
        "user_id": pl.Series(users, dtype=pl.String),
        "item_id": pl.Series(items if items is not None else range(n), dtype=pl.Int64),
        "time": pl.Series(time if time is not None else range(n)),
        "row": pl.Series(range(n), dtype=pl.Int64),
    }
    return Tables(SCHEMA, pl.DataFrame({"user_id": ["u"]}), pl.DataFrame({"item_id": [1]}), pl.DataFrame(pairs))


def rows(part: Tables) -> list[int]:
    return part.interactions["row"].to_list()


PAIRS = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 5), st.integers(0, 9)), max_size=60)
FRACTIONS = st.lists(st.integers(1, 9), min_size=2, max_size=4).map(lambda parts: tuple(p / sum(parts) for p in parts))


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
@given(pairs=PAIRS, fractions=FRACTIONS, rng=st.integers(0, 9))
@settings(deadline=None, max_examples=30)
def test_every_row_is_in_one_part_and_in_its_order(split, pairs, fractions, rng) -> None:
    whole = tables(*(zip(*pairs, strict=True) if pairs else ((), (), ())))
    parts = split(whole, fractions, rng=rng)
    assert len(parts) == len(fractions)
    assert sorted(itertools.chain(*map(rows, parts))) == list(range(len(pairs)))
    assert all(rows(part) == sorted(rows(part)) for part in parts)
    assert all(part.users is whole.users and part.items is whole.items for part in parts)
    assert [rows(part) for part in split(whole, fractions, rng=rng)] == [rows(part) for part in parts]


@pytest.mark.parametrize("split", [s for name, s in SPLITS.items() if name != "time"])
def test_another_seed_gives_another_split(split) -> None:
    r = np.random.default_rng(0)
    whole = tables([f"u{j}" for j in r.integers(0, 50, 500)], r.integers(0, 50, 500))
    assert rows(split(whole, rng=1)[0]) != rows(split(whole, rng=2)[0])


@given(n=st.integers(0, 200), fractions=FRACTIONS)
@settings(deadline=None, max_examples=50)
def test_random_fractions_are_exact(n, fractions) -> None:
    parts = split_random(tables(["a"] * n), fractions)
    for part, fraction in zip(parts, fractions, strict=True):
        assert abs(len(part) - fraction * n) <= 1 + 1e-6
    assert [len(part) for part in split_random(tables(["a"] * 1000))] == [800, 100, 100]
    assert [len(part) for part in split_random(tables(["a"] * 10), (0.7, 0.3))] == [7, 3]


def test_random_is_even() -> None:
    """Each of ten places is in the test part equally often: 2,000 splits, 400 expected, within 5 sigma."""
    counts = np.zeros(10)
    for seed in range(2000):
        counts[rows(split_random(tables(["a"] * 10), (0.8, 0.2), rng=seed)[1])] += 1
    assert np.abs(counts - 400).max() < 5 * np.sqrt(2000 * 0.2 * 0.8)


@given(pairs=PAIRS.filter(len), fractions=FRACTIONS, rng=st.integers(0, 9))
@settings(deadline=None, max_examples=50)
def test_per_user_keeps_everyone_in_the_first_part(pairs, fractions, rng) -> None:
    users = [user for user, *_ in pairs]
    parts = split_per_user(tables(users), fractions, rng=rng)
    assert set(parts[0].interactions["user_id"]) == set(users)
    for user in set(users):
        n = users.count(user)
        got = [part.interactions["user_id"].to_list().count(user) for part in parts]
        assert all(abs(k - n * f) <= 1.5 + 1e-6 for k, f in zip(got, fractions, strict=True))


def test_per_user_deals_out_each_users_rows() -> None:
    parts = split_per_user(tables(["a", "b"] * 10), (0.6, 0.4), rng=3)
    for user in "ab":
        assert [part.interactions["user_id"].to_list().count(user) for part in parts] == [6, 4]


@given(times=st.lists(st.integers(0, 20), max_size=60), fractions=FRACTIONS)
@settings(deadline=None, max_examples=50)
def test_time_does_not_leak(times, fractions) -> None:
    """All of a part is before all of the next, and one moment is in one part."""
    parts = [p.interactions["time"] for p in split_time(tables(["a"] * len(times), time=times), fractions)]
    parts = [part for part in parts if len(part)]
    assert all(before.max() < after.min() for before, after in itertools.pairwise(parts))


def test_time_of_any_type() -> None:
    days = [dt.date(2024, 5, day) for day in (9, 1, 5, 3, 7)]
    for time in (days, [9.0, 1.0, 5.0, 3.0, 7.0], [dt.datetime(d.year, d.month, d.day) for d in days]):
        assert [rows(part) for part in split_time(tables(["a"] * 5, time=time), (0.6, 0.4))] == [[1, 2, 3], [0, 4]]
    assert [len(part) for part in split_time(tables(["a"] * 4, time=[1] * 4), (0.5, 0.5))] == [4, 0]


@pytest.mark.parametrize(
    ("split", "column"), [(split_cold_users, "user_id"), (split_cold_items, "item_id")], ids=["users", "items"]
)
@given(pairs=PAIRS, fractions=FRACTIONS, rng=st.integers(0, 9))
@settings(deadline=None, max_examples=50)
def test_cold_parts_share_nobody(split, column, pairs, fractions, rng) -> None:
    parts = split(tables(*(zip(*pairs, strict=True) if pairs else ((), (), ()))), fractions, rng=rng)
    known = [set(part.interactions[column]) for part in parts]
    assert not any(one & other for one, other in itertools.combinations(known, 2))
    n = sum(map(len, known))
    assert all(abs(len(k) - f * n) <= 1 + 1e-6 for k, f in zip(known, fractions, strict=True))


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
@pytest.mark.parametrize(
    "fractions", [(), (1.0,), (0.5, 0.6), (1.2, -0.2), (0.5, float("nan")), (0.5, 0.0, 0.5), 0.8, "ab"]
)
def test_fractions_sum_to_one(split, fractions) -> None:
    with pytest.raises(ConfigError, match="two or more numbers above 0 that sum to 1 expected"):
        split(tables(["a", "b"]), fractions)


def test_time_needs_times() -> None:
    timeless = dataclasses.replace(tables(["a", "b"]), schema=dataclasses.replace(SCHEMA, time=None))
    with pytest.raises(DataError, match=r"a split by time needs a time column\. Give \[interactions\] time"):
        split_time(timeless)
    with pytest.raises(DataError, match=r"column 'time', 1 row \(1\): a time expected, found nothing"):
        split_time(tables(["a", "b"], time=[1, None]))
    bare = tables(["a"])
    with pytest.raises(DataError, match="'time': the column is not there"):
        split_time(bare.with_interactions(bare.interactions.drop("time")))


# ---------------------------------------------------------------------- for judging rankings


def labelled(rows_) -> Tables:
    """Rows of user, item, time, label."""
    users, items, time, label = zip(*rows_, strict=True) if rows_ else ((), (), (), ())
    whole = tables(users, items, time)
    return whole.with_interactions(whole.interactions.with_columns(label=pl.Series(label, dtype=pl.Int8)))


LABELLED = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 9), st.integers(0, 5), st.integers(0, 1)), max_size=50
)


@given(found=LABELLED, valid=st.booleans(), by_time=st.booleans(), rng=st.integers(0, 5))
@settings(max_examples=100)
def test_leave_one_out_against_a_loop_over_users(found, valid, by_time, rng) -> None:
    whole = labelled(found)
    parts = [p for p in split_leave_one_out(whole, by_time=by_time, valid=valid, rng=rng) if p is not None]
    assert len(parts) == 2 + valid
    assert sorted(itertools.chain(*map(rows, parts))) == list(range(len(found)))
    again = split_leave_one_out(whole, by_time=by_time, valid=valid, rng=rng)
    assert [rows(part) for part in again if part is not None] == list(map(rows, parts))
    for user in "abcd":
        own = [(time, row, label) for row, (u, _, time, label) in enumerate(found) if u == user]
        likes = sum(label for *_, label in own)
        got = [[row for row in rows(p) if found[row][0] == user] for p in parts]
        if likes <= 1 + valid:
            assert not any(got[1:]), "whoever would keep no like is not held out"
            continue
        assert [sum(found[row][3] for row in part) for part in got[1:]] == [1] * (1 + valid)
        if by_time:
            order = [row for _, row, _ in sorted(own)]
            last = [place for place, row in enumerate(order) if found[row][3]][-1 - valid :]
            wanted = [order[: last[0]], *([order[last[0] : last[1]]] if valid else []), order[last[-1] :]]
            assert [sorted(part) for part in wanted] == got


def test_leave_one_out_by_time_needs_times_and_at_random_draws_anew() -> None:
    whole = labelled([("a", i, i, 1) for i in range(30)])
    timeless = dataclasses.replace(whole, schema=dataclasses.replace(SCHEMA, time=None))
    with pytest.raises(DataError, match="leave one out by time needs a time column"):
        split_leave_one_out(timeless, by_time=True)
    found = {rows(split_leave_one_out(timeless, rng=rng)[2])[0] for rng in range(8)}
    assert len(found) > 1
    assert rows(split_leave_one_out(whole, by_time=True)[2]) == [29]


@given(pairs=PAIRS, fractions=FRACTIONS, rng=st.integers(0, 9))
@settings(max_examples=50)
def test_cold_on_both_sides_shares_neither_users_nor_items(pairs, fractions, rng) -> None:
    whole = tables(*(zip(*pairs, strict=True) if pairs else ((), (), ())))
    parts = split_cold_both(whole, fractions, rng=rng)
    for one, other in itertools.combinations(parts, 2):
        for column in ("user_id", "item_id"):
            assert not set(one.interactions[column]) & set(other.interactions[column])
    users, items = (s(whole, fractions, rng=rng) for s in (split_cold_users, split_cold_items))
    for part, user, item in zip(parts, users, items, strict=True):
        assert rows(part) == sorted(set(rows(user)) & set(rows(item))), "as dealt out on each side alone"


@given(
    found=LABELLED, folds=st.integers(3, 4), share=st.sampled_from([0.2, 0.5, 0.8]), least=st.integers(2, 4),
    rng=st.integers(0, 5),
)  # fmt: skip
@settings(max_examples=100)
def test_strong_generalisation_holds_users_out_whole(found, folds, share, least, rng) -> None:
    whole = labelled(found)
    likes = {user: sum(label for u, *_, label in found if u == user) for user in "abcd"}
    eligible = {user for user, n in likes.items() if n >= least}
    options = {"folds": folds, "given": share, "least": least, "rng": rng}
    if len(eligible) < folds:
        with pytest.raises(DataError, match=f"{folds} folds need as many users"):
            split_strong_generalisation(whole, **options)
        return
    tested: list[str] = []
    for fold in range(folds):
        parts = split_strong_generalisation(whole, fold=fold, **options)
        assert sorted(itertools.chain(*map(rows, parts))) == list(range(len(found))), "complete, and disjoint"
        train, valid, test, given_ = (set(part.interactions["user_id"]) for part in parts)
        assert not train & (valid | test | given_)
        assert not valid & test
        assert valid | test == given_ <= eligible
        for user in valid | test:
            to_find = parts.valid if user in valid else parts.test
            for label in (1, 0):
                n = sum(1 for u, *_, y in found if (u, y) == (user, label))
                wanted = max(label, int(np.floor((1 - share) * n + 1e-9)))
                own = to_find.interactions.filter((pl.col("user_id") == user) & (pl.col("label") == label))
                assert own.height == wanted
        tested += test
        after = split_strong_generalisation(whole, fold=(fold + 1) % folds, **options)
        assert valid == set(after.test.interactions["user_id"]), "the next fold's test users validate"
    assert sorted(tested) == sorted(eligible), "everybody is tested once"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"folds": 2}, "at least 3"),
        ({"fold": 5}, "0 to 4 expected"),
        ({"fold": -1}, "0 to 4 expected"),
        ({"given": 1.0}, "below 1"),
        ({"given": 0.0}, "above 0"),
        ({"least": 1}, "at least 2 likes"),
    ],
)
def test_strong_generalisation_says_what_it_takes(options, told) -> None:
    with pytest.raises(ConfigError, match=told):
        split_strong_generalisation(labelled([("a", 1, 1, 1)]), **options)


def test_strong_generalisation_as_published_gives_four_of_five() -> None:
    """Five likes each, 80 %: four are given, one is to be found, as int(.2 · n) of Liang et al."""
    whole = labelled([(user, item, 0, 1) for user in "abcdefghij" for item in range(5)])
    parts = split_strong_generalisation(whole, fold=1)
    assert [len(part) for part in parts] == [30, 2, 2, 16]
