"""Interactions in batches, in which each user and each item is encoded once."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant._random import torch_generator
from penchant._spec import Features
from penchant.nets import as_tensors, take
from penchant.tables import EncodedTables

__all__ = ["Batch", "Batches"]


class Batch(NamedTuple):
    """b pairs over n_u distinct users and n_i distinct items."""

    users: Features
    """The distinct users (n_u rows)."""
    items: Features
    """The distinct items (n_i rows)."""
    context: Features | None
    """The pairs' situations (b rows), where the schema has context columns."""
    user: Int[Tensor, " b"]
    """Row of ``users`` of each pair."""
    item: Int[Tensor, " b"]
    """Row of ``items`` of each pair."""
    liked: Float[Tensor, " b"]
    """1 liked, 0 not."""
    weight: Float[Tensor, " b"] | None
    """Weights of the pairs; None: all 1."""


class Batches:
    """All interactions on one device, dealt out in an order that depends on the seed and the epoch alone."""

    def __init__(
        self, data: EncodedTables, *, batch_size: int, rng: int, device: torch.device | str = "cpu"
    ) -> None:
        self.users, self.items = as_tensors(data.users, device), as_tensors(data.items, device)
        self.context = None if data.context is None else as_tensors(data.context, device)
        self.user = torch.as_tensor(data.user, device=device)
        self.item = torch.as_tensor(data.item, device=device)
        self.liked = torch.as_tensor(data.label, device=device)
        weight = torch.as_tensor(data.weight, device=device)
        self.weight = None if bool((weight == 1).all()) else weight
        self.batch_size, self.rng, self.device = batch_size, rng, device

    def __len__(self) -> int:
        """How many pairs there are."""
        return len(self.user)

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return -(-len(self) // self.batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch; the last one may be smaller."""
        order = torch.randperm(len(self), generator=torch_generator(self.rng, "order", str(epoch)))
        for rows in order.to(self.device).split(self.batch_size):
            yield self.batch(rows)

    def batch(self, rows: Int[Tensor, " b"]) -> Batch:
        """The pairs at these rows."""
        users, user = torch.unique(self.user[rows], return_inverse=True)
        items, item = torch.unique(self.item[rows], return_inverse=True)
        return Batch(
            users=take(self.users, users),
            items=take(self.items, items),
            context=None if self.context is None else take(self.context, rows),
            user=user,
            item=item,
            liked=self.liked[rows],
            weight=None if self.weight is None else self.weight[rows],
        )
