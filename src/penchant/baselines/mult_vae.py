"""Mult-VAE: a variational autoencoder of what users like, with a multinomial likelihood."""

import copy
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional

from penchant._random import generator, torch_generator
from penchant.baselines._catalogue import blocks
from penchant.baselines._limits import check_count, check_number
from penchant.baselines._scored import Product, Scored
from penchant.errors import ConfigError

__all__ = ["MultVAE"]

_RANKS = 100
"""Of the NDCG that training is stopped by, as in the paper."""


class MultVAE(Scored):
    """A variational autoencoder of likes: score(u, i) = log π_i(z), z the mean of q(z | x_u).

        q(z | x_u) = N(μ, diag σ²),  (μ, log σ²) = encoder(x_u / ‖x_u‖),  π(z) = softmax(decoder(z))
        L = mean_u [−Σ_i x_ui log π_i(z) + β·KL(q(z | x_u) ‖ N(0, 1))],  z drawn from q
        KL = ½ Σ_k (μ_k² + σ_k² − 1 − log σ_k²)

    x_u holds the weights of likes. Both networks have tanh layers of ``hidden`` units, the decoder in reverse order.
    Entries of the encoder's input are dropped at random while training. β rises from 0 to ``beta`` over the first
    ``anneal`` steps. Adam. Where validation likes are given, training stops once their NDCG@100, without the training
    rows' likes, has not risen for ``patience`` epochs, and the best epoch's weights are kept.

    Source: Liang, Krishnan, Hoffman, Jebara, WWW 2018, doi 10.1145/3178876.3186150, arXiv 1802.05814. Cannot: rank
    items nobody liked, nor use features or dislikes.

    Probabilities, and users without likes: see `predict_proba`, and the class `Scored` it comes from.
    """

    folds_in: ClassVar[bool] = True

    def __init__(
        self,
        *,
        dim: int = 200,
        hidden: Sequence[int] = (600,),
        dropout: float = 0.5,
        beta: float = 0.2,
        anneal: int = 20_000,
        epochs: int = 100,
        patience: int = 10,
        batch_size: int = 100,
        learning_rate: float = 1e-3,
        rng: int = 0,
    ) -> None:
        """Store the options.

        Arguments:
            dim: axes of z, at least 1; the paper's 200 and 600 are the defaults.
            hidden: units of the encoder's layers between the items and z; there may be none.
            dropout: chance of an entry of the input to be dropped, at least 0, below 1.
            beta: weight of KL in the end, at least 0; the paper's .2 is for millions of likes.
            anneal: steps in which it is reached, at least 1.
            epochs: how often each user is looked at, at most where there are validation likes; at least 1.
            patience: epochs without a rise, at least 1.
            batch_size: users in a step, at least 1; the paper has 500.
            learning_rate: of Adam, above 0.
            rng: seed.
        """
        self.dim, self.hidden, self.dropout = dim, hidden, dropout
        self.beta, self.anneal, self.epochs, self.patience = beta, anneal, epochs, patience
        self.batch_size, self.learning_rate, self.rng = batch_size, learning_rate, rng

    def _learn(self, likes: sparse.csr_array) -> Product:
        return self._learn_watching(likes, None)

    def _learn_watching(self, likes: sparse.csr_array, held: sparse.csr_array | None) -> Product:
        self._check()
        with torch.random.fork_rng([]):
            torch.manual_seed(torch_generator(self.rng, "mult-vae").initial_seed())
            net = Autoencoder(likes.shape[1], tuple(self.hidden), self.dim, self.dropout)
            self._train(net, likes, _watched(likes, held))
        return Product(net.rows(likes), net.columns(), unknown=None, fold_in=net.rows)

    def _check(self) -> None:
        for name in ("dim", "anneal", "epochs", "patience", "batch_size"):
            check_count(name, getattr(self, name))
        if not isinstance(self.hidden, Sequence):
            raise ConfigError(f"hidden = {self.hidden!r}: a list of whole numbers expected, as [600]")
        for units in self.hidden:
            check_count("hidden", units)
        check_number("beta", self.beta)
        check_number("learning_rate", self.learning_rate, above=True)
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout = {self.dropout}: a number >= 0 and below 1 expected")

    def _train(self, net: "Autoencoder", likes: sparse.csr_array, held: sparse.csr_array | None) -> None:
        optimiser = torch.optim.Adam(net.parameters(), lr=self.learning_rate, fused=True)
        best, kept, since, step = -1.0, None, 0, 0
        for users in self._epochs(np.flatnonzero(np.diff(likes.indptr))):
            net.train()
            for some in users:
                optimiser.zero_grad()
                net.loss(likes[some], self.beta * min(1.0, step / self.anneal)).backward()
                optimiser.step()
                step += 1
            if held is not None:
                value = _held_ndcg(net, likes, held)
                since = 0 if value > best else since + 1
                if since == self.patience:
                    break
                if not since:
                    best, kept = value, copy.deepcopy(net.state_dict())
        if kept is not None:
            net.load_state_dict(kept)

    def _epochs(self, users: Int64[np.ndarray, " u"]) -> Iterator[list[Int64[np.ndarray, " b"]]]:
        """The users in batches, in an order of its own each epoch."""
        rng = generator(self.rng, "batches")
        for _ in range(self.epochs):
            order = rng.permutation(users)
            yield [order[first : first + self.batch_size] for first in range(0, len(order), self.batch_size)]


class Autoencoder(nn.Module):
    """Likes of users to log π, by way of z. Zeros of the input are never looked at, nor made."""

    def __init__(self, n_items: int, hidden: tuple[int, ...], dim: int, dropout: float) -> None:
        super().__init__()
        widths = (*hidden, 2 * dim)
        self.items = nn.EmbeddingBag(n_items, widths[0], mode="sum")
        self.bias = nn.Parameter(torch.zeros(widths[0]))
        inner = [(nn.Tanh(), nn.Linear(a, b)) for a, b in pairwise(widths)]
        outer = [(nn.Linear(a, b), nn.Tanh()) for a, b in pairwise((dim, *reversed(hidden)))]
        self.encoder, self.decoder = (nn.Sequential(*chain(*layers)) for layers in (inner, outer))
        self.out = nn.Linear(hidden[0] if hidden else dim, n_items)
        self.dropout = dropout
        for name, parameter in self.named_parameters():
            (nn.init.zeros_ if name.endswith("bias") else nn.init.xavier_uniform_)(parameter)

    def encode(self, likes: sparse.csr_array) -> tuple[Float[Tensor, "b k"], Float[Tensor, "b k"]]:
        """Mean and log-variance of q(z | x)."""
        length = np.sqrt(np.asarray(likes.multiply(likes).sum(axis=1))).reshape(-1)
        value = likes.data / np.repeat(length, np.diff(likes.indptr))
        weight = functional.dropout(torch.from_numpy(value.astype(np.float32)), self.dropout, self.training)
        places, starts = (torch.from_numpy(each.astype(np.int64)) for each in (likes.indices, likes.indptr[:-1]))
        mean, log_variance = self.encoder(self.items(places, starts, weight) + self.bias).chunk(2, 1)
        return mean, log_variance

    def loss(self, likes: sparse.csr_array, beta: float) -> Float[Tensor, ""]:
        """The mean over users of −Σ x log π + β·KL."""
        mean, log_variance = self.encode(likes)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        log_share = self.out(self.decoder(z)).log_softmax(1)
        row = torch.from_numpy(np.repeat(np.arange(likes.shape[0]), np.diff(likes.indptr)))
        chosen = log_share[row, torch.from_numpy(likes.indices.astype(np.int64))]
        likelihood = (chosen * torch.from_numpy(likes.data.astype(np.float32))).sum()
        return -likelihood / len(mean) + beta * divergence(mean, log_variance).mean()

    @torch.no_grad()
    def rows(self, likes: sparse.csr_array) -> Float64[np.ndarray, "b m"]:
        """Users by their likes, so that ``rows(likes) @ columns()`` is log π: what `out` takes, 1, and −log Σ exp."""
        self.eval()
        found = [np.zeros((0, self.out.in_features + 2))]
        for block in blocks(likes.shape[0], likes.shape[1]):
            inner = self.decoder(self.encode(likes[block])[0])
            total = self.out(inner).logsumexp(1, keepdim=True)
            found.append(torch.cat([inner, torch.ones_like(total), -total], 1).double().numpy())
        return np.concatenate(found)

    def columns(self) -> Float64[np.ndarray, "m items"]:
        """Weights of the items, their biases, and 1."""
        weight, bias = self.out.weight.detach(), self.out.bias.detach()[:, None]
        return torch.cat([weight, bias, torch.ones_like(bias)], 1).T.double().numpy()


def divergence(mean: Float[Tensor, "b k"], log_variance: Float[Tensor, "b k"]) -> Float[Tensor, " b"]:
    """KL(N(μ, diag σ²) ‖ N(0, 1)) = ½ Σ_k (μ_k² + σ_k² − 1 − log σ_k²)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


def _watched(likes: sparse.csr_array, held: sparse.csr_array | None) -> sparse.csr_array | None:
    """Held-out likes that say something: of users with training likes, without these; None where there are none."""
    if held is None:
        return None
    known = np.diff(likes.indptr) > 0
    new = sparse.csr_array((held - held.multiply(likes.astype(bool))).multiply(known[:, None]))
    new.eliminate_zeros()
    return new if new.nnz else None


def _held_ndcg(net: Autoencoder, likes: sparse.csr_array, held: sparse.csr_array) -> float:
    """NDCG@100 of held-out likes among the items that are no training likes, mean over the users who have some."""
    users, columns, found = np.flatnonzero(np.diff(held.indptr)), net.columns(), []
    for block in blocks(len(users), likes.shape[1]):
        some = users[block]
        scores = net.rows(likes[some]) @ columns
        scores[likes[some].nonzero()] = -np.inf
        found.append(ndcg(scores, held[some].toarray() > 0))
    return float(np.concatenate(found).mean())


def ndcg(scores: Float64[np.ndarray, "b items"], liked: Bool[np.ndarray, "b items"]) -> Float64[np.ndarray, " b"]:
    """Σ over liked among the first 100 of 1 / log₂(rank + 1), over what it would be with these first.

    Arguments:
        scores: −∞ for items that do not compete.
        liked: one at least in each row.

    Source: Järvelin, Kekäläinen, TOIS 20 (2002), doi 10.1145/582415.582418, with gains of 0 and 1.
    """
    ranks = min(_RANKS, scores.shape[1])
    first = np.argsort(-scores, axis=1, kind="stable")[:, :ranks]
    gain = 1 / np.log2(np.arange(2, ranks + 2))
    reached = (np.take_along_axis(liked, first, axis=1) * gain).sum(axis=1)
    return reached / np.cumsum(gain)[np.minimum(liked.sum(axis=1), ranks) - 1]
