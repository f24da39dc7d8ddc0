"""An encoder with some fields free: its network, its free parts, and pieces of what they may be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant._spec import Bag, Block, Features
from penchant.errors import ConfigError
from penchant.nets import FieldEmbedding, MLPEncoder, as_tensors, is_plain
from penchant.nets.vertices import Vertices, input_columns, read_offsets, vertices_of, with_field
from penchant.portraits.bounds._crown import SINGLE, InputSets, ReLUNetwork, linear_layers
from penchant.portraits.bounds._parts import Axes, Choice, Part, Path, Tags, as_single
from penchant.portraits.bounds.regions import Freedom, OneOf, Region, SetOf, Within, ends

__all__ = ["Items", "Pieces"]


class Items:
    """All items of a region, as an encoder sees them.

    The *joint* inputs are the deep ones and the first-order sum (n = width + k), which passes the hidden layers by.

    Raises:
        ConfigError: an encoder that cannot be bounded, or a region that does not fit it.
    """

    def __init__(self, encoder: MLPEncoder, region: Region) -> None:
        _check(encoder)
        region.check(encoder.layout)
        self.encoder = encoder
        device = next(encoder.parameters()).device
        row = replace(as_tensors(region.row, device), history=None)
        self.row = replace(row, dense=row.dense.double())
        self.network = _network(encoder)
        blocks = {block.name: block for block in encoder.layout.blocks}
        self.parts: tuple[Part, ...] = tuple(self._part(blocks[name], free) for name, free in region.free.items())
        self.base = self.joint(self.row)[0]
        """Joint inputs where every free field has its base value."""

    @torch.no_grad()
    def joint(self, features: Features) -> Float[Tensor, "p n"]:
        """Joint inputs of rows, in float64."""
        deep, wide = self._read(features)
        return deep.double() if wide is None else torch.cat([deep.double(), wide.double()], 1)

    def values(self, scores: Sequence[Float[Tensor, "p _"]], states: Sequence[Tensor]) -> Features:
        """Rows in which each free field has a value of its largest score, one for each piece."""
        rows = self.row
        for part, own, state in zip(self.parts, scores, states, strict=True):
            rows = with_field(rows, self.encoder.layout, part.block, part.best(own, state))
        return replace(rows, dense=rows.dense.float())

    def rounding(self) -> Float[Tensor, " k"]:
        """How far from the encoder's outputs single precision may be at most, for any item of the region."""
        size = self.base.abs()
        for part in self.parts:
            size = size.index_add(0, part.columns, part.span())
        added, terms = _added(self.encoder, size)
        most = max((len(p.codes) for p in self.parts if isinstance(p, Tags)), default=0)
        here = max((len(bag.values) for bag in self.row.bags), default=0)
        return self.network.rounding(size, (terms + max(most, here)) * SINGLE * (size + added))

    def _read(self, features: Features) -> tuple[Tensor, Tensor | None]:
        """The encoder's fields, in float64 wherever anything is computed: tables are only looked up."""
        fields = self.encoder.fields
        names = {**dict(fields.named_parameters()), **dict(fields.named_buffers())}
        exact = {
            name: tensor.double()
            for name, tensor in names.items()
            if tensor.is_floating_point() and not name.startswith(("code_table", "bag_tables"))
        }
        return torch.func.functional_call(fields, exact, (features,))

    def _part(self, block: Block, freedom: Freedom) -> Part:
        """A free field; its base value goes into the row."""
        found = _narrowed(vertices_of(self.encoder, block), block, freedom)
        self.row = with_field(self.row, self.encoder.layout, block, found.base)
        with torch.no_grad():
            deep, wide = read_offsets(self.encoder, self.row, block, found.values, found.base, self._read)
        own = input_columns(self.encoder)[block.name]
        columns = torch.arange(own.start, own.stop, device=deep.device)
        if wide is not None:
            width = self.encoder.fields.width
            columns = torch.cat([columns, torch.arange(width, width + wide.shape[1], device=deep.device)])
            deep = torch.cat([deep, wide], 1)
        return _make(block, freedom, found, columns, deep.double())


@dataclass(frozen=True, slots=True)
class Pieces(InputSets):
    """p sets of items, as `InputSets`."""

    items: Items
    """What they are pieces of."""
    states: tuple[Tensor, ...]
    """What each free part may be, (p, …) each."""

    @classmethod
    def whole(cls, items: Items) -> "Pieces":
        """The one piece that holds all."""
        return cls(items, tuple(part.start for part in items.parts))

    def __len__(self) -> int:
        return len(self.states[0]) if self.states else 1

    def maximum(self, forms: Float[Tensor, "#p m n"]) -> Float[Tensor, "p m"]:
        """The largest value of each form over each piece; exact, for every field reaches its own."""
        total = (forms @ self.items.base).expand(len(self), -1)
        for part, state in zip(self.items.parts, self.states, strict=True):
            total = total + part.maximum(part.scores(forms), state)
        return total

    def maximum_by_axes(self, forms: Float[Tensor, "1 m n"]) -> Float[Tensor, "p m"]:
        """The same."""
        return self.maximum(forms)

    def best(self, forms: Float[Tensor, "p n"]) -> Features:
        """An item of each piece where its form is largest."""
        scores = [part.scores(forms[:, None])[:, 0] for part in self.items.parts]
        return self.items.values(scores, self.states)

    def single(self) -> Tensor:
        """(p,) which hold one item."""
        one = torch.ones(len(self), dtype=torch.bool, device=self.items.base.device)
        for part, state in zip(self.items.parts, self.states, strict=True):
            one = one & part.single(state)
        return one

    def take(self, rows: Int[Tensor, " q"]) -> "Pieces":
        """Some of them."""
        return Pieces(self.items, tuple(state[rows] for state in self.states))

    def and_more(self, more: "Pieces") -> "Pieces":
        """These and others."""
        return Pieces(self.items, tuple(torch.cat(both) for both in zip(self.states, more.states, strict=True)))

    def halves(self, forms: Float[Tensor, "p n"]) -> "Pieces":
        """Two pieces for each (none single), first halves before second ones, of the field that moves its form most."""
        scores = [part.scores(forms[:, None]) for part in self.items.parts]
        moved = [
            (p.maximum(own, state) + p.maximum(-own, state))[:, 0].masked_fill(p.single(state), -1.0)
            for p, own, state in zip(self.items.parts, scores, self.states, strict=True)
        ]
        chosen = torch.stack(moved, 1).argmax(1)
        states: list[Tensor] = []
        for number, (part, own, state) in enumerate(zip(self.items.parts, scores, self.states, strict=True)):
            first, second = state.clone(), state.clone()
            rows = (chosen == number).nonzero()[:, 0]
            if len(rows):
                first[rows], second[rows] = part.halves(own[rows, 0], state[rows])
            states.append(torch.cat([first, second]))
        return Pieces(self.items, tuple(states))


def _check(encoder: MLPEncoder) -> None:
    if encoder.training:
        raise ConfigError("the encoder is in training mode, where dropout makes it another one each time: call eval()")
    if encoder.context_layout is not None or encoder.catalogue is not None:
        raise ConfigError("an encoder of items expected, this one reads situations or histories")
    if not is_plain(encoder):  # what another one adds would be missing in the bounds
        raise ConfigError(f"an MLPEncoder expected: nothing can be proved of a {type(encoder).__name__}")


def _network(encoder: MLPEncoder) -> ReLUNetwork:
    """The network after the fields, on joint inputs: the first-order sum enters as it leaves."""
    layers = linear_layers([encoder.first, *encoder.rest], "encoder")
    weights = [layer.weight.detach().double() for layer in layers]
    skip = None
    if isinstance(encoder.fields, FieldEmbedding) and encoder.fields.wide:
        k, width = encoder.dim, encoder.fields.width
        weights[0] = torch.cat([weights[0], weights[0].new_zeros(len(weights[0]), k)], 1)
        skip = torch.cat([weights[0].new_zeros(k, width), torch.eye(k).to(weights[0])], 1)
    return ReLUNetwork(tuple(weights), tuple(layer.bias.detach().double() for layer in layers), skip)


def _narrowed(found: Vertices, block: Block, freedom: Freedom) -> Vertices:
    """The vertices of a field that may not be everything: the values that it may have."""
    device = found.base.values.device if isinstance(found.base, Bag) else found.base.device
    if isinstance(freedom, OneOf):
        kind = torch.int64 if block.form == "code" else torch.float64
        values = torch.tensor(freedom.values, dtype=kind, device=device)
        values = values if block.form == "code" else as_single(values)[:, None]
        return Vertices(values, values[:1], "choice")
    if isinstance(freedom, SetOf):
        codes = torch.tensor((*freedom.always, *freedom.codes), dtype=torch.int64, device=device)
        return replace(found, values=Bag(codes, torch.arange(len(codes) + 1, device=device)))
    return found


def _make(block: Block, freedom: Freedom, found: Vertices, columns: Tensor, offsets: Tensor) -> Part:
    values = found.values
    if isinstance(freedom, SetOf):
        assert isinstance(values, Bag), "SetOf goes with bags"
        state = torch.ones(len(values.values), dtype=torch.int64, device=offsets.device)
        state[: len(freedom.always)] = 2
        sizes = (freedom.least, len(state) if freedom.most is None else freedom.most)
        return Tags(block, columns, offsets, values.values, state, sizes, mean=found.form == "mean")
    assert isinstance(values, Tensor), "bags go with SetOf"
    if isinstance(freedom, Within):
        low, high = ends(freedom, block.size)
        if found.form == "path":
            return Path(block, columns, offsets, values[:, 0].double(), low[0], high[0])
        axes = torch.tensor([low, high], dtype=torch.float64, device=offsets.device)
        return Axes(block, columns, offsets, axes[0], axes[1])
    return Choice(block, columns, offsets, values)


def _added(encoder: MLPEncoder, size: Float[Tensor, " n"]) -> tuple[Float[Tensor, " n"], int]:
    """What fields add up on the way to each joint input, in absolute terms, and of how many terms; codes: nothing."""
    added, fields, layout = torch.zeros_like(size), encoder.fields, encoder.layout
    if not isinstance(fields, FieldEmbedding):
        return added, 1
    numbers = [b for b in layout.of("dense") if b.size == 1 and b.likelihood != "binary"]
    vectors = [b for b in layout.of("dense") if b not in numbers]
    tables: dict[str, Tensor] = {b.name: w.abs().sum(0) for b, w in zip(vectors, fields.vectors, strict=True)}
    tables |= {b.name: w.abs().amax(0) for b, w in zip(layout.of("bag"), fields.bag_tables, strict=True)}
    if fields.scalars is not None:
        tables |= {b.name: w for b, w in zip(numbers, fields.scalars.abs().sum(1), strict=True)}
    columns = input_columns(encoder)
    for name, sums in tables.items():
        added[columns[name]] += sums[: fields.d].detach()
        if fields.wide:
            added[fields.width :] += sums[fields.d :].detach()
    bins = 0 if fields.pieces is None else fields.pieces.edges.shape[1]
    return added, len(layout.blocks) + max([bins, *(b.size for b in vectors)]) + 4
