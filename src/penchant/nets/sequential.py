"""Encoders that read histories in order of time."""

from typing import ClassVar

from penchant.nets.base import Catalogue
from penchant.nets.mlp import MLPEncoder
from penchant.nets.sequence import HistorySequence, Network

__all__ = ["AttentionEncoder", "GRUEncoder", "LSTMEncoder"]


class _Sequential(MLPEncoder):
    """Hidden layers over a user's fields and a network over the history; without a history, an `MLPEncoder`."""

    causal: ClassVar[bool] = True
    network: ClassVar[Network]

    def _reader(self, catalogue: Catalogue) -> HistorySequence:
        n_items, n_features, half_life = catalogue
        return HistorySequence(n_items, n_features, self.dim, self.options, self.network, half_life=half_life)


class GRUEncoder(_Sequential):
    """Gated recurrent units over the history (see `HistorySequence`)."""

    network: ClassVar[Network] = "gru"


class LSTMEncoder(_Sequential):
    """Long short-term memory over the history (see `HistorySequence`)."""

    network: ClassVar[Network] = "lstm"


class AttentionEncoder(_Sequential):
    """Causal self-attention over the history (see `HistorySequence`)."""

    network: ClassVar[Network] = "attention"
