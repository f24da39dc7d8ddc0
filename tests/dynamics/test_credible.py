"""Credible balls: right for known distributions, and they hold the truth of drifting interests as often as they say."""

import math

import numpy as np
import pytest
from scipy.stats import chi2, halfnorm

from penchant.dynamics.belief import Belief, Dynamics, begin
from penchant.dynamics.credible import credible_radius
from penchant.dynamics.dislike import Neck, update_dislike
from penchant.dynamics.kalman import predict, update_like
from penchant.errors import ConfigError
from penchant.tables.drifting import drift


def ball(variance: np.ndarray, level: float, norm: float) -> np.ndarray:
    return credible_radius(Belief(np.zeros_like(variance), variance, 0.0), level, norm)


@pytest.mark.parametrize("k", [1, 2, 8, 32, 200])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_even_variances_under_the_two_norm_are_chi_square(k, level) -> None:
    assert ball(np.full(k, 0.3), level, 2.0) == pytest.approx(math.sqrt(0.3 * chi2.ppf(level, k) / k), rel=0.01)


@pytest.mark.parametrize("level", [0.1, 0.9, 0.999])
def test_even_variances_under_the_sup_norm_are_a_maximum(level) -> None:
    want = halfnorm.ppf(level ** (1 / 5), scale=math.sqrt(0.3))
    assert ball(np.full((2, 5), 0.3), level, math.inf) == pytest.approx([want, want], rel=1e-9)


@pytest.mark.parametrize("norm", [1.0, 2.0, 4.0, math.inf])
def test_uneven_variances_by_sampling(norm) -> None:
    variance = np.array([[0.5, 0.01, 0.1], [0.02, 0.2, 0.2]])
    radius = ball(variance, 0.9, norm)
    for row, found in zip(variance, radius, strict=True):
        size = np.abs(np.random.default_rng(0).standard_normal((100_000, 3)) * np.sqrt(row))
        d = size.max(1) if math.isinf(norm) else (size**norm).mean(1) ** (1 / norm)
        assert (d <= found).mean() == pytest.approx(0.9, abs=0.004)
        assert found == pytest.approx(float(ball(row, 0.9, norm)))


def test_bad_levels_and_norms_are_refused() -> None:
    for level, norm in ((0.0, 2.0), (1.0, 2.0), (0.9, 0.5)):
        with pytest.raises(ConfigError, match="a share in"):
            ball(np.ones(2), level, norm)


@pytest.mark.parametrize("norm", [2.0, math.inf])
@pytest.mark.parametrize("dislikes", [False, True])
def test_balls_of_ninety_per_cent_hold_the_drifting_truth(norm, dislikes) -> None:
    truth = drift(n_users=120, per_user=25, dim=3, norm=norm, rng=1).truth
    observation, gain, offset = truth.observation()
    dynamics = Dynamics(
        process=0.003, half_life=30.0, prior=0.003 * 30 / (2 * math.log(2)),
        observation=observation, gain=gain, offset=offset,
    )  # fmt: skip
    neck, inside = Neck(truth.threshold, 15.0, norm), []
    for u in range(120):
        rows, home = np.flatnonzero(truth.user == u), truth.homes[u]
        belief = begin(home, dynamics, truth.time[rows[0]])
        for place, row in enumerate(rows):
            belief = predict(belief, truth.time[row], home, dynamics)
            item = truth.item_points[truth.item[row]]
            if truth.liked[row]:
                belief = update_like(belief, item, dynamics)
            elif dislikes:
                belief = update_dislike(belief, item, neck, dynamics)
            if place % 2:
                size = np.abs(truth.points[row] - belief.mean)
                away = size.max() if math.isinf(norm) else (size**norm).mean() ** (1 / norm)
                inside.append(away <= credible_radius(belief, 0.9, norm))
    assert 0.87 <= np.mean(inside) <= 0.93
