"""Bags of what came before a pair: by loops in double precision, with and without a half-life."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant._spec import History
from penchant.nets import EncoderOptions, HistoryBag
from penchant.nets import causal as module
from penchant.nets.causal import CausalBag
from penchant.nets.history import Sums
from penchant.testing.nets import random_history

N_ITEMS, M, DIM = 40, 3, 4
VECTORS = torch.rand(N_ITEMS, M, generator=torch.Generator().manual_seed(4))


def bag(half_life: float | None = None, kind=CausalBag, **options) -> HistoryBag:
    torch.manual_seed(0)
    fades = {} if kind is HistoryBag else {"half_life": half_life}
    net = kind(N_ITEMS, M, DIM, EncoderOptions(embedding_dim=3, **options), **fades)
    net.prepare(VECTORS)
    with torch.no_grad():
        net.linear.weight.normal_()
        net.table.normal_()
    return net.eval()


def by_place(past: History, row: int) -> list[int]:
    entries = range(int(past.offsets[row]), int(past.offsets[row + 1]))
    return sorted(entries, key=lambda entry: int(past.place[entry]))


def looped(net: CausalBag, past: History, row: int, before: int, now: float, half_life: float) -> list[float]:
    """The sums of one pair, one entry after the other, in double precision."""
    table, z, out = net.table.detach().double(), net.catalogue.double(), net.table.shape[1]
    sums = torch.zeros(out + 2 * M + 2, dtype=torch.float64)
    for entry in by_place(past, row)[:before]:
        item, liked = int(past.items[entry]), bool(past.liked[entry])
        gap = float(past.age[entry]) - now
        weight = 2.0 ** (-gap / half_life)
        sign = 0 if liked else 1
        sums[:out] += weight * table[item + sign * N_ITEMS]
        sums[out + sign * M : out + (sign + 1) * M] += weight * z[item]
        sums[out + 2 * M + sign] += weight
    return sums.tolist()


def faded(past: History, half_life: float) -> History:
    """As tables give it: weights at the time of the latest entry."""
    weight = torch.exp2(-past.age.double() / half_life).clamp(min=torch.finfo(torch.float32).tiny)
    return past._replace(weight=weight.float())


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([0.01, 0.7, 30.0, 1e6]), st.sampled_from([0.0, 5.0]))
def test_an_earlier_like_weighs_by_the_gap_to_the_pair_at_hand(rng, half_life, since):
    """The weight is 2^(-gap / half-life) for every pair, also where a history spans thousands of half-lives."""
    past = faded(random_history(4, N_ITEMS, rng=rng), half_life)
    net = bag(half_life)
    rows, items, wanted = [], [], []
    for row in range(4):
        order = by_place(past, row)
        for before, entry in enumerate(order):
            rows.append(row)
            items.append(int(past.items[entry]))
            wanted.append(looped(net, past, row, before, float(past.age[entry]), half_life))
        absent = next(item for item in range(N_ITEMS) if item not in past.items[order])
        rows.append(row)
        items.append(absent)
        wanted.append(looped(net, past, row, len(order), -since, half_life))
    rows, items = torch.tensor(rows), torch.tensor(items)
    found = net._left_out(past, past.weight, rows, items, torch.full((len(rows),), since))
    torch.testing.assert_close(torch.cat(found, 1).double(), torch.tensor(wanted).double(), rtol=1e-4, atol=1e-5)


def test_at_the_time_of_the_latest_entry_all_is_as_when_served():
    past, net = faded(random_history(4, N_ITEMS, rng=2), 3.0), bag(3.0)
    rows = torch.arange(4)
    served, learned = net(past), net(past, rows, torch.full((4,), -1))
    later = net(past, rows, None, torch.tensor([0.0, 3.0, 6.0, 1e9]))
    nothing = net(past._replace(weight=0 * past.weight))
    for one, other, faint, empty in zip(served, learned, later, nothing, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(one[:1], faint[:1])
        assert not torch.allclose(one[1:3], faint[1:3])
        torch.testing.assert_close(faint[3], empty[3])
    half = net(past._replace(weight=past.weight / 2))
    torch.testing.assert_close(later[0][1], half[0][1])
    torch.testing.assert_close(net(past, rows, torch.full((4,), -1), torch.full((4,), 3.0))[0], half[0])


def test_dropped_entries_count_nothing_at_any_time():
    past, net = faded(random_history(4, N_ITEMS, rng=3), 3.0), bag(3.0)
    order = by_place(past, 2)
    weight = past.weight.clone()
    weight[order[:-1]] = 0.0
    found = net._left_out(past, weight, torch.tensor([2]), past.items[order[-1:]], None)
    assert all(not part.any() for part in found)


@pytest.mark.parametrize("half_life", [None, 3.0])
def test_few_rows_at_a_time_give_the_same(half_life, monkeypatch):
    past, net = faded(random_history(9, N_ITEMS, rng=4), 3.0), bag(half_life)
    rows, left_out = (
        torch.arange(9).repeat(5),
        torch.randint(N_ITEMS, (45,), generator=torch.Generator().manual_seed(0)),
    )
    together = net._left_out(past, past.weight, rows, left_out, None)
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    for part, whole in zip(net._left_out(past, past.weight, rows, left_out, None), together, strict=True):
        torch.testing.assert_close(part, whole, atol=1e-5, rtol=1e-5)


def test_gradients_are_those_of_the_loops():
    past, net = faded(random_history(3, N_ITEMS, rng=5), 6.0), bag(6.0)
    order = by_place(past, 1)
    pair = len(order) // 2
    now = float(past.age[order[pair]])
    sums: Sums = net._left_out(past, past.weight, torch.tensor([1]), past.items[order[pair : pair + 1]], None)
    (slope,) = torch.autograd.grad(sums.bag.sum(), net.table)
    wanted = torch.zeros(2 * N_ITEMS)
    for entry in order[:pair]:
        row = int(past.items[entry]) + (0 if past.liked[entry] else N_ITEMS)
        wanted[row] += 2.0 ** (-(float(past.age[entry]) - now) / 6.0)
    torch.testing.assert_close(slope, wanted[:, None].expand_as(slope), rtol=1e-4, atol=1e-6)


def test_without_a_half_life_sums_are_those_of_a_bag_of_what_came_before():
    past = random_history(3, N_ITEMS, rng=7)
    causal, plain = bag(), bag(kind=HistoryBag)
    plain.load_state_dict(causal.state_dict())
    order = by_place(past, 2)
    found = causal(past, torch.full((len(order),), 2), past.items[order])
    for before in range(len(order)):
        own = sorted(order[:before])
        shorter = past.with_entries(lambda part, own=own: part[own], torch.tensor([0, before]))
        for part, whole in zip(found, plain(shorter), strict=True):
            torch.testing.assert_close(part[before], whole[0], atol=1e-5, rtol=1e-5)
    for part, whole in zip(causal(past), plain(past), strict=True):
        torch.testing.assert_close(part, whole)


def test_a_history_of_a_million_half_lives_is_nowhere_infinite():
    past = faded(random_history(2, N_ITEMS, rng=8), 1.0)
    net, order = bag(1e-6), by_place(past, 1)
    rows = torch.ones(len(order), dtype=torch.int64)
    for part in net._left_out(past, past.weight, rows, past.items[order], None):
        assert torch.isfinite(part).all()
    assert all(torch.isfinite(part).all() for part in net(past, rows, None, torch.full((len(order),), 1e30)))
