"""Networks over a layout that has grown: what was learned stays, what is new starts where nobody is moved.

Let the new layout have the old one's values at the same codes and coordinates, and more after them
(`penchant.tables.Kind.extended`), and the catalogue the old items in the same rows. Then, before the first step,

    e_new(x) = e_old(x)        for every row x of values that were known, and for new values of ids and categories
    v̂_new(e)_j = v̂_old(e)_j    for every coordinate j that there was

as the vector of a new value is that of the unseen place, which stood for it so far, as old items are 0 along new
coordinates of their standardised features, and as scaled features have no weight there yet. (A cross is another one
with a new value.) Items that are new in histories, and new coordinates of a decoder, start as in a fresh network.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from penchant._spec import UNSEEN, Layout
from penchant.nets.base import BaseEncoder
from penchant.nets.embedding import FieldEmbedding, FieldVector
from penchant.nets.history import HistoryBag, standardised
from penchant.nets.mlp import MLPDecoder, MLPEncoder
from penchant.nets.sequence import HistorySequence
from penchant.nets.vertices import columns_of

__all__ = ["Grown", "grow_decoder", "grow_encoder"]

Places = Int[Tensor, "_"]
"""Where each row or column of an old tensor stands in the new one."""
Moved = dict[str, tuple[Places | None, ...]]
"""Tensors by name of which some axes did not only grow at their end; None: an axis that did."""


class Grown(NamedTuple):
    """A layout, and what it was."""

    new: Layout
    old: Layout

    @property
    def coordinates(self) -> Places:
        """Of portrait vectors."""
        starts = {block.name: place.start for block, place in self.new.places()}
        return _joined(starts[block.name] + torch.arange(block.width) for block, _ in self.old.places())


@torch.no_grad()
def grow_encoder(
    new: BaseEncoder, old: BaseEncoder, items: Grown, catalogue: Float[Tensor, "n_items m"] | None = None
) -> None:
    """Put what ``old`` has learned into ``new``, an encoder of the same options over a grown layout.

    Arguments:
        new: as built and prepared; changed in place.
        items: the layout of the items, of which histories are made.
        catalogue: portrait vectors of all items, the old ones first, where users have histories.
    """
    moved: Moved = {}
    for name, part in new.named_modules():
        before = old.get_submodule(name)
        if isinstance(part, FieldEmbedding) and isinstance(before, FieldEmbedding):
            moved |= {f"{name}.{own}": axes for own, axes in _embedded(part, before)}
        elif isinstance(part, HistoryBag) and isinstance(before, HistoryBag):
            halves = _joined([torch.arange(before.n_items), part.n_items + torch.arange(before.n_items)])
            moved |= {f"{name}.table": (halves, None), f"{name}.linear.weight": (None, _facts(items))}
        elif isinstance(part, HistorySequence):
            moved[f"{name}.features.weight"] = (None, items.coordinates)
    if isinstance(new, MLPEncoder) and isinstance(old, MLPEncoder):
        moved |= dict(_inputs(new, old, items))
    _copy(new, old, moved)
    for name, part in new.named_modules():
        if isinstance(part, HistoryBag | HistorySequence) and "catalogue" in dict(part.named_buffers()):
            before = old.get_submodule(name)
            assert isinstance(before, HistoryBag | HistorySequence), "of the same options"
            assert catalogue is not None, "histories have a catalogue"
            part.catalogue.copy_(standardised(catalogue, before.n_items))


@torch.no_grad()
def grow_decoder(new: MLPDecoder, old: MLPDecoder, side: Grown) -> None:
    """Put what ``old`` has learned into ``new``, a decoder of the same options with more coordinates.

    Arguments:
        new: as built and prepared (`MLPDecoder.prepare`): at the centre, new coordinates start at their mean.
        side: the layout of what is decoded.
    """
    rows, last = side.coordinates, f"layers.{len(new.layers) - 1}"
    _copy(new, old, {f"{last}.weight": (rows, None), f"{last}.bias": (rows,), "linear.weight": (rows, None)})


def _copy(new: nn.Module, old: nn.Module, moved: Moved) -> None:
    """Each tensor of the old module into its place in the new one: the first rows and columns, unless it is told."""
    targets = new.state_dict()
    for name, value in old.state_dict().items():
        target, axes = targets[name], moved.get(name, ())
        places = [torch.arange(n) if axis is None else axis for n, axis in zip_longest(value.shape, axes)]
        if not places:
            target.copy_(value)
            continue
        target[torch.meshgrid(*(place.to(target.device) for place in places), indexing="ij")] = value.to(target.device)


def _joined(parts: Iterator[Places] | list[Places]) -> Places:
    return torch.cat([torch.zeros(0, dtype=torch.int64), *parts])


def _embedded(new: FieldEmbedding, old: FieldEmbedding) -> Iterator[tuple[str, tuple[Places | None, ...]]]:
    """Tables of codes; the rows of new values become those of the unseen place."""
    starts = new.code_starts.tolist()
    if new.code_table is not None and old.code_table is not None:
        sizes = [block.size for block in old.layout.of("code")]
        yield "code_table", (_joined([s + torch.arange(n) for s, n in zip(starts, sizes, strict=True)]), None)
        rows = zip(starts, old.code_starts.tolist(), new.layout.of("code"), strict=True)
        for start, before, block in rows:
            new.code_table[start : start + block.size] = old.code_table[before + UNSEEN]
    for table, before in zip(new.bag_tables, old.bag_tables, strict=True):
        table[:] = before[UNSEEN]


def _inputs(new: MLPEncoder, old: MLPEncoder, items: Grown) -> Iterator[tuple[str, tuple[Places | None, ...]]]:
    """Columns of the first layer, for fields, situations and histories."""
    parts = [("fields", "first", new.layout, old.layout)]
    if new.context_layout is not None and old.context_layout is not None:
        parts.append(("situation", "first_situation", new.context_layout, old.context_layout))
    for name, layer, layout, before in parts:
        fields = new.get_submodule(name)
        columns, earlier = columns_of(layout, fields), columns_of(before, old.get_submodule(name))
        places = [columns[b.name].start + torch.arange(earlier[b.name].stop - earlier[b.name].start)
                  for b in sorted(before.blocks, key=lambda b: earlier[b.name].start)]  # fmt: skip
        yield f"{layer}.weight", (None, _joined(places))
        if isinstance(fields, FieldVector):
            yield f"{name}.missing", (Grown(layout, before).coordinates,)
            new.get_submodule(layer).get_parameter("weight").zero_()
    if new.catalogue is not None:
        yield "first_past.weight", (None, _past(new.past, items))


def _facts(items: Grown) -> Places:
    """Features of liked items, of disliked ones, and the two weights."""
    m = items.new.width
    return _joined([items.coordinates, m + items.coordinates, 2 * m + torch.arange(2)])


def _past(reader: HistoryBag | HistorySequence, items: Grown) -> Places:
    """What a reader of histories gives: a state, of a bag its vector and its facts."""
    bag = reader if isinstance(reader, HistoryBag) else reader.bag
    first = 0 if isinstance(reader, HistoryBag) else reader.d
    if bag is None:
        return torch.arange(first)
    return _joined([torch.arange(first + bag.d), first + bag.d + _facts(items)])
