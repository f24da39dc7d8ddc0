"""Fields whose values count together: a first-order vector for each combination, found by a hash."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from penchant._spec import Bag, Block, Features, Layout
from penchant.errors import ConfigError

__all__ = ["Crosses", "crossable"]

_PRIME = 2**31 - 1
_STEP, _START = 1_103_515_245, 12_345
"""Multiplier and increment of the hash; with a code below the prime no product leaves 64 bits."""
_BINS = 10
"""Pieces of a number, at quantiles of the training rows."""


def crossable(layout: Layout) -> list[str]:
    """Names of the fields that can be crossed: all but ready vectors."""
    return [block.name for block in layout.blocks if block.form != "dense" or block.size == 1]


class Crosses(nn.Module):
    """The sum of a vector for each cross of fields.

        Σ_c  mean over the combinations (v_1 … v_f) that a row has of  t_c[hash(v_1 … v_f) mod buckets]

    A field that is a bag gives as many combinations as it has values, an empty one none. Numbers are cut at ten
    quantiles of the training rows, and a missing value is a value of its own. The hash is a polynomial modulo a prime;
    combinations that share a bucket share a vector. Vectors start at 0.

    Shape:  n rows -> (n, dim).
    Raises: ConfigError: a name that is no field of the layout, or of a ready vector.
    Source: Cheng et al. 2016, arXiv 1606.07792 (cross-product transformations); Weinberger et al. 2009, arXiv 0902.2206
        (hashing); Carter, Wegman 1979, doi 10.1016/0022-0000(79)90044-8.
    """

    edges: Tensor

    def __init__(self, layout: Layout, dim: int, crosses: Sequence[Sequence[str]], buckets: int) -> None:
        super().__init__()
        known = crossable(layout)
        for name in (name for names in crosses for name in names if name not in known):
            raise ConfigError(f"encoder.crosses: {name!r} cannot be crossed here: one of {', '.join(known)} expected")
        blocks = {block.name: block for block in layout.blocks}
        self.crosses = [tuple(blocks[name] for name in names) for names in crosses]
        self.layout, self.buckets = layout, buckets
        scalars = [block for block in layout.of("dense") if block.size == 1]
        self.register_buffer("edges", torch.linspace(0, 1, _BINS + 1)[1:-1].repeat(len(scalars), 1))
        self._edges_of = {block.name: row for row, block in enumerate(scalars)}
        self.table = nn.Parameter(torch.zeros(len(crosses) * buckets, dim))

    def prepare(self, features: Features) -> None:
        """Put the cuts of the numbers at quantiles of these rows."""
        levels = torch.linspace(0, 1, _BINS + 1, dtype=torch.float64)[1:-1]
        for name, row in self._edges_of.items():
            column = self._numbers(features, name)
            known = column[~column.isnan()].double()[: 1 << 20]
            if len(known):
                self.edges[row] = torch.quantile(known, levels.to(known.device)).float()

    def forward(self, features: Features) -> Float[Tensor, "n dim"]:
        """The sums of the vectors of each row's combinations."""
        total = self.table.new_zeros(len(features.codes), self.table.shape[1])
        for number, blocks in enumerate(self.crosses):
            combined = self._combined(features, blocks)
            bucket = combined.values % self.buckets + number * self.buckets
            total = total + functional.embedding_bag(bucket, self.table, combined.offsets[:-1], mode="mean")
        return total

    def _combined(self, features: Features, blocks: Sequence[Block]) -> Bag:
        """A hash for each combination of values."""
        n = len(features.codes)
        one_each = torch.arange(n + 1, device=features.codes.device)
        found = Bag(torch.full((n,), _START, device=one_each.device), one_each)
        for block in blocks:
            found = _product(found, self._codes(features, block))
        return found

    def _codes(self, features: Features, block: Block) -> Bag:
        """A field's values as bags of codes."""
        if block.form == "bag":
            bag: Bag = features.bags[self.layout.of("bag").index(block)]
            return bag
        if block.form == "code":
            codes = features.codes[:, self.layout.of("code").index(block)]
        else:
            numbers = self._numbers(features, block.name).contiguous()
            codes = torch.bucketize(numbers, self.edges[self._edges_of[block.name]], right=True)
            codes = codes.masked_fill(numbers.isnan(), _BINS)
        return Bag(codes, torch.arange(len(codes) + 1, device=codes.device))

    def _numbers(self, features: Features, name: str) -> Float[Tensor, " n"]:
        start = 0
        for block in self.layout.of("dense"):
            if block.name == name:
                break
            start += block.size
        column: Tensor = features.dense[:, start]
        return column


def _product(left: Bag, right: Bag) -> Bag:
    """Each row's hashes with each of its codes."""
    there, more = left.offsets.diff(), right.offsets.diff()
    rows = torch.repeat_interleave(torch.arange(len(there), device=there.device), there)
    times = more.index_select(0, rows)
    first = torch.repeat_interleave(left.values, times)
    ends = times.cumsum(0)
    turn = torch.arange(len(first), device=first.device) - torch.repeat_interleave(ends - times, times)
    start = right.offsets[:-1].index_select(0, rows)
    codes = right.values.index_select(0, torch.repeat_interleave(start, times) + turn)
    return Bag(_mixed(first, codes), functional.pad((there * more).cumsum(0), (1, 0)))


def _mixed(hashes: Int[Tensor, " n"], codes: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """One more code into each hash, in [0, 2^31 − 1)."""
    return (hashes * _STEP + codes % _PRIME + 1) % _PRIME
