"""Whom an item is for, published or not: its portrait, where it stands, who and what is near. Plain values."""

from typing import Any

import polars as pl

from penchant.errors import ConfigError, SpaceError
from penchant.estimator.fitted import Fitted, SideName, other_side
from penchant.estimator.portraying import portrait_of
from penchant.estimator.queries import Asked, nearest
from penchant.service.explorer.reading import bar_rows, named_row, proved_within
from penchant.service.explorer.standing import standing_of
from penchant.service.explorer.visiting import Visit
from penchant.service.models import Loaded

__all__ = ["audience_of", "near_of", "portrait_at"]

_NEAR = 8

_KEPT = ("typical", "population", "ball", "terms", "sure", "notes")


def portrait_at(loaded: Loaded, side: SideName, asked: Asked, name: str, *, reach: int = 0) -> dict[str, Any] | None:
    """The portrait of one who was found, with its bars; None where the space cannot be read.

    Arguments:
        reach: how far around the point ranges are proved, in percent of the threshold; 0: not at all, as that takes
            as long as the portrait.

    Returns: as the user page has it: ``bars`` (`bar_rows`), ``ranges`` (are there any? None: they were not asked for),
    ``trained``, ``inside`` (how many known ones the ball holds), ``known`` (of how many), ``typical``, ``ball``, ….
    """
    fitted, model = loaded.fitted, loaded.model
    try:
        portrait = portrait_of(fitted, side, asked, name, examples=0, trained=model._trained, rng=model.rng).to_dict()
    except (ConfigError, SpaceError):
        return None
    ranges = proved_within(fitted, side, asked, reach) if reach else None
    known = len(fitted.known[other_side(side)].points)
    return {
        **{one: portrait[one] for one in _KEPT},
        "bars": bar_rows(portrait, ranges),
        "ranges": None if not reach else ranges is not None,
        "trained": model._trained,
        "inside": round(portrait["ball"]["inside"] * known),
        "known": known,
    }


def near_of(fitted: Fitted, side: SideName, found: pl.DataFrame) -> list[dict[str, Any]]:
    """Known rows of a side as a page lists them: id and name as text, distance, probability of a like."""
    return [
        {**named_row(fitted, side, one), "distance": one["distance"], "probability": one["probability"]}
        for one in found.to_dicts()
    ]


async def audience_of(visit: Visit, loaded: Loaded, asked: Asked, name: str, *, reach: int) -> dict[str, Any]:
    """All that the pages of an item say of a point.

    Arguments:
        asked: the item. reach: of the ranges, see `portrait_at`.

    Returns: ``portrait``; ``standing``; ``users`` and ``items``: the nearest ones (items None: the space has no
    distance between two items).
    """
    fitted = loaded.fitted

    def near(side: SideName) -> list[dict[str, Any]] | None:
        if side == "item" and not fitted.model.space.is_metric:
            return None
        itself = asked.rows[(asked.rows >= 0) & (side == "item")]
        return near_of(fitted, side, nearest(fitted, asked.points, side, _NEAR, itself))

    standing = await standing_of(visit, loaded)
    return {
        "portrait": await visit.compute(lambda: portrait_at(loaded, "item", asked, name, reach=reach)),
        "standing": await visit.compute(lambda: standing.told(loaded, asked.points, int(asked.rows[0]))),
        "users": await visit.compute(lambda: near("user")),
        "items": await visit.compute(lambda: near("item")),
    }
