import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from penchant._spec import Bag
from penchant.errors import ConfigError
from penchant.nets import EncoderOptions, MLPEncoder, WideDeepEncoder, take
from penchant.nets.base import ACTIVATIONS
from penchant.nets.dropout import Dropout
from penchant.nets.interval import interval_bounds, interval_width
from penchant.nets.vertices import vertices_of, with_field
from penchant.spaces import UniformSpace
from penchant.testing.nets import random_features


@settings(max_examples=60)
@given(st.sampled_from(sorted(ACTIVATIONS)), st.integers(0, 2**20), st.sampled_from([0.0, 0.1, 3.0]))
def test_nothing_between_the_corners_is_outside(activation, seed, spread):
    torch.manual_seed(seed)
    act = ACTIVATIONS[activation]
    layers = nn.Sequential(nn.Linear(3, 5), act(), Dropout(0.5), nn.Linear(5, 4), act(), nn.Linear(4, 2)).double()
    layers.eval()
    middle = torch.randn(1, 3, dtype=torch.float64) * 2
    low, high = middle - spread * torch.rand(1, 3), middle + spread * torch.rand(1, 3)
    least, most = interval_bounds(layers, low, high)
    values = layers(low + (high - low) * torch.rand(500, 3, dtype=torch.float64))
    assert (values >= least - 1e-9).all()
    assert (values <= most + 1e-9).all()
    if spread == 0:
        torch.testing.assert_close(least, most)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_one_unit_is_bounded_exactly(activation):
    act = ACTIVATIONS[activation]()
    for low, high in ((-3.0, -2.0), (-2.0, -0.1), (-1.0, 2.0), (0.5, 1.5), (-0.7, 0.0)):
        x = torch.linspace(low, high, 10_001, dtype=torch.float64)
        least, most = interval_bounds([act], x[:1], x[-1:])
        assert least.item() == pytest.approx(act(x).min().item(), abs=1e-6)
        assert most.item() == pytest.approx(act(x).max().item(), abs=1e-6)


def test_an_unknown_layer_is_refused():
    with pytest.raises(ConfigError, match="LayerNorm"):
        interval_bounds([nn.LayerNorm(3)], torch.zeros(1, 3), torch.ones(1, 3))


def an_encoder(layout, **options) -> MLPEncoder:
    torch.manual_seed(1)
    encoder = MLPEncoder(layout, 3, EncoderOptions(**{"embedding_dim": 4, "bins": 3, "hidden": (8,), **options}))
    with torch.no_grad():
        for parameter in encoder.fields.parameters():
            parameter.normal_()
    return encoder


@pytest.mark.parametrize(
    "options",
    [{}, {"wide": False}, {"inputs": "vector"}, {"bins": 0, "activation": "gelu"}, {"hidden": (), "wide": False}],
)
def test_points_of_a_freed_field_lie_within_the_width(layout, options):
    encoder, space = an_encoder(layout, **options).eval(), UniformSpace(dim=3)
    rows = random_features(layout, 6)
    for block in layout.blocks:
        width = interval_width(encoder, rows, block.name, bound=space.bound)
        assert width.shape == (6,)
        found = vertices_of(encoder, block)
        values = found.values
        for row in range(6):
            if block.form == "dense" and block.size > 1:
                values = torch.rand(50, block.size)
            points = space.bound(encoder(with_field(take(rows, torch.tensor([row])), layout, block, values)))
            spread = (points.amax(0) - points.amin(0)).mean()
            assert spread <= width[row] + 1e-5
            if not options.get("hidden", (8,)) and found.form in ("choice", "path"):
                assert spread.item() == pytest.approx(width[row].item(), abs=1e-5), "a linear encoder: exact"


def test_an_empty_set_of_tags_counts(layout):
    encoder, space = an_encoder(layout, hidden=(), wide=False).eval(), UniformSpace(dim=3)
    with torch.no_grad():
        encoder.fields.bag_tables[0].abs_()
        encoder.first.weight.abs_()
    row = take(random_features(layout, 9), torch.tensor([4]))
    block = layout.of("bag")[0]
    found = vertices_of(encoder, block)
    values = Bag(found.values.values, torch.cat([torch.zeros(1).long(), found.values.offsets]))  # none, and one each
    points = space.bound(encoder(with_field(row, layout, block, values)))
    width = interval_width(encoder, row, block.name, bound=space.bound)
    assert (points.amax(0) - points.amin(0)).mean().item() == pytest.approx(width.item(), abs=1e-5)


def test_its_gradient_makes_an_encoder_narrower(layout):
    encoder, space = an_encoder(layout), UniformSpace(dim=3)
    rows = random_features(layout, 16)
    optimiser = torch.optim.Adam(encoder.parameters(), lr=0.02)
    before = interval_width(encoder, rows, "job", bound=space.bound).mean().item()
    for _ in range(40):
        loss = interval_width(encoder, rows, "job", bound=space.bound).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert interval_width(encoder, rows, "job", bound=space.bound).mean().item() < 0.5 * before


def test_ids_have_no_width_where_they_are_not_read(layout):
    assert interval_width(an_encoder(layout, inputs="vector"), random_features(layout, 3), "user_id").max() == 0


def test_fields_and_encoders_that_cannot_be_asked_are_refused(layout, context):
    rows = random_features(layout, 2)
    with pytest.raises(ConfigError, match="'jobs' is no field"):
        interval_width(an_encoder(layout), rows, "jobs")
    with pytest.raises(ConfigError, match="situations"):
        interval_width(MLPEncoder(layout, 3, EncoderOptions(), context), rows, "job")
    with pytest.raises(ConfigError, match="WideDeepEncoder adds what has no bounds here"):
        interval_width(WideDeepEncoder(layout, 3, EncoderOptions()), rows, "job")
