import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from penchant.errors import ConfigError, SpaceError
from penchant.spaces import GaussianSpace

METRICS = ("sup", "wasserstein", "fisher_rao", "hellinger", "kl")


def space_of(metric="sup", axes=1, **options):
    return GaussianSpace(dim=2 * axes, metric=metric, **{"sigma_min": 0.1, "sigma_max": 0.9, "box": "tanh"} | options)


def point(space, mean, scale):
    """(μ, σ) as coordinates."""
    share = (torch.tensor(scale, dtype=torch.float64) - space.sigma_min) / (space.sigma_max - space.sigma_min)
    return torch.cat([torch.tensor(mean, dtype=torch.float64), space.low + (space.high - space.low) * share])


def apart(metric, mean_x, scale_x, mean_y, scale_y, **options):
    space = space_of(metric, len(mean_x), **options)
    return float(space.base_distance(point(space, mean_x, scale_x), point(space, mean_y, scale_y)))


MEANS, SCALES = st.floats(-1, 1), st.floats(0.1, 0.9)
PAIRS = st.lists(st.tuples(MEANS, SCALES, MEANS, SCALES), min_size=1, max_size=4)


@given(PAIRS)
def test_sup_and_wasserstein_are_norms_of_mean_and_deviation(pairs):
    mean_x, scale_x, mean_y, scale_y = (list(column) for column in zip(*pairs, strict=True))
    moved = [(a - c, b - d) for a, b, c, d in pairs]
    assert apart("sup", mean_x, scale_x, mean_y, scale_y) == pytest.approx(
        max(max(map(abs, m)) for m in moved), abs=1e-12
    )
    plain = math.sqrt(sum(m**2 + s**2 for m, s in moved) / len(moved))
    assert apart("wasserstein", mean_x, scale_x, mean_y, scale_y) == pytest.approx(plain, abs=1e-9)


def test_wasserstein_is_the_cost_of_moving_one_gaussian_onto_the_other():
    """On a line the best plan moves quantile to quantile."""
    q = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    x, y = Normal(-0.3, 0.2).icdf(q), Normal(0.4, 0.7).icdf(q)
    assert apart("wasserstein", [-0.3], [0.2], [0.4], [0.7]) == pytest.approx(
        float((x - y).square().mean().sqrt()), rel=1e-3
    )


def test_fisher_rao_is_the_length_of_the_shortest_path():
    """Up to a point whose mean is the same the path is straight; else it is a half ellipse: lengths by many steps."""
    assert apart("fisher_rao", [0.2], [0.1], [0.2], [0.8]) == pytest.approx(math.sqrt(2) * math.log(8))
    # in (μ/√2, σ) shortest paths are arcs about a place on the line σ = 0
    a, b = (-0.5 / math.sqrt(2), 0.3), (0.7 / math.sqrt(2), 0.6)
    middle = (b[0] ** 2 + b[1] ** 2 - a[0] ** 2 - a[1] ** 2) / (2 * (b[0] - a[0]))
    radius = math.hypot(a[0] - middle, a[1])
    first, last = (math.atan2(p[1], p[0] - middle) for p in (a, b))
    angle = torch.linspace(first, last, 100_001, dtype=torch.float64)
    mean, scale = math.sqrt(2) * (middle + radius * angle.cos()), radius * angle.sin()
    step = (mean.diff().square() + 2 * scale.diff().square()).sqrt() / ((scale[1:] + scale[:-1]) / 2)
    assert apart("fisher_rao", [-0.5], [0.3], [0.7], [0.6]) == pytest.approx(float(step.sum()), rel=1e-6)


@given(PAIRS)
def test_fisher_rao_equals_its_printed_form(pairs):
    mean_x, scale_x, mean_y, scale_y = (list(column) for column in zip(*pairs, strict=True))
    squares = [2 * math.acosh(1 + ((a - c) ** 2 / 2 + (b - d) ** 2) / (2 * b * d)) ** 2 for a, b, c, d in pairs]
    expected = math.sqrt(sum(squares) / len(pairs))
    assert apart("fisher_rao", mean_x, scale_x, mean_y, scale_y) == pytest.approx(expected, abs=1e-6)


@given(PAIRS)
def test_hellinger_is_the_integral_of_the_roots_differences(pairs):
    grid = torch.linspace(-9, 9, 20_001, dtype=torch.float64)
    squares = []
    for a, b, c, d in pairs:
        roots = [Normal(m, s).log_prob(grid).mul(0.5).exp() for m, s in ((a, b), (c, d))]
        squares.append(0.5 * float(torch.trapezoid((roots[0] - roots[1]).square(), grid)))
    columns = [list(column) for column in zip(*pairs, strict=True)]
    assert apart("hellinger", *columns) == pytest.approx(math.sqrt(sum(squares) / len(pairs)), abs=1e-6)
    assert space_of("hellinger", 3, sigma_min=1e-3).diameter <= 1


@given(PAIRS)
def test_kl_is_the_mean_over_the_axes(pairs):
    columns = [list(column) for column in zip(*pairs, strict=True)]
    each = [float(kl_divergence(Normal(a, b), Normal(c, d))) for a, b, c, d in torch.tensor(pairs, dtype=torch.float64)]
    assert apart("kl", *columns) == pytest.approx(sum(each) / len(pairs), abs=1e-9)


def test_kl_breaks_the_triangle_and_says_so():
    """N(0, 1), N(1, 1), N(2, 1): 2 > ½ + ½; and it is not the same both ways, nor is its symmetric sum a metric."""
    wide = {"sigma_min": 1.0, "sigma_max": 2.0}
    scaled = [apart("kl", [a / 2], [1.0], [b / 2], [1.0], **wide) * 4 for a, b in ((0, 2), (0, 1), (1, 2))]
    assert scaled == pytest.approx([2.0, 0.5, 0.5])
    assert scaled[0] > scaled[1] + scaled[2]
    there, back = apart("kl", [0.0], [0.2], [0.5], [0.8]), apart("kl", [0.5], [0.8], [0.0], [0.2])
    assert there != pytest.approx(back)
    assert 2 * 2.0 > 2 * 0.5 + 2 * 0.5, "Jeffreys: both ways together, here twice as much"
    assert not space_of("kl").is_metric
    assert all(space_of(metric).is_metric for metric in METRICS if metric != "kl")


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("axes", [1, 7])
def test_no_two_points_are_further_apart_than_the_diameter(metric, axes):
    """Nor as far, unless many of their coordinates are at an end."""
    space = space_of(metric, axes)
    generator = torch.Generator().manual_seed(0)
    anywhere = torch.randn(2, 20_000, 2, 1, dtype=torch.float64, generator=generator) * 2
    points = anywhere.clamp(-1, 1).expand(2, 20_000, 2, axes).flatten(2)  # all axes alike
    d = space.base_distance(*points)
    assert float(d.max()) <= space.diameter * (1 + 1e-9)
    assert float(d.max()) == pytest.approx(space.diameter, rel=1e-9)


@pytest.mark.parametrize("box", ["tanh", "sigmoid"])
def test_bounded_vectors_are_gaussians_between_the_ends(box):
    space = space_of(axes=3, box=box)
    raw = torch.tensor([[0.0, 1.0, -1.0, 0.0, 50.0, -50.0]])
    points = space.bound(raw)
    assert space.scale(points)[0].tolist() == pytest.approx([0.3, 0.9, 0.1]), "0 is the geometric mean of both ends"
    mean = torch.tanh(raw[:, :3]) if box == "tanh" else torch.sigmoid(raw[:, :3])
    assert torch.equal(space.location(points), mean)
    assert space.axes == 3


def test_drawn_points_follow_their_gaussian_and_stay_in_the_box():
    space = space_of(axes=2)
    x = point(space, [0.1, -0.95], [0.1, 0.5]).requires_grad_()
    noise = torch.randn(20_000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    drawn = space.draw(x.expand(20_000, 4), noise)
    places = space.location(drawn).detach()
    assert float(places[:, 0].mean()) == pytest.approx(0.1, abs=0.005)
    assert float(places[:, 0].std()) == pytest.approx(0.1, rel=0.03)
    assert float(places.min()) == -1
    assert torch.equal(space.scale(drawn), space.scale(x.expand(20_000, 4)))
    (gradient,) = torch.autograd.grad(space.location(drawn)[:, 0].sum(), x)
    assert float(gradient[0]) == 20_000


@pytest.mark.parametrize("metric", METRICS)
def test_gradients_are_right_and_flow_to_deviations(metric):
    space = space_of(metric, 3)
    raw = torch.randn(2, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    x, y = space.bound(raw[0]).requires_grad_(), space.bound(raw[1]).requires_grad_()
    assert torch.autograd.gradcheck(space.base_distance, (x, y))
    (rows,) = torch.autograd.grad(space.base_distance(x[:, None], y).sum(), x)
    (pairs,) = torch.autograd.grad(space.cross(x, y).sum(), x)
    assert torch.allclose(rows, pairs)
    assert bool((rows[:, 3:] != 0).any())


@pytest.mark.parametrize("metric", METRICS)
def test_nearest_points_are_exact_in_single_precision_too(metric):
    space = space_of(metric, 2)
    points = space.bound(torch.randn(300, 4, generator=torch.Generator().manual_seed(3)))
    distance, row = space.topk(points[:5], points, 40, chunk=64)
    every = space.base_distance(points[:5, None].double(), points.double())
    assert row.dtype == torch.int64
    assert distance.dtype == torch.float32
    assert torch.allclose(distance.double(), every.sort(dim=1).values[:, :40], atol=1e-6)
    assert float((row == every.sort(dim=1).indices[:, :40]).double().mean()) > 0.98


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("drawn", ["x", "y"])
def test_the_deviation_of_a_distance_is_that_of_drawn_places(metric, drawn):
    space = space_of(metric, 5, sigma_min=1e-3)
    raw = torch.randn(2, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(4)) * 0.5
    raw[:, 5:] -= 1.5 if metric in ("sup", "wasserstein") else -2
    own, other = space.bound(raw)
    noise = torch.randn(40_000, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(5)) * 0.05
    moved = space.draw(own.expand(40_000, 10), noise)  # twenty times as sure, where the first order is all there is
    there, found = space.base_distance(moved, other), space.deviation(own, other)
    if drawn == "y":
        there, found = space.base_distance(other, moved), space.deviation(other, own, drawn="y")
    assert 0.05 * float(found) == pytest.approx(float(there.std()), rel=0.03)
    assert float(space.deviation(own, own, drawn=drawn)) == 0


@pytest.mark.parametrize("metric", ["sup", "wasserstein"])
def test_the_means_of_a_ball_are_a_ball(metric):
    space = space_of(metric, 3)
    points = space.bound(torch.randn(4000, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(6)))
    shadow = space.of_means()
    centre = points[0]
    inside = space.base_distance(points, centre) <= 0.5
    means = shadow.base_distance(space.location(points), space.location(centre)) <= 0.5
    assert bool((means | ~inside).all()), "the means of the ball lie in the ball of means"
    as_sure = torch.cat([space.location(points), space.location(centre * 0).expand(4000, 3) + centre[3:]], 1)
    assert torch.equal(space.base_distance(as_sure, centre) <= 0.5, means), "and each of these is one of them"
    with pytest.raises(SpaceError, match="under 'hellinger' are no ball"):
        space_of("hellinger").of_means()


@pytest.mark.parametrize("metric", METRICS)
def test_nothing_is_farther_from_the_centre_than_the_reach(metric):
    space = space_of(metric, 1)
    centre = torch.zeros(2, dtype=torch.float64)
    generator = torch.Generator().manual_seed(7)
    anywhere = torch.randn(20_000, 2, dtype=torch.float64, generator=generator).mul(2).clamp(-1, 1)
    assert float(space.base_distance(centre, anywhere).max()) == pytest.approx(space.reach, rel=1e-9)


def test_what_needs_a_metric_refuses_kl_by_name():
    space_of("sup").require_metric("portrait")
    with pytest.raises(SpaceError, match=r"portrait: a metric is needed.*metric='kl'"):
        space_of("kl").require_metric("portrait")


def test_what_is_no_gaussian_space_is_refused():
    for wrong, said in (
        ({"dim": 7}, "even number"),
        ({"metric": "manhattan"}, "sup, wasserstein, fisher_rao, hellinger, kl expected"),
        ({"sigma_min": 0.0}, "0 < sigma_min"),
        ({"sigma_min": 2.0}, "sigma_min < sigma_max"),
        ({"kind": "uniform"}, "a GaussianSpace is 'gaussian'"),
    ):
        with pytest.raises(ConfigError, match=said):
            GaussianSpace(**wrong)
    with pytest.raises(SpaceError, match="points of 3 axes in a space of 4"):
        space_of(axes=2).base_distance(torch.zeros(3), torch.zeros(3))
