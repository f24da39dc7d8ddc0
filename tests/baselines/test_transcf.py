"""TransCF against its formulas by plain loops over sets of likes."""

import numpy as np
import polars as pl
import pytest
import torch
from scipy import sparse

from penchant.baselines import TransCF
from penchant.baselines._ball import Batch
from penchant.baselines.transcf import Neighbours, translated
from penchant.errors import ConfigError
from penchant.tables import Schema, Tables

N_USERS, N_ITEMS, DIM = 6, 8, 3


def drawn(seed=0):
    """Vectors, and weights of likes; user 5 likes nothing, item 7 is liked by nobody."""
    g = np.random.default_rng(seed)
    likes = (g.random((N_USERS, N_ITEMS)) < 0.5) * g.integers(1, 4, (N_USERS, N_ITEMS)).astype(float)
    likes[range(5), range(5)] = 1.0
    likes[5] = likes[:, 7] = 0
    return g.normal(0, 0.4, (N_USERS, DIM)), g.normal(0, 0.4, (N_ITEMS, DIM)), likes


def mean_of(weights, vectors):
    total = sum(weights)
    return sum((w * v for w, v in zip(weights, vectors, strict=True)), np.zeros(DIM)) / (total or 1)


def squared(alpha, beta, likes, u, i):
    """‖α_u + r_ui − β_i‖², r from both neighbourhoods."""
    r = mean_of(likes[u], beta) * mean_of(likes[:, i], alpha)
    return sum((alpha[u][k] + r[k] - beta[i][k]) ** 2 for k in range(DIM))


def neighbours(likes):
    x = sparse.csr_array(likes)
    return Neighbours.of(x), Neighbours.of(sparse.csr_array(x.T))


@pytest.mark.parametrize("seed", range(3))
def test_all_scores_are_those_of_plain_loops(seed):
    alpha, beta, likes = drawn(seed)
    liked, likers = neighbours(likes)
    product = translated(alpha, beta, liked.share @ beta, likers.share @ alpha)
    expected = [[-squared(alpha, beta, likes, u, i) for i in range(N_ITEMS)] for u in range(N_USERS)]
    assert product.rows(slice(None)) == pytest.approx(np.array(expected), abs=1e-6)
    cells = np.indices((N_USERS, N_ITEMS)).reshape(2, -1)
    assert product.at(*cells) == pytest.approx(np.array(expected).reshape(-1), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("neighbourhood", "nearness"), [(0.0, 0.0), (0.7, 0.0), (0.0, 0.3), (0.2, 0.4)])
def test_the_loss_is_that_of_plain_loops(seed, neighbourhood, nearness):
    alpha, beta, likes = drawn(seed)
    g, margin = np.random.default_rng(seed), 0.2
    user, item = np.nonzero(likes)
    some = g.permutation(len(user))[:9]
    user, item, weight = user[some], item[some], likes[user[some], item[some]]
    negatives = g.integers(0, N_ITEMS, (len(user), 3))
    total = 0.0
    for u, i, others, w in zip(user, item, negatives, weight, strict=True):
        near = squared(alpha, beta, likes, u, i)
        gaps = [max(0.0, margin + near - squared(alpha, beta, likes, u, j)) for j in others]
        total += w * (sum(gaps) / 3 + nearness * near)
    apart = np.mean([((alpha[u] - mean_of(likes[u], beta)) ** 2).sum() for u in set(user)])
    apart += np.mean([((beta[i] - mean_of(likes[:, i], alpha)) ** 2).sum() for i in set(item)])
    expected = total / weight.sum() + neighbourhood * apart

    batch = Batch(*(torch.from_numpy(each) for each in (user, item, negatives, weight.astype(np.float32))))
    model = TransCF(margin=margin, neighbourhood=neighbourhood, nearness=nearness)
    vectors = (torch.from_numpy(each.astype(np.float32)) for each in (alpha, beta))
    found = model._loss(*vectors, batch, *neighbours(likes))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_neighbourhoods_learn_too():
    """Items that are in no batch get a gradient by way of those who like them."""
    alpha, beta, likes = drawn()
    likes[0] = [1, 1, 1, 0, 0, 0, 0, 0]
    batch = Batch(torch.tensor([0]), torch.tensor([0]), torch.tensor([[5]]), torch.ones(1))
    users, items = (torch.from_numpy(each.astype(np.float32)).requires_grad_() for each in (alpha, beta))
    TransCF(margin=9.0)._loss(users, items, batch, *neighbours(likes)).backward()
    moved = items.grad.abs().sum(1) > 0
    assert moved.tolist() == [True, True, True, False, False, True, False, False]


def test_what_is_learned_lies_in_the_ball_and_likes_are_near():
    liked = np.kron(np.eye(3), np.ones((5, 4)))
    product = TransCF(dim=4, batch_size=10, epochs=60)._learn(sparse.csr_array(liked))
    k = 4
    alpha, beta = product.left[:, 2 + 2 * k : 2 + 3 * k] / 2, product.right[2 + 2 * k : 2 + 3 * k].T
    assert np.linalg.norm(np.vstack([alpha, beta]), axis=1).max() <= 1 + 1e-6
    score = product.rows(slice(None))
    assert (score <= 1e-6).all()
    for user, row in enumerate(liked):
        assert score[user, row > 0].min() > score[user, row == 0].max()


def test_bad_options():
    schema = Schema(fields=(), user_id="user", item_id="item", user="user", item="item")
    keys = pl.DataFrame({"user": [0, 1], "item": [1, 0], "label": [1, 1]})
    train = Tables(schema, keys.select("user"), keys.select("item"), keys)
    for name in ("margin", "neighbourhood", "nearness"):
        for wrong in (-1.0, float("inf"), float("nan")):
            with pytest.raises(ConfigError, match=f"{name} = "):
                TransCF(**{name: wrong}).fit(train)
    with pytest.raises(ConfigError, match="dim = 0: a whole number >= 1"):
        TransCF(dim=0).fit(train)
