"""What a single field can give to an encoder: finitely many vertices whose combinations hold all of its inputs.

| field | its inputs (deep and first-order together) |
|---|---|
| code | one of the rows of its codes |
| bag, embedding | a mean of rows of its codes; nothing where it is empty |
| bag, vector | a sum of them |
| number | a point of a broken line through the rows of its knots |
| ready vector | what all coordinates at 0 give, and a share in [0, 1] of what each one adds |
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from penchant._spec import FIRST, Bag, Block, Features, Layout
from penchant.errors import ConfigError
from penchant.nets.embedding import FieldEmbedding
from penchant.nets.features import take
from penchant.nets.mlp import MLPEncoder

__all__ = ["Read", "Vertices", "columns_of", "input_columns", "read_offsets", "vertices_of", "with_field"]

Read = Callable[[Features], tuple[Float[Tensor, "n width"], Float[Tensor, "n k"] | None]]
"""Rows to an encoder's deep inputs and their first-order sum: ``encoder.fields``, or the same in float64."""

_AT_ONCE = 4096
"""Values read at a time."""

_STEP = 1e-6
"""Width of a step of `PiecewiseLinear`, where two of its edges are equal."""


@dataclass(frozen=True, slots=True)
class Vertices:
    """A field's values and how they combine."""

    values: Tensor | Bag
    """(v) codes, (v, size) numbers in [0, 1], or v bags; what the offsets belong to."""
    base: Tensor | Bag
    """One value, from which offsets are counted."""
    form: Literal["choice", "mean", "sum", "path", "axes"]
    """choice: one of them. mean, sum: of any set of them. path: any point between neighbours. axes: a share of each."""


def vertices_of(encoder: MLPEncoder, block: Block) -> Vertices:
    """The vertices of one of an encoder's fields: all its known values, not the places for unseen and missing ones.

    Raises:
        ConfigError: a field without known values.
    """
    if block.form != "dense" and block.size <= FIRST:
        raise ConfigError(f"{block.name}: the training rows have no value of it, so there is none to choose from")
    device = next(encoder.parameters()).device
    if block.form != "dense":
        return _vertices_of_codes(torch.arange(FIRST, block.size, device=device), encoder, block)
    if block.size > 1:
        return Vertices(torch.eye(block.size, device=device), torch.zeros(1, block.size, device=device), "axes")
    if block.likelihood == "binary":
        ends = torch.tensor([[0.0], [1.0]], device=device)
        return Vertices(ends, ends[:1], "choice")
    knots = _knots(encoder, block).to(device)[:, None]
    return Vertices(knots, knots[:1], "path")


def _vertices_of_codes(codes: Int[Tensor, " v"], encoder: MLPEncoder, block: Block) -> Vertices:
    if block.form == "code":
        return Vertices(codes, codes[:1], "choice")
    one_each = Bag(codes, torch.arange(len(codes) + 1, device=codes.device))
    none = Bag(codes[:0], torch.zeros(2, dtype=torch.int64, device=codes.device))
    return Vertices(one_each, none, "mean" if isinstance(encoder.fields, FieldEmbedding) else "sum")


def _knots(encoder: MLPEncoder, block: Block) -> Float[Tensor, " v"]:
    """Rising places in [0, 1], in float64, between which what a number gives is linear."""
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    fields = encoder.fields
    if not isinstance(fields, FieldEmbedding) or fields.pieces is None:
        return ends
    number = fields.scalar_columns.tolist().index(_dense_columns(encoder.layout, block).start)
    edges = fields.pieces.edges[number].double().cpu()
    steps = edges[:-1][edges.diff() < _STEP] + _STEP
    return torch.cat([ends, edges, steps]).clamp(0, 1).unique()


def input_columns(encoder: MLPEncoder) -> dict[str, slice]:
    """The columns of the deep inputs that each field fills; none for ids where inputs = "vector"."""
    return columns_of(encoder.layout, encoder.fields)


def columns_of(layout: Layout, fields: nn.Module) -> dict[str, slice]:
    """The columns of what fields become (`FieldEmbedding` or `FieldVector`) that each of them fills."""
    if not isinstance(fields, FieldEmbedding):
        places = {block.name: place for block, place in layout.places()}
        return {block.name: places.get(block.name, slice(0, 0)) for block in layout.blocks}
    binned = set(fields.scalar_columns.tolist())
    dense = layout.of("dense")
    numbers = [b for b in dense if _dense_columns(layout, b).start in binned]
    order = [*layout.of("code"), *numbers, *(b for b in dense if b not in numbers), *layout.of("bag")]
    return {block.name: slice(j * fields.d, (j + 1) * fields.d) for j, block in enumerate(order)}


def with_field(features: Features, layout: Layout, block: Block, values: Tensor | Bag) -> Features:
    """Rows with another value of one field: row j has value j.

    One row is repeated for all values, one value for all rows.
    """
    n = len(values.offsets) - 1 if isinstance(values, Bag) else len(values)
    if len(features) != n:
        where = torch.zeros(max(n, len(features)), dtype=torch.int64, device=features.codes.device)
        if n == 1:
            values = _repeated(values, where)
        else:
            features = take(features, where)
    if isinstance(values, Bag):
        place = layout.of("bag").index(block)
        return replace(features, bags=(*features.bags[:place], values, *features.bags[place + 1 :]))
    if block.form == "code":
        codes = features.codes.clone()
        codes[:, layout.of("code").index(block)] = values
        return replace(features, codes=codes)
    dense = features.dense.clone()
    dense[:, _dense_columns(layout, block)] = values.to(dense.dtype)
    return replace(features, dense=dense)


def _repeated(values: Tensor | Bag, where: Tensor) -> Tensor | Bag:
    if not isinstance(values, Bag):
        return values.index_select(0, where)
    offsets = torch.arange(len(where) + 1, device=where.device) * len(values.values)
    return Bag(values.values.repeat(len(where)), offsets)


def _dense_columns(layout: Layout, block: Block) -> slice:
    start = 0
    for other in layout.of("dense"):
        if other.name == block.name:
            return slice(start, start + block.size)
        start += other.size
    raise KeyError(block.name)


def read_offsets(
    encoder: MLPEncoder, row: Features, block: Block, values: Tensor | Bag, base: Tensor | Bag, read: Read
) -> tuple[Float[Tensor, "v d"], Float[Tensor, "v k"] | None]:
    """What values of a field add to the deep inputs (its own columns) and to the first-order sum, against a base value.

    Arguments:
        row: one row; the other fields' values do not matter.
        read: what reads rows, in the precision in which they are given.
    """
    columns = input_columns(encoder)[block.name]
    first, first_wide = read(with_field(row, encoder.layout, block, base))
    n = len(values.offsets) - 1 if isinstance(values, Bag) else len(values)
    deep, wide = [first[:0, columns]], []
    for start in range(0, n, _AT_ONCE):
        part = _part(values, start, min(n, start + _AT_ONCE))
        inputs, sums = read(with_field(row, encoder.layout, block, part))
        deep.append(inputs[:, columns] - first[:, columns])
        if sums is not None and first_wide is not None:
            wide.append(sums - first_wide)
    return torch.cat(deep), torch.cat(wide) if wide else None


def _part(values: Tensor | Bag, start: int, end: int) -> Tensor | Bag:
    if not isinstance(values, Bag):
        return values[start:end]
    offsets = values.offsets[start : end + 1]
    return Bag(values.values[offsets[0] : offsets[-1]], offsets - offsets[0])
