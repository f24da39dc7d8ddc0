"""Style sheet, scripts and icon of the pages; browsers keep them for good, since other content has another address."""

from fastapi import APIRouter, Response

from penchant.pages.static import STATIC, static_bytes, static_version
from penchant.service.problems import Refused

__all__ = ["file_routes"]

_FOR_GOOD = "public, max-age=31536000, immutable"


def file_routes() -> APIRouter:
    """The files, for anyone: a login page needs them too."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/static/{version}/{name}", response_model=None)
    async def static(version: str, name: str) -> Response:
        if name not in STATIC:
            raise Refused(404, f"There is no /static/{version}/{name}")
        # a page that was open while the service was renewed gets the new files, and keeps nothing
        kept = {"cache-control": _FOR_GOOD} if version == static_version() else {}
        return Response(static_bytes(name), media_type=STATIC[name], headers=kept)

    return routes
