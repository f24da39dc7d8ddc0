"""What every encoder keeps, and the options of a network."""

import math
import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from jaxtyping import Float, Int
from torch import Tensor, nn

from penchant._spec import Features, Layout
from penchant.errors import ConfigError

__all__ = [
    "ACTIVATIONS",
    "BaseEncoder",
    "Catalogue",
    "DecoderOptions",
    "EncoderOptions",
    "check_hidden",
    "linear_layer",
]

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
"""Activations of *hidden* layers. What bounds a point is the space's `bound`, and only that."""


def check_hidden(hidden: tuple[int, ...], activation: str, where: str) -> None:
    """Refuse widths below 1 and unknown activations.

    Raises:
        ConfigError: naming the option and its range.
    """
    if any(int(h) != h or h < 1 for h in hidden):
        raise ConfigError(f"{where}.hidden = {hidden}: widths of hidden layers are whole numbers >= 1")
    if activation not in ACTIVATIONS:
        raise ConfigError(f"{where}.activation = {activation!r}: one of {', '.join(ACTIVATIONS)} expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderOptions:
    """How a side's fields become a point of the space."""

    kind: str = "mlp"
    """The network, by its name in `penchant.nets.KINDS`."""
    inputs: Literal["embedding", "vector"] = "embedding"
    """embedding: a learned vector per value. vector: the scaled features alone, as in the disclosure (no ids)."""
    hidden: tuple[int, ...] = (64, 64)
    """Widths of the hidden layers; empty for a linear encoder."""
    activation: str = "relu"
    """Activation of the hidden layers. The last one belongs to the space (tanh or sigmoid), never to a network."""
    dropout: float = 0.0
    """Share of hidden units dropped while training, in [0, 1)."""
    embedding_dim: int = 16
    """Length of the learned vector of a value (inputs = embedding)."""
    bins: int = 50
    """Pieces of the piecewise-linear encoding of a number, at quantiles of the training rows; 0: the number alone."""
    wide: bool = True
    """Add a first-order vector per value inside the bound (the wide part; inputs = embedding)."""
    unseen: float = 0.02
    """Share of values moved to the unseen place while training, in [0, 1): what serves new values later."""
    history_dropout: float = 0.3
    """Share of a user's earlier items dropped while training, in [0, 1) (schemas with a history)."""
    history_thinned: float = 0.0
    """Share of histories of which, while training, a random part is left, from nothing to all, in [0, 1): for users of
    whom little is known."""
    history_shrink: float | int = 5.0
    """So many average items are added to a user's earlier ones before the mean of their features is taken, >= 0."""
    history_length: int = 200
    """So many of a user's latest items are read in order, at least 1 (kinds gru, lstm, attention)."""
    history_dim: int = 64
    """Width of the network that reads them (kinds gru, lstm, attention)."""
    history_layers: int = 1
    """Layers of that network, at least 1 (kinds gru, lstm, attention)."""
    history_heads: int = 2
    """Heads of each layer, which divide history_dim (kind attention)."""
    history_bag: bool = True
    """Read a user's earlier items as a bag as well as in order (kinds gru, lstm, attention)."""
    crosses: tuple[tuple[str, ...], ...] = ()
    """Fields of one side whose values count together, such as ``[["gender", "job"]]``: a first-order vector for each
    combination, inside the bound (kind wide_deep)."""
    cross_buckets: int = 10_000
    """First-order vectors of each cross, among which its combinations are spread by a hash (kind wide_deep)."""

    def __post_init__(self) -> None:
        check_hidden(self.hidden, self.activation, "encoder")
        if self.inputs not in ("embedding", "vector"):
            raise ConfigError(f"encoder.inputs = {self.inputs!r}: 'embedding' or 'vector' expected")
        for name in ("dropout", "unseen", "history_dropout", "history_thinned"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"encoder.{name} = {getattr(self, name)}: a share in [0, 1) expected")
        if not 0 <= self.history_shrink < math.inf:
            raise ConfigError(f"encoder.history_shrink = {self.history_shrink}: a number >= 0 expected")
        if self.embedding_dim < 1 or self.bins < 0:
            raise ConfigError("encoder.embedding_dim is at least 1 and encoder.bins at least 0")
        self._check_history()
        self._check_crosses()

    def _check_history(self) -> None:
        for name in ("history_length", "history_dim", "history_layers", "history_heads"):
            if getattr(self, name) < 1:
                raise ConfigError(f"encoder.{name} = {getattr(self, name)}: a whole number >= 1 expected")
        if self.kind == "attention" and self.history_dim % self.history_heads:
            raise ConfigError(
                f"encoder.history_heads = {self.history_heads}: a divisor of history_dim = {self.history_dim} expected"
            )

    def _check_crosses(self) -> None:
        for names in self.crosses:
            if len(names) < 2 or len(set(names)) < len(names):
                raise ConfigError(f"encoder.crosses: {names!r} is no cross: at least two different fields expected")
        if self.crosses and self.kind != "wide_deep":
            raise ConfigError(f"encoder.crosses: kind = {self.kind!r} reads none; take kind = 'wide_deep'")
        if self.cross_buckets < 1:
            raise ConfigError(f"encoder.cross_buckets = {self.cross_buckets}: a whole number >= 1 expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderOptions:
    """How a point of the space is read back as a portrait vector."""

    hidden: tuple[int, ...] = (64,)
    """Widths of the hidden layers; empty for a linear decoder."""
    activation: str = "relu"
    """Activation of the hidden layers; ReLU keeps certified bounds tight (mathematics, section 4)."""
    linear: bool = True
    """Add a linear part beside the layers, which holds the ridge solution."""

    def __post_init__(self) -> None:
        check_hidden(self.hidden, self.activation, "decoder")


def linear_layer(n_in: int, n_out: int, *, bias: bool = True) -> nn.Linear:
    """A linear layer; also one from nothing or to nothing (users without columns), of which torch would warn."""
    with warnings.catch_warnings():
        if not n_in or not n_out:
            warnings.filterwarnings("ignore", "Initializing zero-element tensors", UserWarning)
        return nn.Linear(n_in, n_out, bias=bias)


class Catalogue(NamedTuple):
    """What histories are made of."""

    n_items: int
    """Rows of the item table."""
    n_features: int
    """Length of an item's portrait vector."""
    half_life: float | int | None = None
    """Time in which an entry counts half, in the unit of `History.age`; None: all count alike."""


class BaseEncoder(nn.Module, ABC):
    """Rows of a side to vectors in R^k, *before* the space bounds them."""

    causal: ClassVar[bool] = False
    """Which law histories keep while training. False: a pair's own item is as if never there. True: nor is anything
    that came after it; a pair sees what came before."""

    def __init__(
        self,
        layout: Layout,
        dim: int,
        options: EncoderOptions,
        context: Layout | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        """Without a catalogue, histories are not read."""
        super().__init__()
        self.catalogue = catalogue
        self.layout = layout
        self.dim = dim
        self.options = options
        self.context_layout = context if context is not None and context.blocks else None

    @abstractmethod
    def prepare(
        self,
        features: Features,
        context: Features | None = None,
        catalogue: Float[Tensor, "n_items m"] | None = None,
    ) -> None:
        """Fit what is fitted, not learned (places of bins), on the training rows; called once before training.

        ``catalogue`` is every item's portrait vector, where histories are read.
        """

    @abstractmethod
    def forward(
        self,
        features: Features,
        context: Features | None = None,
        rows: Int[Tensor, " b"] | None = None,
        left_out: Int[Tensor, " b"] | None = None,
        since: Float[Tensor, " b"] | None = None,
    ) -> Float[Tensor, "b k"]:
        """Encode n rows; with a context of b rows, row j is ``features[rows[j]]`` in situation ``context[j]``.

        ``left_out[j]``, an item of the catalogue, is left out of the history of row j: a pair's own item, while its
        label is being learned. It goes with ``rows``. A `causal` encoder leaves out what came later, too; an item that
        is not in the history comes after all of it.

        ``since[j]`` >= 0: how long after the latest entry of the history of row j the pair is, for pairs that are not
        in it; with ``rows``. By it a `causal` encoder lets the history fade, where its catalogue has a half-life;
        others take no notice. None: the pair is as late as the latest entry.

        Each row of ``features`` is gone through once, however often ``rows`` names it. Without ``rows``, b = n and
        row j goes with row j. Without a context where the layout has one, every situation is taken as missing.
        """
