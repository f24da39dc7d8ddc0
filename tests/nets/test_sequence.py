"""Histories in order: what each pair sees, by hand; long, empty and dropped ones."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from penchant._spec import History
from penchant.nets import EncoderOptions, causal, no_history
from penchant.nets import sequence as module
from penchant.nets._attention import Attention, _bucket
from penchant.nets.sequence import HistorySequence
from penchant.testing.nets import random_history

N_ITEMS = 40
VECTORS = torch.rand(N_ITEMS, 3, generator=torch.Generator().manual_seed(4))
NETWORKS = ("gru", "lstm", "attention")


def sequence(network="gru", *, past=None, **options) -> HistorySequence:
    torch.manual_seed(0)
    options = {"embedding_dim": 3, "history_dim": 8, "history_length": 400, "history_bag": False, **options}
    net = HistorySequence(N_ITEMS, 3, 4, EncoderOptions(**options), network)
    net.prepare(VECTORS, past)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.2)
    return net.eval()


def one(entries: list[int], past: History) -> History:
    """One history of some entries of another."""
    return past.with_entries(lambda part: part[sorted(entries)], torch.tensor([0, len(entries)]))


def by_place(past: History, row: int) -> list[int]:
    entries = range(int(past.offsets[row]), int(past.offsets[row + 1]))
    return sorted(entries, key=lambda entry: int(past.place[entry]))


def seen(size: int, before: int, length: int) -> range:
    """Places that a pair sees: stretches end at the end and every half length before."""
    end = size
    while end > length and end - max(1, length // 2) >= before:
        end -= max(1, length // 2)
    return range(max(0, end - length), before)


@pytest.mark.parametrize("length", [1, 2, 5, 6, 400])
@pytest.mark.parametrize("network", NETWORKS)
def test_a_pair_sees_the_latest_entries_before_it_and_nothing_else(network, length):
    past = random_history(3, N_ITEMS, rng=1)
    net = sequence(network, past=past, history_length=length)
    for row in (1, 2):
        order = by_place(past, row)
        rows = torch.full((len(order),), row)
        states = net(past, rows, past.items[order])[0]
        for before, state in enumerate(states):
            window = seen(len(order), before, length)
            assert len(window) >= min(before, math.ceil(length / 2))
            torch.testing.assert_close(state, net(one([order[p] for p in window], past))[0][0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_end_is_read_where_an_item_was_never_there_and_where_none_is_left_out(network):
    past = random_history(4, N_ITEMS, rng=2)
    net, rows = sequence(network, history_length=6), torch.tensor([0, 2, 3, 2])
    whole = net(past)[0][rows]
    absent = [next(i for i in range(N_ITEMS) if i not in past.items[by_place(past, row)]) for row in rows.tolist()]
    for left_out in (torch.tensor(absent), torch.full((4,), -1), None):
        torch.testing.assert_close(net(past, rows, left_out)[0], whole)
    latest = [order[-6:] for order in (by_place(past, row) for row in rows.tolist())]
    for state, entries in zip(whole, latest, strict=True):
        torch.testing.assert_close(state, net(one(entries, past))[0][0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("bag", [True, False])
@pytest.mark.parametrize("network", NETWORKS)
def test_none_and_ten_thousand_entries_are_read(network, bag):
    n = 10_000
    long = History(
        torch.arange(n) % N_ITEMS, torch.ones(n), torch.ones(n), torch.arange(n), torch.arange(n).flip(0).float(),
        torch.tensor([0, 0, n, n]),
    )  # fmt: skip
    net = sequence(network, history_bag=bag)
    inputs, wide = net(long)
    assert inputs.shape == (3, net.width)
    assert wide.shape == (3, 4)
    assert torch.isfinite(inputs).all()
    torch.testing.assert_close(inputs[0], inputs[2])
    torch.testing.assert_close(net(no_history(2))[0], inputs[[0, 2]])
    nobody = torch.zeros(0, dtype=torch.int64)
    assert net(long, nobody, nobody)[0].shape == (0, net.width)


@pytest.mark.parametrize("room", [1, 400])
@pytest.mark.parametrize("network", NETWORKS)
def test_few_at_a_time_are_read_alike(network, room, monkeypatch):
    past = random_history(9, N_ITEMS, rng=3)
    net, rows = sequence(network, history_length=8, history_bag=True), torch.arange(9).repeat(5)
    left_out = torch.randint(N_ITEMS, (45,), generator=torch.Generator().manual_seed(0))
    together = net(past, rows, left_out)
    for room_of in (module, causal):
        monkeypatch.setattr(room_of, "_AT_ONCE", room)
    for part, whole in zip(net(past, rows, left_out), together, strict=True):
        torch.testing.assert_close(part, whole, atol=1e-5, rtol=1e-5)


def test_dropped_entries_are_gone_and_places_stay():
    past = random_history(4, N_ITEMS, rng=5)
    net = sequence(history_dropout=0.5).train()
    rows, order = torch.tensor([1, 1]), by_place(past, 1)
    start = net(no_history(1))[0][0]
    first, last = net(past, rows, past.items[[order[0], order[-1]]])[0]
    torch.testing.assert_close(first, start)
    assert not torch.allclose(last, net(past, rows, past.items[[order[0], order[-1]]])[0][1])
    torch.testing.assert_close(net.eval()(past)[0], net(past)[0])


def test_times_count_in_shares_of_a_usual_one():
    past = random_history(4, N_ITEMS, rng=6)
    net = sequence(past=past)
    assert net.unit == 3.0
    slow = past._replace(age=past.age * 60)
    assert not torch.allclose(net(slow)[0], net(past)[0])
    torch.testing.assert_close(sequence(past=slow)(slow)[0], net(past)[0])
    unknown = past._replace(age=torch.zeros_like(past.age))
    assert sequence(past=unknown).unit == 1.0
    assert torch.isfinite(net(unknown)[0]).all()


def test_attention_is_what_loops_make_of_it():
    torch.manual_seed(1)
    net = Attention(4, 1, 2, 30, 0.0).double().eval()
    block = net.blocks[0]
    torch.nn.init.normal_(block.bias)
    x = torch.randn(1, 25, 4, dtype=torch.float64)
    query, key, value = block.asked(block.norms[0](x))[0].split(4, dim=-1)
    read = torch.zeros(25, 4, dtype=torch.float64)
    for step in range(25):
        for head, own in enumerate((slice(0, 2), slice(2, 4))):
            far = [block.bias[_bucket(torch.tensor(step - s)), head] for s in range(step + 1)]
            scores = torch.stack([query[step, own] @ key[s, own] / math.sqrt(2) + far[s] for s in range(step + 1)])
            read[step, own] = scores.softmax(0) @ value[: step + 1, own]
    added = x[0] + block.out(read)
    torch.testing.assert_close(net(x)[0], net.norm(added + block.deep(block.norms[1](added))))


@given(st.integers(1, 20_000))
def test_every_distance_has_a_place_among_the_biases(length):
    bias = Attention(2, 1, 1, length, 0.0).blocks[0].bias
    buckets = _bucket(torch.arange(length + 1))
    assert buckets.max() == len(bias) - 1
    assert bool((buckets.diff() >= 0).all())
    assert buckets[:16].tolist() == list(range(min(16, length + 1)))
