"""Users who are in no table, given by a past: folded in where a model can, left out as seen everywhere."""

import numpy as np
import polars as pl
import pytest

from penchant.baselines import CML, EASE, FM, MF, ItemKNN, LogisticRegression, Popular, UserKNN
from penchant.errors import ConfigError, DataError, UnknownIdError
from penchant.tables import Field, Schema, Tables

FOLDING = pytest.mark.parametrize("kind", [EASE, ItemKNN, MF])
"""Those in whose score a user is nothing but likes."""
ALL_FOLDING = pytest.mark.parametrize("kind", [EASE, ItemKNN, MF, UserKNN])
N_USERS, N_ITEMS = 30, 16


def schema(*fields):
    return Schema(fields=fields, user_id="user", item_id="item", user="user", item="item", item_name="title")


def tables(rng=0, fields=()):
    """Item "i15" is liked by nobody, user 29 likes nothing."""
    g = np.random.default_rng(rng)
    taste, kind = g.integers(0, 3, N_USERS), g.integers(0, 3, N_ITEMS)
    cells = [(u, i) for u in range(N_USERS) for i in range(N_ITEMS) if g.random() < 0.6]
    label = [int(u < 29 and i < 15 and g.random() < (0.9 if taste[u] == kind[i] else 0.3)) for u, i in cells]
    items = [f"i{i}" for i in range(N_ITEMS)]
    pairs = pl.DataFrame({"user": [u for u, _ in cells], "item": [items[i] for _, i in cells], "label": label})
    users = pl.DataFrame({"user": range(N_USERS), "age": np.linspace(0, 1, N_USERS)})
    return Tables(schema(*fields), users, pl.DataFrame({"item": items, "title": items}), pairs)


def past_of(train, user):
    rows = train.interactions.filter(pl.col("user") == user)
    liked, disliked = (rows.filter(pl.col("label") == value)["item"].to_list() for value in (1, 0))
    return {"liked": liked, "disliked": disliked}


@FOLDING
@pytest.mark.parametrize("exclude_seen", [True, False])
def test_a_known_users_past_folded_in_gives_what_the_user_gets(kind, exclude_seen):
    train = tables()
    model, users = kind().fit(train), list(range(N_USERS))
    chosen = [f"i{i}" for i in range(N_ITEMS) if i % 5]
    for asked in ({"n": 4}, {"n": 30}, {"n": 3, "candidates": chosen}):
        known = model.recommend(users, exclude_seen=exclude_seen, **asked)
        found = model.recommend([past_of(train, user) for user in users], exclude_seen=exclude_seen, **asked)
        assert found.columns == ["row", "rank", "item", "title", "score"]
        assert found.drop("row", "score").equals(known.drop("user", "score"))
        assert found["row"].to_list() == known["user"].to_list()
        assert found["score"].to_numpy() == pytest.approx(known["score"].to_numpy(), abs=1e-6)


def test_folded_into_user_knn_a_known_user_has_a_neighbour_more_who_says_nothing_new():
    train = tables()
    model, users = UserKNN(neighbours=100).fit(train), list(range(N_USERS - 1))
    known = model.recommend(users, n=5)
    found = model.recommend([past_of(train, user) for user in users], n=5)
    assert found["item"].to_list() == known["item"].to_list()


@ALL_FOLDING
def test_a_user_taken_out_of_training_is_served_by_taste(kind):
    """Users like the items of their parity: the law of the checkerboard for one who was never there."""
    rows = [(u, i, int((u + i) % 2 == 0)) for u in range(12) for i in range(12) if (i - u) % 12 > 1]
    pairs = pl.DataFrame(rows, schema=["user", "item", "label"], orient="row")
    plain = Schema(fields=(), user_id="user", item_id="item", user="user", item="item")
    train = Tables(plain, pl.DataFrame({"user": range(12)}), pl.DataFrame({"item": range(12)}), pairs)
    found = kind().fit(train).recommend([{"liked": [0, 2, 4]}, {"liked": [1, 3, 5]}], n=3)
    assert [set(rows["item"]) for _, rows in found.group_by("row", maintain_order=True)] == [{6, 8, 10}, {7, 9, 11}]


@ALL_FOLDING
def test_forms_of_a_past(kind):
    model = kind().fit(tables())
    asked = {"n": N_ITEMS, "exclude_seen": False}
    plain = model.recommend({"liked": ["i1", "i2"], "disliked": ["i3"]}, **asked)
    for other in (
        {"disliked": pl.Series(["i3"]), "liked": np.array(["i2", "i1", "i2"])},
        {"history": ["i1", "i2"]},
        {"history": {"liked": ["i1", "i2"], "disliked": None}},
    ):
        assert model.recommend(other, **asked).equals(plain)
    with_seen = model.recommend({"liked": ["i1", "i2"], "disliked": ["i3"]}, n=N_ITEMS)
    assert set(with_seen["item"]) == set(plain["item"]) - {"i1", "i2", "i3"}
    both = model.recommend({"liked": ["i1", "i2", "i3"], "disliked": ["i3"]}, **asked)
    assert both.equals(plain)  # disliked in the end
    assert model.recommend([], n=3).is_empty()


@ALL_FOLDING
def test_users_with_nothing_known_get_popularity(kind):
    train = tables()
    model, popular = kind().fit(train), Popular().fit(train)
    nothing = [{"liked": []}, {"liked": None}, {"history": None}, {"disliked": ["i2"]}]
    found, expected = (m.recommend(nothing, n=N_ITEMS) for m in (model, popular))
    assert found["score"].to_list() == pytest.approx(expected["score"].to_list())
    assert "i2" not in found.filter(pl.col("row") == 3)["item"]
    mixed = model.recommend([{"liked": []}, {"liked": ["i1"]}, {"liked": []}, {"liked": ["i2"]}], n=4)
    alone = model.recommend([{"liked": ["i1"]}, {"liked": ["i2"]}], n=4)
    assert mixed.filter(pl.col("row") == 3).drop("row").equals(alone.filter(pl.col("row") == 1).drop("row"))
    assert mixed.filter(pl.col("row") == 2).drop("row").equals(found.filter(pl.col("row") == 0).drop("row").head(4))


@ALL_FOLDING
def test_a_past_of_items_nobody_liked_says_nothing(kind):
    found = kind().fit(tables()).recommend({"liked": ["i15"]}, n=N_ITEMS)
    assert found["score"].n_unique() == 1
    assert found.height == N_ITEMS - 1


@ALL_FOLDING
def test_what_is_no_past_is_refused(kind):
    age = Field(name="age", side="user", kind="numeric")
    model = kind().fit(tables(fields=(age,)))
    with pytest.raises(ConfigError, match=rf"{kind.__name__} knows users by their likes only.*liked.*row 1 names none"):
        model.recommend([{"liked": ["i1"]}, {"age": 0.5}])
    with pytest.raises(ConfigError, match="names none"):
        model.recommend({})
    with pytest.raises(ConfigError, match="not both in one question"):
        model.recommend([{"liked": ["i1"]}, 3])
    with pytest.raises(DataError, match=r"'liek', 1 row \(1\).*no such field; known are history, liked, disliked, age"):
        model.recommend([{"liked": ["i1"], "age": 0.5}, {"liked": ["i1"], "liek": 1}])
    with pytest.raises(DataError, match=r"history and liked.*one past expected, got two"):
        model.recommend({"liked": ["i1"], "history": ["i2"]})
    for wrong in ({"liked": "i1"}, {"liked": 3}, {"history": {"loved": ["i1"]}}):
        with pytest.raises(DataError, match="ids of liked items"):
            model.recommend(wrong)
    with pytest.raises(UnknownIdError, match="history of row 1: no item 'i99'"):
        model.recommend([{"liked": ["i1"]}, {"liked": ["i99"]}])


def test_features_beside_a_past_change_nothing():
    age = Field(name="age", side="user", kind="numeric")
    model = EASE().fit(tables(fields=(age,)))
    assert model.recommend({"liked": ["i1"], "age": 0.9}).equals(model.recommend({"liked": ["i1"]}))


def test_the_history_goes_by_the_name_the_schema_gives_it():
    past = Field(name="past", side="user", kind="history")
    model = EASE().fit(tables(fields=(past,)))
    plain = model.recommend({"liked": ["i1", "i2"]})
    assert model.recommend({"past": ["i1", "i2"]}).equals(plain)
    with pytest.raises(DataError, match="no such field; known are past, liked, disliked"):
        model.recommend({"liked": ["i1"], "history": ["i1"]})


def test_a_column_of_users_is_no_past():
    liked = Field(name="liked", side="user", kind="numeric")
    train = tables(fields=(liked,))
    train = Tables(train.schema, train.users.rename({"age": "liked"}), train.items, train.interactions)
    model = EASE().fit(train)
    with pytest.raises(ConfigError, match="names none"):
        model.recommend({"liked": 0.5})
    assert model.recommend({"history": ["i1"], "liked": 0.5})["rank"].to_list() == list(range(1, 11))


@pytest.mark.parametrize("make", [Popular, LogisticRegression, lambda: FM(epochs=1)])
def test_those_who_know_features_leave_out_the_past(make):
    age = Field(name="age", side="user", kind="numeric")
    model = make().fit(tables(fields=(age,)))
    plain = model.recommend({"age": 0.5}, n=N_ITEMS)
    found = model.recommend({"age": 0.5, "liked": ["i1"], "disliked": ["i3"]}, n=N_ITEMS)
    assert found.drop("rank").equals(plain.filter(~pl.col("item").is_in(["i1", "i3"])).drop("rank"))
    assert not model.folds_in


def test_one_who_folds_nobody_in_refuses_pasts():
    model = CML(epochs=1).fit(tables())
    with pytest.raises(ConfigError, match="CML knows users by their likes only: give ids, or ask Popular"):
        model.recommend({"liked": ["i1"]})


@FOLDING
def test_many_pasts_a_few_at_a_time_give_the_same(kind, monkeypatch):
    from penchant.baselines import _catalogue

    train = tables()
    model, pasts = kind().fit(train), [past_of(train, user) for user in range(N_USERS)]
    whole = model.recommend(pasts, n=6)
    monkeypatch.setattr(_catalogue, "_CELLS", 3 * N_ITEMS)
    assert model.recommend(pasts, n=6).equals(whole)
