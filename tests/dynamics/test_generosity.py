"""A user's own threshold: against the posterior by numerical integration."""

import numpy as np
import pytest
from scipy.special import expit

from penchant.dynamics import Dynamics, Generosity, Neck, begin_generosity, update_generosity

NECK = Neck(threshold=0.5, slope=7.0)


def posterior(variance, events):
    """Mean and variance of b by a fine grid."""
    b = np.linspace(-3, 3, 60_001)
    log = -0.5 * b**2 / variance
    for distance, liked, weight in events:
        log = log + weight * np.log(expit((1 if liked else -1) * NECK.slope * (NECK.threshold + b - distance)))
    density = np.exp(log - log.max())
    density /= density.sum()
    mean = (b * density).sum()
    return mean, (density * (b - mean) ** 2).sum()


@pytest.mark.parametrize("events", [[(0.5, True, 1.0)], [(0.4, False, 1.0)], [(0.6, True, 0.5), (0.3, False, 1.0)],
                                    [(0.5, True, 1.0)] * 6, [(0.2, False, 1.0)] * 4])  # fmt: skip
def test_it_is_near_the_exact_posterior(events):
    found = begin_generosity(Dynamics(generosity=0.01))
    for distance, liked, weight in events:
        found = update_generosity(found, distance, liked, NECK, weight)
    mean, variance = posterior(0.01, events)
    assert found.shift == pytest.approx(mean, abs=0.02)
    assert found.variance == pytest.approx(variance, rel=0.1)


def test_likes_far_out_raise_it_and_dislikes_near_lower_it():
    start = Generosity(0.0, 0.02)
    assert update_generosity(start, 0.9, True, NECK).shift > update_generosity(start, 0.1, True, NECK).shift > 0
    assert update_generosity(start, 0.1, False, NECK).shift < update_generosity(start, 0.9, False, NECK).shift < 0
    assert update_generosity(start, 0.1, False, NECK, 0.2).shift > update_generosity(start, 0.1, False, NECK).shift


def test_nothing_moves_without_a_variance_or_a_weight():
    assert update_generosity(Generosity(0.0, 0.0), 0.9, True, NECK) == Generosity(0.0, 0.0)
    assert update_generosity(Generosity(0.1, 0.5), 0.9, True, NECK, 0.0) == Generosity(0.1, 0.5)
    assert np.isfinite(update_generosity(Generosity(0.0, 1.0), 1e6, True, NECK)).all()
