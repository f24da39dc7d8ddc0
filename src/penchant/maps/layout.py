"""Points of a space laid out on a plane: t-SNE (openTSNE), principal axes, or UMAP, with the space's own metric.

Neighbours are exact and found in the space; what lies beyond the cap is as far as the cap. Points that lie at the same
place are laid out once, and their copies set around it, so that many of a kind do not tear the picture apart.

Source: van der Maaten, Hinton, JMLR 9 (2008) (t-SNE); Poličar, Stražar, Zupan, J. Stat. Softw. 109 (2024) (openTSNE);
Kobak, Berens, Nat. Commun. 10 (2019) (start from principal axes); McInnes, Healy, Melville, arXiv 1802.03426 (UMAP).
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64

from penchant._progress import Progress, SilentProgress
from penchant._random import generator, seed_of
from penchant.errors import ConfigError
from penchant.maps._neighbours import Nearest, nearest_others
from penchant.spaces import BaseSpace

__all__ = ["LAID_OUT", "METHODS", "check_method", "lay_out"]

_PERPLEXITY = 30
_EARLY, _LATE = 250, 500
"""Iterations with and without exaggeration: openTSNE's defaults."""
_EVERY = 10
_UMAP_NEIGHBOURS = 15
_FEWEST = 10
"""Different points below which there are no neighbourhoods to keep: principal axes serve."""
_START = 1e-4
"""Spread of the start: wider, and t-SNE keeps the picture that it is given."""
_JITTER = 0.01
_AROUND = 0.004
"""How far the copies of a point are set around it, at most, where the map is 2 wide."""
_GOLDEN = math.pi * (3 - math.sqrt(5))

LAID_OUT = 100
"""Steps of progress that `lay_out` takes."""
_SEARCHED = 30
"""Those of them that finding neighbours takes."""


@dataclass(frozen=True, slots=True)
class _Task:
    """What a method is given."""

    space: BaseSpace
    points: Float32[np.ndarray, "n k"]
    start: Float64[np.ndarray, "n 2"]
    """First principal axes."""
    rng: int
    threads: int
    progress: Progress


def check_method(method: str) -> None:
    """Refuse a method that is not there.

    Raises:
        ConfigError: no such method, or its package is not installed.
    """
    if method not in METHODS:
        raise ConfigError(f"method = {method!r}: one of {', '.join(METHODS)} expected")
    package, extra = _NEEDS.get(method, ("", ""))
    if package and find_spec(package) is None:
        raise ConfigError(
            f"method = {method!r} needs a package that is not installed: pip install penchant[{extra}] "
            "(method = 'pca' needs none)"
        )


def lay_out(
    space: BaseSpace,
    points: Float[np.ndarray, "n k"],
    *,
    method: str = "tsne",
    rng: int = 0,
    threads: int = 1,
    progress: Progress | None = None,
) -> Float32[np.ndarray, "n 2"]:
    """A place on the plane for each point; the middle is 0, the farther side reaches from -1 to 1.

    Arguments:
        points: of the space, finite.
        method: of `METHODS`: tsne, pca or umap. Of fewer than ten different points, principal axes always.
        rng: the same seed gives the same picture on the same machine, with one thread.
        threads: that may be used.
        progress: is stepped `LAID_OUT` times.

    Raises:
        ConfigError: see `check_method`; a number of threads below 1.
        SpaceError: points of another dimension or that are not finite, or a distance that is no metric.
    """
    check_method(method)
    space.require_metric("map")
    if threads < 1:
        raise ConfigError(f"threads = {threads}: at least 1 expected")
    space.check_dim(torch.from_numpy(np.zeros((0, points.shape[1]))))
    shown = SilentProgress() if progress is None else progress
    own, copy_of = _different(np.ascontiguousarray(points, dtype=np.float32))
    start = _principal(own)
    if len(own) < _FEWEST:
        method = "pca"
    xy = METHODS[method](_Task(space, own, start, rng, threads, shown))
    return _set_apart(_framed(xy), copy_of).astype(np.float32)


def _different(points: Float32[np.ndarray, "n k"]) -> tuple[Float32[np.ndarray, "m k"], Int64[np.ndarray, " n"]]:
    """The points that differ, in order of their first row, and which of them each one is."""
    points = points + np.float32(0)  # -0 is 0
    bytes_of = points.view(np.dtype((np.void, points.shape[1] * 4))).reshape(len(points))
    _, first, inverse = np.unique(bytes_of, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return points[first[order]], rank[inverse].astype(np.int64)


def _principal(points: Float32[np.ndarray, "n k"]) -> Float64[np.ndarray, "n 2"]:
    """The first two principal axes; 0 where there are none. Their direction does not depend on the machine."""
    xy = np.zeros((len(points), 2))
    if not len(points):
        return xy
    centred = points.astype(np.float64) - points.mean(0, dtype=np.float64)
    variance, axes = np.linalg.eigh(centred.T @ centred)
    found = min(2, points.shape[1])
    axes = axes[:, ::-1][:, :found]
    axes = axes * np.where(axes[np.abs(axes).argmax(0), np.arange(found)] < 0, -1.0, 1.0)
    there = variance[::-1][:found] > 1e-12 * max(1.0, float(variance[-1]))
    xy[:, :found] = centred @ axes * there
    return xy


def _by_axes(task: _Task) -> Float64[np.ndarray, "n 2"]:
    task.progress.step(LAID_OUT)
    return task.start


def _by_tsne(task: _Task) -> Float64[np.ndarray, "n 2"]:
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    n = len(task.points)
    perplexity = min(_PERPLEXITY, (n - 1) / 3)
    near = _neighbours(task, int(3 * perplexity))
    affinities = PerplexityBasedNN(
        knn_index=PrecomputedNeighbors(near.row, near.distance), perplexity=perplexity, n_jobs=task.threads
    )
    seed = seed_of(task.rng, "maps", "tsne") % 2**32
    picture = TSNEEmbedding(_start(task), affinities, random_state=seed, n_jobs=task.threads)
    told = _Telling(task.progress, _EARLY + _LATE)
    options: dict[str, Any] = {"inplace": True, "callbacks": told, "callbacks_every_iters": _EVERY}
    picture.optimize(_EARLY, exaggeration=12, momentum=0.5, **options)
    picture.optimize(_LATE, momentum=0.8, **options)
    return np.array(picture)


def _by_umap(task: _Task) -> Float64[np.ndarray, "n 2"]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of compilers, and that no later points can be transformed, which we do
        from umap import UMAP

        near = _neighbours(task, _UMAP_NEIGHBOURS - 1)
        own = np.arange(len(near.row))[:, None]  # UMAP counts each point among its neighbours
        rows = np.hstack([own, near.row]).astype(np.int32)
        distances = np.hstack([np.zeros_like(own, dtype=np.float64), near.distance]).astype(np.float32)
        made = UMAP(
            n_neighbors=rows.shape[1],
            precomputed_knn=(rows, distances, None),
            init=_start(task) / _START * 5,
            random_state=seed_of(task.rng, "maps", "umap") % 2**31,
            n_jobs=1,
        ).fit_transform(task.points)
    task.progress.step(LAID_OUT - _SEARCHED)
    return np.asarray(made, dtype=np.float64)


METHODS: dict[str, Callable[[_Task], Float64[np.ndarray, "n 2"]]] = {
    "tsne": _by_tsne,
    "pca": _by_axes,
    "umap": _by_umap,
}
"""How points are laid out, by name."""

_NEEDS = {"tsne": ("openTSNE", "map"), "umap": ("umap", "umap")}
"""Packages that methods need, and the extras that bring them."""


def _neighbours(task: _Task, k: int) -> Nearest:
    """The nearest of each point, at the distance of the metric: min(a, d)."""
    near = nearest_others(task.space, task.points, k, threads=task.threads)
    task.progress.step(_SEARCHED)
    return Nearest(near.row, task.space.capped(torch.from_numpy(near.distance)).numpy())


def _start(task: _Task) -> Float64[np.ndarray, "n 2"]:
    """Principal axes in small, a little shaken: where several share a place, nothing would part them."""
    spread = float(task.start[:, 0].std()) or 1.0
    noise = generator(task.rng, "maps", "start").standard_normal(task.start.shape)
    return np.ascontiguousarray((task.start / spread + _JITTER * noise) * _START)


class _Telling:
    """Passes openTSNE's iterations on as steps of progress."""

    def __init__(self, progress: Progress, iterations: int) -> None:
        self.progress, self.iterations, self.done, self.told = progress, iterations, 0, 0

    def __call__(self, iteration: int, error: float, embedding: Any) -> bool:
        """Go on."""
        self.done += _EVERY
        steps = (LAID_OUT - _SEARCHED) * self.done // self.iterations
        self.progress.step(steps - self.told)
        self.told = steps
        return False


def _framed(xy: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n 2"]:
    """In the middle, the wider side from -1 to 1."""
    if not len(xy):
        return xy
    low, high = xy.min(0), xy.max(0)
    half = float((high - low).max()) / 2
    return (xy - (low + high) / 2) / (half or 1.0)


def _set_apart(xy: Float64[np.ndarray, "m 2"], copy_of: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, "n 2"]:
    """Each point at its place; copies around it as the seeds of a sunflower, the first in the middle."""
    order = np.argsort(copy_of, kind="stable")
    sizes = np.bincount(copy_of, minlength=len(xy))
    number = np.empty(len(copy_of))
    number[order] = np.arange(len(copy_of)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    reach = _AROUND * np.minimum(1.0, np.sqrt(sizes / 100))[copy_of]
    radius, angle = reach * np.sqrt(number / np.maximum(1, sizes[copy_of])), number * _GOLDEN
    return xy[copy_of] + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
