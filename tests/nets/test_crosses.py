"""Crosses: combinations and their hashes by hand."""

from itertools import product

import numpy as np
import pytest
import torch

from penchant.errors import ConfigError
from penchant.nets.crosses import Crosses, crossable
from penchant.testing.nets import random_features


def crosses(layout, *names, buckets=50) -> Crosses:
    net = Crosses(layout, 3, names, buckets)
    torch.nn.init.normal_(net.table, generator=torch.Generator().manual_seed(0))
    return net


def values(features, layout, name, cuts) -> list[list[int]]:
    """A field's codes, row by row."""
    if name == "tags":
        bag = features.bags[0]
        return [bag.values[a:b].tolist() for a, b in zip(bag.offsets[:-1], bag.offsets[1:], strict=True)]
    if name in ("job", "user_id"):
        return [[code] for code in features.codes[:, ["job", "user_id"].index(name)].tolist()]
    numbers = features.dense[:, ["age", "member"].index(name)].numpy()
    return [[10 if np.isnan(x) else int((cuts <= x).sum())] for x in numbers]


@pytest.mark.parametrize(
    "names", [("job", "tags"), ("age", "job", "user_id"), ("tags", "member"), ("tags", "age", "job")]
)
def test_combinations_are_those_by_hand(layout, names):
    features = random_features(layout, 30, rng=3)
    net = crosses(layout, ("job", "user_id"), names)
    net.prepare(features)
    columns = [values(features, layout, name, net.edges[0 if name == "age" else 1].numpy()) for name in names]
    pairs = [values(features, layout, name, None) for name in ("job", "user_id")]
    for row, found in enumerate(net(features)):
        wanted = torch.zeros(3)
        for number, fields in enumerate((pairs, columns)):
            buckets = []
            for combination in product(*(field[row] for field in fields)):
                hashed = 12_345
                for code in combination:
                    hashed = (hashed * 1_103_515_245 + code + 1) % (2**31 - 1)
                buckets.append(number * 50 + hashed % 50)
            if buckets:
                wanted += net.table[buckets].mean(0)
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


def test_cuts_are_quantiles_of_what_is_known(layout):
    features = random_features(layout, 500, rng=1)
    features.dense[:10, 0] = torch.nan
    net = crosses(layout, ("age", "job"))
    net.prepare(features)
    wanted = np.nanquantile(features.dense[:, 0].double().numpy(), np.arange(1, 10) / 10)
    np.testing.assert_allclose(net.edges[0].numpy(), wanted, rtol=1e-6)


def test_combinations_are_spread_over_the_buckets(layout):
    from penchant.nets.crosses import _mixed

    first, second = (part.flatten() for part in torch.meshgrid(torch.arange(100), torch.arange(100), indexing="ij"))
    hashes = _mixed(_mixed(torch.full_like(first, 12_345), first), second)
    assert len(hashes.unique()) == 10_000
    counts = torch.bincount(hashes % 1000, minlength=1000)
    assert counts.max() < 40
    assert counts.min() > 0


def test_it_starts_at_nothing_and_what_cannot_be_crossed_is_refused_by_name(layout):
    assert Crosses(layout, 3, [("job", "tags")], 10)(random_features(layout, 4)).abs().sum() == 0
    assert crossable(layout) == ["age", "member", "job", "user_id", "tags"]
    for name in ("taste", "hour"):
        with pytest.raises(
            ConfigError, match=f"'{name}' cannot be crossed here: one of age, member, job, user_id, tags"
        ):
            Crosses(layout, 3, [("job", name)], 10)
