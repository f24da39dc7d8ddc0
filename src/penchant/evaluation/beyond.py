"""Figures beyond accuracy: how much of the catalogue is shown, how evenly, how surprising, how varied?

Arguments everywhere: ``ranked`` (n, ranks), row numbers of items, best first, -1 where a list is over (as in `Lists`);
and ``k``, the ranks that count, 1 <= k <= ranks; None: all. Every list counts, also those of users without relevant
items: these figures ask what is shown, not whether it is right.

Raised everywhere: ConfigError: k outside 1 … ranks; DataError: an item outside the catalogue, nothing recommended.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int, Shaped

from penchant.errors import ConfigError, DataError, Problem

__all__ = ["coverage", "evaluate_beyond", "gini", "intra_list_distance", "novelty"]

_NUMBERS = 2**22
"""Numbers handed to a distance at once."""

Ranked = Int[np.ndarray, "n ranks"]
Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Row by row: (b, …) and (b, …) -> (b)."""


def coverage(ranked: Ranked, n_items: int, k: int | None = None) -> float:
    """Share of the catalogue that is in the first k ranks of anybody: |∪_u L_u| / n_items, in (0, 1].

    Example:
        >>> coverage(np.array([[0, 1], [0, -1]]), 4)
        0.5

    Source: Herlocker et al., ACM TOIS 22 (2004), doi 10.1145/963770.963772.
    """
    return float((_exposure(ranked, n_items, k) > 0).mean())


def gini(ranked: Ranked, n_items: int, k: int | None = None) -> float:
    """How unevenly items are shown: Σ_i (2i − m − 1) x_(i) / (m · Σ x), in [0, 1 − 1/m].

    x_(1) <= … <= x_(m) is in how many lists each of the m = ``n_items`` items is, those never shown included. 0: all
    alike; 1 − 1/m: one item for everybody.

    Example:
        >>> gini(np.array([[0], [1]]), 2), gini(np.array([[0], [0]]), 2)
        (0.0, 0.5)

    Source: Fleder, Hosanagar, Management Science 55 (2009), doi 10.1287/mnsc.1080.0974.
    """
    shown = np.sort(_exposure(ranked, n_items, k)).astype(np.float64)
    weight = 2.0 * np.arange(1, n_items + 1) - n_items - 1
    return float(max(0.0, weight @ shown / (n_items * shown.sum())))


def novelty(ranked: Ranked, counts: Shaped[np.ndarray, " items"], k: int | None = None) -> Float64[np.ndarray, " n"]:
    """Mean self-information of each user's list in bits: mean_{i ∈ L_u} −log₂ p_i, where p_i = counts_i / Σ counts.

    p_i is the chance that a training like, drawn at random, is of item i. An item never seen counts as seen once, so
    that its surprise is finite.

    Arguments:
        counts: (items) of the catalogue: how often each was liked in training, at least 0, not all 0.

    Returns:
        (n), each at least 0; NaN for empty lists.

    Raises:
        DataError: counts below 0, or all 0.

    Example:
        >>> novelty(np.array([[0, 1]]), np.array([2, 1, 1]))
        array([1.5])

    Source: Zhou et al., PNAS 107 (2010), doi 10.1073/pnas.1000488107; Vargas, Castells, RecSys 2011,
    doi 10.1145/2043932.2043955.
    """
    count = np.asarray(counts, dtype=np.float64)
    if count.ndim != 1 or not (np.isfinite(count).all() and (count >= 0).all() and count.any()):
        message = "one number >= 0 for each item expected, not all of them 0"
        raise DataError([Problem("items", message, "counts")])
    top = _top(ranked, len(count), k)
    bits = np.append(np.log2(count.sum()) - np.log2(np.maximum(count, 1.0)), 0.0)
    bits = np.maximum(bits, 0.0)  # counts may be weights that sum to less than 1
    return _mean(bits[top].sum(axis=1), (top >= 0).sum(axis=1))  # -1 takes the last number, which is 0


def intra_list_distance(
    ranked: Ranked, vectors: Shaped[np.ndarray, "items ..."], distance: Distance, k: int | None = None
) -> Float64[np.ndarray, " n"]:
    """How varied each user's list is: the mean of d(v_i, v_j) over the pairs i ≠ j of its first k items.

    The distance is asked k(k − 1)/2 times a user, in blocks of bounded memory.

    Arguments:
        vectors: (items, …), of each item of the catalogue: its point, its encoded features, or any row.
        distance: row by row, (b, …) and (b, …) -> (b); symmetric. With a space of `penchant.spaces`:
            ``lambda x, y: space.distance(torch.from_numpy(x), torch.from_numpy(y)).numpy()``.

    Returns:
        (n), in the distance's unit; NaN for lists of fewer than two items.

    Raises:
        DataError: a distance that does not give one number a row.

    Example:
        >>> intra_list_distance(np.array([[0, 1, 2]]), np.array([0.0, 1.0, 5.0]), lambda x, y: abs(x - y)).round(4)
        array([3.3333])

    Source: Ziegler et al., WWW 2005, doi 10.1145/1060745.1060754; the mean instead of the sum, distance instead of
    similarity.
    """
    top = _top(ranked, len(vectors), k)
    first, second = np.triu_indices(top.shape[1], 1)
    total = np.zeros(len(top))
    wide = max(1, len(first) * int(np.prod(vectors.shape[1:])))
    block = max(1, _NUMBERS // wide)
    for start in range(0, len(top), block):
        rows = top[start : start + block]
        user, pair = np.nonzero(rows[:, second] >= 0)  # then the earlier item is there as well
        if len(user):
            x, y = rows[user, first[pair]], rows[user, second[pair]]
            found = np.asarray(distance(vectors[x], vectors[y]), dtype=np.float64)
            if found.shape != x.shape or not np.isfinite(found).all():
                message = f"{len(x):,} finite distances expected, one a row, got shape {found.shape}"
                raise DataError([Problem("items", message, "distance")])
            total[start : start + block] = np.bincount(user, found, minlength=len(rows))
    size = (top >= 0).sum(axis=1)
    return _mean(total, size * (size - 1) // 2)


def evaluate_beyond(
    ranked: Ranked,
    counts: Shaped[np.ndarray, " items"],
    *,
    k: int,
    vectors: Shaped[np.ndarray, "items ..."] | None = None,
    distance: Distance | None = None,
) -> dict[str, float]:
    """Every figure of this file at k by names such as "coverage@20"; of those by user, the mean over users.

    ``intra_list_distance`` with ``vectors`` and ``distance`` only; NaN where no list has two items.

    Raises:
        ConfigError: k outside 1 … ranks; vectors without a distance, or the reverse.
        DataError: as the figures.

    Example:
        >>> evaluate_beyond(np.array([[0, 1], [0, 2]]), np.array([2, 1, 1]), k=1)["gini@1"].__round__(4)
        0.6667
    """
    if (vectors is None) != (distance is None):
        raise ConfigError("vectors and distance go together: give both or none")
    surprise = novelty(ranked, counts, k)
    found = {
        "coverage": coverage(ranked, len(counts), k),
        "gini": gini(ranked, len(counts), k),
        "novelty": float(np.nanmean(surprise)),
    }
    if vectors is not None and distance is not None:
        spread = intra_list_distance(ranked, vectors, distance, k)
        there = ~np.isnan(spread)
        found["intra_list_distance"] = float(spread[there].mean()) if there.any() else float("nan")
    return {f"{name}@{k}": value for name, value in found.items()}


def _top(ranked: np.ndarray, n_items: int, k: int | None) -> np.ndarray:
    """The first k ranks, checked: something is recommended, and all of it is in the catalogue."""
    if ranked.ndim != 2:
        raise DataError([Problem("lists", f"row numbers (users, ranks) expected, got {ranked.shape}", "ranked")])
    if k is not None and not 1 <= k <= ranked.shape[1]:
        raise ConfigError(f"k = {k}: a whole number from 1 to the {ranked.shape[1]} ranks of the lists expected")
    top = ranked[:, :k]
    if not (top >= 0).any():
        raise DataError([Problem("lists", "nothing is recommended to anybody", "ranked")])
    if top.min() < -1 or top.max() >= n_items:
        wrong = int(top.min() if top.min() < -1 else top.max())
        message = f"items are -1 or 0 … {n_items - 1:,}, got {wrong}"
        raise DataError([Problem("lists", message, "ranked", fix="Number items by their row in the catalogue")])
    gap = np.flatnonzero(((top[:, 1:] >= 0) & (top[:, :-1] < 0)).any(axis=1))
    if len(gap):
        raise DataError([Problem("lists", f"user {gap[0]} has an item after -1, which ends a list", "ranked")])
    return top


def _exposure(ranked: np.ndarray, n_items: int, k: int | None) -> np.ndarray:
    """In how many lists each item is."""
    top = _top(ranked, n_items, k)
    return np.bincount(top[top >= 0], minlength=n_items)


def _mean(total: np.ndarray, size: np.ndarray) -> np.ndarray:
    return np.where(size > 0, total / np.maximum(size, 1), np.nan)
