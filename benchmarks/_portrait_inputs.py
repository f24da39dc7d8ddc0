"""What the peers of ``portraits.py`` know of a user, as columns: demographics, past likes and dislikes, items met."""

import numpy as np
from _portrait_arrays import Pairs, PortraitArrays, average
from _portrait_measures import mean_vectors
from jaxtyping import Bool, Float, Float64, Int64
from scipy.sparse import csr_array

__all__ = ["bag", "demographics", "folds", "groups", "lift", "past", "profile", "rows_of"]

Portraits = Float64[np.ndarray, "users width"]
Counts = Float64[np.ndarray, "users width"]
Columns = Float64[np.ndarray, "users columns"]


def past(data: PortraitArrays, pairs: Pairs, *, liked: bool) -> tuple[Portraits, Counts]:
    """The mean vector of what each user liked (or did not) among the pairs, and of how many values it is."""
    rows = pairs.liked == liked
    return mean_vectors(data.items, pairs.user[rows], pairs.item[rows], len(data.users))


def lift(means: Portraits, count: Counts, base: Float[np.ndarray, " width"], shrink: float) -> Portraits:
    """(mean − base)·n / (n + shrink): what sets the mean apart; 0 where nothing is known."""
    return np.where(count > 0, np.nan_to_num(means - base) * count / np.maximum(count + shrink, 1e-9), 0.0)


def rows_of(pairs: Pairs, rows: Bool[np.ndarray, " n"]) -> Pairs:
    """Some of the pairs."""
    return Pairs(*(part[rows] for part in pairs))


def folds(pairs: Pairs, n_users: int, n_folds: int, g: np.random.Generator) -> Int64[np.ndarray, " n"]:
    """A fold for each pair, at random and evenly within each user."""
    order = np.lexsort((g.random(len(pairs.user)), pairs.user))
    counts = np.bincount(pairs.user, minlength=n_users)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    return (place + g.integers(0, n_folds, n_users)[pairs.user]) % n_folds


# ---------------------------------------------------------------------- demographics


def demographics(data: PortraitArrays, bins: int) -> Columns:
    """The users' vectors, what is missing filled with the training mean, and bins of numbers beside them."""
    usual = average(data.users, np.unique(data.train.user))
    plain = np.where(np.isnan(data.users), usual, data.users)
    cut = [_cut(data, block, bins) for block in data.user_blocks if _is_number(data, block)]
    return np.hstack([plain, *cut])


def groups(data: PortraitArrays, bins: int) -> Int64[np.ndarray, " users"]:
    """Users with the same categories, and numbers in the same bins, have the same number."""
    columns = [
        _cut(data, block, bins) if _is_number(data, block) else data.users[:, block] for block in data.user_blocks
    ]
    keys = np.nan_to_num(np.column_stack([np.zeros(len(data.users)), *columns]), nan=-1.0)
    return np.unique(keys, axis=0, return_inverse=True)[1].ravel()


def _is_number(data: PortraitArrays, block: slice) -> bool:
    """Whether a field's coordinates hold more than yes and no."""
    values = data.users[:, block]
    return not np.isin(values[~np.isnan(values)], (0.0, 1.0)).all()


def _cut(data: PortraitArrays, block: slice, bins: int) -> Columns:
    """One-hot bins, at quantiles over the training users, of each coordinate; no column for one bin."""
    if bins == 1:
        return np.zeros((len(data.users), 0))
    known = np.unique(data.train.user)
    hot = []
    for values in data.users[:, block].T:
        edges = np.unique(np.nanquantile(values[known], np.arange(1, bins) / bins))
        hot.append(np.eye(len(edges) + 1)[np.searchsorted(edges, np.nan_to_num(values, nan=0.5))])
    return np.hstack(hot)


# ---------------------------------------------------------------------- the past


def profile(data: PortraitArrays, pairs: Pairs, shrink: float) -> Columns:
    """Shrunk lifts of likes and dislikes, how many there are of each (log), and the share of likes.

    Lifts are given tenfold, so that they are about as large as the other columns under one ridge penalty.
    """
    columns, counts = [], []
    for liked in (True, False):
        base = average(data.items, data.train.item[data.train.liked == liked])
        columns.append(10 * lift(*past(data, pairs, liked=liked), base, shrink))
        counts.append(np.bincount(pairs.user[pairs.liked == liked], minlength=len(data.users)))
    n = np.stack(counts, axis=1).astype(np.float64)
    share = (n[:, 0] + 4 * data.train.liked.mean()) / (n.sum(1) + 4)
    return np.column_stack([*columns, np.log1p(n) / 2, share])


def bag(data: PortraitArrays, pairs: Pairs) -> Columns:
    """A column for each item liked and one for each not liked: 1/√(n + 5) where the user met it, n items in all."""
    shape = (len(data.users), 2 * len(data.items))
    place = pairs.item + len(data.items) * ~pairs.liked
    met = csr_array((np.ones(len(place)), (pairs.user, place)), shape=shape).toarray()
    return np.minimum(met, 1.0) / np.sqrt(met.sum(1, keepdims=True) + 5)
