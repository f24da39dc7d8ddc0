"""Nearest neighbours against plain loops over sets of likes."""

import math
from collections import defaultdict

import numpy as np
import polars as pl
import pytest
from scipy.special import logit

from penchant.baselines import ItemKNN, UserKNN, _catalogue
from penchant.errors import ConfigError
from penchant.tables import Schema, Tables

N_USERS, N_ITEMS = 14, 11


def tables(rows, n_users=N_USERS, n_items=N_ITEMS):
    schema = Schema(fields=(), user_id="user", item_id="item", user="user", item="item", weight="w")
    pairs = pl.DataFrame(rows, schema=["user", "item", "label", "w"], orient="row")
    return Tables(schema, pl.DataFrame({"user": range(n_users)}), pl.DataFrame({"item": range(n_items)}), pairs)


def drawn(rng=0, weighted=True):
    """Each pair with probability 0.6, two in three liked, one at least of each user; item 10 is liked by nobody."""
    g = np.random.default_rng(rng)
    cells = [(u, i) for u in range(N_USERS) for i in range(N_ITEMS) if i == u % 10 or g.random() < 0.6]
    label = [int(i == u % 10 or (i < 10 and g.random() < 0.66)) for u, i in cells]
    weight = g.integers(1, 5, len(cells)).astype(float) if weighted else np.ones(len(cells))
    return [(u, i, y, float(w)) for (u, i), y, w in zip(cells, label, weight, strict=True)]


def likes_of(rows):
    x = defaultdict(float)
    for u, i, label, w in rows:
        if label:
            x[u, i] += w
    return x


def shrunk_cosine(one, other, shrinkage):
    common = one.keys() & other.keys()
    if not common:
        return 0.0
    lengths = [math.sqrt(sum(w * w for w in side.values())) for side in (one, other)]
    cosine = sum(one[c] * other[c] for c in common) / math.prod(lengths)
    return len(common) / (len(common) + shrinkage) * cosine


def neighbours_of(vectors, me, k, shrinkage):
    found = [(-shrunk_cosine(vectors[me], vectors[other], shrinkage), other) for other in vectors if other != me]
    return [(other, -s) for s, other in sorted(found)[:k] if s < 0]


def scores(kind, rows, k, shrinkage):
    """(users, items) by loops."""
    x = likes_of(rows)
    by_user, by_item = [{j: {} for j in range(n)} for n in (N_USERS, N_ITEMS)]
    for (u, i), w in x.items():
        by_user[u][i] = by_item[i][u] = w
    table = np.zeros((N_USERS, N_ITEMS))
    for u in range(N_USERS):
        for i in range(N_ITEMS):
            if kind is ItemKNN:
                table[u, i] = sum(s * x.get((u, j), 0) for j, s in neighbours_of(by_item, i, k, shrinkage))
            else:
                table[u, i] = sum(s * x.get((v, i), 0) for v, s in neighbours_of(by_user, u, k, shrinkage))
    return table


def every_pair(train):
    cells = [(u, i, 0, 1.0) for u in range(N_USERS) for i in range(N_ITEMS)]
    return train.with_interactions(tables(cells).interactions)


@pytest.mark.parametrize("kind", [ItemKNN, UserKNN])
@pytest.mark.parametrize(("k", "shrinkage", "weighted"), [(100, 0.0, False), (3, 0.0, True), (4, 2.5, True)])
@pytest.mark.parametrize("cells", [4_000_000, 30])  # 30: a few rows at a time
def test_scores_are_those_of_plain_loops(kind, k, shrinkage, weighted, cells, monkeypatch):
    monkeypatch.setattr(_catalogue, "_CELLS", cells)
    rows = drawn(weighted=weighted)
    train, expected = tables(rows), scores(kind, rows, k, shrinkage)
    model = kind(neighbours=k, shrinkage=shrinkage).fit(train)
    found = model.predict_proba(every_pair(train))["probability"].to_numpy().reshape(N_USERS, N_ITEMS)
    line = np.polyfit(expected.ravel(), logit(found).ravel(), 1)
    assert line[0] > 0
    assert logit(found) == pytest.approx(np.polyval(line, expected), abs=1e-8)
    seen = {(u, i) for u, i, _, _ in rows}
    for (u,), some in model.recommend(range(N_USERS), n=4).group_by("user"):
        allowed = sorted(-expected[u, i] for i in range(N_ITEMS) if (u, i) not in seen)[:4]
        assert [-expected[u, i] for i in some["item"]] == pytest.approx(allowed, abs=1e-12)
        assert some["score"].to_list() == pytest.approx([found[u, i] for i in some["item"]])
        assert not seen & {(u, i) for i in some["item"]}


def test_shrinkage_prefers_what_many_have_in_common():
    """The only user of item 1 likes item 0, cosine 1/√6; of 20 users of item 2 four do, cosine 4/√120 < 1/√6."""
    pairs = [(0, 0), (0, 1), *[(u, i) for u in range(1, 5) for i in (0, 2)], *[(u, 2) for u in range(5, 21)], (21, 0)]
    train = tables([(u, i, 1, 1.0) for u, i in pairs], n_users=22)
    first = {s: ItemKNN(shrinkage=s).fit(train).recommend(21, n=2)["item"].to_list() for s in (0.0, 10.0)}
    assert first == {0.0: [1, 2], 10.0: [2, 1]}


def test_shrinkage_of_users_counts_common_items():
    """User 0 shares one item of one with user 1, and two of nine with user 2."""
    pairs = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 9), *[(2, i) for i in (1, 2, 3, 4, 5, 6, 7, 8, 10)]]
    train = tables([(u, i, 1, 1.0) for u, i in pairs])
    first = {s: UserKNN(shrinkage=s).fit(train).recommend(0, n=1)["item"][0] for s in (0.0, 20.0)}
    assert first == {0.0: 9, 20.0: 3}


def test_only_likes_that_weigh_something_count():
    rows = [(0, 0, 1, 1.0), (0, 1, 1, 1.0), (1, 0, 1, 1.0)]
    noise = [(2, 0, 1, 1.0), (2, 2, 0, 5.0), (3, 0, 1, 1.0), (3, 3, 1, 0.0)]
    model = ItemKNN(shrinkage=0).fit(tables(rows + noise))
    found = model.recommend(1, n=3, exclude_seen=True)
    assert found["item"][0] == 1
    assert found["score"][1] == found["score"][2]  # 2 is disliked, and 3 weighs nothing: both score 0


def test_rows_of_the_same_pair_add_up():
    once = tables([(0, 0, 1, 2.0), (0, 1, 1, 1.0), (1, 1, 1, 1.0), (1, 2, 0, 1.0)])
    twice = tables([(0, 0, 1, 1.0), (0, 0, 1, 1.0), (0, 1, 1, 1.0), (1, 1, 1, 1.0), (1, 2, 0, 1.0)])
    orders = [ItemKNN().fit(train).recommend([0, 1], n=11, exclude_seen=False)["item"] for train in (once, twice)]
    assert orders[0].equals(orders[1])


@pytest.mark.parametrize("kind", [ItemKNN, UserKNN])
def test_bad_options(kind):
    train = tables(drawn())
    with pytest.raises(ConfigError, match="neighbours = 0: at least 1"):
        kind(neighbours=0).fit(train)
    for wrong in (-1.0, float("inf"), float("nan")):
        with pytest.raises(ConfigError, match="shrinkage = "):
            kind(shrinkage=wrong).fit(train)
