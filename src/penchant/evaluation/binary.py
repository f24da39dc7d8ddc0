"""Figures for yes/no predictions: do probabilities rank pairs well, and are they right as probabilities?

Arguments everywhere: ``label`` (n) of 0 and 1, ``probability`` (n) in [0, 1]. The AUCs take any score.
"""

import numpy as np
from jaxtyping import Float64, Shaped
from scipy.stats import rankdata

from penchant.errors import DataError, Problem

__all__ = [
    "accuracy",
    "auc",
    "auc_by_user",
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

Numbers = Shaped[np.ndarray, " n"]
"""Floats, whole numbers or booleans."""


def auc(label: Numbers, score: Numbers) -> float:
    """P(score of a liked pair > score of a disliked one), ties counting half: (R₁ − n₁(n₁+1)/2) / (n₁·n₀).

    R₁ is the sum of the liked pairs' average ranks.

    Raises:
        DataError: one label only; a score that is no number.

    Example:
        >>> auc(np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
        1.0

    Source: Hanley, McNeil, Radiology 143 (1982).
    """
    liked, score = _liked(label), _floats(score, "score", len(label))
    n1 = int(liked.sum())
    n0 = len(liked) - n1
    if n1 == 0 or n0 == 0:
        found = "no rows" if not len(liked) else f"{len(liked):,} rows of label {int(n1 > 0)} only"
        fix = "Evaluate on more rows, or look at the label column"
        message = f"AUC needs liked and disliked rows, got {found}"
        raise DataError([Problem("interactions", message, "label", fix=fix)])
    ranks = rankdata(score)
    return float((ranks[liked].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def user_auc(label: Numbers, score: Numbers, users: Shaped[np.ndarray, " n"]) -> float:
    """Mean of each user's AUC over the users who have both labels; NaN where there is none.

    Every user counts alike. It tells whether a user's own items are in the right order; `auc` also rewards
    knowing who likes much and who little.
    """
    found = auc_by_user(label, score, users)[1]
    there = ~np.isnan(found)
    return float(found[there].mean()) if there.any() else float("nan")


def auc_by_user(
    label: Numbers, score: Numbers, users: Shaped[np.ndarray, " n"]
) -> tuple[Shaped[np.ndarray, " u"], Float64[np.ndarray, " u"]]:
    """The users, rising, and the AUC of each; NaN for those who lack one of the labels."""
    liked, score = _liked(label), _floats(score, "score", len(label))
    known, user = np.unique(users, return_inverse=True)
    order = np.lexsort((score, user))
    user, liked, score = user[order], liked[order], score[order]
    new_user = np.r_[True, user[1:] != user[:-1]][: len(user)]
    new_tie = new_user | np.r_[True, score[1:] != score[:-1]][: len(user)]
    tie = np.cumsum(new_tie) - 1
    first, size = np.flatnonzero(new_tie), np.bincount(tie)
    start = np.flatnonzero(new_user)
    ranks = (first + (size + 1) / 2)[tie] - start[user]  # average rank within the user, from 1
    n, n1 = np.bincount(user).astype(float), np.bincount(user, liked)
    both = (n1 > 0) & (n1 < n)
    found = np.full(len(known), np.nan)
    total, n, n1 = np.bincount(user, ranks * liked)[both], n[both], n1[both]
    found[both] = (total - n1 * (n1 + 1) / 2) / (n1 * (n - n1))
    return known, found


def logloss(label: Numbers, probability: Numbers) -> float:
    """Mean of −y log P − (1 − y) log(1 − P), in nats."""
    liked, p = _pair(label, probability)
    p = np.clip(p, _EDGE, 1 - _EDGE)
    return float(-np.where(liked, np.log(p), np.log1p(-p)).mean())


def accuracy(label: Numbers, probability: Numbers) -> float:
    """Share of right decisions, liked where P ≥ ½."""
    liked, p = _pair(label, probability)
    return float(((p >= 0.5) == liked).mean())


def brier(label: Numbers, probability: Numbers) -> float:
    """Mean of (P − y)².

    Source: Brier, Monthly Weather Review 78 (1950).
    """
    liked, p = _pair(label, probability)
    return float(np.square(p - liked).mean())


def calibration_curve(
    label: Numbers, probability: Numbers, *, bins: int = _BINS
) -> tuple[Float64[np.ndarray, " b"], Float64[np.ndarray, " b"], Float64[np.ndarray, " b"]]:
    """What was said and what was found, in at most ``bins`` parts of equal size by probability.

    Equal probabilities stay in one part, so the order of the rows does not matter.

    Returns:
        For each part: mean probability, share liked, and number of rows.
    """
    liked, p = _pair(label, probability)
    part = np.minimum((rankdata(p) - 0.5) / len(p) * bins, bins - 1).astype(np.int64)
    size = np.bincount(part, minlength=bins)
    used = size > 0
    said, found = np.bincount(part, p, bins)[used], np.bincount(part, liked, bins)[used]
    return said / size[used], found / size[used], size[used].astype(np.float64)


def calibration_error(label: Numbers, probability: Numbers, *, bins: int = _BINS) -> float:
    """Σ_b n_b/n · |mean probability − share liked| over the parts of `calibration_curve` (ECE).

    Source: Naeini, Cooper, Hauskrecht, AAAI 2015; parts of equal size: Nixon et al. 2019, arXiv 1904.01685.
    """
    said, found, size = calibration_curve(label, probability, bins=bins)
    return float((size * np.abs(said - found)).sum() / size.sum())


def evaluate_binary(
    label: Numbers, probability: Numbers, users: Shaped[np.ndarray, " n"] | None = None
) -> dict[str, float]:
    """Every figure of this file by name; ``user_auc`` with ``users`` only.

    Raises:
        DataError: one label only; labels other than 0 and 1; probabilities outside [0, 1]; other lengths.

    Example:
        >>> evaluate_binary(np.array([0, 1]), np.array([0.2, 0.9]))["accuracy"]
        1.0
    """
    figures = {
        "auc": auc(label, probability),
        "logloss": logloss(label, probability),
        "accuracy": accuracy(label, probability),
        "brier": brier(label, probability),
        "calibration_error": calibration_error(label, probability),
    }
    return figures if users is None else {**figures, "user_auc": user_auc(label, probability, users)}


def _liked(label: Numbers) -> np.ndarray:
    found = _floats(label, "label", len(label))
    _refuse("label", ~np.isin(found, (0.0, 1.0)), found, "0 or 1 expected")
    return found == 1.0


def _pair(label: Numbers, probability: Numbers) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities, checked; there is at least one row."""
    liked, p = _liked(label), _floats(probability, "probability", len(label))
    if not len(p):
        raise DataError([Problem("interactions", "there is no row to evaluate")])
    _refuse("probability", ~((p >= 0) & (p <= 1)), p, "a number in [0, 1] expected")
    return liked, p


def _floats(values: Numbers, name: str, n: int) -> np.ndarray:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != (n,):
        raise DataError([Problem("interactions", f"{n:,} rows expected, got shape {found.shape}", name)])
    _refuse(name, np.isnan(found), found, "a number expected")
    return found


def _refuse(name: str, wrong: np.ndarray, values: np.ndarray, expected: str) -> None:
    if wrong.any():
        rows = np.flatnonzero(wrong)
        shown = tuple(int(row) for row in rows[:5])
        message = f"{expected}, got {values[rows[0]]:g}"
        raise DataError([Problem("interactions", message, name, rows=shown, n_rows=len(rows))])
