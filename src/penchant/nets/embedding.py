"""Fields to the inputs of an encoder: learned vectors per value, or the scaled features alone."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from penchant._spec import Block, Features, Layout
from penchant.nets.base import EncoderOptions
from penchant.nets.features import vectorise

__all__ = ["FieldEmbedding", "FieldVector", "PiecewiseLinear"]

_DEVIATION = 0.1
"""Initial standard deviation of embeddings: .1 was measured better than .02 (docs/theory, section on training)."""


class PiecewiseLinear(nn.Module):
    """Numbers in [0, 1] as piecewise-linear coordinates between fixed edges.

        x -> (clip((x - e_t) / (e_{t+1} - e_t), 0, 1))_t        t = 0 … bins-1

    A linear layer on top draws any broken line through the edges. The edges lie at quantiles of the training rows.

    Shape:  x (n, f) -> (n, f, bins). NaN gives zeros.
    Source: Gorishniy, Rubachev, Babenko 2022, arXiv 2203.05556, section 3.2.
    """

    edges: Tensor

    def __init__(self, n_fields: int, bins: int) -> None:
        super().__init__()
        self.register_buffer("edges", torch.linspace(0, 1, bins + 1).repeat(n_fields, 1))

    def fit(self, x: Float[Tensor, "n f"]) -> None:
        """Put the edges at quantiles of the columns of ``x`` (at most 100,000 evenly spaced rows are looked at)."""
        x = x[:: max(1, len(x) // 100_000)]
        levels = torch.linspace(0, 1, self.edges.shape[1], dtype=torch.float64)
        for field, column in enumerate(x.double().unbind(1)):
            known = column[~column.isnan()]
            if len(known):
                self.edges[field] = torch.quantile(known, levels.to(known.device)).float()

    def forward(self, x: Float[Tensor, "n f"]) -> Float[Tensor, "n f bins"]:
        """The coordinates of each number."""
        low, high = self.edges[:, :-1], self.edges[:, 1:]
        width = (high - low).clamp(min=1e-6)  # equal quantiles: a step
        return ((x[..., None] - low) / width).clamp(0, 1).nan_to_num(0.0)


class FieldEmbedding(nn.Module):
    """A learned vector per value, and a first-order vector per value (the wide part).

    Every row of a table is [embedding | first-order vector], so that one look-up serves both. Codes share one table and
    each bag has its own, of which it takes the mean. Numbers go through `PiecewiseLinear`, binary fields and ready
    vectors through a linear layer, each with a place for a missing value.

    Shape:  n rows -> inputs (n, width), first-order sum (n, dim).
    """

    scalar_columns: Tensor
    code_starts: Tensor

    def __init__(self, layout: Layout, dim: int, options: EncoderOptions) -> None:
        super().__init__()
        d = options.embedding_dim
        self.layout, self.d, self.dim, self.wide = layout, d, dim, options.wide
        self.out = d + (dim if options.wide else 0)
        dense, codes = layout.of("dense"), layout.of("code")
        self._scalars = tuple(b for b in dense if _binned(b))
        self._place_columns(dense)
        starts = torch.tensor([0, *(b.size for b in codes)]).cumsum(0)
        self.register_buffer("code_starts", starts[:-1], persistent=False)
        self.code_table = self._table(int(starts[-1])) if codes else None
        self.bag_tables = nn.ParameterList(self._table(b.size) for b in layout.of("bag"))
        self.pieces = PiecewiseLinear(len(self._scalars), options.bins) if options.bins and self._scalars else None
        self.scalars = self._weights(len(self._scalars), options.bins or 1, places=2) if self._scalars else None
        vectors = [b.size for b in dense if not _binned(b)]
        self.vectors = nn.ParameterList(nn.Parameter(self._weights(1, size, places=1)[0].data) for size in vectors)
        self.width = d * len(layout.blocks)

    def _table(self, n: int) -> nn.Parameter:
        """Rows of values: a little noise for the embedding, zero for the first-order part."""
        table = torch.zeros(n, self.out)
        nn.init.normal_(table[:, : self.d], std=_DEVIATION)
        return nn.Parameter(table)

    def _weights(self, n_fields: int, n_inputs: int, *, places: int) -> nn.Parameter:
        """Weights (fields, inputs + places, out): uniform as a linear layer's; a bias; what is missing."""
        weights = torch.zeros(n_fields, n_inputs + places, self.out)
        bound = n_inputs**-0.5
        nn.init.uniform_(weights[:, :n_inputs, : self.d], -bound, bound)
        nn.init.normal_(weights[:, -1, : self.d], std=_DEVIATION)
        return nn.Parameter(weights)

    def _place_columns(self, dense: tuple[Block, ...]) -> None:
        scalars: list[int] = []
        self._vector_slices: list[slice] = []
        start = 0
        for block in dense:
            if _binned(block):
                scalars.append(start)
            else:
                self._vector_slices.append(slice(start, start + block.size))
            start += block.size
        self.register_buffer("scalar_columns", torch.tensor(scalars, dtype=torch.int64), persistent=False)

    def prepare(self, features: Features) -> None:
        """Put the edges of the bins at quantiles of these rows."""
        if self.pieces is not None:
            self.pieces.fit(features.dense[:, self.scalar_columns])

    def forward(self, features: Features) -> tuple[Float[Tensor, "n width"], Float[Tensor, "n dim"] | None]:
        """Inputs for the deep part, and the sum of the first-order vectors (None without a wide part)."""
        n, parts = len(features.dense), []
        if self.code_table is not None:
            parts.append(functional.embedding(features.codes + self.code_starts, self.code_table))
        if self.scalars is not None:
            parts.append(self._read_scalars(features.dense[:, self.scalar_columns], self.scalars))
        for columns, weights in zip(self._vector_slices, self.vectors, strict=True):
            parts.append(_read_vector(features.dense[:, columns], weights)[:, None])
        for bag, table in zip(features.bags, self.bag_tables, strict=True):
            parts.append(functional.embedding_bag(bag.values, table, bag.offsets[:-1], mode="mean")[:, None])
        if not parts:
            return features.dense.new_zeros(n, 0), features.dense.new_zeros(n, self.dim) if self.wide else None
        every = torch.cat(parts, 1)  # (n, fields, d + dim)
        return every[..., : self.d].reshape(n, -1), every[..., self.d :].sum(1) if self.wide else None

    def _read_scalars(self, x: Float[Tensor, "n f"], weights: Float[Tensor, "f i out"]) -> Float[Tensor, "n f out"]:
        """Numbers: their pieces and a bias, or the missing place."""
        known = (~x.isnan()).to(x.dtype)[..., None]
        pieces = self.pieces(x) if self.pieces is not None else x.nan_to_num(0.0)[..., None]
        inputs = torch.cat([pieces, known, 1 - known], 2)
        return torch.bmm(inputs.transpose(0, 1), weights).transpose(0, 1)


def _read_vector(x: Float[Tensor, "n m"], weights: Float[Tensor, "m+1 out"]) -> Float[Tensor, "n out"]:
    """A ready vector or a binary value through a linear layer; the last row of weights where any of it is missing."""
    missing = x.isnan().any(1, keepdim=True)
    return torch.cat([x.masked_fill(missing, 0.0), missing.to(x.dtype)], 1) @ weights


def _binned(block: Block) -> bool:
    """Is it a number, of which more than the two ends are of interest?"""
    return block.size == 1 and block.likelihood != "binary"


class FieldVector(nn.Module):
    """The scaled features alone: the portrait vector, with a learned place for each missing coordinate.

    Shape:  n rows -> (n, width), no first-order part.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.width = layout.width
        self.missing = nn.Parameter(torch.full((layout.width,), 0.5))

    def prepare(self, features: Features) -> None:
        """Nothing is fitted here."""

    def forward(self, features: Features) -> tuple[Float[Tensor, "n width"], None]:
        """The portrait vectors, without NaN."""
        vector = vectorise(features, self.layout)
        return torch.where(vector.isnan(), self.missing, vector), None
