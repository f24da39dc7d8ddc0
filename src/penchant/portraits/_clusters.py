"""How many groups do weighted points fall into? Those that a valley of their density separates, on points held out.

1. A half A of the points is cut into more clusters than are expected, by weighted k-means in the first principal axes.
2. Two clusters are one unless the other half B, projected on their discriminant (learned on A), has a valley between
   two peaks: a density at most `_DEPTH` of the lower peak, and lower by `_SURE` standard errors. The pair whose valley
   is least sure is joined first, until all that are left are separated.

k-means alone always finds k clusters, and criteria of spread (silhouette, BIC) find some in a uniform or lopsided cloud
too. A valley does not depend on the clusters' form nor, as B was not clustered, on the number of axes.

Source: merging of clusters by unimodality of projections: Tantrum, Murua, Stuetzle 2003, "Assessment and pruning of
hierarchical model based clustering"; Hennig, Adv. Data Anal. Classif. 4 (2010). Held-out points: our own.
"""

import warnings

import numpy as np
from jaxtyping import Float, Float64, Int64

from penchant._random import generator, seed_of
from penchant.portraits._weights import effective_number

__all__ = ["separate_groups", "weighted_kmeans"]

_AXES = 8
"""Principal axes that are kept, at most."""
_VARIANCE = 0.95
"""Share of the variance that they keep together."""
_FEWEST = 60
"""Points' worth below which nothing is separated: half of them would be too few to see a valley."""
_PER_CLUSTER = 30
"""Points' worth for each cluster of the first cut."""
_FIRST = 8
"""Clusters of the first cut, at most."""
_DEPTH = 0.75
_SURE = 2.0
_GRID = 200


def weighted_kmeans(
    x: Float[np.ndarray, "n c"], weight: Float64[np.ndarray, " n"], k: int, seed: int
) -> tuple[Float64[np.ndarray, "k c"], Int64[np.ndarray, " n"]]:
    """Centres and the cluster of each point; fewer centres than ``k`` where fewer points are different.

    Source: Arthur, Vassilvitskii, k-means++ (2007), in scikit-learn.
    """
    from sklearn.cluster import KMeans  # a second and more to import
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different points than clusters: sorted out below
        found = KMeans(k, n_init=4, random_state=seed % 2**32).fit(x.astype(np.float64), sample_weight=weight)
    used, label = np.unique(found.labels_, return_inverse=True)
    return found.cluster_centers_[used], label.astype(np.int64)


def separate_groups(
    x: Float[np.ndarray, "n c"], weight: Float64[np.ndarray, " n"], *, most: int, least: float, rng: int = 0
) -> Int64[np.ndarray, " n"]:
    """The group of each point, 0 the heaviest; a group of less than the share ``least`` goes to the nearest one.

    Arguments:
        weight: above 0, summing to 1.
        most: groups, at most: the least separated ones are joined.
        rng: seed of the halves and of k-means.
    """
    worth = effective_number(weight)
    one: Int64[np.ndarray, " n"] = np.zeros(len(x), dtype=np.int64)
    reduced = _principal(x.astype(np.float64), weight)
    if worth < _FEWEST or not reduced.shape[1] or most < 2:
        return one
    learned = np.zeros(len(x), dtype=bool)
    learned[generator(rng, "portraits", "halves").permutation(len(x))[: len(x) // 2]] = True
    first = min(_FIRST, int(worth / _PER_CLUSTER))
    seed = seed_of(rng, "portraits", "kmeans")
    centres, _ = weighted_kmeans(reduced[learned], weight[learned], first, seed)
    label = ((reduced[:, None] - centres) ** 2).sum(2).argmin(1)
    label = _joined(reduced, weight, label, learned, most)
    return _by_weight(_without_small(reduced, weight, label, least), weight)


def _principal(x: Float64[np.ndarray, "n c"], weight: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, "n d"]:
    """The first principal axes, as many as keep most of the variance."""
    if not len(x):
        return x[:, :0]
    centred = x - weight @ x
    value, axis = np.linalg.eigh((centred * weight[:, None]).T @ centred)
    value, axis = value[::-1].clip(min=0), axis[:, ::-1]
    if value.sum() <= 1e-12:
        return x[:, :0]
    kept = 1 + int(np.searchsorted(np.cumsum(value) / value.sum(), _VARIANCE))
    return centred @ axis[:, : min(kept, _AXES)]


def _joined(
    x: Float64[np.ndarray, "n d"],
    weight: Float64[np.ndarray, " n"],
    label: Int64[np.ndarray, " n"],
    learned: np.ndarray,
    most: int,
) -> Int64[np.ndarray, " n"]:
    """Join the pair that is least separated, until all are and no more than ``most`` are left."""
    label = label.copy()
    known: dict[tuple[int, int], float] = {}
    while len(names := np.unique(label).tolist()) > 1:
        pairs = [(a, b) for a in names for b in names if a < b]
        for a, b in pairs:
            if (a, b) not in known:
                known[a, b] = _separation(x, weight, label == a, label == b, learned)
        a, b = min(pairs, key=lambda pair: known[pair])
        if known[a, b] >= _SURE and len(names) <= most:
            break
        label[label == b] = a
        known = {pair: sure for pair, sure in known.items() if not {a, b} & set(pair)}
    return label


def _separation(
    x: Float64[np.ndarray, "n d"], weight: Float64[np.ndarray, " n"], a: np.ndarray, b: np.ndarray, learned: np.ndarray
) -> float:
    """Standard errors by which the valley between two groups is below the lower peak; 0 where it is not deep enough."""
    parts = [(x[rows & learned], weight[rows & learned]) for rows in (a, b)]
    held = (a | b) & ~learned
    if min(len(part) for part, _ in parts) < 2 or effective_number(weight[held]) < _PER_CLUSTER / 2:
        return 0.0
    means = [w @ part / w.sum() for part, w in parts]
    within = sum((part - mean).T @ ((part - mean) * w[:, None]) for (part, w), mean in zip(parts, means, strict=True))
    ridge = 1e-3 * np.trace(within) / len(within) + 1e-12
    axis = np.linalg.solve(within + ridge * np.eye(len(within)), means[1] - means[0])
    ends = np.sort([float(mean @ axis) for mean in means])
    spread = float(np.sqrt(axis @ within @ axis / sum(w.sum() for _, w in parts)))
    return _valley(x[held] @ axis, weight[held], ends, spread)


def _valley(
    t: Float64[np.ndarray, " n"], weight: Float64[np.ndarray, " n"], ends: Float64[np.ndarray, "2"], spread: float
) -> float:
    """Of a kernel density between two ends: standard errors of the deepest valley below the lower peak around it."""
    worth = effective_number(weight)
    if not ends[1] > ends[0]:
        return 0.0
    width = max(spread * worth**-0.2, 1e-3 * (ends[1] - ends[0]))
    grid = np.linspace(ends[0] - spread, ends[1] + spread, _GRID)
    kernel = np.exp(-0.5 * ((grid[:, None] - t) / width) ** 2) / (width * np.sqrt(2 * np.pi))
    density = kernel @ (weight / weight.sum())
    left, right = np.maximum.accumulate(density), np.maximum.accumulate(density[::-1])[::-1]
    peak = np.minimum(left, right)
    error = np.sqrt((peak + density) / (2 * np.sqrt(np.pi)) / (worth * width))  # of the difference of two densities
    between = (grid >= ends[0]) & (grid <= ends[1]) & (density <= _DEPTH * peak) & (error > 0)
    return float(((peak - density)[between] / error[between]).max(initial=0.0))


def _without_small(
    x: Float64[np.ndarray, "n d"], weight: Float64[np.ndarray, " n"], label: Int64[np.ndarray, " n"], least: float
) -> Int64[np.ndarray, " n"]:
    label = label.copy()
    while len(names := np.unique(label)) > 1:
        share = np.array([weight[label == name].sum() for name in names])
        centre = np.array([weight[label == name] @ x[label == name] for name in names]) / share[:, None]
        small = int(share.argmin())
        if share[small] >= least:
            break
        away = ((centre - centre[small]) ** 2).sum(1)
        away[small] = np.inf
        label[label == names[small]] = names[away.argmin()]
    return label


def _by_weight(label: Int64[np.ndarray, " n"], weight: Float64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
    names, place = np.unique(label, return_inverse=True)
    order = np.argsort(-np.bincount(place, weights=weight), kind="stable")
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    return rank[place]
