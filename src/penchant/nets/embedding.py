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

    Codes, tags and the missing places of numbers share one table, whose rows are [embedding | first-order vector]:
    one look-up serves both. Numbers go through `PiecewiseLinear`; binary fields
    and ready vectors through a linear layer. A bag is the mean of its values.

    Shape:  n rows -> inputs (n, width), first-order sum (n, dim).
    """

    scalar_columns: Tensor
    code_rows: Tensor
    missing_rows: Tensor

    def __init__(self, layout: Layout, dim: int, options: EncoderOptions) -> None:
        super().__init__()
        d = options.embedding_dim
        self.d, self.dim, self.wide = d, dim, options.wide
        self._codes, self._bags = layout.of("code"), layout.of("bag")
        dense = layout.of("dense")
        self._scalars = tuple(b for b in dense if _binned(b))
        self._vectors = tuple(b for b in dense if not _binned(b))
        self._place_columns(layout)
        self.out = d + (dim if options.wide else 0)
        self.table = nn.Parameter(torch.zeros(self._place_rows(), self.out))
        nn.init.normal_(self.table[:, :d], std=_DEVIATION)
        self.pieces = PiecewiseLinear(len(self._scalars), options.bins) if options.bins and self._scalars else None
        n_pieces = options.bins or 1
        self.scalars = nn.Parameter(_starting_weights(len(self._scalars), n_pieces, d, self.out))
        self.scalar_bias = nn.Parameter(torch.zeros(len(self._scalars), self.out))
        self.vectors = nn.ParameterList(_starting_weights(1, b.size, d, self.out)[0] for b in self._vectors)
        self.width = d * len(layout.blocks)

    def _place_columns(self, layout: Layout) -> None:
        scalars: list[int] = []
        self._vector_slices: list[slice] = []
        start = 0
        for block in layout.of("dense"):
            if _binned(block):
                scalars.append(start)
            else:
                self._vector_slices.append(slice(start, start + block.size))
            start += block.size
        self.register_buffer("scalar_columns", torch.tensor(scalars, dtype=torch.int64), persistent=False)

    def _place_rows(self) -> int:
        """Where each field's rows begin in the table; returns how many rows there are."""

        def starts(sizes: list[int], first: int) -> tuple[Tensor, int]:
            edges = [first]
            for size in sizes:
                edges.append(edges[-1] + size)
            return torch.tensor(edges[:-1], dtype=torch.int64), edges[-1]

        code_rows, n = starts([b.size for b in self._codes], 0)
        bag_rows, n = starts([b.size for b in self._bags], n)
        self._bag_starts = bag_rows.tolist()
        missing_rows, n = starts([1] * (len(self._scalars) + len(self._vectors)), n)
        self.register_buffer("code_rows", code_rows, persistent=False)
        self.register_buffer("missing_rows", missing_rows, persistent=False)
        return n

    def prepare(self, features: Features) -> None:
        """Put the edges of the bins at quantiles of these rows."""
        if self.pieces is not None:
            self.pieces.fit(features.dense[:, self.scalar_columns])

    def forward(self, features: Features) -> tuple[Float[Tensor, "n width"], Float[Tensor, "n dim"] | None]:
        """Inputs for the deep part, and the sum of the first-order vectors (None without a wide part)."""
        n, parts = len(features.dense), []
        if self._codes:
            parts.append(functional.embedding(features.codes + self.code_rows, self.table))
        if self._scalars or self._vectors:
            parts.append(self._dense(features.dense))
        for start, bag in zip(self._bag_starts, features.bags, strict=True):
            parts.append(
                functional.embedding_bag(bag.values + start, self.table, bag.offsets[:-1], mode="mean")[:, None]
            )
        if not parts:
            return self.table.new_zeros(n, 0), self.table.new_zeros(n, self.dim) if self.wide else None
        every = torch.cat(parts, 1)  # (n, fields, d + dim)
        return every[..., : self.d].reshape(n, -1), every[..., self.d :].sum(1) if self.wide else None

    def _dense(self, dense: Float[Tensor, "n m"]) -> Float[Tensor, "n f out"]:
        """Every dense block as [embedding | first-order vector]; a missing one is its place in the table."""
        parts: list[Tensor] = []
        if self._scalars:
            x = dense[:, self.scalar_columns]
            known = (~x.isnan()).to(x.dtype)[..., None]
            pieces = self.pieces(x) if self.pieces is not None else x.nan_to_num(0.0)[..., None]
            inputs = torch.cat([pieces, known, 1 - known], 2)
            places = self.table[self.missing_rows[: len(self._scalars)]]
            weights = torch.cat([self.scalars, self.scalar_bias[:, None], places[:, None]], 1)
            parts.append(torch.einsum("nfb,fbo->nfo", inputs, weights))
        for j, (columns, weight) in enumerate(zip(self._vector_slices, self.vectors, strict=True), len(self._scalars)):
            x = dense[:, columns]
            missing = x.isnan().any(1, keepdim=True)
            parts.append(torch.where(missing, self.table[self.missing_rows[j]], x.nan_to_num(0.0) @ weight)[:, None])
        return torch.cat(parts, 1)


def _binned(block: Block) -> bool:
    """Is it a number, of which more than the two ends are of interest?"""
    return block.size == 1 and block.likelihood != "binary"


def _starting_weights(n_fields: int, n_inputs: int, d: int, out: int) -> Tensor:
    """Weights (fields, inputs, out): uniform for the embedding, as a linear layer's; zero for the first-order part."""
    weights = torch.zeros(n_fields, n_inputs, out)
    bound = n_inputs**-0.5
    nn.init.uniform_(weights[..., :d], -bound, bound)
    return weights


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
