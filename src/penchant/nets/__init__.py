"""Networks: encoders of fields into R^k, decoders back to [0, 1]^m. What bounds a point is the space, not a network.

An encoder is chosen by its name in `KINDS`; every one keeps `BaseEncoder` and the laws of `penchant.testing.check_net`.
"""

from penchant.nets.base import BaseEncoder, Catalogue, DecoderOptions, EncoderOptions
from penchant.nets.crosses import crossable
from penchant.nets.embedding import FieldEmbedding, FieldVector, PiecewiseLinear
from penchant.nets.features import as_arrays, as_tensors, drop_values, missing_rows, no_history, take, vectorise
from penchant.nets.history import HistoryBag
from penchant.nets.latent import LATENTS, Latent, Prior, jacobian_square, watched
from penchant.nets.mlp import MLPDecoder, MLPEncoder, is_plain
from penchant.nets.sequence import HistorySequence
from penchant.nets.sequential import AttentionEncoder, GRUEncoder, LSTMEncoder
from penchant.nets.wide_deep import WideDeepEncoder

__all__ = [
    "KINDS",
    "LATENTS",
    "AttentionEncoder",
    "BaseEncoder",
    "Catalogue",
    "DecoderOptions",
    "EncoderOptions",
    "FieldEmbedding",
    "FieldVector",
    "GRUEncoder",
    "HistoryBag",
    "HistorySequence",
    "LSTMEncoder",
    "Latent",
    "MLPDecoder",
    "MLPEncoder",
    "PiecewiseLinear",
    "Prior",
    "WideDeepEncoder",
    "as_arrays",
    "as_tensors",
    "crossable",
    "drop_values",
    "is_plain",
    "jacobian_square",
    "missing_rows",
    "no_history",
    "take",
    "vectorise",
    "watched",
]

KINDS: dict[str, type[BaseEncoder]] = {
    "mlp": MLPEncoder,
    "wide_deep": WideDeepEncoder,
    "gru": GRUEncoder,
    "lstm": LSTMEncoder,
    "attention": AttentionEncoder,
}
