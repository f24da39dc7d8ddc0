"""A user's earlier items as a bag of which each pair sees what came before it."""

from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from penchant._spec import History
from penchant.nets._segments import places_before, time_order
from penchant.nets.base import EncoderOptions
from penchant.nets.features import repeat_bags
from penchant.nets.history import HistoryBag, Sums, find_entries

__all__ = ["CausalBag"]

_AT_ONCE = 1 << 25
"""Numbers of running sums held at a time: 128 MiB, twice that in double precision."""


class CausalBag(HistoryBag):
    """A bag of what came before a pair, of all for who is served: `HistoryBag` with sums in order of time.

    Without a half-life, sums up to each entry are made once for all pairs, in double precision, so that their
    differences are exact enough. With one, an entry counts 2^(−gap / half-life), gap: the time from it to the pair:

        S_e = 2^((age_e − age_{e−1}) / half-life) · S_{e−1} + x_e            the sum before a pair fades as long again

    which is made by doubling: after step i, each S holds the latest 2^i entries. Nothing is subtracted, so that nothing
    is lost where a history spans thousands of half-lives.

    Source of the doubling: Hillis, Steele 1986, doi 10.1145/7902.7903.
    """

    def __init__(
        self, n_items: int, n_features: int, dim: int, options: EncoderOptions, half_life: float | int | None = None
    ) -> None:
        super().__init__(n_items, n_features, dim, options)
        self.half_life = half_life

    def _later(self, sums: Sums, since: Float[Tensor, " b"] | None) -> Sums:
        if since is None or self.half_life is None:
            return sums
        left = torch.exp2(-since / self.half_life)[:, None]
        return Sums(*(left * part for part in sums))

    def _left_out(
        self,
        past: History,
        weight: Float[Tensor, " nnz"],
        rows: Int[Tensor, " b"],
        left_out: Int[Tensor, " b"],
        since: Float[Tensor, " b"] | None,
    ) -> Sums:
        """The sums over the entries before each pair's item, so many rows at a time as memory has room for."""
        order, m = time_order(past), self.catalogue.shape[1]
        sizes = [self.table.shape[1], 2 * m, 2]
        first = past.offsets.index_select(0, rows)
        read = first + places_before(past, None, rows, left_out, self.n_items)
        now = self._ages(past, rows, left_out, since)
        part = past.offsets[1:] * sum(sizes) // _AT_ONCE
        ends = [0, *torch.unique_consecutive(part, return_counts=True)[1].cumsum(0).tolist()]
        sums, where = [self.table.new_zeros(0, sum(sizes))], [rows[:0]]
        for start, end in pairwise(ends):
            low, high = int(past.offsets[start]), int(past.offsets[end])
            pairs = ((rows >= start) & (rows < end)).nonzero()[:, 0]
            last, before = (places.index_select(0, pairs) - low for places in (read, first))
            entries = order[low:high]
            each = self._each(past, weight, entries)
            if self.half_life is None:
                running = functional.pad(each.double().cumsum(0), (0, 0, 1, 0))
                between = running.index_select(0, last) - running.index_select(0, before)
            else:
                row = repeat_bags(past).index_select(0, entries)
                age = past.age.index_select(0, entries)
                between = self._before(self._fading(each, age, row), age, last, before, now.index_select(0, pairs))
            sums.append(between.to(weight.dtype))
            where.append(pairs)
        return Sums(*torch.cat(sums).index_select(0, torch.cat(where).argsort()).split(sizes, 1))

    def _ages(
        self, past: History, rows: Int[Tensor, " b"], left_out: Int[Tensor, " b"], since: Float[Tensor, " b"] | None
    ) -> Float[Tensor, " b"]:
        """Time from each pair to its user's latest entry; below 0 for what is later than that."""
        later = past.age.new_zeros(len(rows)) if since is None else -since
        if not len(past.items):
            return later
        entry, there = find_entries(past, rows, left_out, self.n_items)
        return torch.where(there, past.age.index_select(0, entry), later)

    def _each(self, past: History, weight: Float[Tensor, " nnz"], entries: Int[Tensor, " e"]) -> Float[Tensor, "e out"]:
        """What some entries add; with a half-life before anything has faded."""
        items, liked, each = (part.index_select(0, entries) for part in (past.items, past.liked, weight))
        if self.half_life is not None:
            each = (each > 0).to(each.dtype)
        signs = torch.stack([liked * each, (1 - liked) * each], 1)
        z = functional.embedding(items, self.catalogue)
        own = functional.embedding(self._places(items, liked), self.table) * each[:, None]
        return torch.cat([own, signs[:, :1] * z, signs[:, 1:] * z, signs], 1)

    def _fading(
        self, each: Float[Tensor, "e out"], age: Float[Tensor, " e"], row: Int[Tensor, " e"]
    ) -> Float[Tensor, "e out"]:
        """Sums up to each entry of a row, as they count at its time."""
        step, longest = 1, int(torch.unique_consecutive(row, return_counts=True)[1].max()) if len(row) else 0
        while step < longest:
            left = self._left(age[:-step] - age[step:]) * (row[:-step] == row[step:])
            each = torch.cat([each[:step], each[step:] + left[:, None] * each[:-step]])
            step *= 2
        return each

    def _before(
        self,
        sums: Float[Tensor, "e out"],
        age: Float[Tensor, " e"],
        last: Int[Tensor, " p"],
        before: Int[Tensor, " p"],
        now: Float[Tensor, " p"],
    ) -> Float[Tensor, "p out"]:
        """The sums up to the last entry before each pair, as they count at the pair's time; 0 where there is none."""
        if not len(age):
            return sums.new_zeros(len(last), sums.shape[1])
        entry = (last - 1).clamp(min=0)
        left = self._left(age.index_select(0, entry) - now) * (last > before)
        return left[:, None] * functional.embedding(entry, sums)

    def _left(self, time: Float[Tensor, " e"]) -> Float[Tensor, " e"]:
        """What is left after a time; after none, or where it is not known, all."""
        return torch.exp2(-time.clamp(min=0) / (self.half_life or 1))
