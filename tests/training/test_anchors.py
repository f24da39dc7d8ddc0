"""The anchor term: nothing where nothing moved, and what a loop over the rows says elsewhere."""

import numpy as np
import pytest
import torch

from penchant import EncoderOptions, Penchant, Space, simulate
from penchant.errors import ConfigError
from penchant.nets import as_tensors
from penchant.tables import TablesEncoder
from penchant.training import Anchored, WarmStart, encode_all

CPU = torch.device("cpu")


@pytest.fixture
def held():
    """A network with dropout of everything, and where its rows are."""
    tables = simulate(n_users=30, n_items=20, n_interactions=300, rng=2).tables
    encoder = TablesEncoder.fit(tables)
    torch.manual_seed(0)
    options = EncoderOptions(hidden=(8,), dropout=0.5, unseen=0.5, bins=4)
    model = Penchant(encoder=options, space=Space(dim=4)).build_module(encoder)
    data = encoder.encode(tables)
    sides = {"user": data.users, "item": data.items}
    model.eval()
    points = {side: encode_all(model, side, features, CPU) for side, features in sides.items()}
    return model, {side: (as_tensors(features), points[side]) for side, features in sides.items()}


def test_nothing_where_nothing_has_moved_and_nothing_is_dropped(held):
    model, known = held
    model.train()
    pull = Anchored(known["user"], known["item"], WarmStart()).pull(model)
    assert float(pull.detach()) == pytest.approx(0, abs=1e-12)
    assert model.training


def test_it_is_the_mean_square_of_what_moved(held):
    model, known = held
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1)
    expected = 0.0
    for side, (features, before) in known.items():
        now = encode_all(model, side, features, CPU)
        ways = [
            float((a - b) ** 2) for row, old in zip(now, before, strict=True) for a, b in zip(row, old, strict=True)
        ]
        expected += float(np.mean(ways))
    pull = Anchored(known["user"], known["item"], WarmStart()).pull(model)
    assert float(pull.detach()) == pytest.approx(expected, rel=1e-5)
    pull.backward()
    assert all(encoder.first.weight.grad.abs().sum() > 0 for encoder in (model.user_encoder, model.item_encoder))


def test_rows_are_drawn_anew_from_torchs_stream(held):
    model, known = held
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1)
    some = Anchored(known["user"], known["item"], WarmStart(rows=3))
    torch.manual_seed(1)
    first, second = (float(some.pull(model).detach()) for _ in range(2))
    torch.manual_seed(1)
    assert float(some.pull(model).detach()) == first != second


def test_nobody_is_no_pull(held):
    model, known = held
    features, points = known["user"]
    from penchant.nets import take

    nobody = take(features, torch.zeros(0, dtype=torch.int64)), points[:0]
    pull = Anchored(nobody, known["item"], WarmStart()).pull(model)
    assert float(pull.detach()) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("options", [{"anchor": -1.0}, {"anchor": float("inf")}, {"rows": 0}])
def test_options_have_ranges(options):
    with pytest.raises(ConfigError, match=rf"warm.{next(iter(options))} = "):
        WarmStart(**options)
