"""Entries in order, and the stretches in which pairs are read: each held against lists."""

import numpy as np
import pytest
import torch
from histories import history, somebody
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.nets import EncoderOptions, HistorySequence
from penchant.nets._segments import in_order, places_before, segments_of
from penchant.nets.dropout import dropped

NETWORKS = ("gru", "lstm", "attention")
USERS = [[], somebody(1, 1), somebody(7, 2), somebody(12, 3), []]


def sequence(network: str, **options) -> HistorySequence:
    torch.manual_seed(1)
    net = HistorySequence(30, 2, 3, EncoderOptions(history_dim=4, **options), network)
    net.prepare(torch.rand(30, 2), history(USERS))
    return net.eval()


def test_entries_are_in_order_of_time_with_the_time_since_the_one_before():
    found = in_order(history(USERS), None)
    entries = [entry for user in USERS for entry in user]
    gaps = [max(0.0, b[2] - a[2]) for user in USERS for a, b in zip(user[:1] + user, user, strict=False)]
    assert found.items.tolist() == [item for item, *_ in entries]
    assert found.liked.tolist() == [liked for _, liked, _ in entries]
    assert found.gap.tolist() == gaps
    assert found.offsets.tolist() == [0, 0, 1, 8, 20, 20]


@given(st.lists(st.booleans(), min_size=20, max_size=20), st.integers(0, 4), st.integers(-1, 29))
def test_what_came_before_is_counted_as_in_a_list(gone, row, item):
    past = history(USERS)
    in_time = [[next(e for e in range(int(past.offsets[r]), int(past.offsets[r + 1])) if past.items[e] == own)
                for own, *_ in user] for r, user in enumerate(USERS)]  # fmt: skip
    own = [entry[0] for entry in USERS[row]]
    before = in_time[row][: own.index(item)] if item in own else in_time[row]
    found = places_before(past, torch.tensor(gone), torch.tensor([row]), torch.tensor([item]), 30)
    assert found.item() == sum(not gone[entry] for entry in before)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=4), st.integers(1, 12))
@settings(max_examples=60)
def test_stretches_hold_half_a_length_before_every_pair_and_all_of_it_at_the_end(sizes, length):
    pairs = [(row, read) for row, size in enumerate(sizes) for read in range(size + 1)]
    offsets, (rows, reads) = torch.tensor([0, *np.cumsum(sizes)]), torch.tensor(pairs).unbind(1)
    found = segments_of(offsets, rows, reads, length)
    for (row, read), number, own in zip(pairs, found.segment.tolist(), found.read.tolist(), strict=True):
        start, size = int(found.start[number]), int(found.length[number])
        assert offsets[row] <= start <= start + size <= offsets[row + 1]
        assert start + own == offsets[row] + read, "the pair's own place"
        assert min(read, max(1, length // 2)) <= own <= size <= length
        assert read < sizes[row] or own == min(read, length), "as it is served"
    half = max(1, length // 2)
    assert len(found.start) <= sum(1 + -(-max(0, size - length) // half) for size in sizes), "each is gone through once"


@pytest.mark.parametrize("network", NETWORKS)
def test_entries_at_one_time_keep_their_order_and_have_no_time_between_them(network):
    net, user = sequence(network), [(item, liked, 3.0) for item, liked, _ in USERS[2]]
    state = net(history([user]))[0]
    torch.testing.assert_close(state, net(history([[(item, liked, 0.0) for item, liked, _ in user]]))[0])
    assert not torch.allclose(state, net(history([user[::-1]]))[0])
    assert not torch.allclose(state, net(history([[(i, y, 2.0 * n) for n, (i, y, _) in enumerate(user)]]))[0])


@pytest.mark.parametrize("network", NETWORKS)
def test_what_is_dropped_is_as_if_never_there_and_follows_the_seed(network):
    net, past = sequence(network, history_dropout=0.4, history_bag=False), history(USERS)
    ends = [(3, 8), (2, 4), (3, 12)]
    left_out = torch.tensor([USERS[3][8][0], USERS[2][4][0], -1])
    for seed in range(3):
        found = []
        for _ in range(2):
            torch.manual_seed(seed)
            found.append(net.train()(past, torch.tensor([3, 2, 3]), left_out)[0])
        assert torch.equal(*found)
        torch.manual_seed(seed)
        gone = dropped(tuple(past.items.shape), 0.4, torch.device("cpu")).tolist()
        lost = [set(past.items[a:b][torch.tensor(gone[a:b], dtype=torch.bool)].tolist())
                for a, b in zip(past.offsets[:-1].tolist(), past.offsets[1:].tolist(), strict=True)]  # fmt: skip
        for state, (user, end) in zip(found[0], ends, strict=True):
            alone = [entry for entry in USERS[user][:end] if entry[0] not in lost[user]]
            torch.testing.assert_close(state, net.eval()(history([alone]))[0][0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("network", NETWORKS)
def test_everything_that_is_read_learns(network):
    net = sequence(network, dropout=0.2, history_dropout=0.2).train()
    inputs, wide = net(history(USERS), torch.tensor([3, 2, 0]), torch.tensor([USERS[3][5][0], USERS[2][2][0], 0]))
    (inputs.square().sum() + wide.square().sum()).backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())
