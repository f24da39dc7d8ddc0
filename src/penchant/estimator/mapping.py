"""The map of a fitted model: who is on it, by what it is coloured, and where somebody belongs on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor

from penchant._config import plain
from penchant._progress import Progress, make_progress
from penchant._random import generator
from penchant.errors import ConfigError, UnknownIdError
from penchant.estimator.fitted import SIDES, Fitted, SideName, other_side
from penchant.estimator.queries import Asked, resolve, resolve_one
from penchant.maps import InterestMap, MapSide, check_method, draw_map, place_points
from penchant.maps.interest_map import SIDES as MAP_SIDES
from penchant.spaces import GaussianSpace

__all__ = ["Located", "Placement", "draw", "locate", "place"]

_OTHERS = 500
"""Known ones of the other side by which it is said how much of them a ball holds."""


_SAME = 1e-4
"""On every axis: what rounding moves a point by, at most, where it is encoded anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Where a user or item belongs on a map."""

    x: float
    """On the map."""
    y: float
    """Likewise."""
    index: int | None
    """Its own place among the map's ids, where it is there as it is now."""
    inside: Int[np.ndarray, " m"]
    """Places, rising, of the items in the user's ball, or of the users whose balls hold the item: on a map a ball is
    no circle."""
    radius: float
    """Of the ball, a base distance."""


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """A map, and where those on it lie in the space."""

    picture: InterestMap
    """The map."""
    points: Float32[np.ndarray, "n k"]
    """Of those who are known; NaN of others."""
    known: dict[SideName, Int[np.ndarray, " m"]]
    """Places of each side on the map, of those who are known."""


def draw(
    fitted: Fitted,
    users: Any,
    items: Any,
    *,
    method: str,
    most: int,
    rng: int,
    threads: int,
    progress: bool | Progress | None,
) -> InterestMap:
    """See `Reader.map`."""
    check_method(method)
    fitted.model.space.require_metric("map")
    if most < 1:
        raise ConfigError(f"most = {most}: at least 1 expected")
    given: dict[SideName, Any] = {"user": users, "item": items}
    rows, notes = _sampled(fitted, {side: _rows(fitted, side, given[side]) for side in SIDES}, most, rng)
    space = fitted.model.space
    return draw_map(
        space,
        [_known_side(fitted, side, rows[side]) for side in MAP_SIDES],
        placed=[_new_side(fitted, side, one) for side, one in given.items() if isinstance(one, pl.DataFrame)],
        method=method,
        rng=rng,
        threads=threads,
        metric={
            "norm": space.metric if isinstance(space, GaussianSpace) else plain(getattr(space, "norm", None)),
            "cap": plain(space.cap),
            "threshold": fitted.calibration.threshold,
        },
        notes=notes,
        progress=make_progress(progress),
    )


def _rows(fitted: Fitted, side: SideName, given: Any) -> Int[np.ndarray, " n"]:
    """Known rows: all, or those of ids, each once and in order.

    Raises:
        UnknownIdError: an id in no table.
    """
    if given is None or isinstance(given, pl.DataFrame):
        return np.arange(len(fitted.known[side].frame))
    ids = [given] if isinstance(given, str | int) else list(given)
    return np.unique(fitted.known[side].vocabulary.rows(ids)) if ids else np.zeros(0, dtype=np.int64)


def _sampled(
    fitted: Fitted, rows: Mapping[SideName, Int[np.ndarray, " _"]], most: int, rng: int
) -> tuple[dict[SideName, Int[np.ndarray, " _"]], list[str]]:
    """No more than fit on the map, items first, up to a half where users want the rest; said where any are left out."""
    n_users, n_items = len(rows["user"]), len(rows["item"])
    kept_items = min(n_items, max(most - most // 2, most - n_users))
    room = {"item": kept_items, "user": min(n_users, most - kept_items)}
    found, notes = {}, []
    for side in SIDES:
        found[side] = rows[side]
        if room[side] < len(rows[side]):
            drawn = generator(rng, "maps", "sample", side).permutation(len(rows[side]))[: room[side]]
            found[side] = rows[side][np.sort(drawn)]
            notes.append(f"Of {len(rows[side]):,} {side}s {room[side]:,} are shown, drawn at random.")
    return found, notes


def _known_side(fitted: Fitted, side: SideName, rows: Int[np.ndarray, " n"]) -> MapSide:
    known, name = fitted.known[side], fitted.name_column(side)
    points = fitted.points(side, rows)
    labels: Sequence[str | None] = [None] * len(rows)
    if name is not None and name in known.frame.columns:
        labels = known.frame[name].gather(rows).cast(pl.String).to_list()
    return MapSide(
        side=side,
        ids=tuple(known.vocabulary.take(rows).to_list()),
        labels=tuple(labels),
        frame=known.frame[rows],
        encoder=fitted.side_encoder(side),
        points=points.cpu().numpy(),
        numbers={"likes": (_likes(fitted, side)[rows], ""), **_of_points(fitted, side, points)},
    )


def _new_side(fitted: Fitted, side: SideName, frame: pl.DataFrame) -> MapSide:
    """Rows that are in no table, as a side of a map: by their keys where they have any."""
    encoder, name = fitted.side_encoder(side), fitted.name_column(side)
    fields = [field.name for field in encoder.fields]
    key = fitted.schema.user_id if side == "user" else fitted.schema.item_id
    keys = (
        frame[key].to_list() if key in frame.columns else [f"new {side} {number + 1}" for number in range(len(frame))]
    )
    labels = frame[name].cast(pl.String).to_list() if name in frame.columns else [None] * len(frame)
    known = {key, name} - set(fields)
    rows = frame.drop([one for one in known if one in frame.columns]).to_dicts()
    points = resolve(fitted, side, rows).points if rows else torch.zeros(0, fitted.model.space.dim)
    absent = [pl.lit(None).alias(field) for field in fields if field not in frame.columns]
    return MapSide(
        side=side,
        ids=tuple(keys),
        labels=tuple(labels),
        frame=frame.with_columns(absent),
        encoder=encoder,
        points=points.cpu().numpy(),
        numbers=_of_points(fitted, side, points),
    )


def _likes(fitted: Fitted, side: SideName) -> Float[np.ndarray, " n"]:
    """Likes of each known row among the training rows."""
    liked = fitted.seen.filter(pl.col("liked").cast(pl.Boolean))[side].to_numpy()
    return np.bincount(liked, minlength=len(fitted.known[side].frame)).astype(np.float64)


@torch.no_grad()
def _of_points(
    fitted: Fitted, side: SideName, points: Float[Tensor, "n k"]
) -> dict[str, tuple[Float[np.ndarray, " n"], str]]:
    """reach: the share of the other side that the balls join them to; uncertainty, where points say how sure they are
    (standard deviation on an axis, root mean square)."""
    space, others = fitted.model.space, fitted.known[other_side(side)].points
    found: dict[str, tuple[Float[np.ndarray, " n"], str]] = {}
    if len(points) and len(others):
        some = others[:: -(-len(others) // _OTHERS)]
        near = [space.cross(part, some) <= fitted.calibration.threshold for part in points.split(4096)]
        found["reach"] = torch.cat(near).double().mean(1).cpu().numpy(), ""
    if isinstance(space, GaussianSpace) and len(points):
        found["uncertainty"] = space.scale(points).double().square().mean(1).sqrt().cpu().numpy(), ""
    return found


def locate(fitted: Fitted, picture: InterestMap) -> Located:
    """Find those on a map in the space of the model that it was drawn of.

    Raises:
        UnknownIdError: somebody who was laid out is in no table: a map of another model.
    """
    laid_out = len(picture) - picture.placed
    points = np.full((len(picture), fitted.model.space.dim), np.nan, dtype=np.float32)
    known: dict[SideName, Int[np.ndarray, " m"]] = {}
    for side in SIDES:
        places = np.flatnonzero(picture.side[:laid_out] == MAP_SIDES.index(side))
        known[side] = places
        if len(places):
            rows = fitted.known[side].vocabulary.rows([picture.ids[place] for place in places])
            points[places] = fitted.points(side, rows).cpu().numpy()
    return Located(picture, points, known)


def place(fitted: Fitted, located: Located, side: SideName, who: Any) -> Placement:
    """See `Reader.place`."""
    asked = resolve_one(fitted, side, who, "place: ")
    picture, laid_out = located.picture, len(located.picture) - located.picture.placed
    point = asked.points.cpu().numpy()
    index = _own_place(located, side, asked)
    if index is None:
        x, y = place_points(fitted.model.space, point, located.points[:laid_out], picture.xy[:laid_out], picture.scale)[
            0
        ].tolist()
    else:
        x, y = picture.xy[index].tolist()
    radius = fitted.calibration.threshold
    if fitted.follower is not None and side == "user" and not asked.by_row:
        radius += float(fitted.follower.shifts(asked.keys.to_list())[0])
    return Placement(x, y, index, _inside(fitted, located, side, asked.points, radius), radius)


def _own_place(located: Located, side: SideName, asked: Asked) -> int | None:
    """Where the one who was asked for is on the map, if it lies in the space where it lay when that was drawn."""
    if asked.by_row:
        return None
    try:
        found = located.picture.index(side, asked.keys[0])
    except UnknownIdError:
        return None
    same = np.allclose(located.points[found], asked.points[0].cpu().numpy(), rtol=0, atol=_SAME)
    return found if same else None


@torch.no_grad()
def _inside(
    fitted: Fitted, located: Located, side: SideName, point: Float[Tensor, "1 k"], radius: float
) -> Int[np.ndarray, " m"]:
    """Places of the other side within the ball."""
    space, places = fitted.model.space, located.known[other_side(side)]
    if not len(places):
        return places
    others = torch.from_numpy(located.points[places]).to(point.device)
    distance = space.base_distance(point, others) if side == "user" else space.base_distance(others, point)
    return places[(distance <= radius).cpu().numpy()]
