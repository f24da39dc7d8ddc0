import math

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from penchant.portraits.bounds import _distance
from penchant.portraits.bounds._ball import BallBoxes
from penchant.portraits.bounds._crown import Crown, ReLUNetwork
from penchant.spaces import UniformSpace

ends = st.tuples(st.floats(-30, 30), st.floats(-30, 30)).map(sorted)


@settings(max_examples=300)
@given(ends, st.sampled_from(["tanh", "sigmoid"]))
@example([-17.709585945513496, -17.631121289237633], "tanh")  # where the steepness is nothing but rounding
@example([-39.441499238294575, -39.44149923105004], "sigmoid")
@example([-25.0, 25.0], "tanh")
def test_the_lines_of_the_bound_hold_it(end, box):
    space = UniformSpace(dim=1, box=box)
    low, high = torch.tensor([[end[0]]], dtype=torch.float64), torch.tensor([[end[1]]], dtype=torch.float64)
    below, above = _distance._lines_of_bound(space, low, high)
    y = torch.linspace(end[0], end[1], 2001, dtype=torch.float64)[:, None]
    g = space.bound(y)
    assert (below.slope * y + below.height <= g + 1e-12).all()
    assert (above.slope * y + above.height >= g - 1e-12).all()


@settings(max_examples=300)
@given(ends, st.floats(-1, 1), st.sampled_from([1.0, 1.3, 2.0, 4.0, 16.0]), st.sampled_from(["tanh", "sigmoid"]))
def test_the_lines_of_a_term_of_the_distance_hold_it(end, centre, norm, box):
    space = UniformSpace(dim=1, norm=norm, box=box)
    low, high = torch.tensor([[end[0]]], dtype=torch.float64), torch.tensor([[end[1]]], dtype=torch.float64)
    at = torch.tensor([centre], dtype=torch.float64)
    below, above = _distance._terms(space, at, low, high)
    y = torch.linspace(end[0], end[1], 2001, dtype=torch.float64)[:, None]
    term = (at - space.bound(y)).abs().pow(norm)
    assert (below.slope * y + below.height <= term + 1e-9 * 2**norm).all()
    assert (above.slope * y + above.height >= term - 1e-9 * 2**norm).all()


@pytest.mark.parametrize("norm", [1.0, 2.0, 4.0, 30.0, math.inf])
def test_the_distance_of_a_box_is_exact_without_a_network(norm):
    """One axis moves at a time: then a box is all there is to know."""
    space = UniformSpace(dim=3, norm=norm)
    one = torch.ones(1, 3, dtype=torch.float64)
    network = ReLUNetwork((torch.eye(3, dtype=torch.float64),), (torch.zeros(3, dtype=torch.float64),), None)
    middle = torch.tensor([[0.5, -0.25, 0.0]], dtype=torch.float64)
    sets = BallBoxes(middle, middle - 0.25, middle + 0.25, 9 * one[:, 0], math.inf)
    centre = torch.tensor([0.9, 0.0, -0.9], dtype=torch.float64)
    known = _distance.distances(space, centre, Crown(network, sets), torch.zeros(3, dtype=torch.float64))
    edges = torch.tanh(torch.stack([middle[0] - 0.25, middle[0] + 0.25]))
    near = centre.clamp(edges[0], edges[1])
    far = torch.where((edges[0] - centre).abs() > (edges[1] - centre).abs(), edges[0], edges[1])
    assert known.low.item() == pytest.approx(float(space.base_distance(near, centre)), abs=2e-5)
    assert known.high.item() == pytest.approx(float(space.base_distance(far, centre)), abs=2e-5)


def test_axes_that_move_together_are_seen_to():
    """A segment, not a box: its far corner is never reached."""
    space, k = UniformSpace(dim=8, norm=2.0), 8
    way = torch.tensor([1.0, -1.0] * 4, dtype=torch.float64)[:, None] * 0.3
    network = ReLUNetwork((way,), (torch.zeros(k, dtype=torch.float64),), None)
    one = torch.ones(1, 1, dtype=torch.float64)
    sets = BallBoxes(0 * one, -one, one, 9 * one[:, 0], 2.0)
    centre = torch.full((k,), 0.5, dtype=torch.float64)
    known = _distance.distances(space, centre, Crown(network, sets), torch.zeros(k, dtype=torch.float64))
    points = torch.tanh(torch.linspace(-1, 1, 1001, dtype=torch.float64)[:, None] @ way.T)
    distance = space.base_distance(points, centre)
    box_low, box_high = _distance._by_box(space, centre, points.amin(0)[None], points.amax(0)[None])
    assert known.low.item() <= distance.min()
    assert known.high.item() >= distance.max()
    assert known.low.item() > box_low.item() + 0.5 * (float(distance.min()) - box_low.item())
    assert known.high.item() < box_high.item() - 0.5 * (box_high.item() - float(distance.max()))
