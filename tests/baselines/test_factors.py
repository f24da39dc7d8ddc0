"""Matrix factorisation against dense normal equations and a loss by loops."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from penchant.baselines import MF, factors
from penchant.errors import ConfigError
from penchant.tables import Schema, Tables

N_USERS, N_ITEMS = 14, 9
SCHEMA = Schema(fields=(), user_id="user", item_id="item", user="user", item="item", weight="w")


def tables(x):
    """One like a cell above 0 of a matrix of weights."""
    user, item = np.nonzero(x)
    pairs = pl.DataFrame({"user": user, "item": item, "label": np.ones(len(user), dtype=int), "w": x[user, item]})
    return Tables(SCHEMA, pl.DataFrame({"user": range(len(x))}), pl.DataFrame({"item": range(x.shape[1])}), pairs)


def drawn(rng=0):
    """Weights 1 to 3; user 3 and item 8 have no likes, user 0 likes nearly all."""
    g = np.random.default_rng(rng)
    x = (g.random((N_USERS, N_ITEMS)) < 0.4) * g.integers(1, 4, (N_USERS, N_ITEMS)).astype(float)
    x[0, :8] = 1.0
    x[3] = x[:, 8] = 0.0
    return x


def loss(x, w, h, alpha, penalty, exponent):
    """L of the class docstring, by loops."""
    total = 0.0
    for u in range(len(x)):
        for i in range(x.shape[1]):
            score = sum(a * b for a, b in zip(w[u], h[i], strict=True))
            total += x[u, i] * (score - 1) ** 2 + alpha * score**2
    for vectors, weights, others in ((w, x.sum(1), x.shape[1]), (h, x.sum(0), len(x))):
        for vector, weight in zip(vectors, weights, strict=True):
            total += penalty * (weight + alpha * others) ** exponent * sum(a * a for a in vector)
    return total


def vectors_of(model):
    product = model._fitted.product
    return product.left, product.right.T


@given(
    seed=st.integers(0, 10_000),
    alpha=st.floats(1e-3, 2.0),
    penalty=st.floats(1e-3, 2.0),
    exponent=st.floats(0.0, 1.0),
    dim=st.integers(1, 5),
)
def test_a_half_step_solves_the_normal_equations(seed, alpha, penalty, exponent, dim):
    x, h = drawn(seed), np.random.default_rng(seed).standard_normal((N_ITEMS, dim))
    found = factors.HalfStep(alpha, penalty, exponent).solve(sparse.csr_array(x), h)
    for u in range(N_USERS):
        rows = np.vstack([np.sqrt(x[u])[:, None] * h, np.sqrt(alpha) * h])  # as one least-squares problem
        ridge = np.sqrt(penalty * (x[u].sum() + alpha * N_ITEMS) ** exponent) * np.eye(dim)
        target = np.r_[np.sqrt(x[u]), np.zeros(N_ITEMS + dim)]
        expected = np.linalg.lstsq(np.vstack([rows, ridge]), target, rcond=None)[0]
        assert found[u] == pytest.approx(expected, abs=1e-8)


def test_a_few_rows_at_a_time_give_the_same(monkeypatch):
    x, h = sparse.csr_array(drawn()), np.random.default_rng(1).standard_normal((N_ITEMS, 3))
    step = factors.HalfStep(0.1, 0.1, 1.0)
    whole = step.solve(x, h)
    for numbers in (1, 40, 100):
        monkeypatch.setattr(factors, "_NUMBERS", numbers)
        assert step.solve(x, h) == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_the_loss_falls_with_each_epoch(exponent):
    x, train = drawn(), tables(drawn())
    options = {"unobserved": 0.2, "penalty": 0.05, "exponent": exponent}
    losses = []
    for epochs in (1, 2, 3, 5, 9):
        w, h = vectors_of(MF(dim=4, epochs=epochs, **options).fit(train))
        losses.append(loss(x, w, h, *options.values()))
    assert all(after < before for before, after in pairwise(losses))


def test_without_a_like_a_vector_is_zero_and_scores_are_zero():
    w, h = vectors_of(MF(dim=4).fit(tables(drawn())))
    assert not w[3].any()
    assert not h[8].any()
    assert w[0].any()


def test_it_finds_what_goes_together():
    """Two groups of users and items; each user has one item of the group withheld."""
    x = np.kron(np.eye(2), np.ones((10, 6)))
    withheld = [(u, 6 * (u // 10) + u % 6) for u in range(20)]
    for u, i in withheld:
        x[u, i] = 0
    found = MF(dim=4).fit(tables(x)).recommend(range(20), n=1)
    assert found["item"].to_list() == [i for _, i in withheld]


def test_items_liked_by_the_same_users_tie_whoever_is_asked_with_whom():
    x = drawn()
    x[:, 1] = x[:, 5] = x[:, 2]
    train = tables(np.hstack([x, x[:, [2]]]))
    model = MF(dim=5).fit(train)
    together = model.recommend(range(N_USERS), n=10, exclude_seen=False)
    for u in range(N_USERS):
        assert model.recommend(u, n=10, exclude_seen=False).equals(together.filter(pl.col("user") == u))


def test_it_depends_on_its_seed_alone():
    train = tables(drawn())
    one, again, other = (MF(dim=3, epochs=2, rng=rng).fit(train).predict_proba(train) for rng in (1, 1, 2))
    assert one.equals(again)
    assert not one.equals(other)


@pytest.mark.parametrize(
    ("option", "values", "message"),
    [
        ("dim", (0, 2.5, True), "dim = .*whole number >= 1"),
        ("epochs", (0,), "epochs = 0: a whole number >= 1"),
        ("unobserved", (0.0, -1.0, float("inf"), float("nan")), "unobserved = .*above 0"),
        ("penalty", (0.0, float("nan")), "penalty = .*above 0"),
        ("exponent", (-0.1, 1.1, float("nan")), r"exponent = .*in \[0, 1\]"),
    ],
)
def test_bad_options(option, values, message):
    for value in values:
        with pytest.raises(ConfigError, match=message):
            MF(**{option: value}).fit(tables(drawn()))
