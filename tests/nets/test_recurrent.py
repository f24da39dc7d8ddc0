"""States against torch's own networks on one sequence that is not padded."""

import math

import pytest
import torch
from histories import Entries, history, somebody
from torch import Tensor, nn

from penchant.nets import EncoderOptions, HistorySequence
from penchant.nets._recurrent import Recurrent

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}


def inputs(net: HistorySequence, vectors: Tensor, user: Entries) -> Tensor:
    """What the network reads of one history, entry by entry."""
    z = (vectors - vectors.mean(0)) / vectors.var(0, correction=0).sqrt()
    read, before = [net.start[0]], math.inf
    for item, liked, time in user:
        gap = max(time - before, 0.0)
        row = 0 if gap == 0 else min(max(math.floor(math.log2(gap / float(net.unit))) + 16, 1), 31)
        read.append(net.items[item] + net.signs[liked] + net.gaps[row] + net.features.weight @ z[item])
        before = time
    return torch.stack(read)


@pytest.mark.parametrize("n", [0, 1, 9, 10_000])
@pytest.mark.parametrize("network", CELLS)
def test_a_state_is_that_of_the_network_alone_on_one_history(network, n):
    n_items = max(n, 30)
    user, vectors = somebody(n, n_items=n_items), torch.rand(n_items, 2, generator=torch.Generator().manual_seed(5))
    torch.manual_seed(1)
    options = EncoderOptions(history_dim=4, history_bag=False, history_length=10_000, history_layers=2)
    net = HistorySequence(n_items, 2, 3, options, network).eval()
    net.prepare(vectors, history([user]))
    plain = CELLS[network](4, 4, 2)
    plain.load_state_dict(net.network.net.state_dict())
    with torch.no_grad():
        nn.init.normal_(net.linear.weight)
        state, wide = net(history([somebody(3), user, []]))
        wanted = plain(inputs(net, vectors, user))[0][-1]
    torch.testing.assert_close(state[1], wanted, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(wide, state @ net.linear.weight.T)


@pytest.mark.parametrize("cell", CELLS.values())
def test_dropout_follows_the_seed_and_is_for_training_only(cell):
    net, x = Recurrent(cell, 6, 1, 0.5), torch.randn(2, 7, 6, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(3)
    first, other = net(x), net(x)
    torch.manual_seed(3)
    assert torch.equal(net(x), first)
    assert not torch.equal(first, other)
    assert torch.equal(net.eval()(x), net(x))
