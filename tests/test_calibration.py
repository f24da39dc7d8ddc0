import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from penchant.calibration import Calibration, calibrate
from penchant.errors import ConfigError

START = Calibration(threshold=0.5, slope=10.0)


def pairs(slope: float, threshold: float, n: int = 4000, rng: int = 0) -> tuple[np.ndarray, np.ndarray]:
    g = np.random.default_rng(rng)
    distance = g.uniform(0, 2, n)
    return distance, (g.random(n) < 1 / (1 + np.exp(-slope * (threshold - distance)))).astype(float)


def test_it_equals_an_unpenalised_logistic_regression():
    distance, liked = pairs(6.0, 0.7)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(liked))
    found = calibrate(distance, liked, weight, start=START, diameter=2.0)
    oracle = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(distance[:, None], liked, sample_weight=weight)
    assert found.slope == pytest.approx(-oracle.coef_[0, 0], rel=1e-3)
    assert found.threshold == pytest.approx(-oracle.intercept_[0] / oracle.coef_[0, 0], rel=1e-3)


@settings(max_examples=20, deadline=None)
@given(slope=st.floats(2, 40), threshold=st.floats(0.3, 1.5))
def test_the_threshold_is_where_both_labels_are_equally_likely(slope, threshold):
    found = calibrate(*pairs(slope, threshold), start=START, diameter=2.0)
    assert found.threshold == pytest.approx(threshold, abs=0.15)
    assert found.probability(np.array([found.threshold]))[0] == pytest.approx(0.5)


def test_separable_data_end_in_finite_numbers():
    distance = np.linspace(0, 2, 100)
    found = calibrate(distance, (distance < 1).astype(float), start=START, diameter=2.0)
    assert found.threshold == pytest.approx(1.0, abs=0.02)
    assert np.isfinite(found.slope)


@pytest.mark.parametrize(
    ("distance", "liked"),
    [([], []), ([0.1, 0.2], [1, 1]), ([0.1, 0.2, 0.3, 1.0], [0, 0, 1, 1]), ([0.5, 0.5], [0, 1])],
    ids=["nothing", "one label", "liking rises", "no spread"],
)
def test_what_cannot_be_fitted_keeps_the_start(distance, liked):
    assert calibrate(np.array(distance, dtype=float), np.array(liked, dtype=float), start=START, diameter=2.0) == START


@settings(max_examples=20, deadline=None)
@given(slope=st.floats(0.5, 3), shift=st.floats(0.2, 2), all_liked=st.booleans())
def test_a_threshold_stays_inside_the_space(slope, shift, all_liked):
    """Where nearly all pairs are liked, or nearly none, P = ½ at no distance there is."""
    distance, liked = pairs(slope, 2 + shift if all_liked else -shift)
    found = calibrate(distance, liked, start=START, diameter=2.0)
    assert 0 < found.threshold < 2
    assert found.slope > 0
    decided = found.probability(distance) >= 0.5
    assert decided.mean() > 0.95 if all_liked else decided.mean() < 0.05


def test_a_radius_by_probability_is_the_inverse():
    for q in (0.05, 0.5, 0.95):
        assert START.probability(np.array([START.radius(q)]))[0] == pytest.approx(q)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        START.radius(1.0)
