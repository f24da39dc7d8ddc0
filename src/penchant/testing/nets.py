"""The laws of an encoder: shapes, every parameter learns, missing and unseen values are served, saved is loaded."""

from collections.abc import Callable

import torch
from torch import Tensor

from penchant._spec import MISSING, UNSEEN, Bag, Features, Layout
from penchant.nets import BaseEncoder, EncoderOptions, missing_rows, take

__all__ = ["check_net", "random_features"]

MakeEncoder = Callable[[Layout, int, EncoderOptions, Layout | None], BaseEncoder]


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


def check_net(make: MakeEncoder, layout: Layout, context: Layout, *, options: EncoderOptions, dim: int = 5) -> None:
    """Hold an encoder against the laws.

    Arguments:
        make: (layout, dim, options, context) to an encoder, as the entries of `penchant.nets.KINDS`.
        layout, context: fields of a side and of the situations.
        options: what it is built with.

    Raises:
        AssertionError: naming the law that is broken.
    """
    rows = torch.tensor([0, 3, 3, 1, 0, 7])
    features, situations = random_features(layout, 8), random_features(context, len(rows), rng=1)
    torch.manual_seed(0)
    for about in (None, context):
        net = make(layout, dim, options, about)
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
        _check_saved(net, make(layout, dim, options, about), features)
    _check_unseen(make(layout, dim, options, None), layout)


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
