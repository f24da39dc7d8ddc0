"""The linear reading: what a subject would like, by ridge regression in closed form.

A subject's own portrait vector, and the shrunk means of the vectors *and points* of what it liked and disliked so far,
tell the mean portrait vector of what it will like. In training no like is input and target at once: the pairs of each
subject are dealt out to folds, and the likes of one fold are told from the pairs of all others. A second regression,
from the own vector alone, serves subjects of whom nothing else is known; in between the two are mixed.

Source: ridge: Hoerl, Kennard 1970, doi 10.1080/00401706.1970.10488634; why beside the decoders: docs/theory, Portraits.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import eigh

from penchant._random import generator
from penchant.portraits._weights import weighted_mean
from penchant.portraits.likes import LikedMeans, Likes, liked_means, worth
from penchant.portraits.past import Others, Pairs, Past, past_of

__all__ = ["LinearReading", "fit_linear"]

_FOLDS = 9
_SHRINK = 10.0
"""Average others that are added to a mean."""
_ENOUGH = 5.0
"""Pairs at which the regression that knows the past and the one that does not count alike."""
_SCALE = 10.0
"""By which shrunk means are multiplied, so that one ridge fits them and the own vector."""
_BINS = 5
_ALPHAS = tuple(10.0 ** (e / 2) for e in range(2, 11))
_DEFAULT_ALPHA = 300.0


@dataclass(frozen=True, slots=True)
class _Map:
    """x to (x − centre) @ weights + level."""

    centre: Float[np.ndarray, " p"]
    weights: Float[np.ndarray, "p width"]
    level: Float[np.ndarray, " width"]

    def __call__(self, x: Float[np.ndarray, "n p"]) -> Float[np.ndarray, "n width"]:
        return (x - self.centre) @ self.weights + self.level


@dataclass(frozen=True, slots=True)
class LinearReading:
    """What `fit_linear` learned."""

    usual: Float[np.ndarray, " m"]
    """Mean own vector of the training subjects: what is missing is taken as this."""
    edges: Float[np.ndarray, "m bins"]
    """Ends of bins of each own coordinate; infinite where it is not cut."""
    means: Float[np.ndarray, "2 c"]
    """Mean vector and point of all likes, and of all dislikes: see `past_of`."""
    known: _Map
    """For subjects with a past."""
    new: _Map
    """For subjects without."""

    def read(self, own: Float[np.ndarray, "n m"], past: Past | None = None) -> Float[np.ndarray, "n width"]:
        """Mean portrait vectors of what n subjects would like, in [0, 1]; NaN in ``own`` is unknown."""
        x = _own(own, self.usual, self.edges)
        said = self.new(x)
        if past is not None:
            n = past.counts.sum(1, keepdims=True)
            trust = n / (n + _ENOUGH)
            said = trust * self.known(np.hstack([x, _columns(past)])) + (1 - trust) * said
        return np.clip(said, 0.0, 1.0)

    def state(self) -> dict[str, np.ndarray]:
        """As arrays."""
        maps = {f"{name}.{f}": getattr(m, f) for name, m in (("known", self.known), ("new", self.new)) for f in _FIELDS}
        return {"usual": self.usual, "edges": self.edges, "means": self.means, **maps}

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray]) -> "LinearReading":
        """The reading that gave this state."""
        known, new = (_Map(*(np.asarray(state[f"{name}.{f}"]) for f in _FIELDS)) for name in ("known", "new"))
        usual, edges, means = (np.asarray(state[name]) for name in ("usual", "edges", "means"))
        return cls(usual, edges, means, known, new)


_FIELDS = ("centre", "weights", "level")


def fit_linear(
    own: Float[np.ndarray, "n m"],
    subject: Int[np.ndarray, " pairs"],
    other: Int[np.ndarray, " pairs"],
    liked: Float[np.ndarray, " pairs"],
    *,
    others: Others,
    population: Float[np.ndarray, " width"],
    held_out: LikedMeans | None,
    rng: int,
) -> LinearReading:
    """Fit both regressions.

    Arguments:
        own: portrait vectors of the subjects in [0, 1]; NaN where unknown.
        subject, other, liked: the training pairs; at least one is liked.
        others: the side that is described.
        population: its mean vector over the training likes.
        held_out: later likes of the same subjects, by which the penalties are chosen; None: a default.
        rng: deals out the folds.
    """
    some = np.unique(subject)
    usual = np.nan_to_num(weighted_mean(own[some], np.ones(len(some))))
    edges = _edges(own[some])
    x = _own(own, usual, edges)
    means = np.stack([others.mean(other[liked > 0.5]), others.mean(other[liked <= 0.5])])
    pairs = Pairs(subject, other, liked)
    whole = past_of(len(own), *pairs, others, means)
    has = whole.counts.sum(1) > 0
    folds = _folded(x, pairs, others, means, population, rng)
    known = _fit(folds, np.hstack([x, _columns(whole)]), population, held_out, has)
    alone = _example(x, others.vectors, pairs, liked > 0.5, population)
    new = _fit(iter([alone._replace(weight=worth(alone.weight))]), x, population, held_out, np.ones(len(own), bool))
    return LinearReading(usual, edges, means, known, new)


class _Example(NamedTuple):
    """A weighted regression problem: from x to a difference from the population."""

    x: Float[np.ndarray, "n p"]
    target: Float[np.ndarray, "n width"]
    weight: Float[np.ndarray, " n"]


def _example(
    x: np.ndarray, vectors: np.ndarray, pairs: Pairs, likes: Bool[np.ndarray, " pairs"], population: np.ndarray
) -> _Example:
    """Subjects with any of these likes, and what sets the mean of them apart; a subject weighs its likes."""
    really = liked_means(Likes(np.broadcast_to(population, (len(x), len(population))), vectors, *pairs.at(likes)[:2]))
    n = np.bincount(pairs.subject[likes], minlength=len(x)).astype(np.float64)
    rows = n > 0
    return _Example(x[rows], np.nan_to_num(really.mean - population)[rows], n[rows])


def _folded(
    x: np.ndarray,
    pairs: Pairs,
    others: Others,
    means: np.ndarray,
    population: np.ndarray,
    rng: int,
) -> Iterator[_Example]:
    """For each fold: the likes in it, and what all other pairs say of their subjects."""
    fold = _folds(pairs.subject, len(x), rng)
    for k in range(_FOLDS):
        past = past_of(len(x), *pairs.at(fold != k), others, means)
        yield _example(
            np.hstack([x, _columns(past)]), others.vectors, pairs, (fold == k) & (pairs.liked > 0.5), population
        )


def _folds(subject: Int[np.ndarray, " pairs"], n: int, rng: int) -> Int[np.ndarray, " pairs"]:
    """A fold for each pair: evenly within each subject, from a random one on."""
    g = generator(rng, "folds")
    order = np.lexsort((g.random(len(subject)), subject))
    counts = np.bincount(subject, minlength=n)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    return (place + g.integers(0, _FOLDS, n)[subject]) % _FOLDS


def _fit(
    examples: Iterator[_Example],
    x: Float[np.ndarray, "n p"],
    population: Float[np.ndarray, " width"],
    held_out: LikedMeans | None,
    rows: Bool[np.ndarray, " n"],
) -> _Map:
    """Ridge regression on all examples; the penalty that tells the held-out means of ``rows`` best."""
    width, p = len(population), x.shape[1]
    n, sum_x, sum_t, gram, moment = 0.0, np.zeros(p), np.zeros(width), np.zeros((p, p)), np.zeros((p, width))
    for part in examples:
        heavy = part.weight[:, None] * part.x
        n, sum_x, sum_t = n + part.weight.sum(), sum_x + heavy.sum(0), sum_t + part.weight @ part.target
        gram, moment = gram + heavy.T @ part.x, moment + heavy.T @ part.target
    centre, level = sum_x / max(n, 1e-12), sum_t / max(n, 1e-12)
    values, axes = eigh(gram - n * np.outer(centre, centre))
    turned = axes.T @ (moment - n * np.outer(centre, level))

    def fitted(alpha: float) -> _Map:
        weights = axes @ (turned / (np.maximum(values, 0.0) + alpha)[:, None])
        return _Map(centre, weights, level + population)

    maps = [fitted(alpha) for alpha in _ALPHAS]
    errors = None if held_out is None else [_error(m(x[rows]), held_out, rows) for m in maps]
    if errors is None or not np.isfinite(errors).all():
        return fitted(_DEFAULT_ALPHA)
    return maps[int(np.argmin(errors))]


def _error(said: Float[np.ndarray, "r width"], held_out: LikedMeans, rows: Bool[np.ndarray, " n"]) -> float:
    """Squared error, a mean of n values weighing n/(n + 20); NaN where nothing was held out."""
    weight = held_out.weight[rows]
    total = float(weight.sum())
    return float((weight * np.nan_to_num(said - held_out.mean[rows]) ** 2).sum() / total) if total else np.nan


def _columns(past: Past) -> Float[np.ndarray, "n c"]:
    """Shrunk means of what was liked and of what was disliked, and how many there are of each."""
    n = past.counts
    means = [_SCALE * s / (n[:, [j]] + _SHRINK) for j, s in enumerate((past.liked, past.disliked))]
    return np.hstack([*means, np.log1p(n) / 2])


def _own(own: np.ndarray, usual: np.ndarray, edges: np.ndarray) -> Float[np.ndarray, "n p"]:
    """The own vector without gaps, and the bin of each coordinate that is cut."""
    known = np.where(np.isnan(own), usual, own).astype(np.float64)
    cut = np.isfinite(edges).all(1)
    bins = (known[:, cut, None] > edges[cut]).astype(np.float64)
    return np.hstack([known, bins.reshape(len(known), -1)])


def _edges(own: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "m bins"]:
    """Inner ends of bins at quantiles, where a coordinate is more than yes and no."""
    levels = np.arange(1, _BINS) / _BINS
    edges = np.full((own.shape[1], len(levels)), np.inf)
    for j, column in enumerate(own.T):
        known = column[~np.isnan(column)]
        if len(known) and not np.isin(known, (0.0, 1.0)).all():
            edges[j] = np.quantile(known, levels)
    return edges
