"""The laws of an encoder, for every entry of `penchant.nets.KINDS`."""

import pytest

from penchant.nets import KINDS, EncoderOptions
from penchant.testing.nets import check_net

OPTIONS = {
    "embedding": EncoderOptions(hidden=(8,), embedding_dim=4, bins=3, unseen=0.0, dropout=0.0),
    "no bins, not wide": EncoderOptions(hidden=(8, 6), embedding_dim=4, bins=0, wide=False, dropout=0.0),
    "vector": EncoderOptions(inputs="vector", hidden=(8,), activation="tanh", unseen=0.0, dropout=0.0),
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
@pytest.mark.parametrize("name", KINDS)
def test_laws(name, options, layout, context):
    check_net(KINDS[name], layout, context, options=options)
