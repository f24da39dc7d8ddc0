import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from torch import nn

from penchant.errors import ConfigError, SpaceError
from penchant.nets import DecoderOptions, MLPDecoder
from penchant.portraits.bounds import (
    DecodedBounds,
    Range,
    certified_range,
    decoded_bounds,
    found_range,
    interval_range,
)
from penchant.spaces import Ball, UniformSpace

NORMS = [1.0, 1.5, 2.0, 4.0, math.inf]


def a_decoder(dim, width, hidden, *, linear=True, seed=0, gain=2.0, activation="relu") -> MLPDecoder:
    torch.manual_seed(seed)
    decoder = MLPDecoder(dim, width, DecoderOptions(hidden=hidden, linear=linear, activation=activation))
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.mul_(gain)
    return decoder


def points_of(space: UniformSpace, n: int, seed: int = 0, corners: float = 0.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    unit = torch.rand(n, space.dim, generator=generator)
    unit = torch.where(torch.rand(unit.shape, generator=generator) < corners, unit.round(), unit)
    return space.low + (space.high - space.low) * unit


questions = st.fixed_dictionaries(
    {
        "k": st.integers(1, 8),
        "norm": st.sampled_from(NORMS),
        "box": st.sampled_from(["tanh", "sigmoid"]),
        "hidden": st.sampled_from([(), (5,), (12,), (6, 6), (4, 8, 4)]),
        "width": st.integers(1, 7),
        "linear": st.booleans(),
        "seed": st.integers(0, 2**20),
        "corners": st.sampled_from([0.0, 0.5, 1.0]),
        "radius": st.sampled_from([1e-5, 0.02, 0.2, 0.7, 5.0]),
    }
)
"""Random decoders, spaces, centres (inside, at corners) and radii (tiny, large, larger than the space)."""


def asked(q):
    space = UniformSpace(dim=q["k"], norm=q["norm"], box=q["box"])
    decoder = a_decoder(q["k"], q["width"], q["hidden"], linear=q["linear"], seed=q["seed"], gain=3.0)
    return decoder, space, points_of(space, 3, q["seed"], corners=q["corners"]), q["radius"]


def inside(outer: Range, inner: Range, slack: float = 1e-9) -> bool:
    return bool((outer.low <= inner.low + slack).all() and (outer.high >= inner.high - slack).all())


@settings(max_examples=60)
@given(questions)
def test_nothing_in_a_ball_decodes_to_outside_its_certified_range(question):
    decoder, space, centres, radius = asked(question)
    certified = certified_range(decoder, space, centres, radius)
    shares = certified.shares()
    for row, centre in enumerate(centres):
        drawn = Ball(space, centre, radius).sample(300, torch.Generator().manual_seed(row))
        with torch.no_grad():
            logits = decoder.logits(drawn).double()  # in single precision, as a model decodes
            portraits = decoder(drawn).double()
        assert (logits >= certified.low[row]).all()
        assert (logits <= certified.high[row]).all()
        assert (portraits >= shares.low[row]).all()
        assert (portraits <= shares.high[row]).all()


@settings(max_examples=60)
@given(questions)
def test_what_is_found_is_certified_and_both_lie_within_interval_arithmetic(question):
    decoder, space, centres, radius = asked(question)
    certified = certified_range(decoder, space, centres, radius)
    found = found_range(decoder, space, centres, radius, samples=8)
    assert not found.proved
    assert certified.proved
    assert inside(certified, found)
    assert inside(
        interval_range(decoder, space, centres, radius), certified, slack=2e-3
    )  # less single precision's part
    assert (found.width >= 0).all()


@settings(max_examples=25)
@given(questions, st.sampled_from([2, 7, 32]))
def test_cutting_never_widens_and_never_loses(question, pieces):
    decoder, space, centres, radius = asked(question)
    whole = certified_range(decoder, space, centres, radius)
    parts = certified_range(decoder, space, centres, radius, pieces=pieces)
    assert inside(whole, parts, slack=0.0)
    assert inside(parts, found_range(decoder, space, centres, radius))


def test_many_points_and_searches_stay_inside_at_the_real_size():
    space, decoder = UniformSpace(dim=64, norm=4.0), a_decoder(64, 100, (64,), gain=2.0)
    centres = points_of(space, 2, corners=0.1)
    certified = certified_range(decoder, space, centres, 0.15)
    for row, centre in enumerate(centres):
        drawn = Ball(space, centre, 0.15).sample(10_000, torch.Generator().manual_seed(1))
        with torch.no_grad():
            logits = decoder.logits(drawn).double()
        assert (logits >= certified.low[row]).all()
        assert (logits <= certified.high[row]).all()
    assert inside(certified, found_range(decoder, space, centres, 0.15, samples=50))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("linear", [True, False])
def test_a_linear_decoder_is_bounded_exactly(norm, linear):
    space, decoder = UniformSpace(dim=6, norm=norm), a_decoder(6, 9, (), linear=linear)
    centres = points_of(space, 4, corners=0.3)
    for radius in (0.05, 0.4, 3.0):
        certified = certified_range(decoder, space, centres, radius)
        found = found_range(decoder, space, centres, radius)
        torch.testing.assert_close(certified.low, found.low, atol=2e-4, rtol=1e-4)
        torch.testing.assert_close(certified.high, found.high, atol=2e-4, rtol=1e-4)
        if radius == 0.05:  # the ball lies in the box unless the centre is near its edge
            weight = decoder.layers[0].weight + (decoder.linear.weight if linear else 0)
            reach = radius if math.isinf(norm) else radius * 6 ** (1 / norm)
            dual = 1.0 if math.isinf(norm) else math.inf if norm == 1 else norm / (norm - 1)
            free = (centres.abs() < 1 - reach).all(1)
            middle = (centres.double() @ weight.double().T + decoder.layers[0].bias.double()).detach()
            want = middle + reach * torch.linalg.vector_norm(weight.double(), dual, dim=1).detach()
            torch.testing.assert_close(certified.high[free], want[free], atol=1e-4, rtol=1e-4)


def test_a_linear_decoder_under_the_one_norm_is_a_linear_program():
    space, decoder = UniformSpace(dim=4, norm=1), a_decoder(4, 3, (), linear=False)
    centres, radius, k = points_of(space, 3), 0.3, 4
    certified = certified_range(decoder, space, centres, radius)
    weight, bias = decoder.layers[0].weight.detach().double().numpy(), decoder.layers[0].bias.detach().double().numpy()
    for row, e in enumerate(centres.double().numpy()):
        rows = np.block([[np.eye(k), -np.eye(k)], [-np.eye(k), np.eye(k)], [np.ones((1, 2 * k))]])
        limits = np.concatenate([1 - e, 1 + e, [radius * k]])
        for j, w in enumerate(weight):
            best = linprog(np.concatenate([-w, w]), A_ub=rows, b_ub=limits, bounds=(0, None))
            assert float(certified.high[row, j]) == pytest.approx(w @ e + bias[j] - best.fun, abs=1e-4)


def test_a_small_ball_is_known_almost_exactly_and_a_network_stays_tight():
    space, decoder = UniformSpace(dim=16, norm=2.0), a_decoder(16, 20, (32,))
    centres = points_of(space, 5)
    for radius, most in ((0.005, 1.1), (0.02, 1.25), (0.05, 1.6)):
        bounds = decoded_bounds(decoder, space, centres, radius)
        assert (bounds.ratio() < most).all()
        assert (bounds.ratio() >= 1).all()
        loose = interval_range(decoder, space, centres, radius)
        assert loose.width.mean() > 2 * bounds.certified.width.mean()


def test_cutting_tightens_where_there_are_few_axes():
    space, decoder = UniformSpace(dim=2, norm=math.inf), a_decoder(2, 8, (24,), gain=3.0)
    centres = points_of(space, 3)
    whole = decoded_bounds(decoder, space, centres, 0.5)
    parts = decoded_bounds(decoder, space, centres, 0.5, pieces=256, target=1.02)
    assert (parts.ratio() < 0.7 * (whole.ratio() - 1) + 1).all()
    torch.testing.assert_close(parts.found.high, whole.found.high)
    untouched = decoded_bounds(decoder, space, centres, 0.5, pieces=256, target=float(whole.ratio().max()))
    torch.testing.assert_close(untouched.certified.high, whole.certified.high)


def test_what_is_found_is_what_a_grid_finds():
    space, decoder = UniformSpace(dim=2, norm=4.0), a_decoder(2, 6, (16,), gain=3.0)
    centres = points_of(space, 4, corners=0.3)
    axis = torch.linspace(-1, 1, 801)
    grid = torch.cartesian_prod(axis, axis)
    found = found_range(decoder, space, centres, 0.3, samples=100)
    for row, centre in enumerate(centres):
        logits = decoder.logits(grid[Ball(space, centre, 0.3).contains(grid)]).detach().double()
        torch.testing.assert_close(found.low[row], logits.amin(0), atol=0.05, rtol=0)
        torch.testing.assert_close(found.high[row], logits.amax(0), atol=0.05, rtol=0)


def test_a_maximum_inside_the_ball_is_climbed_to():
    """The logit −|z|: from 0.1 a whole step leads past the ridge, to −0.4."""
    space, decoder = UniformSpace(dim=1), a_decoder(1, 1, (2,), linear=False)
    with torch.no_grad():
        decoder.layers[0].weight.copy_(torch.tensor([[1.0], [-1.0]]))
        decoder.layers[2].weight.copy_(torch.tensor([[-1.0, -1.0]]))
        decoder.layers[0].bias.zero_()
        decoder.layers[2].bias.zero_()
    bounds = decoded_bounds(decoder, space, torch.tensor([[0.1]]), 0.5)
    assert bounds.found.high.item() > -0.03
    assert bounds.found.low.item() == pytest.approx(-0.6, abs=1e-6)
    assert 0 <= bounds.certified.high.item() < 0.6


@pytest.mark.parametrize("hidden", [(), (64,), (32, 32)])
def test_single_precision_stays_inside_though_balls_are_tiny(hidden):
    """Large weights that cancel: the rounding of a decoding is wider than what the ball decodes to."""
    space, decoder = UniformSpace(dim=32), a_decoder(32, 40, hidden, gain=40.0)
    centres = points_of(space, 20)
    certified = certified_range(decoder, space, centres, 1e-12)
    single = decoder.logits(centres).detach().double()
    exact = copy.deepcopy(decoder).double().logits(centres.double()).detach()
    assert (single - exact).abs().max() > 1e-7
    for logits in (single, exact):
        assert (logits >= certified.low).all()
        assert (logits <= certified.high).all()
    assert (certified.width < 1e-3 * exact.abs().max() * 40 ** len(hidden)).all()


def test_each_ball_has_its_own_radius_and_the_order_of_the_batch_does_not_matter():
    space, decoder = UniformSpace(dim=8, norm=4.0), a_decoder(8, 6, (16,))
    centres, radii = points_of(space, 40), torch.linspace(0.01, 0.5, 40)
    every = certified_range(decoder, space, centres, radii)
    for row in (0, 17, 39):
        one = certified_range(decoder, space, centres[row : row + 1], float(radii[row]))
        torch.testing.assert_close(one.low[0], every.low[row], atol=1e-6, rtol=1e-6)
        torch.testing.assert_close(one.high[0], every.high[row], atol=1e-6, rtol=1e-6)
    growing = certified_range(decoder, space, centres[:1].expand(40, -1), radii).width.mean(1)
    assert (growing[1:] > growing[:-1]).all()
    assert certified_range(decoder, space, centres[:0], 0.1).low.shape == (0, 6)
    assert found_range(decoder, space, centres[:0], 0.1).low.shape == (0, 6)


def test_a_centre_outside_the_space_counts_as_far_as_its_ball_reaches_in():
    space, decoder = UniformSpace(dim=3, norm=2.0), a_decoder(3, 4, (8,))
    outside = torch.tensor([[1.2, 0.3, -0.1]])
    certified = certified_range(decoder, space, outside, 0.3)
    assert inside(certified, found_range(decoder, space, outside, 0.3, samples=20))
    drawn = Ball(space, outside[0], 0.3).sample(500, torch.Generator().manual_seed(0))
    logits = decoder.logits(drawn).detach().double()
    assert (logits >= certified.low).all()
    assert (logits <= certified.high).all()
    with pytest.raises(SpaceError, match="rows \\[1\\]"):
        certified_range(decoder, space, torch.cat([outside, 3 + outside]), 0.3)


def test_constant_outputs_have_no_width_and_no_ratio():
    space, decoder = UniformSpace(dim=3), a_decoder(3, 4, (8,))
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.zero_()
    bounds = decoded_bounds(decoder, space, torch.zeros(2, 3), 0.5, pieces=4)
    assert bounds.found.width.max() == 0
    assert bounds.certified.width.max() < 1e-6
    assert bounds.ratio().isinf().all()
    assert bounds.shares().certified.high.max() == pytest.approx(0.5, abs=1e-6)


def test_shares_stay_between_0_and_1_and_round_outwards_only_where_proved():
    logits = torch.tensor([[-800.0, 0.0, 800.0]], dtype=torch.float64)
    proved, found = Range(logits, logits, True).shares(), Range(logits, logits, False).shares()
    assert proved.low.min() == 0
    assert proved.high.max() == 1
    assert (proved.width[:, 1] > 0).all()
    assert found.width.max() == 0
    both = DecodedBounds(Range(logits, logits + 1, True), Range(logits, logits + 0.5, False))
    assert both.ratio().item() == pytest.approx(2.0)


@pytest.mark.parametrize("activation", ["tanh", "gelu", "silu", "sigmoid"])
def test_other_activations_are_found_and_boxed_but_not_certified(activation):
    space, decoder = UniformSpace(dim=4), a_decoder(4, 5, (8, 6), activation=activation)
    centres = points_of(space, 3)
    with pytest.raises(ConfigError, match=r'decoder\.activation = "relu"'):
        certified_range(decoder, space, centres, 0.2)
    found = found_range(decoder, space, centres, 0.2, samples=10)
    assert inside(interval_range(decoder, space, centres, 0.2), found)
    assert (found.width > 0).all()


def test_a_linear_decoder_needs_no_activation():
    decoder = a_decoder(4, 5, (), activation="gelu")
    assert certified_range(decoder, UniformSpace(dim=4), torch.zeros(1, 4), 0.2).proved


@pytest.mark.parametrize("radius", [0.0, -1.0, math.inf, math.nan])
def test_radii_are_distances(radius):
    space, decoder = UniformSpace(dim=4), a_decoder(4, 5, (8,))
    with pytest.raises(ConfigError, match="radius"):
        certified_range(decoder, space, torch.zeros(1, 4), radius)


def test_questions_that_make_no_sense_are_refused():
    space, decoder = UniformSpace(dim=4), a_decoder(4, 5, (8,))
    with pytest.raises(ConfigError, match="pieces = 0"):
        certified_range(decoder, space, torch.zeros(1, 4), 0.2, pieces=0)
    with pytest.raises(ConfigError, match="steps = -1"):
        found_range(decoder, space, torch.zeros(1, 4), 0.2, steps=-1)
    with pytest.raises(SpaceError, match="3 axes"):
        certified_range(decoder, space, torch.zeros(1, 3), 0.2)
    with pytest.raises(SpaceError, match="NaN"):
        certified_range(decoder, space, torch.full((1, 4), math.nan), 0.2)


def test_nothing_of_the_model_changes():
    space, decoder = UniformSpace(dim=4), a_decoder(4, 5, (8,))
    before = {name: value.clone() for name, value in decoder.state_dict().items()}
    decoded_bounds(decoder, space, torch.zeros(1, 4), 0.2, pieces=4)
    assert all(torch.equal(before[name], value) for name, value in decoder.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in decoder.parameters())
    assert isinstance(decoder.layers[0], nn.Linear)
