import pytest
import torch

from penchant.nets import EncoderOptions, MLPEncoder, is_plain
from penchant.nets.base import Catalogue
from penchant.nets.sequential import AttentionEncoder, GRUEncoder, LSTMEncoder

KINDS = (GRUEncoder, LSTMEncoder, AttentionEncoder)


@pytest.mark.parametrize("kind", KINDS)
def test_options_shape_the_network(kind, layout):
    options = EncoderOptions(history_dim=6, history_layers=3, history_heads=3, history_bag=False)
    net = kind(layout, 4, options, None, Catalogue(5, 2))
    assert net.past.width == 6
    inner = net.past.network
    assert (len(inner.blocks) if kind is AttentionEncoder else inner.net.num_layers) == 3
    assert kind(layout, 4, EncoderOptions(history_dim=6), None, Catalogue(5, 2)).past.width > 6, "the bag beside it"


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_history_it_is_a_plain_network_by_another_name(kind, layout):
    nets = []
    for one in (kind, MLPEncoder):
        torch.manual_seed(0)
        nets.append(one(layout, 4, EncoderOptions()))
    assert all(torch.equal(a, b) for a, b in zip(*(net.parameters() for net in nets), strict=True))
    assert [is_plain(net) for net in nets] == [False, True]
