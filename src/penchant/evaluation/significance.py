"""Is one model better than another, or was it luck? Two figures of the same users, compared user by user."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from penchant._random import generator
from penchant.errors import ConfigError, DataError, Problem

__all__ = ["Comparison", "compare_paired", "mean_interval"]

_NUMBERS = 2**22
"""Random numbers held at once."""
_TIE = 1e-12
"""Sums that differ by less than this share of Σ|d| are equal: they were only added in another order."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What `compare_paired` found."""

    n: int
    """Users compared."""
    mean_a: float
    """Mean of the first figure."""
    mean_b: float
    """Mean of the second."""
    difference: float
    """Mean of a − b; above 0: the first is larger."""
    low: float
    """Lower end of the difference's interval."""
    high: float
    """Upper end."""
    p_value: float
    """Two-sided, in (0, 1]: how often chance alone gives such a difference. For one question asked beforehand: of
    many comparisons some are small by luck."""


def compare_paired(
    a: Shaped[np.ndarray, " n"],
    b: Shaped[np.ndarray, " n"],
    *,
    draws: int = 5_000,
    level: float = 0.95,
    rng: int = 0,
) -> Comparison:
    """Mean difference of two figures of the same users, with a bootstrap interval and a permutation test.

    With d_u = a_u − b_u: the interval holds the middle ``level`` of mean d over samples of n users drawn with
    repetition (percentiles). The p-value asks how often |Σ ±d_u| >= |Σ d_u| when every sign is thrown anew, as it
    may be if the models are alike: p = (1 + such throws) / (1 + draws); exact, over all signs, where there are no more
    of these than ``draws``. Users are taken to be independent of one another.

    Arguments:
        a, b: (n) figures of the same users in the same order, as from `evaluate_users`. Users with NaN in both, who
            have no relevant items, are left out.
        draws: samples and throws, at least 100.
        level: of the interval, in (0, 1).
        rng: seed; one seed gives one answer.

    Raises:
        ConfigError: draws or level outside their range.
        DataError: other lengths; NaN in one of the two only; infinite figures; fewer than two users.

    Example:
        >>> a, b = np.array([0.5, 0.7, 0.6, 0.9]), np.array([0.4, 0.5, 0.5, 0.8])
        >>> compare_paired(a, b).p_value  # two of the 2⁴ throws: all signs alike
        0.125

    Source: Efron, Annals of Statistics 7 (1979), doi 10.1214/aos/1176344552; Fisher, The Design of Experiments
    (1935), §21; both for rankings: Smucker, Allan, Carterette, CIKM 2007, doi 10.1145/1321440.1321528.
    """
    _check(draws, level)
    first, second = _paired(a, b)
    d = first - second
    means = _bootstrap(d, draws, generator(rng, "significance", "bootstrap"))
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Comparison(
        n=len(d),
        mean_a=float(first.mean()),
        mean_b=float(second.mean()),
        difference=float(d.mean()),
        low=float(low),
        high=float(high),
        p_value=_sign_flips(d, draws, generator(rng, "significance", "signs")),
    )


def mean_interval(
    values: Shaped[np.ndarray, " n"], *, draws: int = 1_000, level: float = 0.95, rng: int = 0
) -> tuple[float, float]:
    """Where the mean lies: the middle ``level`` of the means of samples of n users, drawn with repetition.

    Arguments:
        values: (n) finite figures of users, at least one.
        draws: samples, at least 100.
        level: of the interval, in (0, 1).
        rng: seed.

    Raises:
        ConfigError: an argument outside its range.
        DataError: no value, or one that is not finite.

    Source: Efron, Annals of Statistics 7 (1979), doi 10.1214/aos/1176344552 (percentiles).
    """
    _check(draws, level)
    found = np.asarray(values, dtype=np.float64)
    if not found.size or found.ndim != 1 or not np.isfinite(found).all():
        raise DataError([Problem("users", f"finite figures of at least one user expected, got {found.size}")])
    means = _bootstrap(found, draws, generator(rng, "significance", "bootstrap"))
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _check(draws: int, level: float) -> None:
    if draws < 100:
        raise ConfigError(f"draws = {draws}: a whole number >= 100 expected")
    if not 0 < level < 1:
        raise ConfigError(f"level = {level}: a share in (0, 1) expected")


def _paired(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both figures of the users who have them."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        message = f"two figures of the same users expected, got shapes {first.shape} and {second.shape}"
        raise DataError([Problem("users", message)])
    there = ~np.isnan(first)
    lone = np.flatnonzero(there == np.isnan(second))
    if len(lone):
        shown = tuple(int(row) for row in lone[:5])
        message = "NaN in one of the two figures only"
        fix = "Evaluate both models on the same held-out pairs"
        raise DataError([Problem("users", message, rows=shown, n_rows=len(lone), fix=fix)])
    first, second = first[there], second[there]
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise DataError([Problem("users", "finite figures expected")])
    if len(first) < 2:
        message = f"at least two users with figures expected, got {len(first)} of {len(a):,}"
        raise DataError([Problem("users", message)])
    return first, second


def _bootstrap(d: np.ndarray, draws: int, g: np.random.Generator) -> np.ndarray:
    """Means of samples of len(d), drawn with repetition."""
    block = max(1, _NUMBERS // len(d))
    sizes = [min(block, draws - start) for start in range(0, draws, block)]
    drawn = (g.integers(len(d), size=(size, len(d)), dtype=np.int32) for size in sizes)
    return np.concatenate([d[rows].mean(axis=1) for rows in drawn])


def _sign_flips(d: np.ndarray, draws: int, g: np.random.Generator) -> float:
    """Two-sided p-value of Σ d under signs thrown anew; zeros have no sign."""
    d = d[d != 0]
    seen = abs(d.sum()) - _TIE * np.abs(d).sum()
    if 2 ** min(len(d), 64) <= draws:
        signs = (np.arange(2 ** len(d))[:, None] >> np.arange(len(d)) & 1).astype(np.float64)
        return float((np.abs(2 * signs @ d - d.sum()) >= seen).mean())
    block = max(1, _NUMBERS // len(d))
    extreme = 0
    for start in range(0, draws, block):
        size = min(block, draws - start)
        bits = np.frombuffer(g.bytes(size * (-(-len(d) // 8))), dtype=np.uint8).reshape(size, -1)
        signs = np.unpackbits(bits, axis=1, count=len(d)).astype(np.float64)
        extreme += int((np.abs(2 * signs @ d - d.sum()) >= seen).sum())
    return (1 + extreme) / (1 + draws)
