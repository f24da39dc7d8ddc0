"""A user's earlier items in order of time as the input of an encoder: what a pair sees is what came before it."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from penchant._spec import History
from penchant.nets._attention import Attention
from penchant.nets._recurrent import Recurrent
from penchant.nets._segments import Ordered, Segments, in_order, places_before, segments_of
from penchant.nets.base import EncoderOptions, linear_layer
from penchant.nets.causal import CausalBag
from penchant.nets.history import dropped_entries, standardised

__all__ = ["HistorySequence", "Network"]

Network = Literal["gru", "lstm", "attention"]
"""What reads entries in order."""

_DEVIATION = 0.1
_GAPS = 32
"""Places of the times between entries: none, and 31 that are each twice as long as the one before."""
_AT_ONCE = 1 << 25
"""Numbers that a network holds at a time, about: 128 MiB."""


class HistorySequence(nn.Module):
    """Earlier items, read in order of time, to inputs for the deep part and a first-order sum.

        x_t = t(i_t) + A z(i_t) + s(y_t) + g(time since entry t − 1)       t, s, g: vectors; z: standardised features
        h_t = network(x_0, x_1, …, x_t)                                    x_0: a learned start, h_0 of an empty history

    With ``history_bag`` the sums of a `CausalBag` stand beside h. A pair that is learned from sees the entries before
    its item's own in the user's order, and nothing after it; a user's entries are gone through once for all of its
    pairs. An item that is not in the history comes after all of it. Who is served is read to the end. Of a long history
    the latest ``history_length`` entries are read; in training at least half as many, where as many came before.

    While training, a share of the entries is dropped, anew in each batch. How much an entry still counts
    (`History.weight`) is the bag's; a network sees the times themselves.

    Shape:  n histories -> inputs (n, width), first-order (n, dim).
    Source: see `penchant.nets._recurrent` and `penchant.nets._attention`; Li et al. 2020, doi 10.1145/3336191.3371786
        (times between entries).
    """

    catalogue: Tensor
    unit: Tensor

    def __init__(
        self,
        n_items: int,
        n_features: int,
        dim: int,
        options: EncoderOptions,
        network: Network,
        *,
        half_life: float | int | None = None,
    ) -> None:
        super().__init__()
        d = options.history_dim
        self.d, self.n_items, self.length = d, n_items, options.history_length
        self.share, self.thinned = options.history_dropout, options.history_thinned
        self.bag = CausalBag(n_items, n_features, dim, options, half_life) if options.history_bag else None
        if self.bag is None:
            self.register_buffer("catalogue", torch.zeros(n_items, n_features))
        self.register_buffer("unit", torch.ones(()))
        self.items, self.signs, self.gaps, self.start = (
            nn.Parameter(nn.init.normal_(torch.empty(n, d), std=_DEVIATION)) for n in (n_items, 2, _GAPS, 1)
        )
        self.features = linear_layer(n_features, d, bias=False)
        if network == "attention":
            heads, length = options.history_heads, options.history_length
            self.network: Attention | Recurrent = Attention(d, options.history_layers, heads, length, options.dropout)
        else:
            cell = nn.GRU if network == "gru" else nn.LSTM
            self.network = Recurrent(cell, d, options.history_layers, options.dropout)
        self.linear = nn.Linear(d, dim, bias=False)
        nn.init.zeros_(self.linear.weight)
        self.width = d + (0 if self.bag is None else self.bag.width)

    def prepare(self, vectors: Float[Tensor, "n_items m"], past: History | None = None) -> None:
        """Take the catalogue's portrait vectors, standardised, and from histories what a usual time between two is."""
        if self.bag is None:
            self.catalogue.copy_(standardised(vectors))
        else:
            self.bag.prepare(vectors)
        if past is not None:
            gap = in_order(past, None).gap
            gap = gap[gap > 0]
            self.unit.copy_(gap.median() if len(gap) else torch.ones(()))

    def forward(
        self,
        past: History,
        rows: Int[Tensor, " b"] | None = None,
        left_out: Int[Tensor, " b"] | None = None,
        since: Float[Tensor, " b"] | None = None,
    ) -> tuple[Float[Tensor, "b width"], Float[Tensor, "b dim"]]:
        """Read histories.

        Arguments:
            past: n histories.
            rows: for each of b pairs, whose history; None: all, in order.
            left_out: for each pair the item (a row of the catalogue) whose place is where reading ends; with ``rows``.
            since: see `BaseEncoder.forward`; the bag fades by it.
        """
        gone = dropped_entries(past, self.share, self.thinned) if self.training else None
        state = self._read(*self._places(past, gone, rows, left_out))
        if self.bag is None:
            return state, self.linear(state)
        inputs, wide = self.bag(past, rows, left_out, since)
        return torch.cat([state, inputs], 1), wide + self.linear(state)

    def _places(
        self,
        past: History,
        gone: Bool[Tensor, " nnz"] | None,
        rows: Int[Tensor, " b"] | None,
        left_out: Int[Tensor, " b"] | None,
    ) -> tuple[Ordered, Segments]:
        """The entries in order, and where each pair is read."""
        ordered = in_order(past, gone)
        if rows is None:
            rows = torch.arange(len(past.offsets) - 1, device=past.items.device)
        if left_out is None:
            read = ordered.offsets.diff().index_select(0, rows)
        else:
            read = places_before(past, gone, rows, left_out, self.n_items)
        return ordered, segments_of(ordered.offsets, rows, read, self.length)

    def _read(self, ordered: Ordered, segments: Segments) -> Float[Tensor, "b d"]:
        """The state of each pair; long and many segments a part at a time."""
        states, where = [self.start[:0]], [segments.segment[:0]]
        for numbers, pairs, own in segments.parts(self.network.cost, _AT_ONCE):
            start, length = (part.index_select(0, numbers) for part in (segments.start, segments.length))
            read = self.network(self._steps(ordered, start, length))
            step = own * read.shape[1] + segments.read.index_select(0, pairs)
            states.append(functional.embedding(step, read.flatten(0, 1)))
            where.append(pairs)
        return functional.embedding(torch.cat(where).argsort(), torch.cat(states))

    def _steps(self, ordered: Ordered, start: Int[Tensor, " s"], length: Int[Tensor, " s"]) -> Float[Tensor, "s t d"]:
        """Vectors of the start and of the entries of segments; past the end of one anything: nobody reads it."""
        step = torch.arange(int(length.max()), device=start.device)
        first = self.start.expand(len(start), 1, -1)
        if not len(step):
            return first
        entry = (start[:, None] + step).clamp(max=len(ordered.items) - 1)
        items, liked, gap = ordered.items[entry], ordered.liked[entry], ordered.gap[entry]
        gap = gap.masked_fill(step == 0, 0.0)
        catalogue = self.catalogue if self.bag is None else self.bag.catalogue
        read = functional.embedding(items, self.items) + functional.embedding((liked > 0.5).long(), self.signs)
        read = read + functional.embedding(self._gap(gap), self.gaps)
        read = read + self.features(functional.embedding(items, catalogue))
        return torch.cat([first, read], 1)

    def _gap(self, gap: Float[Tensor, "*n"]) -> Int[Tensor, "*n"]:
        """Rows of the table of gaps: 0 for none, else by the power of two of their share in a usual one."""
        power = torch.log2(gap.clamp(min=torch.finfo(gap.dtype).tiny) / self.unit).floor().long()
        return torch.where(gap > 0, (power + _GAPS // 2).clamp(1, _GAPS - 1), 0)
