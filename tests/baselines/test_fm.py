"""The factorization machine against a sum over pairs of features, and on what no linear model can learn."""

import numpy as np
import polars as pl
import pytest
from scipy.special import logit

from penchant.baselines import FM, LogisticRegression, _catalogue
from penchant.baselines._design import design
from penchant.errors import ConfigError, DataError
from penchant.evaluation import auc
from penchant.tables import Field, Schema, Tables, TablesEncoder, simulate, split_cold_items, split_random

FIELDS = (
    Field(name="user", side="user", kind="id"),
    Field(name="age", side="user", kind="numeric"),
    Field(name="item", side="item", kind="id"),
    Field(name="lang", side="item", kind="category"),
    Field(name="tags", side="item", kind="tags"),
    Field(name="hour", side="context", kind="numeric"),
)
N_USERS, N_ITEMS = 12, 9


def tables(fields=FIELDS, rng=0, n=150, likes_only=False, weight=None):
    """Some ages, languages and hours are missing; label at random."""
    g = np.random.default_rng(rng)
    schema = Schema(fields=fields, user_id="user", item_id="item", user="user", item="item", weight=weight)
    age = [None if j == 3 else float(j) for j in range(N_USERS)]
    tags = [[], None, *(["a", "b", "c"][: 1 + j % 3] for j in range(N_ITEMS - 2))]
    users = pl.DataFrame({"user": [f"u{j}" for j in range(N_USERS)], "age": age})
    lang = [None if j == 2 else "xyz"[j % 3] for j in range(N_ITEMS)]
    items = pl.DataFrame({"item": range(N_ITEMS), "lang": lang, "tags": tags})
    user = np.r_[range(N_USERS), g.integers(0, N_USERS, n - N_USERS)]
    item = np.r_[range(N_ITEMS), g.integers(0, N_ITEMS, n - N_ITEMS)]
    pairs = pl.DataFrame(
        {
            "user": [f"u{j}" for j in user],
            "item": item,
            "label": np.ones(n, dtype=int) if likes_only else g.integers(0, 2, n),
            "hour": [None if x < 0.1 else float(x) for x in g.random(n)],
            "w": g.integers(0, 3, n).astype(float),
        }
    )
    return Tables(schema, users, items, pairs)


def naive(model, train):
    """b + Σ w_j x_j + Σ_{j < l} v_j·v_l x_j x_l, feature by feature."""
    weights, encoder = model._fitted.weights, TablesEncoder.fit(train)
    rows = encoder.encode(train)
    sides = [(encoder.user, rows.users, rows.user), (encoder.item, rows.items, rows.item)]
    if rows.context is not None:
        sides.append((encoder.context, rows.context, np.arange(len(rows))))
    parts = [design(side.layout, features, share_tags=True).toarray()[at] for side, features, at in sides]
    scores = []
    for x in np.concatenate(parts, axis=1):
        score, there = weights.bias + weights.linear @ x, np.flatnonzero(x)
        for j in there:
            score += sum(weights.vectors[j] @ weights.vectors[k] * x[j] * x[k] for k in there if k > j)
        scores.append(score)
    return np.array(scores)


@pytest.mark.parametrize("fields", [FIELDS, FIELDS[:5], FIELDS[:1] + FIELDS[2:3]])
@pytest.mark.parametrize("cells", [4_000_000, 50])
def test_a_logit_is_the_sum_over_all_pairs_of_features(fields, cells, monkeypatch):
    monkeypatch.setattr(_catalogue, "_CELLS", cells)
    train = tables(fields)
    model = FM(dim=3, epochs=3, learning_rate=0.05).fit(train)
    found = logit(model.predict_proba(train)["probability"].to_numpy())
    assert found == pytest.approx(naive(model, train), abs=1e-5)


def test_it_trains_on_the_formula_it_serves():
    """Fitted to the end without decay, the mean of P is that of the labels: the gradient of b is 0."""
    train = tables()
    model = FM(dim=2, epochs=400, batch_size=1000, learning_rate=0.05, weight_decay=0.0, unseen=0.0).fit(train)
    p, y = model.predict_proba(train)["probability"], train.interactions["label"]
    assert p.mean() == pytest.approx(y.mean(), abs=1e-3)
    assert auc(y.to_numpy(), p.to_numpy()) > 0.9


def test_it_learns_a_product_that_logistic_regression_cannot():
    """Young users like x, old ones y, through features alone; users and items of the test are new."""
    g, names = np.random.default_rng(0), {"user_id": "user", "item_id": "item", "user": "user", "item": "item"}
    schema = Schema(fields=FIELDS[1:2] + FIELDS[3:4], **names)
    users = pl.DataFrame({"user": range(80), "age": g.random(80)})
    items = pl.DataFrame({"item": range(60), "lang": [str(x) for x in g.choice(["x", "y"], 60)]})
    user, item = (cells.ravel() for cells in np.meshgrid(range(80), range(60)))
    likes = (users["age"].to_numpy()[user] > 0.5) == (items["lang"].to_numpy() == "y")[item]
    pairs = pl.DataFrame({"user": user, "item": item, "label": likes.astype(int)})
    known, new = pl.Series((user < 60) & (item < 40)), pl.Series((user >= 60) & (item >= 40))
    train = Tables(schema, users.head(60), items.head(40), pairs.filter(known))
    test = Tables(schema, users.tail(20), items.tail(20), pairs.filter(new))
    label = test.interactions["label"].to_numpy()
    models = LogisticRegression(), FM(batch_size=64, epochs=20)
    linear, machine = (model.fit(train).predict_proba(test)["probability"].to_numpy() for model in models)
    assert auc(label, linear) < 0.6
    assert auc(label, machine) > 0.95


def test_rankings_agree_with_probabilities_without_a_situation():
    train = tables()
    model = FM(dim=3, epochs=5).fit(train)
    found = model.recommend(["u3", "u0"], n=N_ITEMS, exclude_seen=False)
    pairs = found.select("user", "item", hour=pl.lit(None, dtype=pl.Float64), label=0, w=1.0)
    p = model.predict_proba(train.with_interactions(pairs))["probability"]
    assert found["score"].to_list() == pytest.approx(p.to_list(), abs=1e-6)
    as_row = model.recommend({"user": "u3", "age": None}, n=N_ITEMS, exclude_seen=False)
    assert as_row["item"].to_list() == found["item"].head(N_ITEMS).to_list()


def test_new_users_and_items_are_served_by_features_and_unknown_fields_are_refused():
    data = simulate(n_users=300, n_items=120, n_interactions=8000, rng=1, missing=0.05).tables
    train, valid, test = split_cold_items(data, rng=1)
    model = FM().fit(train, valid)
    label = test.interactions["label"].to_numpy()
    assert auc(label, model.predict_proba(test)["probability"].to_numpy()) > 0.7
    assert model.recommend([{"age": 30}, {}], n=2)["row"].to_list() == [0, 0, 1, 1]
    with pytest.raises(DataError, match="agee"):
        model.recommend({"agee": 30})


def test_columns_that_training_never_sees_add_nothing():
    """Nobody in training lacks an age: whoever lacks one is as if it were 0."""
    fields = FIELDS[1:2] + FIELDS[2:3]
    train = tables(fields)
    train = Tables(
        train.schema, train.users.with_columns(pl.col("age").fill_null(5.0)), train.items, train.interactions
    )
    model = FM(epochs=3, unseen=0.0).fit(train)
    a, b = (model.recommend({"age": age}, n=N_ITEMS) for age in (None, 0.0))
    assert a.equals(b)


def test_validation_stops_and_the_best_epoch_is_kept():
    train, valid, test = split_random(simulate(n_users=100, n_items=60, n_interactions=3000, rng=1).tables, rng=1)
    options, label = {"learning_rate": 0.05, "batch_size": 64}, valid.interactions["label"].to_numpy()
    after = [FM(epochs=epochs, **options).fit(train).predict_proba(valid) for epochs in range(1, 7)]
    figures = [auc(label, found["probability"].to_numpy()) for found in after]
    best = 1 + int(np.argmax(figures))
    assert best <= 4, "the example overfits"
    stopped = FM(epochs=6, patience=2, **options).fit(train, valid)
    assert stopped.predict_proba(test).equals(FM(epochs=best, **options).fit(train).predict_proba(test))


def test_with_likes_only_negatives_are_drawn_and_the_rest_can_stop_it():
    train = tables(FIELDS[:1] + FIELDS[2:3], likes_only=True)
    parity = pl.col("user").str.strip_prefix("u").cast(pl.Int64) % 2 == pl.col("item") % 2
    train = train.with_interactions(train.interactions.filter(parity))
    withheld = pl.Series(np.arange(len(train)) % 6 == 5)
    rest = train.with_interactions(train.interactions.filter(withheld))
    train = train.with_interactions(train.interactions.filter(~withheld))
    for valid in (None, rest, rest.with_interactions(rest.interactions.clear())):
        model = FM(batch_size=64, learning_rate=0.05).fit(train, valid)
        found = model.recommend(train.user_ids.to_list(), n=4, exclude_seen=False)
        user = found["user"].str.strip_prefix("u").cast(pl.Int64)
        assert ((user % 2) == (found["item"] % 2)).mean() > 0.9
    assert FM(negatives=1, epochs=1).fit(train).recommend("u0", n=1).height == 1


def test_an_item_nobody_likes_is_no_negative():
    """It has no row in training: what is drawn as negative would say that new items are not liked."""
    train = tables(FIELDS[:1] + FIELDS[2:3], likes_only=True)
    kept = train.with_interactions(train.interactions.filter(pl.col("item") != 4))
    alone = Tables(train.schema, train.users, train.items.filter(pl.col("item") != 4), kept.interactions)
    one, other = (FM(epochs=2).fit(t).predict_proba(alone) for t in (kept, alone))
    assert one.equals(other)


def test_labels_and_weights_that_teach_nothing():
    train = tables(likes_only=True)
    disliked = train.with_interactions(train.interactions.with_columns(label=0))
    everything = train.with_interactions(
        pl.DataFrame(
            {"user": [f"u{j}" for j in range(3)] * 2, "item": [0] * 3 + [1] * 3, "label": 1, "hour": 0.5, "w": 1}
        )
    )
    with pytest.raises(DataError, match="training needs liked rows"):
        FM().fit(disliked)
    with pytest.raises(DataError, match="items that not everybody likes"):
        FM().fit(everything)
    with pytest.raises(DataError, match="there is none"):
        FM().fit(train.with_interactions(train.interactions.clear()))
    weighted = tables(weight="w")
    weightless = weighted.with_interactions(weighted.interactions.with_columns(w=0.0))
    with pytest.raises(DataError, match="none that weighs more than 0"):
        FM().fit(weightless)


def test_rows_that_weigh_nothing_teach_nothing_and_only_shares_count():
    train = tables(weight="w")
    heavy = train.with_interactions(train.interactions.filter(pl.col("w") > 0).with_columns(w=pl.col("w") * 8))
    options = {"epochs": 3, "unseen": 0.0}
    whole, part = (FM(**options).fit(t).predict_proba(train)["probability"].to_numpy() for t in (train, heavy))
    assert whole == pytest.approx(part, abs=1e-6)


def test_a_history_is_no_feature_but_what_was_seen():
    past = Field(name="past", side="user", kind="history")
    train = tables((*FIELDS, past))
    model, plain = FM(epochs=2).fit(train), FM(epochs=2).fit(tables())
    assert model.predict_proba(train).equals(plain.predict_proba(tables()))
    found = model.recommend({"age": 3, "past": {"liked": [1], "disliked": [2]}}, n=N_ITEMS)
    assert set(found["item"]) == set(range(N_ITEMS)) - {1, 2}


def test_it_depends_on_its_seed_alone():
    train = tables()
    one, again, other = (FM(epochs=2, rng=rng).fit(train).predict_proba(train) for rng in (1, 1, 2))
    assert one.equals(again)
    assert not one.equals(other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 0}, "dim = 0: a whole number >= 1"),
        ({"negatives": 0}, "negatives = 0"),
        ({"epochs": 1.5}, "epochs = 1.5"),
        ({"patience": 0}, "patience = 0"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"unseen": 1.0}, "unseen = 1.0: a number >= 0 and below 1"),
        ({"weight_decay": -1.0}, "weight_decay = -1.0"),
        ({"learning_rate": 0.0}, "learning_rate = 0.0: a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate = nan"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ConfigError, match=message):
        FM(**options).fit(tables())
