"""What every space keeps: options, the bound, and the cap, which never changes a decision."""

import math
import warnings
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import ConfigError, SpaceError
from penchant.spaces import BaseSpace, UniformSpace, _cross
from penchant.spaces.base import as_norm
from penchant.testing.spaces import check_space


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 0}, "space.dim = 0: a whole number >= 1"),
        ({"dim": True}, "space.dim = True"),
        ({"cap": 0}, "space.cap = 0: .*for the base metric, say None"),
        ({"cap": -0.5}, "space.cap = -0.5: a distance > 0"),
        ({"cap": math.nan}, "space.cap = nan"),
        ({"cap": "none"}, "space.cap = 'none'"),
        ({"box": "relu"}, "space.box = 'relu': .*a ReLU leaves the space unbounded"),
        ({"box": "cube"}, "space.box = 'cube': 'tanh' or 'sigmoid' expected$"),
    ],
)
def test_options_outside_their_range_are_refused(options, message):
    space = UniformSpace()
    for name, value in options.items():  # past the type checker, which users do not have
        object.__setattr__(space, name, value)
    with pytest.raises(ConfigError, match=message):
        space.__post_init__()


def test_norms_are_numbers_from_one_on():
    assert [as_norm(r) for r in (1, 2.5, "4", "inf", math.inf)] == [1, 2.5, 4, math.inf, math.inf]
    for wrong in (0.99, -math.inf, math.nan, "sup"):
        with pytest.raises(ConfigError, match="a number >= 1 or inf expected"):
            as_norm(wrong)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1))
def test_the_bound_is_the_named_function_and_ends_in_the_box(values):
    x = torch.tensor(values)[:, None]
    for box, function in (("tanh", math.tanh), ("sigmoid", lambda v: math.exp(min(v, 0)) / (1 + math.exp(-abs(v))))):
        space = UniformSpace(dim=1, box=box)
        got = space.bound(x)[:, 0]
        assert got.tolist() == pytest.approx([function(v) for v in values], rel=1e-5, abs=1e-30)
        assert space.low <= got.min()
        assert got.max() <= space.high


@settings(max_examples=300, deadline=None)
@given(
    st.floats(1e-3, 0.99),
    st.just(0.0) | st.floats(0, 0.5),
    st.none() | st.floats(1, 2),
    st.lists(st.floats(-1, 1), min_size=1, max_size=5),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_a_cap_changes_no_decision(threshold, margin, cap, values, dtype):
    """Distances around the threshold included, to the last bit: on a line from 0, |x| is one."""
    p = torch.tensor(threshold, dtype=dtype)
    x = torch.cat([torch.tensor(values, dtype=dtype), p[None], *(p.nextafter(p + s)[None] for s in (-1, 1))])[:, None]
    space = UniformSpace(dim=1, norm=2, cap=cap or "auto")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a cap at the diameter
        settled = space.resolve_cap(threshold, margin)
    assert cap or settled.cap == pytest.approx(threshold + margin, rel=1e-6)
    zero = torch.zeros_like(x[:1])
    far = settled.base_distance(x, zero)
    assert torch.equal(far <= threshold, settled.distance(x, zero) <= threshold)
    assert torch.equal(far <= threshold, settled.cross_distance(x, zero)[:, 0] <= threshold)
    assert torch.equal(settled.distance(x, zero), far.clamp(max=settled.cap))


@pytest.mark.parametrize("cap", [None, "auto", 2, 5.0])
def test_no_cap_an_unsettled_one_and_one_from_the_diameter_on_are_the_base_metric(cap):
    x = 2 * torch.rand(20, 3, generator=torch.Generator().manual_seed(0)) - 1
    space = UniformSpace(dim=3, norm=3, cap=cap)
    assert torch.equal(space.distance(x[:, None], x), space.base_distance(x[:, None], x))


def test_what_a_cap_becomes():
    assert UniformSpace(cap=None).resolve_cap(0.3, 0.1).cap is None
    assert UniformSpace().resolve_cap(0.3, 0.1).cap == 0.4
    assert UniformSpace(cap=1).resolve_cap(0.3, 0.9).cap == 1, "a given cap stays"
    settled = UniformSpace(dim=5, norm=3, box="sigmoid").resolve_cap(0.25, 0.125)
    assert settled == UniformSpace(dim=5, norm=3, box="sigmoid", cap=0.375), "all else stays"
    assert UniformSpace().resolve_cap(0.6, 1.5).cap == 2.1, "one that was derived does not warn"


@pytest.mark.parametrize("cap", [0.2, 0.3, 0.3 * (1 + 1e-9)])
def test_a_cap_not_above_the_threshold_is_an_error(cap):
    """The last one is above it in float64 only."""
    with pytest.raises(ConfigError, match=r"above the threshold 0\.3 expected"):
        UniformSpace(cap=cap).resolve_cap(0.3)


@pytest.mark.parametrize(("threshold", "margin"), [(0, 0), (-1, 0), (math.inf, 0), (math.nan, 0), (0.5, -0.1)])
def test_thresholds_and_margins_outside_their_range_are_an_error(threshold, margin):
    with pytest.raises(ConfigError, match="threshold above 0 and a margin >= 0"):
        UniformSpace().resolve_cap(threshold, margin)


def test_a_cap_that_changes_nothing_and_a_threshold_that_reaches_everywhere_are_warned_of():
    with pytest.warns(UserWarning, match="cap = 2.0 is not below the diameter 2: it changes nothing"):
        UniformSpace(cap=2).resolve_cap(0.5)
    for box, p in (("sigmoid", 0.5), ("tanh", 1.0)):
        for cap in ("auto", None):
            with pytest.warns(UserWarning, match="a user at the centre would like everything"):
                UniformSpace(box=box, cap=cap).resolve_cap(p)
    space, corners = UniformSpace(dim=2, box="sigmoid"), torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert (space.base_distance(torch.full((1, 2), 0.5), corners) <= 0.5).all(), "what the warning says"


def test_beyond_the_cap_there_is_no_gradient():
    x = torch.tensor([[0.2], [0.6]], requires_grad=True)
    space = UniformSpace(dim=1, cap=0.5)
    for d in (space.distance(x, torch.zeros(1, 1)), space.cross_distance(x, torch.zeros(1, 1))):
        assert torch.autograd.grad(d.sum(), x)[0].tolist() == [[1.0], [0.0]]


def test_points_of_another_dimension_are_named():
    space = UniformSpace(dim=3)
    space.check_dim(torch.zeros(3), torch.zeros(2, 4, 3))
    with pytest.raises(SpaceError, match="points of 2 axes in a space of 3"):
        space.check_dim(torch.zeros(3), torch.zeros(5, 2))


@dataclass(frozen=True, kw_only=True)
class Steps(BaseSpace):
    """A space that says no more than its distance; ln(1 + d) of a metric d is one."""

    kind: str = "steps"

    @property
    def diameter(self):
        return math.log1p(self.high - self.low)

    def base_distance(self, x, y):
        self.check_dim(x, y)
        return torch.log1p((x - y).abs().amax(-1))


@pytest.mark.parametrize("dim", [1, 6])
def test_a_space_that_has_but_a_distance_keeps_the_laws(dim):
    check_space(Steps(dim=dim))
    assert Steps().axes == 64
    points = torch.rand(3, 64)
    assert Steps().location(points) is points
    with pytest.raises(ConfigError, match="a Steps is 'steps'"):
        Steps(kind="uniform")


def test_distances_of_all_pairs_are_the_same_some_rows_at_a_time(monkeypatch):
    x, y = (torch.rand(n, 5, dtype=torch.float64, requires_grad=True) for n in (7, 4))
    whole = Steps(dim=5).cross(x, y)
    slopes = torch.autograd.grad(whole.square().sum(), (x, y))
    monkeypatch.setattr(_cross, "_AT_ONCE", 40)
    parts = Steps(dim=5).cross(x, y)
    assert torch.equal(parts, whole)
    again = torch.autograd.grad(parts.square().sum(), (x, y))
    assert all(torch.allclose(a, b) for a, b in zip(slopes, again, strict=True))
    assert Steps(dim=5).cross(x[:0], y).shape == (0, 4)
