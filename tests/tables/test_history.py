"""What users liked and did not like earlier, from the interactions and from rows."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from penchant.errors import DataError, SchemaError, UnknownIdError
from penchant.tables import Field, Schema, Tables, TablesEncoder, Vocabulary
from penchant.tables.history import Histories

USERS = pl.DataFrame({"u": ["a", "b", "c"], "age": [20, 30, 40]})
ITEMS = pl.DataFrame({"i": ["x", "y", "z"], "size": [0.0, 1.0, 2.0]})
PAIRS = pl.DataFrame(
    {"u": ["b", "a", "a", "a"], "i": ["z", "y", "x", "y"], "label": [1, 1, 1, 0], "time": [5, 1, 11, 21]}
)


def tables(pairs: pl.DataFrame = PAIRS, **options) -> Tables:
    fields = (
        Field(name="age", side="user", kind="numeric"),
        Field(name="past", side="user", kind="history", **options),
        Field(name="size", side="item", kind="numeric"),
    )
    schema = Schema(fields=fields, user_id="u", item_id="i", time="time")
    return Tables.read(schema, users=USERS, items=ITEMS, interactions=pairs)


def histories(given: Tables) -> Histories:
    return Histories.fit(given.schema.history, given)


def lists(past) -> list[list[tuple[int, float, float]]]:
    entries = list(zip(past.items.tolist(), past.liked.tolist(), past.weight.tolist(), strict=True))
    return [entries[a:b] for a, b in zip(past.offsets[:-1], past.offsets[1:], strict=True)]


def test_the_latest_label_of_a_pair_counts_and_items_are_in_order():
    assert lists(histories(tables()).past) == [[(0, 1, 1), (1, 0, 1)], [(2, 1, 1)], []]


def test_without_a_time_the_last_row_counts():
    pairs = PAIRS.with_columns(time=pl.lit(None, pl.Int64))
    assert lists(histories(tables(pairs)).past)[0] == [(0, 1, 1), (1, 0, 1)]


def test_half_life_counts_from_the_newest_item_of_the_user():
    assert lists(histories(tables(half_life=10)).past) == [[(0, 1, 0.5), (1, 0, 1)], [(2, 1, 1)], []]
    days = pl.Series([dt.date(2024, 1, 1 + d) for d in (5, 1, 11, 21)])
    assert lists(histories(tables(PAIRS.with_columns(time=days), half_life=5)).past)[0][0] == (0, 1, 0.25)
    moments = days.cast(pl.Datetime("ms"))
    assert lists(histories(tables(PAIRS.with_columns(time=moments), half_life=5)).past)[0][0] == (0, 1, 0.25)


def test_what_is_very_old_still_counts_a_little():
    assert histories(tables(half_life=1e-3)).past.weight.min() > 0


def test_last_keeps_the_newest():
    assert lists(histories(tables(last=1)).past) == [[(1, 0, 1)], [(2, 1, 1)], []]


def test_users_are_found_by_key_and_strangers_have_none():
    found = histories(tables()).of(pl.Series(["c", "b", "new", "a", "b"]))
    assert [len(one) for one in lists(found)] == [0, 1, 0, 2, 1]
    assert found.offsets.dtype == found.items.dtype == np.int64


def test_rows_bring_their_own():
    given = [None, ["z", "x", "z"], {"liked": ["x", "y"], "disliked": ["y"]}, {"disliked": pl.Series(["x"])}, []]
    found = histories(tables()).of_rows(given)
    assert lists(found) == [[], [(0, 1, 1), (2, 1, 1)], [(0, 1, 1), (1, 0, 1)], [(0, 0, 1)], []]


@pytest.mark.parametrize("given", ["x", 3, {"loved": ["x"]}, {"liked": "x"}])
def test_other_things_are_no_history(given):
    with pytest.raises(DataError, match=r"rows of users: column 'past', 1 row \(1\)"):
        histories(tables()).of_rows([None, given])


def test_unknown_items_are_named():
    with pytest.raises(UnknownIdError, match="past of row 0: no item 'q' among the 3 known"):
        histories(tables()).of_rows([["x", "q"]])


def test_there_and_back_as_a_frame():
    before = histories(tables(half_life=10))
    after = Histories.from_frame(before.field, before.users, before.items, before.frame())
    assert all(np.array_equal(a, b) for a, b in zip(before.past, after.past, strict=True))


def test_encoders_attach_it():
    given = tables()
    encoder = TablesEncoder.fit(given)
    assert [len(one) for one in lists(encoder.encode(given).users.history)] == [2, 1, 0]
    rows = encoder.encode_user_rows([{"age": 3, "past": ["x"]}, {}])
    assert [len(one) for one in lists(rows.history)] == [1, 0]
    with pytest.raises(DataError, match="a row expected"):
        encoder.encode_user_rows([3])


def test_a_schema_says_what_is_wrong():
    text = """
    [users]
    id = "u"
    [users.columns]
    past = { kind = "history", half_life = 1.5, last = 7 }
    [interactions]
    time = "t"
    """
    schema = Schema.from_toml(text)
    assert schema.history == Field(name="past", side="user", kind="history", half_life=1.5, last=7)
    assert schema.side("user") == ()
    assert Schema.from_toml(schema.to_toml()) == schema
    with pytest.raises(SchemaError, match="half_life needs to know when"):
        Schema.from_toml(text.replace('time = "t"', ""))
    with pytest.raises(SchemaError, match="there is a history already"):
        Schema.from_toml(text.replace("[interactions]", 'more = "history"\n[interactions]'))
    with pytest.raises(SchemaError, match="belongs to the users"):
        Field(name="past", side="item", kind="history")
    with pytest.raises(SchemaError, match="last must be above 0"):
        Field(name="past", side="user", kind="history", last=0)
    with pytest.raises(SchemaError, match="half_life is not used by kind 'numeric'"):
        Field(name="past", side="user", kind="numeric", half_life=3)


def order(past) -> list[list[tuple[int, float, float]]]:
    """Each user's items from the oldest on, with label and age."""
    found = []
    for a, b in zip(past.offsets[:-1], past.offsets[1:], strict=True):
        entries = sorted(range(a, b), key=lambda entry: past.place[entry])
        assert [past.place[entry] for entry in entries] == list(range(b - a))
        found.append([(int(past.items[e]), float(past.liked[e]), float(past.age[e])) for e in entries])
    return found


def test_entries_know_their_place_in_time_and_their_age():
    assert order(histories(tables()).past) == [[(0, 1, 10), (1, 0, 0)], [(2, 1, 0)], []]
    days = pl.Series([dt.date(2024, 1, 1 + d) for d in (5, 30, 11, 21)])
    assert order(histories(tables(PAIRS.with_columns(time=days))).past)[0] == [(0, 1, 19), (1, 1, 0)]
    assert order(histories(tables(last=1)).past)[0] == [(1, 0, 0)]


def test_what_has_no_time_is_oldest_and_events_of_one_time_keep_their_order():
    pairs = PAIRS.with_columns(i=pl.Series(["z", "z", "y", "x"]), time=pl.Series([5, 7, 7, None]))
    assert order(histories(tables(pairs)).past)[0] == [(0, 0, 0), (2, 1, 0), (1, 1, 0)]


def test_what_has_no_time_is_as_old_as_the_oldest_that_has_one():
    pairs = PAIRS.with_columns(i=pl.Series(["z", "z", "y", "x"]), time=pl.Series([5, 7, 9, None]))
    past = histories(tables(pairs, half_life=2)).past
    assert order(past)[0] == [(0, 0, 2), (2, 1, 2), (1, 1, 0)]
    assert lists(past)[0] == [(0, 0, 0.5), (1, 1, 1), (2, 1, 0.5)]


def test_how_long_after_the_latest_entry_a_time_is():
    past = histories(tables())
    assert np.array_equal(past.latest, [21, 5, np.nan], equal_nan=True)
    keys, times = pl.Series(["a", "a", "b", "c", "new", "b"]), pl.Series([31, 11, 5, 40, 40, None])
    assert past.since(keys, times).tolist() == [10, 0, 0, 0, 0, 0]
    days = pl.Series([dt.date(2024, 1, 1 + d) for d in (5, 1, 11, 21)])
    past = histories(tables(PAIRS.with_columns(time=days)))
    moments = pl.Series([dt.datetime(2024, 1, 23, 12), dt.datetime(2024, 1, 1)])
    assert past.since(pl.Series(["a", "a"]), moments).tolist() == [1.5, 0]
    again = Histories.from_frame(past.field, past.users, past.items, past.frame())
    assert np.array_equal(again.latest, past.latest, equal_nan=True)
    untimed = Histories.from_frame(past.field, past.users, past.items, past.frame().drop("time"))
    assert untimed.since(pl.Series(["a"]), moments[:1]).tolist() == [0]


def test_rows_bring_what_has_faded_too():
    given = [
        [{"item": "x", "time": 1}, {"item": "y", "time": 5}, {"item": "z", "time": 7}],
        [{"item": "x", "time": "2024-05-01"}, {"item": "y", "time": "2024-05-03"}],
    ]
    found = lists(histories(tables(half_life=2)).of_rows(given))
    assert found == [[(0, 1, 0.125), (1, 1, 0.5), (2, 1, 1)], [(0, 1, 0.5), (1, 1, 1)]]
    assert {weight for *_, weight in lists(histories(tables()).of_rows(given))[0]} == {1}


def test_encoded_pairs_know_how_late_they_are_where_histories_fade():
    given = tables(half_life=2)
    encoder = TablesEncoder.fit(given)
    asked = given.with_interactions(PAIRS.with_columns(time=pl.Series([9, 30, 1, 21])))
    assert encoder.encode(asked).since.tolist() == [4, 9, 0, 0]
    assert encoder.encode(asked.with_interactions(PAIRS.drop("time"))).since is None
    assert TablesEncoder.fit(tables()).encode(asked).since is None


def test_rows_bring_an_order():
    given = [
        ["z", "x", "z", "y"],
        {"liked": ["z", "x"], "disliked": ["y", "x"]},
        [{"item": "z"}, {"item": "x", "liked": False}, {"item": "z", "liked": 0, "time": None}],
        [{"item": "z", "time": 9}, {"item": "x", "time": 2.5}, {"item": "y", "time": 9, "liked": False}],
        [{"item": "y", "time": "2024-05-02"}, {"item": "x", "time": dt.date(2024, 5, 1)}],
        [{"item": "y", "time": dt.datetime(2024, 5, 2, 12)}, {"item": "x", "time": "2024-05-02T02:00:00+02:00"}],
        [{"item": "y", "time": 4}, {"item": "x"}, {"item": "z", "time": 1}],
    ]
    assert order(histories(tables()).of_rows(given)) == [
        [(0, 1, 20), (2, 1, 10), (1, 1, 0)],
        [(1, 0, 20), (0, 0, 10), (2, 1, 0)],
        [(0, 0, 10), (2, 0, 0)],
        [(0, 1, 6.5), (2, 1, 0), (1, 0, 0)],
        [(0, 1, 1), (1, 1, 0)],
        [(0, 1, 0.5), (1, 1, 0)],
        [(1, 1, 20), (0, 1, 10), (2, 1, 0)],
    ]


def test_an_order_without_times_goes_in_usual_gaps():
    """Else all of it would be read as met at once, which no training row was."""
    pairs = {"u": [*"aaabb"], "i": [*"xyzxy"], "label": [1] * 5, "time": [0, 3, 4, 0, 9]}
    known = histories(tables(pl.DataFrame(pairs)))
    assert known.usual_gap == 3
    assert [age for _, _, age in order(known.of_rows([["x", "z", "y"]]))[0]] == [6, 3, 0]
    without = histories(tables(PAIRS.with_columns(time=pl.lit(None, dtype=pl.Int64))))
    assert without.usual_gap == 0
    assert [age for _, _, age in order(without.of_rows([["x", "z"]]))[0]] == [0, 0]


@pytest.mark.parametrize(
    "entry",
    [{"liked": True}, {"item": "x", "loved": 1}, {"item": "x", "liked": 2}, {"item": "x", "time": "noon"},
     {"item": "x", "time": True}, {"item": "x", "time": []}, {"item": "x", "time": float("-inf")},
     {"item": "x", "time": 10**400}],
)  # fmt: skip
def test_entries_say_what_they_are(entry):
    with pytest.raises(DataError, match=r"rows of users: column 'past', 1 row \(1\): an entry of item, liked"):
        histories(tables()).of_rows([None, [{"item": "y"}, entry]])


def test_frames_of_earlier_versions_are_read():
    before = histories(tables())
    frame = before.frame().drop("place", "age").reverse()
    after = Histories.from_frame(before.field, before.users, before.items, frame)
    assert order(after.past) == [[(0, 1, 0), (1, 0, 0)], [(2, 1, 0)], []]
    assert lists(after.past) == lists(before.past)


MORE = pl.DataFrame({"u": ["d", "a", "c", "a"], "i": ["w", "x", "z", "w"], "label": [1, 0, 1, 1],
                     "time": [40, 30, None, 25]})  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"last": 2}, {"half_life": 7}, {"last": 1, "half_life": 2.5}])
@pytest.mark.parametrize("turned", [False, True])
def test_more_rows_extend_histories_as_if_all_had_been_there(options, turned):
    """Also where the later rows are told first: a known time decides, not the order of telling."""
    first = tables(**options)
    people = pl.concat([USERS, pl.DataFrame({"u": ["d"], "age": [50]})])
    things = pl.concat([ITEMS, pl.DataFrame({"i": ["w"], "size": [3.0]})])
    parts = [PAIRS, MORE.cast({"time": pl.Int64})]
    early, late = (Tables(first.schema, people, things, part) for part in (reversed(parts) if turned else parts))
    start = histories(first) if not turned else histories(early)
    users, items = (Vocabulary(ids, what=what) for ids, what in ((late.user_ids, "user"), (late.item_ids, "item")))
    again = Histories.from_frame(start.field, start.users, start.items, start.frame())  # as a file holds it
    found = again.extended(late, users, items)
    whole = histories(Tables(first.schema, people, things, pl.concat(parts)))
    for one, other in zip(found.past, whole.past, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(found.times, whole.times)


def test_without_any_time_more_rows_are_later_ones():
    never = pl.lit(None, dtype=pl.Int64)
    start = histories(tables(PAIRS.with_columns(time=never)))
    assert start.times is None
    more = tables(pl.DataFrame({"u": ["a", "a"], "i": ["z", "x"], "label": [1, 0]}).with_columns(time=never))
    assert [(item, liked) for item, liked, _ in order(start.extended(more, start.users, start.items).past)[0]] == [
        (1, 0), (2, 1), (0, 0)
    ]  # fmt: skip
