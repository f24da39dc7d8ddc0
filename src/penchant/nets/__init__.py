"""Networks: encoders of fields into R^k, decoders back to [0, 1]^m. What bounds a point is the space, not a network.

An encoder is chosen by its name in `KINDS`; every one keeps `BaseEncoder` and the laws of `penchant.testing.check_net`.
"""

from penchant.nets.base import BaseEncoder, Catalogue, DecoderOptions, EncoderOptions
from penchant.nets.embedding import FieldEmbedding, FieldVector, PiecewiseLinear
from penchant.nets.features import as_arrays, as_tensors, drop_values, missing_rows, no_history, take, vectorise
from penchant.nets.history import HistoryBag
from penchant.nets.mlp import MLPDecoder, MLPEncoder

__all__ = [
    "KINDS",
    "BaseEncoder",
    "Catalogue",
    "DecoderOptions",
    "EncoderOptions",
    "FieldEmbedding",
    "FieldVector",
    "HistoryBag",
    "MLPDecoder",
    "MLPEncoder",
    "PiecewiseLinear",
    "as_arrays",
    "as_tensors",
    "drop_values",
    "missing_rows",
    "no_history",
    "take",
    "vectorise",
]

KINDS: dict[str, type[BaseEncoder]] = {"mlp": MLPEncoder}
