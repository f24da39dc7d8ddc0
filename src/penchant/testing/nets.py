"""The laws of an encoder: shapes, every parameter learns, missing and unseen values are served, saved is loaded."""

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from penchant._spec import MISSING, UNSEEN, Bag, Features, History, Layout
from penchant.nets import BaseEncoder, Catalogue, EncoderOptions, missing_rows, take

__all__ = ["check_net", "random_features"]

MakeEncoder = Callable[[Layout, int, EncoderOptions, Layout | None, Catalogue | None], BaseEncoder]

_CATALOGUE = Catalogue(n_items=6, n_features=3)
_HALF_LIFE = 4.0


def random_features(layout: Layout, n: int, rng: int = 0) -> Features:
    """``n`` random rows after a layout: one value in ten missing, one code in ten unseen, bags of 0 to 3 values."""
    generator = torch.Generator().manual_seed(rng)

    def chance(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    dense = chance(n, layout.n_dense).masked_fill(chance(n, layout.n_dense) < 0.1, torch.nan)
    codes = [(chance(n) * b.size).long() for b in layout.of("code")]
    bags = []
    for block in layout.of("bag"):
        lengths = (chance(n) * 4).long()
        values = (chance(int(lengths.sum())) * block.size).long()
        bags.append(Bag(values, torch.nn.functional.pad(lengths.cumsum(0), (1, 0))))
    return Features(dense, torch.stack(codes, 1) if codes else torch.zeros(n, 0, dtype=torch.int64), tuple(bags))


def random_history(n: int, n_items: int, rng: int = 0) -> History:
    """``n`` random histories over a catalogue; the first one is empty."""
    generator = torch.Generator().manual_seed(rng)
    there = torch.rand(n, n_items, generator=generator) < 0.5
    there[0] = False
    row, items = there.nonzero().unbind(1)
    liked, weight = torch.rand(2, len(row), generator=generator)
    offsets = torch.nn.functional.pad(torch.bincount(row, minlength=n).cumsum(0), (1, 0))
    starts = offsets[:-1].index_select(0, row)
    order = torch.argsort(row + torch.rand(len(row), generator=generator, dtype=torch.float64) / 2)
    place = torch.empty_like(order).scatter_(0, order, torch.arange(len(row))) - starts
    age = 3.0 * (offsets[1:].index_select(0, row) - starts - 1 - place).float()
    return History(items, (liked < 0.6).float(), 0.5 + weight / 2, place, age, offsets)


def check_net(make: MakeEncoder, layout: Layout, context: Layout, *, options: EncoderOptions, dim: int = 5) -> None:
    """Hold an encoder against the laws.

    Arguments:
        make: (layout, dim, options, context, catalogue) to an encoder, as the entries of `penchant.nets.KINDS`.
        layout, context: fields of a side and of the situations.
        options: what it is built with.

    Raises:
        AssertionError: naming the law that is broken.
    """
    rows = torch.tensor([0, 3, 3, 1, 0, 7])
    features, situations = random_features(layout, 8), random_features(context, len(rows), rng=1)
    torch.manual_seed(0)
    for about in (None, context):
        net = make(layout, dim, options, about, None)
        net.prepare(features, situations)
        given = situations if about is not None else None
        net.eval()
        assert net(features).shape == (8, dim), "n rows give (n, dim)"
        gathered = net(features, given, rows)
        assert gathered.shape == (len(rows), dim), "rows gather to (b, dim)"
        direct = net(take(features, rows), given)
        assert torch.allclose(gathered, direct, atol=1e-5), "gathering equals encoding row by row"
        assert torch.isfinite(net(missing_rows(layout, 4))).all(), "rows of which nothing is known are served"
        _check_learns(net, features, given, rows)
        _check_saved(net, make(layout, dim, options, about, None), features)
    _check_unseen(make(layout, dim, options, None, None), layout)
    for about in (None, context):
        _check_history(make(layout, dim, options, about, _CATALOGUE), features, situations)
    _check_fading(make(layout, dim, options, None, _CATALOGUE._replace(half_life=_HALF_LIFE)), features)


def _check_learns(net: BaseEncoder, features: Features, context: Features | None, rows: Tensor) -> None:
    net.train()
    every = [*range(len(features)), *range(len(features))]
    total = net(features, context, rows).pow(2).sum() + net(take(features, torch.tensor(every))).pow(2).sum()
    total.backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, f"{name} gets a gradient"
        assert torch.isfinite(parameter.grad).all(), f"the gradient of {name} is finite"
    net.eval()


def _check_saved(net: BaseEncoder, fresh: BaseEncoder, features: Features) -> None:
    fresh.load_state_dict(net.state_dict())
    fresh.eval()
    assert torch.equal(fresh(features), net(features)), "loaded weights give the same bits, bins included"


def _check_unseen(net: BaseEncoder, layout: Layout) -> None:
    """Places of unseen and missing values exist in every code block, and are told apart by an id's encoder or not."""
    rows = missing_rows(layout, 2)
    codes = rows.codes.clone()
    codes[0], codes[1] = UNSEEN, MISSING
    net.eval()
    assert torch.isfinite(net(Features(rows.dense, codes, rows.bags))).all(), "unseen and missing codes are served"


def _check_history(net: BaseEncoder, features: Features, situations: Features) -> None:
    """Histories are read, an empty one is served, and what is left out is as if it had never been there.

    To a causal encoder what came after is not there either, and the order makes a difference.
    """
    past = random_history(len(features), _CATALOGUE.n_items)
    _readied(net, features, situations)
    rows, left_out = _every_pair(len(features))
    given = None
    if net.context_layout is not None:
        given = take(situations, torch.arange(len(rows)) % len(situations))
    known = replace(features, history=past)
    assert torch.allclose(net(known)[0], net(features)[0], atol=1e-6), "an empty history is as none"
    assert not torch.allclose(net(known), net(features)), "a history makes a difference"
    without = net(known, given, rows, left_out)
    shorter = replace(take(features, rows), history=_shorter(past, rows, left_out, causal=net.causal))
    law = "a pair sees what came before it" if net.causal else "left out is as if never there"
    assert torch.allclose(without, net(shorter, given), atol=1e-4), law
    turned = net(replace(features, history=past._replace(place=past.place.max() - past.place)))
    assert torch.allclose(net(known), turned, atol=1e-5) != net.causal, "the order matters to a causal encoder alone"
    _check_learns(net, known, given, rows)


def _check_fading(net: BaseEncoder, features: Features) -> None:
    """To a causal encoder an entry counts by the time from it to the pair: 2^(−gap / half-life)."""
    if not net.causal:
        return
    past = random_history(len(features), _CATALOGUE.n_items)
    past = past._replace(weight=torch.exp2(-past.age / _HALF_LIFE))
    _readied(net, features, None)
    rows, left_out = _every_pair(len(features))
    shorter = _shorter(past, rows, left_out, causal=True)
    now = torch.zeros(len(rows))
    for pair, (row, item) in enumerate(zip(rows.tolist(), left_out.tolist(), strict=True)):
        entries = range(int(past.offsets[row]), int(past.offsets[row + 1]))
        now[pair] = sum(float(past.age[entry]) for entry in entries if int(past.items[entry]) == item)
    gap = shorter.age - now.repeat_interleave(shorter.offsets.diff())
    known = replace(features, history=past)
    wanted = net(replace(take(features, rows), history=shorter._replace(weight=torch.exp2(-gap / _HALF_LIFE))))
    assert torch.allclose(net(known, None, rows, left_out), wanted, atol=1e-4), "entries count by the gap to the pair"
    since = torch.rand(len(features), generator=torch.Generator().manual_seed(4)) * 9
    faded = torch.exp2(-since / _HALF_LIFE).repeat_interleave(past.offsets.diff()) * past.weight
    later = net(known, None, torch.arange(len(features)), None, since)
    wanted = net(replace(features, history=past._replace(weight=faded)))
    assert torch.allclose(later, wanted, atol=1e-4), "a history fades up to the time that is asked for"


def _every_pair(n: int) -> tuple[Tensor, Tensor]:
    """Every user with every item of the catalogue."""
    return torch.arange(n).repeat(_CATALOGUE.n_items), torch.arange(_CATALOGUE.n_items).repeat_interleave(n)


def _readied(net: BaseEncoder, features: Features, situations: Features | None) -> None:
    """Prepared with a random catalogue, and moved off its zeros, which would hide what they read."""
    vectors = torch.rand(_CATALOGUE.n_items, _CATALOGUE.n_features, generator=torch.Generator().manual_seed(2))
    net.prepare(features, situations, vectors)
    net.eval()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)


def _shorter(past: History, rows: Tensor, left_out: Tensor, *, causal: bool) -> History:
    """Histories of ``rows``, each without one item (``causal``: and without what came after): entry by entry."""
    found: list[int] = []
    ends = [0]
    for row, item in zip(rows.tolist(), left_out.tolist(), strict=True):
        entries = range(int(past.offsets[row]), int(past.offsets[row + 1]))
        own = [entry for entry in entries if int(past.items[entry]) == item]
        end = int(past.place[own[0]]) if causal and own else math.inf
        found += [entry for entry in entries if entry not in own and int(past.place[entry]) < end]
        ends.append(len(found))
    places = torch.tensor(found, dtype=torch.int64)
    return past.with_entries(lambda part: part[places], torch.tensor(ends))
