"""A factorization machine and how it is trained: on design matrices of users, items and situations."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64, Int, Int64
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional

from penchant._random import generator, torch_generator
from penchant.baselines._ball import Unliked
from penchant.baselines._catalogue import blocks
from penchant.baselines._limits import check_count, check_number
from penchant.errors import ConfigError

__all__ = ["Designs", "Machine", "MachineOptions", "Negatives", "Pairs", "Sums", "Weights", "learn"]

_DEVIATION = 0.1
"""Of the vectors at the start, as in Rendle's libFM."""


class Pairs(NamedTuple):
    """Interactions by the rows of their design matrices."""

    user: Int64[np.ndarray, " n"]
    item: Int64[np.ndarray, " n"]
    context: Int64[np.ndarray, " n"]
    label: Float64[np.ndarray, " n"]
    """1 liked, 0 not."""
    weight: Float64[np.ndarray, " n"]

    def take(self, rows: Int64[np.ndarray, " b"]) -> "Pairs":
        """Some of them."""
        return Pairs(*(column[rows] for column in self))


class Designs(NamedTuple):
    """Design matrices of the sides; a context without fields has no columns."""

    users: sparse.csr_array
    items: sparse.csr_array
    contexts: sparse.csr_array

    @property
    def starts(self) -> tuple[int, int, int]:
        """The first column of each side in `rows`."""
        first, second = self.users.shape[1], self.items.shape[1]
        return 0, first, first + second

    def rows(self, pairs: Pairs) -> sparse.csr_array:
        """(n, width) the sides of each pair, side by side."""
        parts = self.users[pairs.user], self.items[pairs.item], self.contexts[pairs.context]
        return sparse.csr_array(sparse.hstack(parts, format="csr"))


@dataclass(frozen=True, slots=True)
class MachineOptions:
    """How a machine is trained; the names and meanings are those of `FM`."""

    dim: int
    unseen: float
    weight_decay: float
    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    rng: int

    def __post_init__(self) -> None:
        for name in ("dim", "epochs", "patience", "batch_size"):
            check_count(name, getattr(self, name))
        check_number("weight_decay", self.weight_decay)
        check_number("learning_rate", self.learning_rate, above=True)
        if not 0 <= self.unseen < 1:
            raise ConfigError(f"unseen = {self.unseen}: a number >= 0 and below 1 expected")


class Sums(NamedTuple):
    """What n rows of one side bring into a score."""

    total: Float64[np.ndarray, "n k"]
    """s = Σ_j v_j x_j: two sides meet in s·s'."""
    own: Float64[np.ndarray, " n"]
    """Σ_j w_j x_j + Σ_{j < l} v_j·v_l x_j x_l within the side."""


class Weights(NamedTuple):
    """What was learned."""

    bias: float
    linear: Float64[np.ndarray, " width"]
    vectors: Float64[np.ndarray, "width k"]
    starts: tuple[int, int, int]
    """The first column of each side."""

    def sums(self, side: int, x: sparse.csr_array) -> Sums:
        """Of rows of a side: 0 user, 1 item, 2 context."""
        place = slice(self.starts[side], self.starts[side] + x.shape[1])
        vectors, linear = self.vectors[place], self.linear[place]
        x = x.astype(np.float64)
        total = x @ vectors
        return Sums(total, x @ linear + 0.5 * (np.square(total).sum(1) - x.power(2) @ np.square(vectors).sum(1)))

    def logits(self, designs: Designs, pairs: Pairs) -> Float64[np.ndarray, " n"]:
        """ŷ of pairs: each side is summed once, then gathered."""
        sides = [(self.sums(side, x), pairs[side]) for side, x in enumerate(designs)]
        logit = self.bias + sum(side.own[rows] for side, rows in sides)
        for block in blocks(len(logit), self.vectors.shape[1]):
            user, item, context = (side.total[rows[block]] for side, rows in sides)
            logit[block] += (user * item + (user + item) * context).sum(1)
        return logit


class Machine(nn.Module):
    """ŷ(x) = b + Σ_j w_j x_j + Σ_{j < l} v_j·v_l x_j x_l, by ½(‖Σ_j v_j x_j‖² − Σ_j ‖v_j x_j‖²) in linear time."""

    def __init__(self, occurs: Int64[np.ndarray, " width"], dim: int, rng: int) -> None:
        """Vectors of a little noise, and of 0 where a column does not occur in training."""
        super().__init__()
        noise = torch.randn(len(occurs), dim, generator=torch_generator(rng, "vectors")) * _DEVIATION
        self.bias = nn.Parameter(torch.zeros(()))
        self.linear = nn.Parameter(torch.zeros(len(occurs)))
        self.vectors = nn.Parameter(noise * (torch.from_numpy(occurs)[:, None] > 0))

    def forward(
        self, row: Int[Tensor, " nnz"], column: Int[Tensor, " nnz"], value: Float[Tensor, " nnz"], n: int
    ) -> Float[Tensor, " n"]:
        """ŷ of n rows, given by their entries."""
        each = functional.embedding(column, self.vectors) * value[:, None]
        alone = value * self.linear[column] - 0.5 * each.square().sum(1)
        total = each.new_zeros(n, each.shape[1]).index_add(0, row, each)
        return self.bias + alone.new_zeros(n).index_add(0, row, alone) + 0.5 * total.square().sum(1)

    def weights(self, starts: tuple[int, int, int]) -> Weights:
        """A copy in double precision."""
        linear, vectors = (each.detach().double().numpy() for each in (self.linear, self.vectors))
        return Weights(self.bias.item(), linear, vectors, starts)


@dataclass(frozen=True, slots=True)
class Negatives:
    """Pairs that are not known to be liked, drawn for likes: evenly from the items that somebody likes."""

    items: Int64[np.ndarray, " c"]
    """Rows of the items that somebody likes."""
    unliked: Unliked
    """Over those."""
    each: int
    """How many a like gets."""

    @classmethod
    def of(cls, likes: sparse.csr_array, each: int) -> "Negatives":
        """From likes, users by items."""
        items = np.unique(likes.indices).astype(np.int64)
        return cls(items, Unliked.of(sparse.csr_array(likes[:, items])), each)

    def any(self, pairs: Pairs) -> bool:
        """Is there something to draw for one of these at least?"""
        return bool((self.unliked.free[pairs.user] > 0).any())

    def add(self, likes: Pairs, rng: np.random.Generator) -> Pairs:
        """The likes, and for each some pairs of the same user, situation and weight."""
        teaching = np.flatnonzero(self.unliked.free[likes.user] > 0)
        drawn = self.unliked.draw(likes.user[teaching], self.each, rng).reshape(-1)
        copies = likes.take(np.repeat(teaching, self.each))
        negatives = copies._replace(item=self.items[drawn], label=np.zeros(len(drawn)))
        return Pairs(*map(np.concatenate, zip(likes, negatives, strict=True)))


def learn(
    designs: Designs,
    pairs: Pairs,
    stand_in: Int64[np.ndarray, " width"],
    options: MachineOptions,
    *,
    negatives: Negatives | None,
    figure: Callable[[Weights], float] | None,
) -> Weights:
    """Log loss by Adam with decoupled weight decay; the best epoch by ``figure`` where there is one, else the last.

    Arguments:
        stand_in: the column that stands for each in rows of something new.
        negatives: drawn anew each epoch, where given.
    """
    seen = designs.rows(pairs).indices
    occurs = np.bincount(seen, minlength=len(stand_in))
    if options.unseen:
        occurs[stand_in[seen]] += 1
    machine, rng = Machine(occurs, options.dim, options.rng), generator(options.rng, "batches")
    groups = [
        {"params": [machine.linear, machine.vectors], "weight_decay": options.weight_decay},
        {"params": [machine.bias], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=options.learning_rate)
    best, kept, since = -np.inf, machine.weights(designs.starts), 0
    for _ in range(options.epochs):
        some = pairs if negatives is None else negatives.add(pairs, rng)
        for batch in _batches(some, options.batch_size, rng):
            optimiser.zero_grad()
            _loss(machine, designs.rows(batch), batch, stand_in, options.unseen, rng).backward()
            optimiser.step()
        weights = machine.weights(designs.starts)
        value = 0.0 if figure is None else figure(weights)
        if figure is None or value > best:
            best, kept, since = value, weights, 0
        else:
            since += 1
        if since == options.patience:
            break
    return kept


def _batches(pairs: Pairs, size: int, rng: np.random.Generator) -> Iterator[Pairs]:
    """All pairs in an order of their own."""
    order = rng.permutation(len(pairs.user))
    return (pairs.take(order[first : first + size]) for first in range(0, len(order), size))


def _loss(
    machine: Machine,
    x: sparse.csr_array,
    batch: Pairs,
    stand_in: Int64[np.ndarray, " width"],
    unseen: float,
    rng: np.random.Generator,
) -> Float[Tensor, ""]:
    """Weighted log loss of a batch, in which a share of the ids is moved to the place of unseen ones."""
    column = x.indices.astype(np.int64)
    if unseen:
        column = np.where(rng.random(len(column)) < unseen, stand_in[column], column)
    row = np.repeat(np.arange(len(batch.label)), np.diff(x.indptr))
    entries = (torch.from_numpy(each) for each in (row, column, x.data))
    logit = machine(*entries, len(batch.label))
    label, weight = (torch.from_numpy(each.astype(np.float32)) for each in (batch.label, batch.weight))
    return functional.binary_cross_entropy_with_logits(logit, label, weight)
