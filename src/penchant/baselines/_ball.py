"""What baselines share that learn vectors in the unit ball: likes in batches, each held against items not liked."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from jaxtyping import Float, Float64, Int, Int64
from scipy import sparse
from torch import Tensor

from penchant._random import generator, torch_generator
from penchant.baselines._limits import check_count, check_number

__all__ = ["BallOptions", "Batch", "Unliked", "learn_in_ball"]


@dataclass(frozen=True, slots=True)
class Unliked:
    """The items that each user does not like, to draw from: no training like is ever drawn as a negative."""

    offsets: Int64[np.ndarray, " users_and_1"]
    """Where a user's keys begin."""
    keys: Int64[np.ndarray, " nnz"]
    """Rising: of the k-th like l of user u, k from 0: u·(items + 1) + (l − k); l − k unliked items come before it."""
    n_items: int
    """Liked or not."""

    @classmethod
    def of(cls, likes: sparse.csr_array) -> Self:
        """From likes, users by items."""
        likes = likes.sorted_indices()
        offsets, n_items = likes.indptr.astype(np.int64), likes.shape[1]
        user = np.repeat(np.arange(likes.shape[0]), np.diff(offsets))
        before = likes.indices - (np.arange(likes.nnz) - offsets[user])
        return cls(offsets, user * (n_items + 1) + before, n_items)

    @property
    def free(self) -> Int64[np.ndarray, " users"]:
        """How many items each user does not like."""
        return self.n_items - np.diff(self.offsets)

    def draw(self, users: Int64[np.ndarray, " b"], n: int, rng: np.random.Generator) -> Int64[np.ndarray, "b n"]:
        """Items drawn evenly, with replacement, from those that each user does not like, one at least.

        The r-th unliked item is r plus the number of likes that have at most r unliked ones before them.
        """
        rank = rng.integers(0, self.free[users][:, None], (len(users), n))
        key = users[:, None] * (self.n_items + 1) + rank
        return rank + np.searchsorted(self.keys, key, side="right") - self.offsets[users][:, None]


@dataclass(frozen=True, slots=True)
class BallOptions:
    """How vectors in the ball are learned; the names and meanings are those of `CML`."""

    dim: int
    """Axes."""
    negatives: int
    """Items drawn for each like."""
    epochs: int
    """Times that each like is looked at."""
    batch_size: int
    """Likes in a step."""
    learning_rate: float
    """Of Adagrad."""
    rng: int
    """Seed."""

    def __post_init__(self) -> None:
        for name in ("dim", "negatives", "epochs", "batch_size"):
            check_count(name, getattr(self, name))
        check_number("learning_rate", self.learning_rate, above=True)


class Batch(NamedTuple):
    """Some likes."""

    user: Int[Tensor, " b"]
    """Rows of the users."""
    item: Int[Tensor, " b"]
    """Rows of the liked items."""
    negatives: Int[Tensor, "b n"]
    """Rows of items that the users do not like."""
    weight: Float[Tensor, " b"]
    """Of the likes."""


BatchLoss = Callable[[Float[Tensor, "users k"], Float[Tensor, "items k"], Batch], Float[Tensor, ""]]


def learn_in_ball(
    likes: sparse.csr_array, loss: BatchLoss, options: BallOptions
) -> tuple[Float64[np.ndarray, "users k"], Float64[np.ndarray, "items k"]]:
    """Vectors of users and items of length 1 at most, by Adagrad, moved back into the ball after each step.

    Arguments:
        likes: (users, items), above 0 where stored. A user who likes every item teaches nothing.
        loss: of the vectors of all users, of all items, and a batch.

    Source: Hsieh et al., WWW 2017, doi 10.1145/3038912.3052639, §3.5; Duchi, Hazan, Singer, JMLR 12 (2011).
    """
    start = torch_generator(options.rng, "vectors")
    tables = [torch.randn(n, options.dim, generator=start) / math.sqrt(options.dim) for n in likes.shape]
    for table in tables:
        _into_ball(table.requires_grad_())
    optimiser = torch.optim.Adagrad(tables, lr=options.learning_rate)
    for batch in _batches(likes, options):
        optimiser.zero_grad()
        loss(tables[0], tables[1], batch).backward()
        optimiser.step()
        for table in tables:
            _into_ball(table)
    users, items = (table.detach().numpy().astype(np.float64) for table in tables)
    return users, items


@torch.no_grad()
def _into_ball(table: Float[Tensor, "n k"]) -> None:
    """Shorten vectors that are longer than 1."""
    table /= table.norm(dim=1, keepdim=True).clamp(min=1.0)


def _batches(likes: sparse.csr_array, options: BallOptions) -> Iterator[Batch]:
    """All batches of all epochs."""
    unliked, rng = Unliked.of(likes), generator(options.rng, "batches")
    pairs = sparse.coo_array(likes)
    user, item = (places.astype(np.int64) for places in pairs.coords)
    teaches = np.flatnonzero(unliked.free[user] > 0)
    user, item, weight = user[teaches], item[teaches], pairs.data[teaches].astype(np.float32)
    for _ in range(options.epochs):
        order = rng.permutation(len(user))
        for first in range(0, len(user), options.batch_size):
            some = order[first : first + options.batch_size]
            drawn = unliked.draw(user[some], options.negatives, rng)
            yield Batch(*map(torch.from_numpy, (user[some], item[some], drawn, weight[some])))
