"""Plain networks: an encoder of fields into R^k and a decoder back to [0, 1]^m."""

from itertools import pairwise
from typing import TypeGuard

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from penchant._spec import Features, Layout
from penchant.nets.base import ACTIVATIONS, BaseEncoder, Catalogue, DecoderOptions, EncoderOptions, linear_layer
from penchant.nets.dropout import Dropout
from penchant.nets.embedding import FieldEmbedding, FieldVector
from penchant.nets.features import drop_values, missing_rows, no_history
from penchant.nets.history import HistoryBag
from penchant.nets.sequence import HistorySequence

__all__ = ["MLPDecoder", "MLPEncoder", "is_plain"]


class MLPEncoder(BaseEncoder):
    """Hidden layers over a side's fields, with a first-order part added inside the bound.

        e = bound( MLP([x_1 … x_f]) + Σ_j w_j )        x_j, w_j: deep and first-order vector of field j's value

    A context and a history enter the first hidden layer beside the side's fields, so that what does not depend on the
    pair is computed once per row of the side and then gathered.

    Source: Cheng et al. 2016, arXiv 1606.07792 (wide & deep); the disclosure, §3.5 ii.
    """

    def __init__(
        self,
        layout: Layout,
        dim: int,
        options: EncoderOptions,
        context: Layout | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        super().__init__(layout, dim, options, context, catalogue)
        self.fields = _inputs(layout, dim, options)
        widths = [*options.hidden, dim]
        self.first = linear_layer(self.fields.width, widths[0])
        if self.context_layout is not None:
            self.situation = _inputs(self.context_layout, dim, options)
            self.first_situation = nn.Linear(self.situation.width, widths[0], bias=False)
        if catalogue is not None:
            self.past = self._reader(catalogue)
            self.first_past = nn.Linear(self.past.width, widths[0], bias=False)
        rest: list[nn.Module] = []
        for before, after in pairwise(widths):
            rest += [ACTIVATIONS[options.activation](), Dropout(options.dropout), nn.Linear(before, after)]
        self.rest = nn.Sequential(*rest)

    def prepare(
        self,
        features: Features,
        context: Features | None = None,
        catalogue: Float[Tensor, "n_items m"] | None = None,
    ) -> None:
        """Fit the places of the bins of both parts, and take the catalogue of the histories."""
        self.fields.prepare(features)
        if self.context_layout is not None and context is not None:
            self.situation.prepare(context)
        if self.catalogue is not None and catalogue is not None:
            self.past.prepare(catalogue, features.history)

    def forward(
        self,
        features: Features,
        context: Features | None = None,
        rows: Int[Tensor, " b"] | None = None,
        left_out: Int[Tensor, " b"] | None = None,
        since: Float[Tensor, " b"] | None = None,
    ) -> Float[Tensor, "b k"]:
        """Encode; see `BaseEncoder.forward`."""
        inputs, wide = self._read(features)
        hidden = self.first(inputs)
        if self.catalogue is None or self.catalogue.half_life is None or not self.causal:
            since = None
        if self.context_layout is None and (self.catalogue is None or (left_out is None and since is None)):
            encoded = self._deep(*self._with_past(hidden, wide, features, None, None))
            return encoded if rows is None else _gather(encoded, rows)
        if rows is not None:
            hidden, wide = _gather(hidden, rows), None if wide is None else _gather(wide, rows)
        hidden, wide = self._with_past(hidden, wide, features, rows, left_out, since)
        if self.context_layout is None:
            return self._deep(hidden, wide)
        if context is None:
            context = missing_rows(self.context_layout, len(hidden), hidden.device)
        inputs, more = self.situation(self._dropped(context, self.context_layout))
        return self._deep(hidden + self.first_situation(inputs), wide if more is None else more + wide)

    def _reader(self, catalogue: Catalogue) -> HistoryBag | HistorySequence:
        """What reads histories."""
        return HistoryBag(catalogue.n_items, catalogue.n_features, self.dim, self.options)

    def _read(self, features: Features) -> tuple[Float[Tensor, "n width"], Float[Tensor, "n k"] | None]:
        """The side's fields: deep inputs and first-order sum."""
        read: tuple[Tensor, Tensor | None] = self.fields(self._dropped(features, self.layout))
        return read

    def _deep(self, hidden: Float[Tensor, "n h"], wide: Float[Tensor, "n k"] | None) -> Float[Tensor, "n k"]:
        encoded: Tensor = self.rest(hidden)
        return encoded if wide is None else encoded + wide

    def _with_past(
        self,
        hidden: Float[Tensor, "b h"],
        wide: Float[Tensor, "b k"] | None,
        features: Features,
        rows: Int[Tensor, " b"] | None,
        left_out: Int[Tensor, " b"] | None,
        since: Float[Tensor, " b"] | None = None,
    ) -> tuple[Float[Tensor, "b h"], Float[Tensor, "b k"] | None]:
        """Add what the history says, where one is read; rows without one count as empty."""
        if self.catalogue is None:
            return hidden, wide
        past = features.history if features.history is not None else no_history(len(features), hidden.device)
        inputs, more = self.past(past, rows, left_out, since)
        return hidden + self.first_past(inputs), more if wide is None else wide + more

    def _dropped(self, features: Features, layout: Layout) -> Features:
        return drop_values(features, layout, self.options.unseen) if self.training else features


def is_plain(encoder: nn.Module) -> TypeGuard[MLPEncoder]:
    """Is it an `MLPEncoder` and nothing more? What is proved of its layers does not hold for what others add."""
    return type(encoder) is MLPEncoder


def _inputs(layout: Layout, dim: int, options: EncoderOptions) -> FieldEmbedding | FieldVector:
    return FieldEmbedding(layout, dim, options) if options.inputs == "embedding" else FieldVector(layout)


def _gather(x: Float[Tensor, "n k"], rows: Int[Tensor, " b"]) -> Float[Tensor, "b k"]:
    return nn.functional.embedding(rows, x)  # its backward is faster than indexing's, and deterministic on the CPU


class MLPDecoder(nn.Module):
    """A point back to a portrait vector; the head's sigmoid is the only one in the house.

        v = σ( A e + MLP(e) )

    Source: the disclosure, §3.5 ii; the linear part holds the ridge solution (docs/theory, portraits).
    """

    def __init__(self, dim: int, width: int, options: DecoderOptions) -> None:
        super().__init__()
        self.options = options
        layers: list[nn.Module] = []
        before = dim
        for after in options.hidden:
            layers += [nn.Linear(before, after), ACTIVATIONS[options.activation]()]
            before = after
        layers.append(linear_layer(before, width))
        self.layers = nn.Sequential(*layers)
        self.linear = linear_layer(dim, width, bias=False) if options.linear else None

    def prepare(self, mean: Float[Tensor, " width"]) -> None:
        """Start at the population: with e = 0 and small weights the decoder then gives its mean vector."""
        last = self.layers[-1]
        if isinstance(last, nn.Linear):
            with torch.no_grad():
                last.bias.copy_(torch.logit(mean.nan_to_num(0.5).clamp(0.001, 0.999)))

    def logits(self, points: Float[Tensor, "n k"]) -> Float[Tensor, "n width"]:
        """Before the sigmoid: the scale on which bounds are tight."""
        logits: Tensor = self.layers(points)
        return logits if self.linear is None else logits + self.linear(points)

    def forward(self, points: Float[Tensor, "n k"]) -> Float[Tensor, "n width"]:
        """Portrait vectors in (0, 1)."""
        return torch.sigmoid(self.logits(points))
