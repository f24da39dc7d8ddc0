"""Histories, texts and vectors as they should not be: served where the meaning is clear, refused by name elsewhere."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from penchant import EncoderOptions, Penchant, Schema, Space
from penchant.errors import DataError, UnknownIdError
from penchant.nets import KINDS, DecoderOptions
from penchant.tables import Field, Histories, Tables

N_USERS, N_ITEMS, LONG = 12, 300, 10_000
START = dt.datetime(2024, 1, 1)


@pytest.fixture(scope="module")
def tables() -> Tables:
    """One user with 10,000 interactions, ten with 30, one with none; texts and vectors, some empty or missing."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(N_USERS - 1), [LONG, *[30] * (N_USERS - 2)])
    n = len(user)
    pairs = pl.DataFrame(
        {
            "user": [f"u{one}" for one in user],
            "item": [f"i{one}" for one in rng.integers(N_ITEMS, size=n)],
            "label": rng.integers(2, size=n),
            "time": [START + dt.timedelta(hours=int(hour)) for hour in rng.integers(500, size=n)],
        }
    )
    items = pl.DataFrame(
        {
            "item": [f"i{one}" for one in range(N_ITEMS)],
            "text": [("", None, "a raid boss", "bread and butter")[one % 4] for one in range(N_ITEMS)],
            "place": [None if one % 5 == 0 else [float(one % 7), float(one % 3)] for one in range(N_ITEMS)],
        },
        schema_overrides={"place": pl.List(pl.Float64)},
    )
    fields = (
        Field(name="past", side="user", kind="history", half_life=3),
        Field(name="text", side="item", kind="text", size=2),
        Field(name="place", side="item", kind="vector"),
    )
    users = pl.DataFrame({"user": [f"u{one}" for one in range(N_USERS)]})
    schema = Schema(fields=fields, user_id="user", item_id="item", time="time")
    return Tables.read(schema, users=users, items=items, interactions=pairs)


@pytest.fixture(scope="module", params=["mlp", *(kind for kind, net in KINDS.items() if net.causal)])
def model(request, tables) -> Penchant:
    encoder = EncoderOptions(kind=request.param, hidden=(4,), embedding_dim=2, history_dim=4, history_length=20)
    model = Penchant(
        space=Space(dim=4), encoder=encoder, decoder=DecoderOptions(hidden=(4,)), epochs=1, learning_rate=0.05,
        batch_by="user", device="cpu",
    )  # fmt: skip
    return model.fit(tables)


def point(model: Penchant, past) -> np.ndarray:
    return model.encode("user", {"past": past})[0]


def entries(n: int, rng: int = 0) -> list[dict[str, object]]:
    draw = np.random.default_rng(rng)
    return [
        {"item": f"i{item}", "liked": bool(item % 2), "time": START + dt.timedelta(hours=hour)}
        for hour, item in enumerate(draw.integers(N_ITEMS, size=n).tolist())
    ]


@pytest.mark.filterwarnings("ignore:the threshold .* is not below half:UserWarning")
def test_histories_of_none_and_of_ten_thousand_are_served(model):
    known = model.encode("user", [f"u{one}" for one in range(N_USERS)])
    assert np.isfinite(known).all()
    nobody = point(model, [])
    np.testing.assert_allclose(known[-1], nobody, atol=1e-6)
    for nothing in (None, {"liked": []}, {"disliked": []}, {"liked": [], "disliked": None}):
        np.testing.assert_array_equal(point(model, nothing), nobody)
    long = point(model, entries(LONG))
    assert np.isfinite(long).all()
    assert not np.allclose(long, nobody)
    found = model.recommend([{"past": entries(LONG)}, {"past": []}], n=3)
    assert found.filter(pl.col("row") == 1).height == 3, "who has met all items is recommended none"


def test_events_out_of_order_are_put_in_order(model):
    past = entries(60)
    mixed = [past[place] for place in np.random.default_rng(1).permutation(60)]
    np.testing.assert_allclose(point(model, mixed), point(model, past), atol=1e-6)


def test_the_order_of_the_rows_says_nothing_where_times_differ(tables):
    pairs = tables.interactions.filter(pl.col("user") != "u0").unique(["user", "time"], maintain_order=True)
    given = tables.with_interactions(pairs)
    turned = tables.with_interactions(pairs.sample(fraction=1, shuffle=True, seed=1))
    one, other = (Histories.fit(tables.schema.history, each).past for each in (given, turned))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_of_equal_times_the_order_given_counts(model):
    past = [entry | {"time": START} for entry in entries(9)]
    assert np.isfinite(point(model, past)).all()
    untimed = [{name: entry[name] for name in ("item", "liked")} for entry in past]
    later = [entry | {"time": START + dt.timedelta(days=1000)} for entry in past]
    np.testing.assert_array_equal(point(model, past), point(model, later))
    assert np.isfinite(point(model, untimed)).all()
    causal = model.module_.user_encoder.causal
    assert np.allclose(point(model, past[::-1]), point(model, past), atol=1e-6) != causal


def test_unknown_items_inside_a_history_are_named(model):
    with pytest.raises(UnknownIdError, match="past of row 1: no item 'i999' among the 300 known"):
        model.encode("user", [{"past": ["i1"]}, {"past": ["i2", "i999"]}])
    with pytest.raises(UnknownIdError, match="past of row 0: no item 'i-1'"):
        model.recommend([{"past": [{"item": "i-1", "liked": False}]}])


def test_texts_may_be_empty_and_missing_and_are_not_the_same(model):
    empty, missing, unknown = model.encode("item", [{"text": ""}, {}, {"text": "?! zzz"}])
    assert np.isfinite([empty, missing, unknown]).all()
    assert not np.allclose(empty, missing)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{}, {"place": [1.0]}], r"column 'place', 1 row \(1\): vectors of 2 numbers expected .*, got 1"),
        ([{"place": [1, 2, 3]}, {"place": [1, 2]}, {"place": [1, 2, 3]}], r"2 rows \(0, 2\): vectors of 2 numbers"),
        ([{"place": [1.0, float("nan")]}], r"1 row \(0\): finite numbers expected, got \[1.0, nan\]"),
        ([{"place": [1.0, None]}], r"1 row \(0\): finite numbers expected, got \[1.0, None\]"),
        ([{"place": [float("inf"), 0.0]}], r"1 row \(0\): finite numbers expected, got \[inf, 0.0\]"),
        ([{"place": "here"}], "list of numbers expected, got text 'here'"),
        ([{"place": []}], r"1 row \(0\): vectors of 2 numbers expected .*, got 0"),
    ],
)
def test_vectors_of_another_length_or_with_holes_are_refused(model, rows, said):
    with pytest.raises(DataError, match=said):
        model.encode("item", rows)


def test_tables_with_such_vectors_are_refused_before_training(tables):
    for wrong, said in (([1.0], "2 numbers expected, got 1"), ([1.0, float("nan")], "finite numbers expected")):
        place = pl.Series("place", [wrong, *tables.items["place"].to_list()[1:]], dtype=pl.List(pl.Float64))
        with pytest.raises(DataError, match=said):
            Tables.read(
                tables.schema, users=tables.users, items=tables.items.with_columns(place),
                interactions=tables.interactions,
            )  # fmt: skip
