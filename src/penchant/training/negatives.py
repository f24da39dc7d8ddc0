"""Negative samplers: which items a ranking neck holds the liked ones against, in each step.

    catalogue   all items; nothing is left to chance
    uniform     a number of items, each alike
    popular     about that many, the popular ones more often: they are the harder ones to tell apart
    batch       the items of the batch's own pairs: they are encoded anyway

Each gives some rows of the item table, every one at most once, rising, with the log of its chance to be there. Sums
over them, each divided by its chance, are on average the sums over the catalogue (Horvitz, Thompson 1952, doi
10.1080/01621459.1952.10483446): with this log q a sampled softmax is not biased towards what is drawn rarely.

What is drawn follows torch's own stream, which training seeds anew each epoch.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from penchant._spec import Bag, Features
from penchant.losses import Loss
from penchant.nets import take
from penchant.nets.features import repeat_bags
from penchant.tables import EncodedTables

__all__ = [
    "KINDS",
    "BaseNegatives",
    "BatchNegatives",
    "CatalogueNegatives",
    "Drawn",
    "KnownLikes",
    "PopularNegatives",
    "UniformNegatives",
    "make_negatives",
]


class Drawn(NamedTuple):
    """Items to hold the liked ones against."""

    items: Int[Tensor, " c"]
    """Rows of the item table, distinct, rising."""
    log_q: Float[Tensor, " c"]
    """Log of the chance with which each is there, at most 0."""


class BaseNegatives(ABC):
    """A way to draw items."""

    def __init__(self, counts: Int[Tensor, " n_items"], *, n: int, power: float) -> None:
        """Arguments:
        counts: training rows of each item, liked or not.
        n: how many are to be drawn, where the way has a choice.
        power: of the counts, where popularity matters.
        """
        self.counts, self.n, self.power = counts, n, power

    @abstractmethod
    def draw(self, items: Int[Tensor, " i"], pairs: int) -> Drawn:
        """Some items.

        Arguments:
            items: the distinct items of the batch, rising.
            pairs: how many pairs the batch has.
        """


class CatalogueNegatives(BaseNegatives):
    """All items."""

    def draw(self, items: Int[Tensor, " i"], pairs: int) -> Drawn:
        """Every row; q = 1."""
        n = len(self.counts)
        return Drawn(torch.arange(n, device=items.device), torch.zeros(n, device=items.device))


class UniformNegatives(BaseNegatives):
    """``n`` items, or all where there are no more, each subset alike: q = n / number of items."""

    def draw(self, items: Int[Tensor, " i"], pairs: int) -> Drawn:
        """Rows of a random subset."""
        total = len(self.counts)
        n = min(self.n, total)
        rows = torch.randperm(total, device=items.device)[:n].sort().values
        return Drawn(rows, torch.full((n,), n / total, device=items.device).log())


class PopularNegatives(BaseNegatives):
    """Each item by itself with chance q = min(1, n·p), p ∝ (count + 1)^power: about ``n`` of them.

    The 1 leaves no item without a chance.

    Source: the power after Mikolov et al. 2013, arXiv 1310.4546, §2.2; drawn each by itself (Poisson sampling), so that
    none is drawn twice and the chances are known exactly.
    """

    def __init__(self, counts: Int[Tensor, " n_items"], *, n: int, power: float) -> None:
        super().__init__(counts, n=n, power=power)
        share = (counts.double() + 1) ** power
        self.chance = (n * share / share.sum()).clamp(max=1.0)

    def draw(self, items: Int[Tensor, " i"], pairs: int) -> Drawn:
        """Rows of those that came up; there may be none."""
        rows = (torch.rand_like(self.chance) < self.chance).nonzero()[:, 0]
        return Drawn(rows, self.chance[rows].log().float())


class BatchNegatives(BaseNegatives):
    """The items of the batch's pairs, once each.

    To one pair the batch's others are b − 1 of the other n − 1 training rows, each subset alike, of which an item has
    m: q = 1 − C(n − 1 − m, b − 1) / C(n − 1, b − 1).

    Source: Yi et al. 2019, doi 10.1145/3298689.3346996 (log q of in-batch items), with the chance of drawing without
    replacement.
    """

    def draw(self, items: Int[Tensor, " i"], pairs: int) -> Drawn:
        """The batch's own."""
        others = float(self.counts.sum()) - 1
        without = _log_ways(others - self.counts[items].double(), pairs - 1)
        absent = without - _log_ways(torch.full_like(without, others), pairs - 1)
        q = -torch.expm1(absent)  # 0 in a batch of one pair, whose only item is no candidate
        return Drawn(items, q.clamp(min=torch.finfo(torch.float32).tiny).log().float())


def _log_ways(n: Float[Tensor, " i"], k: int) -> Float[Tensor, " i"]:
    """log C(n, k) + log k!, −inf where k > n."""
    ways = torch.lgamma(n + 1) - torch.lgamma((n - k).clamp(min=0) + 1)
    return ways.masked_fill(n < k, -torch.inf)


KINDS: dict[str, type[BaseNegatives]] = {
    "catalogue": CatalogueNegatives,
    "uniform": UniformNegatives,
    "popular": PopularNegatives,
    "batch": BatchNegatives,
}


def make_negatives(loss: Loss, data: EncodedTables, device: torch.device | str) -> BaseNegatives | None:
    """The sampler that a loss asks for; None where its neck is pointwise and needs none."""
    if not loss.ranking:
        return None
    counts = torch.bincount(torch.as_tensor(data.item), minlength=len(data.items))
    return KINDS[loss.negatives](counts.to(device), n=loss.n_negatives, power=float(loss.power))


class KnownLikes:
    """What each user likes of the training rows: no negatives for them."""

    def __init__(
        self, user: Int[Tensor, " n"], item: Int[Tensor, " n"], liked: Float[Tensor, " n"], *, users: int, items: int
    ) -> None:
        """Arguments:
        user, item, liked: the training rows.
        users, items: how many there are.
        """
        keys = torch.unique((user * items + item)[liked > 0.5])
        offsets = torch.searchsorted(keys, torch.arange(users + 1, device=keys.device) * items)
        nothing = torch.zeros(users, 0, device=keys.device)
        self._likes = Features(nothing, nothing.long(), (Bag(keys % max(1, items), offsets),))

    def among(self, users: Int[Tensor, " u"], candidates: Int[Tensor, " c"]) -> Bool[Tensor, "u c"]:
        """Does each of these users like each of these items (rising rows)?"""
        known = torch.zeros(len(users), len(candidates), dtype=torch.bool, device=users.device)
        if not len(candidates):
            return known
        likes = take(self._likes, users).bags[0]
        place = torch.searchsorted(candidates, likes.values).clamp(max=len(candidates) - 1)
        there = candidates[place] == likes.values
        known[repeat_bags(likes)[there], place[there]] = True
        return known
