"""Histories in order of time, and the stretches of them that a network goes through."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from penchant._spec import History
from penchant.nets.features import repeat_bags
from penchant.nets.history import find_entries

__all__ = ["Ordered", "Segments", "in_order", "places_before", "segments_of", "time_order"]


def time_order(past: History) -> Int[Tensor, " nnz"]:
    """The entries, row after row, the oldest of each first."""
    if not len(past.items):
        return past.items
    span = past.place.max() + 1
    order: Tensor = torch.argsort(repeat_bags(past) * span + past.place)
    return order


class Ordered(NamedTuple):
    """Entries that are read, row after row, the oldest of each first."""

    items: Int[Tensor, " e"]
    """Rows of the catalogue."""
    liked: Float[Tensor, " e"]
    """1 liked, 0 not."""
    gap: Float[Tensor, " e"]
    """Time since the row's entry before; 0 for its first one."""
    offsets: Int[Tensor, " m"]
    """Row j has the entries ``offsets[j]:offsets[j + 1]``."""


def in_order(past: History, dropped: Bool[Tensor, " nnz"] | None) -> Ordered:
    """Histories in order of time, without the entries that are dropped."""
    order, row = time_order(past), repeat_bags(past)
    if dropped is not None:
        order = order[~dropped.index_select(0, order)]
    row = row.index_select(0, order)
    counts = torch.bincount(row, minlength=len(past.offsets) - 1)
    age = past.age.index_select(0, order)
    same = functional.pad(row[1:] == row[:-1], (1, 0)) if len(row) else row.bool()
    gap = torch.where(same, age.roll(1) - age, 0.0).clamp(min=0.0)
    items, liked = past.items.index_select(0, order), past.liked.index_select(0, order)
    return Ordered(items, liked, gap, functional.pad(counts.cumsum(0), (1, 0)))


def places_before(
    past: History, dropped: Bool[Tensor, " nnz"] | None, rows: Int[Tensor, " b"], items: Int[Tensor, " b"], n_items: int
) -> Int[Tensor, " b"]:
    """How many entries that are not dropped came before an item in the history of a row; all, where it is not there."""
    order = time_order(past)
    kept = torch.ones_like(order) if dropped is None else (~dropped.index_select(0, order)).long()
    before = functional.pad(kept.cumsum(0), (1, 0))  # up to each place of the order
    entry, there = find_entries(past, rows, items, n_items)
    end = past.offsets.index_select(0, rows + 1)
    if len(order):
        place = torch.empty_like(order).scatter_(0, order, torch.arange(len(order), device=order.device))
        end = torch.where(there, place.index_select(0, entry), end)
    return before.index_select(0, end) - before.index_select(0, past.offsets.index_select(0, rows))


class Segments(NamedTuple):
    """Stretches of histories, and which of them each of b pairs is read in."""

    start: Int[Tensor, " s"]
    """Where each begins among all entries."""
    length: Int[Tensor, " s"]
    """How many entries it has."""
    segment: Int[Tensor, " b"]
    """The one in which a pair is read."""
    read: Int[Tensor, " b"]
    """How many of its entries the pair sees."""

    def parts(self, cost: Callable[[int], int], most: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Segments of like length together, the longest first: their numbers (p), the pairs that are read in them (q),
        and which of the p each of the q is read in.

        Arguments:
            cost: length of a segment to what it costs.
            most: how much a part may cost, where it has more than one segment.
        """
        order = self.length.argsort(descending=True, stable=True)
        rank = torch.empty_like(order).scatter_(0, order, torch.arange(len(order), device=order.device))
        pairs = rank.index_select(0, self.segment).argsort(stable=True)
        counts = torch.bincount(self.segment, minlength=len(order)).index_select(0, order)
        ends = [0, *counts.cumsum(0).tolist()]
        first = 0
        while first < len(order):
            end = min(len(order), first + max(1, most // cost(int(self.length[order[first]]) + 1)))
            own = pairs[ends[first] : ends[end]]
            yield order[first:end], own, rank.index_select(0, self.segment.index_select(0, own)) - first
            first = end


def segments_of(offsets: Int[Tensor, " m"], rows: Int[Tensor, " b"], read: Int[Tensor, " b"], length: int) -> Segments:
    """Stretches of at most ``length`` entries, such that a pair that sees ``read`` entries of its row has them all in
    its stretch or, of a long history, the latest: at least half of ``length``.

    The stretches of a row end at its end and then every half length before; each is gone through once, whatever the
    number of pairs in it. A pair at the end sees ``length`` entries, as it does when it is served.
    """
    half = max(1, length // 2)
    begin = offsets.index_select(0, rows)
    size = offsets.index_select(0, rows + 1) - begin
    most = (size - length).clamp(min=0).add(half - 1).div(half, rounding_mode="floor")
    back = torch.minimum((size - read).div(half, rounding_mode="floor"), most)
    end = size - back * half
    start = (end - length).clamp(min=0)
    span = int(most.max()) + 1 if len(most) else 1
    keys, segment = torch.unique(rows * span + back, return_inverse=True)
    first = torch.zeros(len(keys), dtype=torch.int64, device=rows.device).scatter_(0, segment, begin + start)
    lengths = torch.zeros_like(first).scatter_(0, segment, end - start)
    return Segments(first, lengths, segment, read - start)
