"""What users liked and did not like earlier, from the interactions and from rows."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from penchant.errors import DataError, SchemaError, UnknownIdError
from penchant.tables import Field, Schema, Tables, TablesEncoder
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
        [(0, 1, 0), (2, 1, 0), (1, 1, 0)],
        [(1, 0, 0), (0, 0, 0), (2, 1, 0)],
        [(0, 0, 0), (2, 0, 0)],
        [(0, 1, 6.5), (2, 1, 0), (1, 0, 0)],
        [(0, 1, 1), (1, 1, 0)],
        [(0, 1, 0.5), (1, 1, 0)],
        [(1, 1, 0), (0, 1, 0), (2, 1, 3)],
    ]


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
