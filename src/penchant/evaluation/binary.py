"""Figures for yes/no predictions: do probabilities rank pairs well, and are they right as probabilities?

Arguments everywhere: ``label`` (n,) of 0 and 1, ``probability`` (n,) in [0, 1] (`auc` takes any score).
"""

import numpy as np
from jaxtyping import Float, Shaped
from scipy.stats import rankdata

from penchant.errors import DataError, Problem

__all__ = [
    "accuracy",
    "auc",
    "brier",
    "calibration_curve",
    "calibration_error",
    "evaluate_binary",
    "logloss",
    "user_auc",
]

_BINS = 15
_EDGE = 1e-7
"""Probabilities are kept this far from 0 and 1 in the log loss."""

Numbers = Float[np.ndarray, " n"]


def auc(label: Numbers, score: Numbers) -> float:
    """P(score of a liked pair > score of a disliked one), ties counting half: (R₁ − n₁(n₁+1)/2) / (n₁·n₀).

    Raises:
        DataError: one label only.

    Source: Hanley, McNeil 1982; R₁ is the sum of the liked pairs' average ranks.
    """
    liked = label > 0.5
    n1 = int(liked.sum())
    n0 = len(label) - n1
    if n1 == 0 or n0 == 0:
        raise DataError([Problem("interactions", "AUC needs liked and disliked rows, found one label only", "label")])
    ranks = rankdata(score)
    return float((ranks[liked].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def user_auc(label: Numbers, score: Numbers, users: Shaped[np.ndarray, " n"]) -> float:
    """Mean AUC over the users who have both labels; NaN where there is none."""
    order = np.argsort(users, kind="stable")
    edges = np.flatnonzero(np.r_[True, users[order][1:] != users[order][:-1]])
    values = []
    for rows in np.split(order, edges[1:]):
        if 0 < label[rows].sum() < len(rows):
            values.append(auc(label[rows], score[rows]))
    return float(np.mean(values)) if values else float("nan")


def logloss(label: Numbers, probability: Numbers) -> float:
    """mean −y log P − (1 − y) log(1 − P)."""
    p = np.clip(probability, _EDGE, 1 - _EDGE)
    return float(-(label * np.log(p) + (1 - label) * np.log1p(-p)).mean())


def accuracy(label: Numbers, probability: Numbers) -> float:
    """Share of right decisions, liked where P ≥ ½."""
    return float(((probability >= 0.5) == (label > 0.5)).mean())


def brier(label: Numbers, probability: Numbers) -> float:
    """mean (P − y)²."""
    return float(np.square(probability - label).mean())


def calibration_curve(label: Numbers, probability: Numbers, bins: int = _BINS) -> tuple[Numbers, Numbers, Numbers]:
    """Pairs in ``bins`` parts of equal size by probability: mean probability, share liked, and size of each part."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, max(1, len(order)))) if len(part)]
    said = np.array([probability[part].mean() for part in parts])
    found = np.array([label[part].mean() for part in parts], dtype=np.float64)
    return said.astype(np.float64), found, np.array([len(part) for part in parts], dtype=np.float64)


def calibration_error(label: Numbers, probability: Numbers, bins: int = _BINS) -> float:
    """Σ_b n_b/n |mean probability − share liked| over parts of equal size (ECE).

    Source: Naeini, Cooper, Hauskrecht 2015; equal-mass bins as in Nixon et al. 2019, arXiv 1904.01685.
    """
    said, found, size = calibration_curve(label, probability, bins)
    return float((size * np.abs(said - found)).sum() / size.sum())


def evaluate_binary(
    label: Numbers, probability: Numbers, users: Shaped[np.ndarray, " n"] | None = None
) -> dict[str, float]:
    """Every figure of this file by name; ``user_auc`` with ``users`` only.

    Raises:
        DataError: one label only.
    """
    label, probability = label.astype(np.float64), probability.astype(np.float64)
    figures = {
        "auc": auc(label, probability),
        "logloss": logloss(label, probability),
        "accuracy": accuracy(label, probability),
        "brier": brier(label, probability),
        "calibration_error": calibration_error(label, probability),
    }
    return figures if users is None else {**figures, "user_auc": user_auc(label, probability, users)}
