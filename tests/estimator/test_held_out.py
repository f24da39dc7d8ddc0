"""What is held out, against brute force: rankings, random items, and what is told of users beforehand."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from penchant import Field, Loss, Penchant, Schema, simulate
from penchant.errors import DataError, UnknownIdError
from penchant.estimator.held_out import calibration_of, held_out_of, with_given, with_random_items
from penchant.tables import Tables, TablesEncoder

CPU = torch.device("cpu")
LOSS = Loss(neck="softmax")


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Likes alone; users known by their history."""
    found = simulate(n_users=40, n_items=30, n_interactions=900, rng=7).tables
    past = Field(name="past", side="user", kind="history")
    schema = Schema(fields=(past, *found.schema.side("item")), user_id="user_id", item_id="item_id")
    return replace(found, schema=schema, interactions=found.interactions.filter(pl.col("label") == 1))


@pytest.fixture(scope="module")
def dealt(tables):
    """Training rows, given ones and held-out ones."""
    part = np.random.default_rng(0).choice(3, len(tables), p=[0.6, 0.2, 0.2])
    return [tables.with_interactions(tables.interactions.filter(pl.Series(part == j))) for j in range(3)]


@pytest.fixture(scope="module")
def network(dealt):
    encoder = TablesEncoder.fit(dealt[0])
    torch.manual_seed(0)
    model = Penchant(loss=LOSS).build_module(encoder).eval()
    torch.nn.init.normal_(model.user_encoder.past.table)
    return encoder, model


def likes(*tables):
    return {(u, i) for t in tables for u, i in t.interactions.select("user_id", "item_id").iter_rows()}


def test_the_figure_is_the_ndcg_of_the_full_ranking_without_what_is_known(dealt, network):
    train, given, valid = dealt
    encoder, model = network
    told = with_given(encoder, train, given)
    found = held_out_of(told, valid, loss=LOSS, known=[train, given], rng=0, device=CPU).figure(model)
    encoded = told.encode(valid)
    from penchant.training import encode_all

    users, items = (encode_all(model, s, getattr(encoded, f"{s}s"), CPU).double() for s in ("user", "item"))
    known, wanted, gains = likes(train, given), likes(valid), []
    for u, user in enumerate(valid.user_ids):
        own = {i for who, i in wanted if who == user and (who, i) not in known}
        if own:
            order = sorted(range(len(items)), key=lambda i: float((users[u] - items[i]).square().mean()))
            ranked = [valid.item_ids[i] for i in order if (user, valid.item_ids[i]) not in known]
            gain = sum(1 / math.log2(rank + 2) for rank, item in enumerate(ranked) if item in own)
            gains.append(gain / sum(1 / math.log2(rank + 2) for rank in range(len(own))))
    assert found == pytest.approx(sum(gains) / len(gains), rel=1e-6)


def test_blocks_of_users_change_nothing_and_of_many_users_some_are_ranked(dealt, network, monkeypatch):
    from penchant.estimator import held_out

    train, _, valid = dealt
    encoder, model = network
    whole = held_out_of(encoder, valid, loss=LOSS, known=[train], rng=0, device=CPU)
    monkeypatch.setattr(held_out, "_CELLS", 70)
    assert whole.figure(model) == pytest.approx(
        held_out_of(encoder, valid, loss=LOSS, known=[train], rng=0, device=CPU).figure(model)
    )
    monkeypatch.setattr(held_out, "_MOST_USERS", 5)
    few = [held_out_of(encoder, valid, loss=LOSS, known=[train], rng=r, device=CPU) for r in (0, 0, 1)]
    assert [len(one.ranked.users) for one in few] == [5, 5, 5]
    assert few[0].figure(model) == few[1].figure(model) != few[2].figure(model)


def test_what_is_all_known_cannot_be_found(dealt, network):
    train = dealt[0]
    with pytest.raises(DataError, match="every like of the validation rows is among the training rows"):
        held_out_of(network[0], train, loss=LOSS, known=[train], rng=0, device=CPU)


def test_with_a_pointwise_neck_the_figure_is_the_auc_of_the_rows(model, simulation):
    fitted = model._check_fitted()
    held = held_out_of(fitted.encoder, simulation.tables, loss=Loss(), known=[], rng=0, device=CPU)
    assert held.ranked is None
    assert held.figure(fitted.model) == pytest.approx(model.score(simulation.tables))


def test_each_like_stands_beside_a_random_item_that_the_user_is_not_known_to_like(tables, dealt):
    valid = dealt[2]
    n = len(valid.items)
    users = {user: row for row, user in enumerate(valid.user_ids)}
    items = {item: row for row, item in enumerate(valid.item_ids)}
    known = np.array(sorted(users[u] * n + items[i] for u, i in likes(dealt[0])))
    both = with_random_items(valid, known, 3)
    pairs, own = both.interactions, valid.interactions
    assert pairs[: len(own)].equals(own)
    others = pairs[len(own) :]
    assert others["user_id"].equals(own["user_id"])
    assert others["label"].to_list() == [0] * len(own)
    assert not likes(both.with_interactions(others)) & likes(dealt[0], valid)
    assert with_random_items(valid, known, 3).interactions.equals(pairs)
    assert not with_random_items(valid, known, 4).interactions.equals(pairs)
    free = [i for i in valid.item_ids if (own["user_id"][0], i) not in likes(dealt[0], valid)]
    drawn = {with_random_items(valid, known, r).interactions["item_id"][len(own)] for r in range(300)}
    assert drawn == set(free)


def test_rows_with_dislikes_stay_and_who_likes_everything_stays_without_one(simulation, tables):
    assert with_random_items(simulation.tables, np.zeros(0, np.int64), 0) is simulation.tables
    every = pl.DataFrame({"user_id": tables.user_ids[0], "item_id": tables.item_ids, "label": 1})
    one = pl.DataFrame({"user_id": tables.user_ids[1], "item_id": tables.item_ids[:1], "label": 1})
    both = with_random_items(tables.with_interactions(pl.concat([every, one])), np.zeros(0, np.int64), 0)
    assert both.interactions.filter(pl.col("label") == 0)["user_id"].to_list() == [tables.user_ids[1]]


def test_without_held_out_rows_training_rows_calibrate_without_their_own_answers(dealt, network):
    train = dealt[0]
    encoder, model = network
    found, nothing = calibration_of(model, None, train, encoder, loss=LOSS, rng=1)
    assert len(nothing["distance"]) == 0
    again, _ = calibration_of(model, None, train, encoder, loss=LOSS, rng=1)
    assert found == again
    own, _ = calibration_of(model, None, train, encoder, loss=Loss(), rng=1)
    assert (own.threshold, own.slope) == (pytest.approx(0.5), pytest.approx(10))


def test_what_is_given_joins_the_histories(dealt, network):
    train, given, _ = dealt
    encoder = network[0]
    told = with_given(encoder, train, given)
    for user in train.user_ids[:10]:
        row = told.histories.of(pl.Series([user]))
        own = {train.item_ids[int(i)] for i in row.items}
        assert own == {i for u, i in likes(train, given) if u == user}
    assert len(encoder.histories.past.items) < len(told.histories.past.items)
    assert told.user is encoder.user


def test_what_is_given_of_new_users_is_known_and_of_new_items_refused(dealt, network):
    train, given, _ = dealt
    stranger = replace(
        given,
        users=given.users.head(1).with_columns(user_id=pl.lit("stranger")),
        interactions=given.interactions.head(2).with_columns(user_id=pl.lit("stranger")),
    )
    told = with_given(network[0], train, stranger)
    assert len(told.histories.of(pl.Series(["stranger"])).items) == 2
    lost = given.with_interactions(given.interactions.head(1).with_columns(item_id=pl.lit("lost")))
    with pytest.raises(UnknownIdError, match="lost"):
        with_given(network[0], train, lost)


def test_without_histories_there_is_nothing_to_join(simulation):
    encoder = TablesEncoder.fit(simulation.tables)
    assert with_given(encoder, simulation.tables, simulation.tables) is encoder
