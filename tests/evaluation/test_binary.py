"""Figures against scikit-learn and against plain loops."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from sklearn import metrics

from penchant.errors import DataError
from penchant.evaluation import (
    accuracy,
    auc,
    auc_by_user,
    brier,
    calibration_curve,
    calibration_error,
    evaluate_binary,
    logloss,
    user_auc,
)


@st.composite
def predictions(draw, min_size=2):
    """Labels and probabilities, with many ties."""
    n = draw(st.integers(min_size, 60))
    seed = draw(st.integers(0, 10**6))
    levels = draw(st.sampled_from([2, 5, 1000]))
    g = np.random.default_rng(seed)
    label = (g.random(n) < 0.4).astype(np.float64)
    assume(0 < label.sum() < n)
    return label, np.round(g.random(n) * levels) / levels


@settings(deadline=None)
@given(predictions())
def test_figures_are_scikit_learns(given):
    label, p = given
    assert auc(label, p) == pytest.approx(metrics.roc_auc_score(label, p), abs=1e-12)
    assert auc(label, np.exp(3 * p)) == pytest.approx(auc(label, p), abs=1e-12)
    assert brier(label, p) == pytest.approx(metrics.brier_score_loss(label, p))
    assert accuracy(label, p) == metrics.accuracy_score(label, p >= 0.5)
    inner = np.clip(p, 1e-7, 1 - 1e-7)
    assert logloss(label, p) == pytest.approx(metrics.log_loss(label, inner))


@settings(deadline=None)
@given(predictions(), st.integers(1, 8), st.booleans())
def test_user_auc_is_the_mean_over_users(given, n_users, named):
    label, p = given
    users = np.random.default_rng(len(p)).integers(0, n_users, len(p))
    own = [
        metrics.roc_auc_score(label[users == u], p[users == u])
        for u in range(n_users)
        if 0 < label[users == u].sum() < (users == u).sum()
    ]
    ids = np.array([f"u{u}" for u in users], dtype=object) if named else users * 1000
    found = user_auc(label, p, ids)
    assert found == pytest.approx(np.mean(own)) if own else np.isnan(found)


def test_user_auc_of_nobody_is_no_number():
    assert np.isnan(user_auc(np.array([1, 0]), np.array([0.3, 0.2]), np.array([1, 2])))
    assert np.isnan(user_auc(np.array([]), np.array([]), np.array([])))


@settings(deadline=None)
@given(predictions(), st.integers(1, 20))
def test_parts_of_the_calibration_curve(given, bins):
    label, p = given
    said, found, size = calibration_curve(label, p, bins=bins)
    assert len(said) == len(found) == len(size) <= bins
    assert size.sum() == len(p)
    assert (np.diff(said) > 0).all()
    assert (said * size).sum() == pytest.approx(p.sum())
    assert (found * size).sum() == pytest.approx(label.sum())
    error = sum(s * abs(a - b) for a, b, s in zip(said, found, size, strict=True)) / len(p)
    assert calibration_error(label, p, bins=bins) == pytest.approx(error)
    order = np.random.default_rng(0).permutation(len(p))
    assert calibration_error(label[order], p[order], bins=bins) == pytest.approx(error)


def test_parts_are_of_equal_size_without_ties():
    p = np.random.default_rng(0).random(1003)
    _, _, size = calibration_curve(p > 0.5, p)
    assert len(size) == 15
    assert size.min() >= 66
    assert size.max() <= 68


def test_right_probabilities_have_a_small_error_and_wrong_ones_a_large_one():
    g = np.random.default_rng(1)
    p = g.random(200_000)
    label = g.random(200_000) < p
    assert calibration_error(label, p) < 0.005
    assert calibration_error(label, p**3) > 0.1
    assert calibration_error(label, np.full(len(p), label.mean())) < 1e-9


def test_all_figures_together():
    label, p = np.array([0, 1, 1, 0], dtype=np.int8), np.array([0.1, 0.9, 0.6, 0.7], dtype=np.float32)
    found = evaluate_binary(label, p, users=np.array(["a", "a", "b", "b"]))
    assert list(found) == ["auc", "logloss", "accuracy", "brier", "calibration_error", "user_auc"]
    assert found["auc"] == 0.75
    assert found["user_auc"] == 0.5
    assert found["accuracy"] == 0.75
    assert "user_auc" not in evaluate_binary(label, p)


@pytest.mark.parametrize(
    ("label", "probability", "said"),
    [
        ([1, 1], [0.2, 0.3], "got 2 rows of label 1 only"),
        ([0.0], [0.2], "got 1 rows of label 0 only"),
        ([], [], "got no rows"),
        ([0, 2], [0.2, 0.3], r"column 'label', 1 row \(1\): 0 or 1 expected, got 2"),
        ([0, 1], [0.2, np.nan], r"row \(1\): a number expected, got nan"),
        ([0, 1], [0.2, 1.5], r"a number in \[0, 1\] expected, got 1.5"),
    ],
)
def test_what_cannot_be_evaluated_is_said(label, probability, said):
    with pytest.raises(DataError, match=said):
        evaluate_binary(np.array(label, dtype=float), np.array(probability, dtype=float))


def test_lengths_that_differ_are_refused():
    with pytest.raises((DataError, TypeCheckError), match=r"2 rows expected, got shape \(1,\)|Type-check"):
        auc(np.array([0, 1]), np.array([0.2]))


def test_auc_by_user_counts_pairs_of_each_user_alone():
    g = np.random.default_rng(5)
    label, score, users = (g.random(80) < 0.4).astype(float), np.round(g.random(80), 1), g.integers(0, 12, 80)
    known, found = auc_by_user(label, score, users)
    assert known.tolist() == sorted(set(users.tolist()))
    for user, value in zip(known, found, strict=True):
        liked, other = (score[(users == user) & (label == y)] for y in (1, 0))
        wins = [(a > b) + 0.5 * (a == b) for a in liked for b in other]
        assert value == pytest.approx(np.mean(wins)) if wins else np.isnan(value)
    assert user_auc(label, score, users) == pytest.approx(np.nanmean(found))
    assert np.isnan(user_auc(np.ones(2), np.ones(2), np.array(["a", "b"])))
