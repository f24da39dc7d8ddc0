"""Promises that hold without a model of the data: quantiles of held-out scores, with users as the units.

Pairs of one user resemble one another, users are exchangeable. So a held-out user counts once, however many likes
there are of him or her, and one more user, the one still to come, counts as beyond every bound:

    F = Σ_u 1/(K+1) · 1/N_u Σ_i δ(s_ui) + 1/(K+1) · δ(∞)        K users, user u with N_u pairs

With q the 1−ε quantile of F, a random pair of the next user has P(s ≤ q) ≥ 1−ε, whatever the model and the data.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.stats import norm

from penchant.errors import ConfigError, DataError, Problem

__all__ = [
    "Coverage",
    "RecallThreshold",
    "coverage",
    "hierarchical_quantile",
    "pair_quantile",
    "recall_threshold",
    "users_needed",
]

_ROUNDING = 1e-9
"""Sums of many 1/N_u reach their target up to this share of it."""


@dataclass(frozen=True, slots=True)
class RecallThreshold:
    """The radius of a ball that holds at least a share 1−ε of what a user likes.

    Plain numbers and text: ``dataclasses.asdict`` gives its state, ``RecallThreshold(**state)`` takes it.
    """

    distance: float
    """The radius: pairs up to this distance are inside. Never more than the space's diameter."""
    epsilon: float
    """ε: the share of a user's likes that may lie outside, on the average over users."""
    users: int
    """Held-out users it rests on."""
    pairs: int
    """Their liked pairs."""
    reason: str = ""
    """Why the radius is the whole space; empty where the held-out pairs gave it."""

    @property
    def promised(self) -> float:
        """The recall that is promised, 1−ε."""
        return 1 - self.epsilon


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often a promise was kept on pairs that it was not made from: a mean over users of their means over pairs.

    Plain numbers: ``dataclasses.asdict`` gives its state, ``Coverage(**state)`` takes it.
    """

    promised: float
    """What was promised, in (0, 1)."""
    measured: float
    """What was found, in [0, 1]."""
    error: float
    """Standard error of ``measured`` over the users; 0 for one user, of whom it cannot be told."""
    low: float
    """Lower end of an interval for the coverage."""
    high: float
    """Upper end."""
    users: int
    """Users measured."""
    pairs: int
    """Their pairs."""

    @property
    def kept(self) -> bool:
        """Whether the promise lies below the upper end: it was kept within sampling error."""
        return self.high >= self.promised


def hierarchical_quantile(
    score: Float[np.ndarray, " n"], user: Int[np.ndarray, " n"], epsilon: Sequence[float]
) -> Float[np.ndarray, " l"]:
    """For each ε the bound up to which a random pair of a new user scores with probability at least 1−ε.

    Arguments:
        score: (n) of held-out pairs; NaN: left out, as if the pair were not there.
        user: (n) a number for each pair's user.
        epsilon: shares in (0, 1).

    Returns:
        One bound an ε, in their order: a score, or infinity where there are fewer than `users_needed` users.

    Raises:
        ConfigError: an ε outside (0, 1); arrays of other lengths.

    Example:
        >>> hierarchical_quantile(np.array([1.0, 2.0, 3.0, 9.0]), np.array([0, 0, 0, 1]), [0.5])  # ½ of three users
        array([9.])

    Source: Lee, Barber, Willett 2023, arXiv 2306.06342, hierarchical conformal prediction; with one pair a user it is
    `pair_quantile`.
    """
    score, user = _known(score, user)
    place, size = _by_user(user)
    order = np.argsort(score)
    reached = np.cumsum((1 / size)[place[order]])
    target = (len(size) + 1) * (1 - _shares(epsilon))
    found = np.searchsorted(reached, target * (1 - _ROUNDING))
    return np.append(score[order], np.inf)[found]


def pair_quantile(score: Float[np.ndarray, " n"], epsilon: float) -> float:
    """The ⌈(n+1)(1−ε)⌉-th smallest score, infinity where there are too few: right where *pairs* are exchangeable.

    They are not where users have several likes and differ: then it breaks its promise (tests show by how much).
    For one pair a user, and for comparison.

    Raises:
        ConfigError: ε outside (0, 1).

    Source: Vovk, Gammerman, Shafer, Algorithmic Learning in a Random World (2005), §4.1.
    """
    _shares([epsilon])
    score = np.sort(score[~np.isnan(score)].astype(np.float64))
    rank = math.ceil((len(score) + 1) * (1 - epsilon) * (1 - _ROUNDING))
    return float(score[rank - 1]) if rank <= len(score) else math.inf


def users_needed(epsilon: float) -> int:
    """The fewest held-out users from which 1−ε can be promised: ⌈1/ε⌉ − 1.

    Example:
        >>> [users_needed(e) for e in (0.2, 0.1, 0.05)]
        [4, 9, 19]
    """
    return math.ceil((1 - _ROUNDING) / float(_shares([epsilon])[0])) - 1


def recall_threshold(
    distance: Float[np.ndarray, " n"], user: Int[np.ndarray, " n"], epsilon: float, *, diameter: float
) -> RecallThreshold:
    """The radius that holds, for a new user, a random liked item with probability at least 1−ε.

    The promise is for users who are exchangeable with the held-out ones, whose pairs neither trained the model nor
    chose it (a model stopped early on them has seen them a little: measure with `coverage` on others), and for the
    average over users, not for each.

    Arguments:
        distance: (n) of held-out *liked* pairs, in [0, diameter].
        user: (n) a number for each pair's user.
        epsilon: ε in (0, 1).
        diameter: the largest distance there is: the radius where there are too few users, as it promises anything.

    Raises:
        ConfigError: ε outside (0, 1); arrays of other lengths.
        DataError: a distance that is no number.
    """
    if np.isnan(distance).any():
        rows = np.flatnonzero(np.isnan(distance))
        said = "a distance expected, got NaN"
        raise DataError([Problem("liked pairs", said, "distance", tuple(rows[:5].tolist()), len(rows))])
    found = float(hierarchical_quantile(distance, user, [epsilon])[0])
    users, needed = len(np.unique(user)), users_needed(epsilon)
    reason = ""
    if math.isinf(found):
        had = f"{users} held-out user{'' if users == 1 else 's'} with likes"
        share = f"{100 * (1 - epsilon):.4g}%"
        reason = f"{had}, at least {needed} are needed to promise {share}: the ball is the whole space"
    return RecallThreshold(min(found, float(diameter)), float(epsilon), users, len(distance), reason)


def coverage(
    inside: Shaped[np.ndarray, " n"],
    user: Int[np.ndarray, " n"],
    *,
    promised: float,
    calibrated: int | None = None,
    level: float = 0.95,
) -> Coverage:
    """Measure a promise on other users' pairs, to be shown beside it.

    Users are the units: the mean over users of the share of their pairs that are inside. The interval is Wilson's with
    as many independent trials as give the variance that is found between users, at least one a user and at most as many
    as pairs that do not depend on one another are worth.

    Arguments:
        inside: (n) for each pair 1 (true) or 0, or shares in between; NaN: left out.
        user: (n) a number for each pair's user.
        promised: what was promised, in (0, 1).
        calibrated: users that the bound was computed from. Given, the interval also holds the chance in those users:
            the promise is for the average over them, and with few of them one bound is above it and the next below.
        level: of the interval, in (0, 1).

    Raises:
        ConfigError: promised or level outside (0, 1); arrays of other lengths.
        DataError: no pairs.

    Source: Wilson 1927; effective numbers of trials: Korn, Graubard, Survey Methodology 24 (1998).
    """
    _shares([promised, level])
    inside, user = _known(inside.astype(np.float64), user)
    if len(inside) == 0:
        raise DataError([Problem("pairs", "no known pairs: nothing can be measured", fix="Give liked pairs of others")])
    place, size = _by_user(user)
    means = np.bincount(place, inside) / size
    n, measured = len(means), float(means.mean())
    error = float(means.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    most = n / float((1 / size).mean())
    trials = _trials(measured, error, n, most) / (1 + n / calibrated if calibrated else 1)
    low, high = _wilson(measured, trials, float(norm.ppf((1 + level) / 2)))
    return Coverage(float(promised), measured, error, low, high, n, len(inside))


def _trials(share: float, error: float, least: float, most: float) -> float:
    """Independent trials of this share that have this standard error."""
    variance = share * (1 - share)
    if variance <= 0:
        return least
    return float(np.clip(variance / error**2 if error > 0 else least, least, most))


def _wilson(share: float, trials: float, z: float) -> tuple[float, float]:
    centre, shrink = share + z * z / (2 * trials), 1 + z * z / trials
    half = z * math.sqrt(max(share * (1 - share), 0.0) / trials + (z / (2 * trials)) ** 2)
    return max(0.0, (centre - half) / shrink), min(1.0, (centre + half) / shrink)


def _by_user(user: Int[np.ndarray, " n"]) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " users"]]:
    """Users numbered from 0 without a gap, and how many pairs each has. Without sorting, where numbers are as small."""
    if len(user) and user.min() >= 0 and user.max() <= 4 * len(user):
        count = np.bincount(user)
        there = count > 0
        return (np.cumsum(there) - 1)[user], count[there]
    _, place, size = np.unique(user, return_inverse=True, return_counts=True)
    return place, size


def _known(score: np.ndarray, user: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(score) != len(user):
        raise ConfigError(f"{len(score)} scores and {len(user)} users: one user a score expected")
    known = ~np.isnan(score)
    return score[known].astype(np.float64), user[known]


def _shares(given: Sequence[float]) -> Float[np.ndarray, " l"]:
    shares = np.asarray(given, dtype=np.float64)
    for share in shares[~((shares > 0) & (shares < 1))]:
        raise ConfigError(f"{share}: a share between 0 and 1 expected")
    return shares
