"""What baselines that score by likes have in common: probabilities, popularity, ties and what they refuse."""

from functools import partial

import numpy as np
import polars as pl
import pytest
import torch
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logit

from penchant.baselines import CML, EASE, ItemKNN, MultVAE, Popular, TransCF, UserKNN
from penchant.errors import ConfigError, DataError, UnknownIdError
from penchant.evaluation import auc
from penchant.tables import Schema, Tables, simulate, split_random

KINDS = pytest.mark.parametrize("kind", [ItemKNN, UserKNN, EASE])
STEPWISE = pytest.mark.parametrize(
    "make",
    [
        partial(CML, dim=8, margin=2.0, epochs=15, batch_size=128),
        partial(TransCF, dim=8, epochs=30, batch_size=128),
        partial(MultVAE, dim=8, hidden=(32,), epochs=25, batch_size=20),
    ],
    ids=["cml", "transcf", "mult-vae"],
)
"""Models that learn in steps, at random, with a vector for every item."""


def tables(rows, n_users=6, n_items=6):
    schema = Schema(fields=(), user_id="user", item_id="item", user="user", item="item", item_name="title")
    items = pl.DataFrame({"item": range(n_items), "title": [f"t{i}" for i in range(n_items)]})
    pairs = pl.DataFrame(rows, schema=["user", "item", "label"], orient="row")
    return Tables(schema, pl.DataFrame({"user": range(n_users)}), items, pairs)


ROWS = [(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1), (1, 2, 1), (2, 2, 1), (2, 3, 0), (3, 3, 1), (3, 2, 1), (4, 0, 0)]
"""User 4 likes nothing, user 5 was never there; items 4 and 5 have no rows."""


@KINDS
def test_it_beats_popularity_on_the_simulation_and_its_probabilities_are_the_fitted_line(kind):
    data = simulate(n_users=200, n_items=100, n_interactions=8000, rng=1).tables
    train, valid, test = split_random(data, rng=1)
    model = kind().fit(train, valid)
    label = test.interactions["label"].to_numpy()
    ours, theirs = (m.predict_proba(test)["probability"].to_numpy() for m in (model, Popular().fit(train)))
    assert auc(label, ours) > auc(label, theirs) + 0.03

    p = model.predict_proba(valid)["probability"].to_numpy()  # a line on these logits can gain nothing
    z, sign = logit(p), 2 * valid.interactions["label"].to_numpy() - 1
    best = minimize(lambda w: np.logaddexp(0, -sign * (w[0] * z + w[1])).sum(), [0.5, 0.3], tol=1e-10).x
    assert best == pytest.approx([1, 0], abs=0.02)  # not 1 and 0 to the last: a ridge of weight 1


@KINDS
def test_without_two_labels_in_valid_the_training_rows_calibrate(kind):
    train = tables(ROWS)
    one_label = train.with_interactions(train.interactions.filter(pl.col("label") == 1))
    alone = kind().fit(train).predict_proba(train)
    for valid in (one_label, train.with_interactions(train.interactions.clear())):
        assert kind().fit(train, valid).predict_proba(train).equals(alone)


@KINDS
def test_with_likes_only_probabilities_keep_the_order_and_popularity_counts_likes(kind):
    train = tables([row for row in ROWS if row[2]])
    model = kind().fit(train)
    p = model.predict_proba(train)["probability"]
    assert logit(p.to_numpy()).mean() == pytest.approx(0, abs=1e-9)
    assert 0 < p.min() < p.max() < 1
    found = model.recommend(5, n=6)
    assert found["item"].to_list() == [2, 0, 1, 3, 4, 5]
    assert found["score"].is_sorted(descending=True)


@KINDS
def test_scores_that_fall_with_liking_are_not_turned_round(kind):
    train = tables(ROWS)
    upside_down = train.with_interactions(train.interactions.with_columns(label=1 - pl.col("label")))
    plain, other = kind().fit(train), kind().fit(train, upside_down)
    users = list(range(4))
    orders = [m.recommend(users, n=6, exclude_seen=False)["item"] for m in (plain, other)]
    assert orders[0].equals(orders[1])
    found = other.recommend(users, n=6, exclude_seen=False)
    assert all(rows["score"].is_sorted(descending=True) for _, rows in found.group_by("user"))
    assert found["score"].n_unique() > 1


@KINDS
def test_users_without_a_like_get_popularity(kind):
    train = tables(ROWS)
    model, popular = kind().fit(train), Popular().fit(train)
    every = train.with_interactions(tables([(u, i, 0) for u in (4, 5) for i in range(6)]).interactions)
    expected = popular.predict_proba(every)["probability"].to_list()
    assert model.predict_proba(every)["probability"].to_list() == pytest.approx(expected)
    found, other = (m.recommend([4, 5], n=6) for m in (model, popular))
    assert found["title"].to_list()[:1] == [f"t{found['item'][0]}"]
    assert found["score"].to_list() == pytest.approx(other["score"].to_list())
    assert found.filter(pl.col("user") == 4)["item"].to_list().count(0) == 0  # disliked, and seen


@KINDS
def test_new_users_and_items_in_later_tables(kind):
    model = kind().fit(tables(ROWS))
    later = tables([(9, 0, 0), (0, 9, 0), (0, 5, 0), (9, 9, 0)], n_users=10, n_items=10)
    p = model.predict_proba(later)["probability"].to_list()
    by_popularity = Popular().fit(tables(ROWS)).predict_proba(later)["probability"].to_list()
    assert [p[0], p[3]] == pytest.approx([by_popularity[0], by_popularity[3]])
    assert p[1] == p[2]  # no like of either is known
    with pytest.raises(UnknownIdError):
        model.recommend(9)
    with pytest.raises(ConfigError, match=f"{kind.__name__} knows users by their likes only"):
        model.recommend({"age": 3})


@KINDS
def test_equal_scores_go_by_popularity(kind):
    """User 0's only liked item shares nobody with the others: all of these score 0."""
    rows = [(0, 0, 1), (1, 3, 1), (2, 3, 1), (3, 2, 1), (4, 1, 0)]
    found = kind().fit(tables(rows)).recommend(0, n=5)
    assert found["item"].to_list() == [3, 2, 4, 5, 1]
    assert found["score"].n_unique() == 1


@KINDS
def test_without_likes_there_is_nothing_to_learn(kind):
    train = tables(ROWS)
    disliked = train.interactions.filter(pl.col("label") == 0)
    for pairs in (disliked, disliked.clear()):
        with pytest.raises(DataError, match="training needs liked rows"):
            kind().fit(train.with_interactions(pairs))


def planted(rng=0, n_users=120, n_items=60, groups=4):
    """Users like the items of their group; one like of each is withheld, beside three items of other groups."""
    g = np.random.default_rng(rng)
    own = np.arange(n_users)[:, None] % groups == np.arange(n_items) % groups
    liked = own & (g.random(own.shape) < 0.6) | (g.random(own.shape) < 0.04)
    rows, withheld = [], []
    for user in range(n_users):
        first = g.choice(np.flatnonzero(own[user] & liked[user]))
        rows += [(user, item, 1) for item in np.flatnonzero(liked[user]).tolist() if item != first]
        strange = g.choice(np.flatnonzero(~own[user] & ~liked[user]), 3, replace=False).tolist()
        withheld += [(user, int(first), 1), *[(user, item, 0) for item in strange]]
    return (tables(each, n_users, n_items) for each in (rows, withheld))


@STEPWISE
def test_what_goes_together_is_learned_and_popularity_is_left_behind(make):
    train, withheld = planted()
    first = []
    for model in (make(), Popular()):
        p = model.fit(train).predict_proba(withheld)["probability"].to_numpy().reshape(-1, 4)
        first.append(((p[:, :1] > p[:, 1:]) + 0.5 * (p[:, :1] == p[:, 1:])).mean())
    assert first[0] > 0.85 > 0.65 > first[1]  # popularity knows no better


@STEPWISE
def test_a_seed_says_all_and_torchs_own_randomness_is_left_alone(make):
    train, withheld = planted()
    torch.manual_seed(1)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    first = make(epochs=2).fit(train, withheld).predict_proba(withheld)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    torch.manual_seed(2)
    assert make(epochs=2).fit(train, withheld).predict_proba(withheld).equals(first)
    assert not make(epochs=2, rng=1).fit(train, withheld).predict_proba(withheld).equals(first)


@STEPWISE
def test_popularity_serves_where_there_is_no_vector(make):
    train = tables(ROWS)
    model, popular = make(epochs=2).fit(train), Popular().fit(train)
    later = tables([(4, 0, 0), (5, 3, 0), (9, 0, 0), (0, 9, 0), (9, 9, 0)], n_users=10, n_items=10)
    found, expected = (m.predict_proba(later)["probability"].to_list() for m in (model, popular))
    assert found == pytest.approx(expected)
    assert model.recommend([4, 5], n=6)["item"].to_list() == popular.recommend([4, 5], n=6)["item"].to_list()


@STEPWISE
def test_dislikes_and_what_weighs_nothing_are_not_learned(make):
    schema = Schema(fields=(), user_id="user", item_id="item", user="user", item="item", weight="w")
    likes = [(u, i, 1, 1.0) for u, i, y in ROWS if y]
    noise = [(3, 5, 0, 4.0), (2, 5, 1, 0.0), (4, 4, 0, 1.0)]

    def weighted(rows):
        pairs = pl.DataFrame(rows, schema=["user", "item", "label", "w"], orient="row")
        sides = (pl.DataFrame({name: range(6)}) for name in ("user", "item"))
        return Tables(schema, *sides, pairs)

    orders = [
        make(epochs=3).fit(weighted(rows)).recommend(range(4), n=6, exclude_seen=False)["item"].to_list()
        for rows in (likes, likes + noise)
    ]
    assert orders[0] == orders[1]


@pytest.mark.parametrize("kind", [CML, TransCF])
def test_weights_count_by_their_ratios_alone(kind):
    x = sparse.csr_array(np.random.default_rng(0).integers(0, 3, (7, 8)).astype(float))
    one, other = (kind(epochs=3)._learn(each).rows(slice(None)) for each in (x, 4 * x))
    assert one == pytest.approx(other, abs=1e-5)


@STEPWISE
def test_one_user_who_likes_everything(make):
    model = make(epochs=2).fit(tables([(0, i, 1) for i in range(6)]))
    assert model.recommend(0, n=6).is_empty()
    found = model.recommend(0, n=6, exclude_seen=False)
    assert sorted(found["item"]) == list(range(6))
    assert found["score"].is_finite().all()
