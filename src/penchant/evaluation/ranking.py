"""Figures for top-n lists: how much of what a user likes is on top, and how far up?

Arguments everywhere: ``hit`` (n, ranks), whether the item at each rank of a user's list is relevant; ``relevant`` (n),
how many relevant items the user has in all, found or not (`Lists` gives both); and ``k``, the ranks that count,
1 <= k <= ranks. A list that is over before k goes on without hits.

Returned everywhere: (n), each user's figure in [0, 1], 1 is best; NaN for users without relevant items, who are left
out of every mean. In the formulas h_j is the hit at rank j = 1, 2, … and R the number of relevant items.

Raised everywhere: ConfigError: k outside 1 … ranks; DataError: arrays that do not fit together.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int

from penchant.errors import ConfigError, DataError, Problem
from penchant.evaluation.lists import Lists

__all__ = [
    "RANKING",
    "average_precision",
    "evaluate_ranking",
    "evaluate_users",
    "hit_rate",
    "list_auc",
    "ndcg",
    "plain_recall",
    "precision",
    "recall",
    "reciprocal_rank",
]

Hits = Bool[np.ndarray, "n ranks"]
Counts = Int[np.ndarray, " n"]
Figures = Float64[np.ndarray, " n"]


def recall(hit: Hits, relevant: Counts, k: int) -> Figures:
    """Truncated recall: Σ_{j<=k} h_j / min(k, R). The best possible list has 1 at every k.

    Example:
        >>> recall(np.array([[True, False]]), np.array([5]), 2)
        array([0.5])

    Source: Liang, Krishnan, Hoffman, Jebara 2018, arXiv 1802.05814.
    """
    top = _top(hit, relevant, k)
    return _share(top.sum(axis=1), np.minimum(relevant, k))


def plain_recall(hit: Hits, relevant: Counts, k: int) -> Figures:
    """Σ_{j<=k} h_j / R: the share of the relevant items that is found. At most k / R, and never falls with k."""
    return _share(_top(hit, relevant, k).sum(axis=1), relevant)


def precision(hit: Hits, relevant: Counts, k: int) -> Figures:
    """Σ_{j<=k} h_j / k: the share of the first k ranks that is relevant. At most R / k, also for short lists."""
    top = _top(hit, relevant, k)
    return _share(top.sum(axis=1), np.where(relevant > 0, k, 0))


def hit_rate(hit: Hits, relevant: Counts, k: int) -> Figures:
    """1 where one of the first k items is relevant, 0 elsewhere; never falls with k."""
    return _share(_top(hit, relevant, k).max(axis=1), np.where(relevant > 0, 1, 0))


def ndcg(hit: Hits, relevant: Counts, k: int) -> Figures:
    """Discounted gain by that of the best list: Σ_{j<=k} h_j / log₂(j + 1)  /  Σ_{j<=min(k, R)} 1 / log₂(j + 1).

    Relevance is yes or no, and the best list ends at k as well.

    Source: Järvelin, Kekäläinen, ACM TOIS 20 (2002), doi 10.1145/582415.582418.
    """
    top = _top(hit, relevant, k)
    discount = 1 / np.log2(np.arange(2, k + 2))
    best = np.concatenate([[0.0], np.cumsum(discount)])
    return np.minimum(_share(top @ discount, best[np.minimum(relevant, k)]), 1.0)  # sums of other orders round apart


def average_precision(hit: Hits, relevant: Counts, k: int) -> Figures:
    """Σ_{j<=k} h_j · P_j / min(k, R), where P_j is the precision at j; its mean over users is MAP at k.

    Source: Buckley, Voorhees, SIGIR 2000, doi 10.1145/345508.345543. Divided by min(k, R) instead of R, so that
    the best list has 1.
    """
    top = _top(hit, relevant, k)
    found = np.cumsum(top, axis=1, dtype=np.int32)
    return np.minimum(_share((top * found) @ (1 / np.arange(1, k + 1)), np.minimum(relevant, k)), 1.0)


def reciprocal_rank(hit: Hits, relevant: Counts, k: int) -> Figures:
    """1 / rank of the first relevant item, 0 where there is none among k; its mean is MRR at k, and never falls with k.

    Source: Voorhees, TREC-8 (1999).
    """
    top = _top(hit, relevant, k)
    first = np.argmax(top, axis=1)
    return _share(top.any(axis=1) / (first + 1.0), np.where(relevant > 0, 1, 0))


def list_auc(hit: Hits, relevant: Counts, size: Counts) -> Figures:
    """P(a relevant item stands above another one) in whole lists: the AUC of likes against all that is not known.

        Σ_j h_j · (others below j)  /  (R · (size − Σ_j h_j))

    Unlike the figures at k it asks for the place of every item. Relevant items that are not in the list count as last.

    Arguments:
        size: how many items each list has.

    Returns:
        ½ at random; NaN also where there is no other item.

    Example:
        >>> list_auc(np.array([[True, False, True, False]]), np.array([2]), np.array([4]))
        array([0.75])

    Source: Hanley, McNeil, Radiology 143 (1982); by user, as for LightFM (Kula 2015, arXiv 1507.08439).
    """
    top = _top(hit, relevant, hit.shape[1])
    inside = np.arange(1, top.shape[1] + 1) <= size[:, None]
    others = size - top.sum(axis=1)
    below = others[:, None] - np.cumsum(inside & ~top, axis=1)
    return _share((top * below).sum(axis=1), relevant * others)


RANKING: dict[str, Callable[[Hits, Counts, int], Figures]] = {
    "recall": recall,
    "plain_recall": plain_recall,
    "precision": precision,
    "hit": hit_rate,
    "ndcg": ndcg,
    "map": average_precision,
    "mrr": reciprocal_rank,
}
"""Every figure by name; ``recall`` is the truncated one."""


def evaluate_users(
    lists: Lists, *, k: int | Sequence[int] = (10, 20), figures: Sequence[str] = tuple(RANKING)
) -> dict[str, Float64[np.ndarray, " n"]]:
    """Each user's figures, by names such as "recall@20": what `compare_paired` compares.

    Arguments:
        lists: of n users.
        k: one number of ranks or several, from 1 to as many as the lists have.
        figures: names in `RANKING`.

    Returns:
        (n) for each figure at each k, in [0, 1]; NaN for users without relevant items.

    Raises:
        ConfigError: no k, or one outside the lists; a figure that is not known.
    """
    cuts = np.atleast_1d(k).tolist()
    unknown = [name for name in figures if name not in RANKING]
    if not cuts or not figures:
        raise ConfigError("k or figures are empty: at least one of each expected")
    if unknown:
        raise ConfigError(f"figure {unknown[0]!r} is not known: one of {', '.join(RANKING)} expected")
    hit, relevant = lists.hit, lists.relevant
    return {f"{name}@{cut}": RANKING[name](hit, relevant, cut) for name in figures for cut in cuts}


def evaluate_ranking(
    lists: Lists, *, k: int | Sequence[int] = (10, 20), figures: Sequence[str] = tuple(RANKING)
) -> dict[str, float]:
    """Means over the users who have relevant items, by names such as "recall@20" (which is the truncated recall).

    Users without relevant items are left out: no list can be right or wrong for them. Users with relevant items and
    an empty list count as 0. Every user counts alike.

    Arguments: as of `evaluate_users`.

    Raises:
        DataError: no user has a relevant item.
        ConfigError: no k, or one outside the lists; a figure that is not known.

    Example:
        >>> lists = Lists(ranked=np.array([[4, 0], [2, 1]]), offsets=np.array([0, 1, 1]), items=np.array([0]))
        >>> evaluate_ranking(lists, k=2, figures=["recall", "precision", "mrr"])
        {'recall@2': 1.0, 'precision@2': 0.5, 'mrr@2': 0.5}
    """
    by_user = evaluate_users(lists, k=k, figures=figures)
    counted = lists.relevant > 0
    if not counted.any():
        fix = "Hold out liked pairs of the users who are to be evaluated"
        message = f"none of {len(counted):,} users has a relevant item: there is nothing to find"
        raise DataError([Problem("held_out", message, fix=fix)])
    return {name: float(values[counted].mean()) for name, values in by_user.items()}


def _top(hit: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """The first k ranks, checked."""
    if hit.ndim != 2 or relevant.shape != hit.shape[:1]:
        message = f"hit (n, ranks) and relevant (n) expected, got {hit.shape} and {relevant.shape}"
        raise DataError([Problem("lists", message)])
    if not 1 <= k <= hit.shape[1]:
        more = ": rank more items, or fill up with -1 where there are no more" if k > 0 else ""
        raise ConfigError(f"k = {k}: a whole number from 1 to the {hit.shape[1]} ranks of the lists expected{more}")
    over = np.flatnonzero(hit.sum(axis=1) > relevant)
    if len(over):
        message = f"user {over[0]} has more hits than relevant items"
        raise DataError([Problem("lists", message, fix="Count all relevant items, found or not")])
    return hit[:, :k]


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where whole = 0."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)
