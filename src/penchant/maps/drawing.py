"""Draw a map: lay out, find and name clusters, colour, measure; then place whoever is new."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from jaxtyping import Float32, Int16
from scipy.spatial import cKDTree

from penchant._progress import Progress, SilentProgress
from penchant.errors import ConfigError
from penchant.maps.clusters import find_clusters
from penchant.maps.columns import MapSide, map_columns
from penchant.maps.interest_map import SIDES, InterestMap
from penchant.maps.layout import LAID_OUT, lay_out
from penchant.maps.naming import name_clusters
from penchant.maps.placing import place_points, scale_of
from penchant.maps.quality import measure_quality
from penchant.spaces import BaseSpace

__all__ = ["draw_map"]

_REST = 20
"""Steps of progress that everything but the layout takes."""


def draw_map(
    space: BaseSpace,
    sides: Sequence[MapSide],
    *,
    placed: Sequence[MapSide] = (),
    method: str = "tsne",
    rng: int = 0,
    threads: int = 1,
    metric: dict[str, Any],
    notes: Sequence[str] = (),
    progress: Progress | None = None,
) -> InterestMap:
    """The map of users and items of a space.

    Arguments:
        sides: who is laid out: items, users, or both; one of them may be empty.
        placed: who is placed among them, without moving them.
        method, rng, threads: see `lay_out`.
        metric, notes: as of `InterestMap`.
        progress: told how far it is.

    Raises:
        ConfigError: nobody to lay out, and see `lay_out`. SpaceError: see `lay_out`.
    """
    if not sum(map(len, sides)):
        raise ConfigError("map: nobody is left to be drawn")
    shown = SilentProgress() if progress is None else progress
    shown.start(LAID_OUT + _REST, "drawing the map")
    try:
        points = np.concatenate([side.points for side in sides])
        xy = lay_out(space, points, method=method, rng=rng, threads=threads, progress=shown)
        clusters = find_clusters(xy)
        named = name_clusters(sides, clusters.label, clusters.peak)
        shown.step(_REST // 2)
        scale = scale_of(xy)
        new = [place_points(space, side.points, points, xy, scale) for side in placed if len(side)]
        quality = measure_quality(space, points, xy, rng=rng)
        shown.step(_REST - _REST // 2)
    finally:
        shown.finish()
    every, all_xy = [*sides, *placed], np.concatenate([xy, *new])
    return InterestMap(
        ids=tuple(chain.from_iterable(side.ids for side in every)),
        labels=tuple(chain.from_iterable(side.labels for side in every)),
        side=np.concatenate([np.full(len(side), SIDES.index(side.side), dtype=np.uint8) for side in every]),
        xy=all_xy,
        cluster=_joined(clusters.label.astype(np.int16), xy, all_xy[len(xy) :]),
        clusters=named,
        columns=map_columns(every),
        quality=quality,
        metric=metric,
        method=method,
        scale=scale,
        placed=len(all_xy) - len(xy),
        notes=tuple(notes),
    )


def _joined(
    label: Int16[np.ndarray, " n"], xy: Float32[np.ndarray, "n 2"], new: Float32[np.ndarray, "q 2"]
) -> Int16[np.ndarray, " m"]:
    """Whoever is placed is in the cluster of the nearest on the map."""
    return np.concatenate([label, label[cKDTree(xy).query(new)[1]]]) if len(new) else label
