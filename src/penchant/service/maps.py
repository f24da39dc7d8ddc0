"""Routes of the map: /v1/map, and /v1/map/place for whoever is to be found on it. Scope read."""

import asyncio
import gzip
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from penchant.estimator.fitted import SideName
from penchant.estimator.mapping import place
from penchant.service._json import dump
from penchant.service._routing import router
from penchant.service.atlas import Drawn
from penchant.service.messages import PlaceQuestion
from penchant.service.problems import Refused
from penchant.service.questions import PROBLEMS

if TYPE_CHECKING:
    from penchant.service.service import Service

__all__ = ["map_of", "map_routes", "placed"]

_WAIT_S = 0.5
"""A map that is on disk is loaded in about this time; so long a request waits for it."""
_UNCHANGED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The map is the one that was named in If-None-Match."}
}
_UNABLE: dict[int | str, dict[str, Any]] = {
    501: {"description": "A package is not installed, or the distance is no metric."}
}


def map_routes(service: "Service") -> APIRouter:
    """The routes of the map, which is of the first model: users of the second are placed on it too."""
    routes = router(service, "read", prefix="/v1/map", tags=["map"], responses={**PROBLEMS, **_UNABLE})

    @routes.get("", response_model=None, responses=_UNCHANGED)
    async def picture(request: Request) -> Response:
        """Users and items in one picture: the form of `penchant map --json`. It is drawn once for each version of a
        model; until it is there, 503 says how far it is."""
        drawn = await map_of(service)
        headers = {
            "etag": drawn.etag,
            "cache-control": "private, no-cache",
            "vary": "accept-encoding, authorization, cookie",
        }
        if drawn.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(
                drawn.packed, media_type="application/json", headers={**headers, "content-encoding": "gzip"}
            )
        plain = await asyncio.to_thread(gzip.decompress, drawn.packed)
        return Response(plain, media_type="application/json", headers=headers)

    @routes.post("/place", response_model=None)
    async def find(question: PlaceQuestion, request: Request) -> Response:
        """Where a user or an item is on the map, known or given as features: x, y; index, its own place among the map's
        ids, if it is there; inside, the places of the items in the user's ball, or of the users whose balls hold the
        item."""
        if (question.user is None) == (question.item is None):
            raise Refused(422, "Give exactly one of user and item.")
        side: SideName = "item" if question.user is None else "user"
        who = question.item if question.user is None else question.user
        drawn = await map_of(service)
        found = await service.compute(lambda: placed(drawn, side, who))
        return Response(dump(found), media_type="application/json")

    return routes


async def map_of(service: "Service") -> Drawn:
    """The map of the model that is served; see `Atlas.find`.

    Raises: Refused: 503, 501 or 500.
    """
    return await asyncio.to_thread(service.atlas.find, service.models.serving.first, _WAIT_S)


def placed(drawn: Drawn, side: SideName, who: Any) -> dict[str, Any]:
    """Where somebody is on a map, as JSON.

    Raises: UnknownIdError, DataError: see `penchant.estimator.reader.Reader.place`.
    """
    found = place(drawn.loaded.fitted, drawn.located, side, who)
    return {
        "x": found.x,
        "y": found.y,
        "side": side,
        "index": found.index,
        "inside": found.inside.tolist(),
        "radius": found.radius,
        "model": {"version": drawn.loaded.version},
    }


def takes_gzip(accepted: str) -> bool:
    """Does an Accept-Encoding header take gzip?"""
    for one in accepted.lower().split(","):
        name, _, options = one.partition(";")
        if name.strip() in ("gzip", "*"):
            return options.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
