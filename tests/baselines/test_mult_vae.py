"""Mult-VAE against its formulas by plain loops; early stopping; new users by their past."""

import math

import numpy as np
import polars as pl
import pytest
import torch
from scipy import sparse

from penchant.baselines import MultVAE
from penchant.baselines import mult_vae as module
from penchant.baselines.mult_vae import Autoencoder, divergence, ndcg
from penchant.errors import ConfigError
from penchant.tables import Schema, Tables

SMALL = {"dim": 3, "hidden": (5,), "batch_size": 4}


def net_of(hidden=(5, 4), dim=3, dropout=0.0):
    torch.manual_seed(0)
    net = Autoencoder(7, hidden, dim, dropout)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return net


def likes_of(seed=0, shape=(6, 7)):
    g = np.random.default_rng(seed)
    liked = (g.random(shape) < 0.5) * g.integers(1, 4, shape).astype(float)
    liked[:, 0] = 2.0
    return liked


def layer(linear, x):
    weight, bias = linear.weight.detach().numpy(), linear.bias.detach().numpy()
    return [sum(w * v for w, v in zip(row, x, strict=True)) + b for row, b in zip(weight, bias, strict=True)]


def encoded(net, x):
    """Mean and log-variance, by loops."""
    length = math.sqrt(sum(v * v for v in x))
    items, bias = net.items.weight.detach().numpy(), net.bias.detach().numpy()
    h = [sum(x[i] / length * items[i, k] for i in range(len(x))) + bias[k] for k in range(len(bias))]
    for linear in (m for m in net.encoder if isinstance(m, torch.nn.Linear)):
        h = layer(linear, [math.tanh(v) for v in h])
    return h[: len(h) // 2], h[len(h) // 2 :]


def log_shares(net, z):
    for linear in (m for m in net.decoder if isinstance(m, torch.nn.Linear)):
        z = [math.tanh(v) for v in layer(linear, z)]
    logits = layer(net.out, z)
    total = math.log(sum(math.exp(v) for v in logits))
    return [v - total for v in logits]


@pytest.mark.parametrize("hidden", [(), (5,), (5, 4)])
def test_scores_are_log_shares_of_plain_loops(hidden):
    net, liked = net_of(hidden=hidden), likes_of()
    expected = [log_shares(net, encoded(net, x)[0]) for x in liked]
    found = net.rows(sparse.csr_array(liked)) @ net.columns()
    assert found == pytest.approx(np.array(expected), abs=1e-5)
    assert np.exp(found).sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("beta", [0.0, 0.7])
def test_the_loss_is_likelihood_and_divergence_of_plain_loops(beta, monkeypatch):
    net, liked = net_of(), likes_of()
    noise = np.random.default_rng(1).normal(size=(len(liked), 3))
    monkeypatch.setattr(torch, "randn_like", lambda mean: torch.from_numpy(noise).to(mean.dtype))
    total = 0.0
    for x, e in zip(liked, noise, strict=True):
        mean, log_variance = encoded(net, x)
        z = [m + math.exp(0.5 * v) * n for m, v, n in zip(mean, log_variance, e, strict=True)]
        total -= sum(w * p for w, p in zip(x, log_shares(net, z), strict=True))
        total += beta * sum(0.5 * (m * m + math.exp(v) - 1 - v) for m, v in zip(mean, log_variance, strict=True))
    assert net.loss(sparse.csr_array(liked), beta).item() == pytest.approx(total / len(liked), rel=1e-5)


def test_the_divergence_is_torchs():
    g = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, 5, 3, generator=g, dtype=torch.float64)
    one = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    other = torch.distributions.Normal(torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64))
    expected = torch.distributions.kl_divergence(one, other).sum(1)
    assert torch.allclose(divergence(mean, log_variance), expected)
    assert float(divergence(torch.zeros(1, 4), torch.zeros(1, 4))) == 0


def test_entries_are_dropped_while_training_only_and_the_rest_is_scaled_up():
    net, likes = net_of(hidden=(), dim=2, dropout=0.5), sparse.csr_array(likes_of())
    net.bias.data.zero_()
    net.eval()
    whole = torch.cat(net.encode(likes), 1)
    assert torch.equal(torch.cat(net.encode(likes), 1), whole)
    net.train()
    drawn = torch.stack([torch.cat(net.encode(likes), 1) for _ in range(4000)])
    assert not torch.equal(drawn[0], drawn[1])
    assert torch.allclose(drawn.mean(0), whole, atol=0.1)


def test_ndcg_of_plain_loops(monkeypatch):
    monkeypatch.setattr(module, "_RANKS", 4)
    g = np.random.default_rng(0)
    scores, liked = g.random((20, 9)), g.random((20, 9)) < 0.4
    liked[:, 0] = True
    scores[:, 1], liked[:, 1] = -np.inf, False
    expected = []
    for row, likes in zip(scores, liked, strict=True):
        order = sorted(range(9), key=lambda i: -row[i])[:4]
        reached = sum(1 / math.log2(rank + 2) for rank, i in enumerate(order) if likes[i])
        expected.append(reached / sum(1 / math.log2(rank + 2) for rank in range(min(4, sum(likes)))))
    assert ndcg(scores, liked) == pytest.approx(expected)


def test_training_stops_where_held_out_likes_rank_best_and_keeps_those_weights(monkeypatch):
    likes = sparse.csr_array(likes_of())
    held = sparse.csr_array((likes_of(5) > 0) * 1.0)
    values = iter([0.2, 0.5, 0.4, 0.5, 0.3, 0.9])
    kept = []

    def scripted(net, likes, held):
        kept.append(net.rows(likes))
        return next(values)

    monkeypatch.setattr(module, "_held_ndcg", scripted)
    product = MultVAE(**SMALL, epochs=50, patience=3)._learn_watching(likes, held)
    assert len(kept) == 5
    assert np.array_equal(product.left, kept[1])


def test_only_held_out_likes_that_are_new_and_of_known_users_count():
    likes = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 2]], dtype=float)
    held = np.array([[1, 0, 2, 0], [0, 1, 0, 0], [1, 0, 0, 1]], dtype=float)
    found = module._watched(sparse.csr_array(likes), sparse.csr_array(held))
    assert found.toarray().tolist() == [[0, 0, 2, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    for nothing in (held * (likes > 0), held * 0):
        assert module._watched(sparse.csr_array(likes), sparse.csr_array(nothing)) is None


def test_beta_rises_to_what_is_asked_for(monkeypatch):
    seen, real = [], Autoencoder.loss
    monkeypatch.setattr(Autoencoder, "loss", lambda net, likes, beta: seen.append(beta) or real(net, likes, beta))
    MultVAE(**SMALL, beta=0.4, anneal=4, epochs=3)._learn(sparse.csr_array(likes_of()))
    assert seen == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.4])


def tables(liked, n_users=None):
    schema = Schema(fields=(), user_id="user", item_id="item", user="user", item="item")
    user, item = np.nonzero(liked)
    pairs = pl.DataFrame({"user": user, "item": item, "label": np.ones(len(user), dtype=int)})
    users = pl.DataFrame({"user": range(n_users or len(liked))})
    return Tables(schema, users, pl.DataFrame({"item": range(liked.shape[1])}), pairs)


def test_a_new_user_is_served_like_a_known_one_of_the_same_likes():
    g = np.random.default_rng(0)
    liked = np.kron(np.eye(3), np.ones((10, 5))) * (g.random((30, 15)) < 0.8)
    model = MultVAE(dim=4, hidden=(16,), batch_size=10, epochs=60, learning_rate=1e-2).fit(tables(liked, n_users=31))
    assert model.folds_in
    past = np.flatnonzero(liked[12]).tolist()
    new = model.recommend([{"liked": past}, {"liked": [0, 1]}, {"liked": []}], n=15)
    for row, known in ((0, 12), (2, 30)):  # user 30 likes nothing: popularity
        same, expected = new.filter(pl.col("row") == row), model.recommend(known, n=15)
        assert same["item"].to_list() == expected["item"].to_list()
        assert same["score"].to_list() == pytest.approx(expected["score"].to_list(), abs=1e-5)
    assert set(new.filter(pl.col("row") == 1)["item"][:3]) == {2, 3, 4}


def test_bad_options():
    train = tables(likes_of())
    for name in ("dim", "anneal", "epochs", "patience", "batch_size"):
        with pytest.raises(ConfigError, match=f"{name} = 0: a whole number >= 1"):
            MultVAE(**{name: 0}).fit(train)
    for wrong in (600, "600"):
        with pytest.raises(ConfigError, match=r"hidden = .*expected"):
            MultVAE(hidden=wrong).fit(train)
    with pytest.raises(ConfigError, match="hidden = 0: a whole number"):
        MultVAE(hidden=[5, 0]).fit(train)
    for name, wrong in (
        ("beta", -1.0),
        ("beta", math.nan),
        ("learning_rate", 0.0),
        ("dropout", 1.0),
        ("dropout", -0.1),
    ):
        with pytest.raises(ConfigError, match=f"{name} = "):
            MultVAE(**{name: wrong}).fit(train)
