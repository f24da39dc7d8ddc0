"""CML against the paper's formulas by plain loops, and on what it is told."""

import math

import numpy as np
import polars as pl
import pytest
import torch
from scipy import sparse

from penchant.baselines import CML
from penchant.baselines._ball import Batch
from penchant.baselines.cml import distances
from penchant.errors import ConfigError
from penchant.tables import Schema, Tables

N_USERS, N_ITEMS = 6, 9


def tables(rows, n_users=N_USERS, n_items=N_ITEMS):
    schema = Schema(fields=(), user_id="user", item_id="item", user="user", item="item", weight="w")
    pairs = pl.DataFrame(rows, schema=["user", "item", "label", "w"], orient="row")
    return Tables(schema, pl.DataFrame({"user": range(n_users)}), pl.DataFrame({"item": range(n_items)}), pairs)


def drawn(seed=0, dim=3, b=7, n=4):
    g = np.random.default_rng(seed)
    users, items = g.normal(0, 0.4, (N_USERS, dim)), g.normal(0, 0.4, (N_ITEMS, dim))
    batch = g.integers(0, N_USERS, b), g.integers(0, N_ITEMS, b), g.integers(0, N_ITEMS, (b, n)), g.random(b) * 3
    return users, items, batch


def by_loops(users, items, batch, margin, weight_of_covariance):
    total = weights = 0.0
    for u, i, others, w in zip(*batch, strict=True):
        near = sum((a - b) ** 2 for a, b in zip(users[u], items[i], strict=True))
        far = [sum((a - b) ** 2 for a, b in zip(users[u], items[j], strict=True)) for j in others]
        impostors = [margin + near - d for d in far if margin + near > d]
        rank = N_ITEMS * len(impostors) / len(others)
        total += w * math.log(rank + 1) * max(impostors, default=0.0)
        weights += w
    points = [users[u] for u in batch[0]] + [items[i] for i in batch[1]]
    c = np.cov(np.array(points).T, bias=True)
    off = sum(c[p, q] ** 2 for p in range(len(c)) for q in range(len(c)) if p != q) / len(points)
    return total / weights + weight_of_covariance * off


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("margin", "covariance"), [(0.0, 0.0), (0.3, 0.0), (0.1, 50.0)])
def test_the_loss_is_that_of_plain_loops(seed, margin, covariance):
    users, items, batch = drawn(seed)
    expected = by_loops(users, items, batch, margin, covariance)
    assert expected > 0
    of_batch = Batch(*map(torch.from_numpy, batch))
    found = CML(margin=margin, covariance=covariance)._loss(torch.from_numpy(users), torch.from_numpy(items), of_batch)
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_only_the_nearest_of_the_drawn_is_pushed_and_the_rank_has_no_gradient():
    users = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    items = torch.tensor([[0.5, 0.0], [0.0, 0.6], [0.9, 0.0], [0.0, 0.2]], dtype=torch.float64, requires_grad=True)
    batch = Batch(torch.tensor([0]), torch.tensor([0]), torch.tensor([[1, 2, 3]]), torch.ones(1, dtype=torch.float64))
    CML(margin=0.2, covariance=0.0)._loss(users, items, batch).backward()
    rank = math.log(1 + 4 * 2 / 3)  # .36 and .04 are below .25 + .2, .81 is not
    expected = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, -0.4]], dtype=torch.float64) * rank
    assert torch.allclose(items.grad, expected, atol=1e-6)


def test_all_scores_are_squared_distances():
    users, items, _ = drawn()
    product = distances(users, items)
    expected = [[-sum((a - b) ** 2 for a, b in zip(u, i, strict=True)) for i in items] for u in users]
    assert product.rows(np.arange(N_USERS)) == pytest.approx(np.array(expected), abs=1e-6)
    cells = np.indices((N_USERS, N_ITEMS)).reshape(2, -1)
    assert product.at(*cells) == pytest.approx(np.array(expected).reshape(-1), abs=1e-12)


def test_what_is_learned_lies_in_the_ball_and_likes_are_near():
    liked = np.kron(np.eye(3), np.ones((5, 4)))
    product = CML(dim=4, batch_size=10, epochs=40)._learn(sparse.csr_array(liked))
    users, items = product.left[:, :4] / 2, product.right[:4].T
    assert np.linalg.norm(np.vstack([users, items]), axis=1).max() <= 1 + 1e-6
    score = product.rows(slice(None))
    for user, row in enumerate(liked):
        assert score[user, row > 0].min() > score[user, row == 0].max()


def test_weights_say_which_like_matters():
    """Items 0 and 1 cannot both be near user 0: users 1 to 3 hold them apart."""
    rows = [(0, 0, 1), (0, 1, 1), *[(u, i, 1) for u in (1, 2) for i in (0, 2, 3)], *[(3, i, 1) for i in (1, 4, 5)]]
    for heavy in (0, 1):
        weighted = [(u, i, y, 50.0 if (u, i) == (0, heavy) else 1.0) for u, i, y in rows]
        model = CML(dim=2, margin=2.0, batch_size=20, epochs=60).fit(tables(weighted))
        assert model.recommend(0, n=1, exclude_seen=False)["item"].to_list() == [heavy]


def test_bad_options():
    train = tables([(0, 0, 1, 1.0), (1, 1, 1, 1.0)])
    for name in ("margin", "covariance"):
        for wrong in (-1.0, float("inf"), float("nan")):
            with pytest.raises(ConfigError, match=f"{name} = "):
                CML(**{name: wrong}).fit(train)
    with pytest.raises(ConfigError, match="negatives = 0: a whole number >= 1"):
        CML(negatives=0).fit(train)
