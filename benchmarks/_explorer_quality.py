"""How good the map is: MovieLens-100K, users and films of one model in one picture.

* trustworthiness, knn_preservation (15 neighbours; `penchant.maps.quality`) of ours and of openTSNE run by hand on the
  same distances, a dense matrix of min(a, d); share of openTSNE: ours over its trustworthiness.
* placement: a tenth of the points is held out of the layout and then placed; the share that lands in the neighbourhood
  of its true neighbours (`penchant.maps.placing.landed`). Beside it what others would reach: put on the nearest
  neighbour, put where somebody else is, and laid out with the others.
"""

import numpy as np
import torch
from _movielens import prepared
from _results import Row, over
from openTSNE import TSNE
from scipy.spatial import cKDTree

from penchant import Penchant, Space
from penchant._random import generator
from penchant.maps import landed, lay_out, measure_quality, place_points, scale_of
from penchant.maps._neighbours import nearest_neighbours
from penchant.maps.placing import NEIGHBOURS, SHARED
from penchant.spaces import BaseSpace

__all__ = ["CASE", "by_hand", "held_out", "map_quality"]

CASE = "map quality"
_FIGURES = {"placement": SHARED, "placement of one": 1}
MODELS = {
    "penchant": Penchant,
    "penchant sup norm": lambda: Penchant(space=Space(norm=float("inf"))),
    "penchant variational": lambda: Penchant.preset("variational"),
}
NOTES = (
    "map quality: a model a seed; the map's own seed is 0. openTSNE by hand: TSNE(metric='precomputed'), its defaults.",
    f"placement: at least {SHARED} of a point's {NEIGHBOURS} nearest are among its {NEIGHBOURS} nearest on the map;",
    "placement of one: at least one of them is. Put where somebody is: what chance gives.",
)


def map_quality(seeds: list[int], models: list[str] | None = None) -> tuple[list[Row], list[str]]:
    """Rows of the case, and what a reader must know."""
    rows: list[Row] = []
    for name in models or MODELS:
        runs: dict[str, list[dict[str, float]]] = {}
        for seed in seeds:
            split, _ = prepared("AutoInt-100K ids", None)
            model = MODELS[name]().set_params(rng=seed, device="cpu").fit(split.train, split.valid)
            points = np.concatenate([known.points.numpy() for known in model._fitted.known.values()])
            for told, figures in measured(name, model.space_, points, seed).items():
                runs.setdefault(told, []).append(figures)
        rows += [row for told, found in runs.items() for row in over(CASE, told, found)]
    return rows, list(NOTES)


def measured(name: str, space: BaseSpace, points: np.ndarray, seed: int) -> dict[str, dict[str, float]]:
    """Figures by what they are of."""
    ours, peer = (measure_quality(space, points, xy) for xy in (lay_out(space, points), by_hand(space, points)))
    axes = measure_quality(space, points, lay_out(space, points, method="pca"))
    other = f"openTSNE by hand{name.removeprefix('penchant')}"
    figures = [
        {"trustworthiness": q.trustworthiness, "knn_preservation": q.knn_preservation} for q in (ours, peer, axes)
    ]
    figures[0]["share of openTSNE"] = ours.trustworthiness / peer.trustworthiness
    placed = held_out(space, points, seed)
    found = {name: figures[0] | placed.pop("placed"), other: figures[1], f"{name}, pca": figures[2]}
    return found | {f"{name}: {how}": shares for how, shares in placed.items()}


def by_hand(space: BaseSpace, points: np.ndarray) -> np.ndarray:
    """openTSNE on the dense matrix of the metric, with its defaults; it cannot begin with principal axes there."""
    x = torch.from_numpy(points)
    with torch.no_grad():
        distances = space.cross_distance(x, x).double().numpy()
    np.fill_diagonal(distances, 0)
    return np.asarray(TSNE(metric="precomputed", initialization="spectral", random_state=0, n_jobs=1).fit(distances))


def held_out(space: BaseSpace, points: np.ndarray, seed: int) -> dict[str, dict[str, float]]:
    """Shares that land among their true neighbours, of a tenth of the points."""
    chance = generator(seed, "held out")
    order = chance.permutation(len(points))
    new, old = points[order[: len(points) // 10]], points[order[len(points) // 10 :]]
    xy = lay_out(space, old)
    nearest = nearest_neighbours(space, new, old, 1).row[:, 0]
    ways = {
        "placed": place_points(space, new, old, xy, scale_of(xy)),
        "put on the nearest": xy[nearest],
        "put where somebody is": xy[chance.integers(len(old), size=len(new))],
    }
    shares = {
        how: {name: float(landed(space, new, where, old, xy, shared=n).mean()) for name, n in _FIGURES.items()}
        for how, where in ways.items()
    }
    return shares | {"laid out with the others": _laid_out(space, old, xy)}


def _laid_out(space: BaseSpace, points: np.ndarray, xy: np.ndarray) -> dict[str, float]:
    """The same of points that were laid out, themselves not counted among their neighbours."""
    true = nearest_neighbours(space, points, points, NEIGHBOURS + 1).row[:, 1:]
    shown = cKDTree(xy).query(xy, NEIGHBOURS + 1)[1][:, 1:]
    both = (shown[:, :, None] == true[:, None]).any(1).sum(1)
    return {name: float((both >= n).mean()) for name, n in _FIGURES.items()}
