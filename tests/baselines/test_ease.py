"""EASE against one constrained least-squares solve an item."""

import numpy as np
import polars as pl
import pytest
from scipy.special import logit

from penchant.baselines import EASE, _catalogue
from penchant.errors import ConfigError
from penchant.tables import Schema, Tables

N_USERS, N_ITEMS = 15, 9


def tables(x, label=None):
    """One row a cell above 0 of a matrix of weights."""
    schema = Schema(fields=(), user_id="user", item_id="item", user="user", item="item", weight="w")
    user, item = np.nonzero(x)
    label = np.ones(len(user), dtype=int) if label is None else label[user, item]
    pairs = pl.DataFrame({"user": user, "item": item, "label": label, "w": x[user, item]})
    return Tables(schema, pl.DataFrame({"user": range(len(x))}), pl.DataFrame({"item": range(x.shape[1])}), pairs)


def drawn(rng=0):
    g = np.random.default_rng(rng)
    x = (g.random((N_USERS, N_ITEMS)) < 0.6) * g.integers(1, 4, (N_USERS, N_ITEMS)).astype(float)
    label = (g.random(x.shape) < 0.7).astype(int)
    label[:, 8] = 0  # liked by nobody
    return x, label


def by_regressions(x, penalty):
    """Each column on the others, the ridge as rows of their own."""
    n = x.shape[1]
    b = np.zeros((n, n))
    for i in range(n):
        others = [j for j in range(n) if j != i]
        rows = np.vstack([x[:, others], np.sqrt(penalty) * np.eye(n - 1)])
        b[others, i] = np.linalg.lstsq(rows, np.r_[x[:, i], np.zeros(n - 1)], rcond=None)[0]
    return x @ b


@pytest.mark.parametrize("penalty", [0.5, 30.0])
@pytest.mark.parametrize("cells", [4_000_000, 20])
def test_it_is_the_ridge_regression_of_each_item_on_the_others(penalty, cells, monkeypatch):
    monkeypatch.setattr(_catalogue, "_CELLS", cells)
    x, label = drawn()
    train, expected = tables(x, label), by_regressions(x * label, penalty)
    model = EASE(penalty=penalty).fit(train)
    every = train.with_interactions(tables(np.ones_like(x)).interactions)
    found = logit(model.predict_proba(every)["probability"].to_numpy()).reshape(x.shape)
    line = np.polyfit(expected.ravel(), found.ravel(), 1)
    assert line[0] > 0
    assert found == pytest.approx(np.polyval(line, expected), abs=1e-8)
    for (u,), some in model.recommend(range(N_USERS), n=3).group_by("user"):
        unseen = np.flatnonzero(x[u] == 0)
        best = np.sort(-expected[u, unseen])[:3]
        assert -expected[u, some["item"].to_numpy()] == pytest.approx(best, abs=1e-10)


def test_it_tells_what_goes_with_what_from_what_is_popular():
    """All like item 0; items 1 and 2 go together, 3 and 4 go together: users have one of a pair withheld."""
    x = np.zeros((20, 5))
    x[:, 0] = 1
    x[:10, [1, 2]] = x[10:, [3, 4]] = 1
    x[0, 2] = x[10, 4] = 0
    found = EASE(penalty=1.0).fit(tables(x)).recommend([0, 10], n=1)
    assert found["item"].to_list() == [2, 4]


def test_options_and_sizes_that_are_refused():
    train = tables(*drawn())
    for wrong in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(ConfigError, match=r"penalty = .*above 0"):
            EASE(penalty=wrong).fit(train)
    with pytest.raises(ConfigError, match=r"9 items, at most max_items = 8 expected.*take ItemKNN"):
        EASE(max_items=8).fit(train)
    EASE(max_items=9).fit(train)
