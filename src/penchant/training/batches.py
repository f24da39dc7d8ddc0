"""Interactions in batches, in which each user and each item is encoded once."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from penchant._random import torch_generator
from penchant._spec import Features, Layout
from penchant.nets import as_tensors, take, vectorise
from penchant.tables import EncodedTables
from penchant.training.negatives import BaseNegatives, KnownLikes

__all__ = ["Batch", "Batches", "Candidates"]

_VECTORS_AT_ONCE = 1 << 26
"""Numbers of portrait vectors kept in memory a side: 256 MiB."""


_MARKED = 16
"""Rows of a table for each row of a batch, up to which distinct ones are marked and not sorted."""

_NO_FIELDS = Layout(())


class Candidates(NamedTuple):
    """Items that a ranking neck holds a batch's likes against."""

    items: Features
    """Their rows; ``Batch.items`` itself where they are the batch's own."""
    log_q: Float[Tensor, " c"]
    """Log of the chance with which each is there."""
    known: Bool[Tensor, "n_u c"]
    """Which of them each of the distinct users likes, as far as the training rows say."""


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
    left_out: Int[Tensor, " b"] | None
    """The pairs' items by row of the catalogue, to be left out of their users' histories; None: no histories."""
    user_vectors: Float[Tensor, "n_u m_u"]
    """Portrait vectors of the distinct users; NaN where missing; of no width where the batches know no layouts."""
    item_vectors: Float[Tensor, "n_i m_i"]
    """Portrait vectors of the distinct items."""
    candidates: Candidates | None = None
    """What likes are held against; None where the batches draw no negatives."""
    epoch: int = 0
    """The epoch that it is of, from 0."""
    times: tuple[Float[Tensor, " b"], Float[Tensor, " b"]] | None = None
    """How many of all pairs each pair's user has, and each pair's item."""
    since: Float[Tensor, " b"] | None = None
    """Time of each pair from the latest entry of its user's history (see `BaseEncoder.forward`)."""


class Batches:
    """All interactions on one device, dealt out in an order that depends on the seed and the epoch alone.

    With ``layouts`` (of users and of items) the batches hold portrait vectors, which only training needs; with
    ``negatives`` they hold candidates, drawn from torch's stream as each batch is made. With ``by_user`` each user's
    pairs are in one batch, and a batch has about ``batch_size`` pairs (more, where one user has). ``likes``: of users
    and items (by row) that are in no pair, and are no negatives either.
    """

    def __init__(
        self,
        data: EncodedTables,
        *,
        layouts: tuple[Layout, Layout] | None = None,
        batch_size: int,
        by_user: bool = False,
        rng: int,
        device: torch.device | str = "cpu",
        negatives: BaseNegatives | None = None,
        likes: tuple[Int[Tensor, " m"], Int[Tensor, " m"]] | None = None,
    ) -> None:
        self.users, self.items = as_tensors(data.users, device), as_tensors(data.items, device)
        self.context = None if data.context is None else as_tensors(data.context, device)
        self.user = torch.as_tensor(data.user, device=device)
        self.item = torch.as_tensor(data.item, device=device)
        self.liked = torch.as_tensor(data.label, device=device)
        weight = torch.as_tensor(data.weight, device=device)
        self.weight = None if bool((weight == 1).all()) else weight
        self.since = None if data.since is None else torch.as_tensor(data.since, device=device)
        self.batch_size, self.rng, self.device = batch_size, rng, device
        user, item = layouts or (_NO_FIELDS, _NO_FIELDS)
        self._user_vectors, self._item_vectors = _Vectors(self.users, user), _Vectors(self.items, item)
        self._times = tuple(torch.bincount(rows).to(self.liked.dtype) for rows in (self.user, self.item))
        self._negatives = negatives
        self._known = None if negatives is None else self._known_likes(likes)
        self._least = len(torch.unique(self.user)) if by_user else None

    def __len__(self) -> int:
        """How many pairs there are."""
        return len(self.user)

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        steps = -(-len(self) // self.batch_size)
        return steps if self._least is None else min(steps, self._least)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch, each in random order; the last one may be smaller."""
        order = torch.randperm(len(self), generator=torch_generator(self.rng, "order", str(epoch)))
        parts = order.split(self.batch_size) if self._least is None else self._by_user(order, epoch)
        for rows in parts:
            yield self.batch(rows.to(self.device))._replace(epoch=epoch)

    def _by_user(self, order: Int[Tensor, " n"], epoch: int) -> tuple[Int[Tensor, " b"], ...]:
        """Pairs in random order, users in another one, cut into `steps` parts of about as many pairs."""
        turn = torch.randperm(len(self.users), generator=torch_generator(self.rng, "users", str(epoch)))
        turns, place = turn.index_select(0, self.user.cpu().index_select(0, order)).sort(stable=True)
        ends = torch.unique_consecutive(turns, return_counts=True)[1].cumsum(0)
        parts = torch.arange(1, self.steps)
        users = torch.searchsorted(ends, parts * len(order) // self.steps, right=True)
        users = (users - parts).clamp(0, len(ends) - self.steps).cummax(0).values + parts  # a user at least in each
        cuts = ends.index_select(0, users - 1).tolist()
        return tuple(order.index_select(0, own.sort().values) for own in place.tensor_split(cuts))

    def batch(self, rows: Int[Tensor, " b"]) -> Batch:
        """The pairs at these rows."""
        users, user = _distinct(self.user[rows], len(self.users))
        items, item = _distinct(self.item[rows], len(self.items))
        batch_users, batch_items = take(self.users, users), take(self.items, items)
        return Batch(
            users=batch_users,
            items=batch_items,
            context=None if self.context is None else take(self.context, rows),
            user=user,
            item=item,
            liked=self.liked[rows],
            weight=None if self.weight is None else self.weight[rows],
            left_out=None if self.users.history is None else self.item[rows],
            user_vectors=self._user_vectors.take(batch_users, users),
            item_vectors=self._item_vectors.take(batch_items, items),
            candidates=self._candidates(users, items, batch_items, len(rows)),
            times=(self._times[0][self.user[rows]], self._times[1][self.item[rows]]),
            since=None if self.since is None else self.since[rows],
        )

    def _known_likes(self, more: tuple[Int[Tensor, " m"], Int[Tensor, " m"]] | None) -> KnownLikes:
        user, item, liked = self.user, self.item, self.liked
        if more is not None:
            user, item = (torch.cat([own, other.to(own)]) for own, other in zip((user, item), more, strict=True))
            liked = torch.cat([liked, torch.ones_like(more[0], dtype=liked.dtype, device=liked.device)])
        return KnownLikes(user, item, liked, users=len(self.users), items=len(self.items))

    def _candidates(
        self, users: Int[Tensor, " n_u"], items: Int[Tensor, " n_i"], batch_items: Features, pairs: int
    ) -> Candidates | None:
        if self._negatives is None or self._known is None:
            return None
        drawn = self._negatives.draw(items, pairs)
        own = drawn.items is items
        return Candidates(
            batch_items if own else take(self.items, drawn.items), drawn.log_q, self._known.among(users, drawn.items)
        )


def _distinct(rows: Int[Tensor, " b"], n: int) -> tuple[Int[Tensor, " d"], Int[Tensor, " b"]]:
    """The distinct ones of some of the rows 0 … n-1, ascending, and the place of each among them."""
    if n > _MARKED * len(rows):
        return torch.unique(rows, return_inverse=True)
    there = torch.zeros(n, dtype=torch.int64, device=rows.device).scatter_(0, rows, 1)  # no sort: three times as fast
    return there.nonzero()[:, 0], (there.cumsum(0) - 1).index_select(0, rows)


class _Vectors:
    """Portrait vectors of rows: looked up where all of them fit into memory, made anew for each batch otherwise."""

    def __init__(self, features: Features, layout: Layout) -> None:
        self.layout = layout
        fits = len(features) * layout.width <= _VECTORS_AT_ONCE
        self.every = vectorise(features, layout) if fits else None

    def take(self, features: Features, rows: Int[Tensor, " b"]) -> Float[Tensor, "b width"]:
        """The vectors of these rows, whose features are at hand."""
        return vectorise(features, self.layout) if self.every is None else self.every.index_select(0, rows)
