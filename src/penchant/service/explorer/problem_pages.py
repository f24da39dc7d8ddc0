"""What becomes of refusals: pages for people, problem+json for everyone else."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response
from starlette.types import Scope

from penchant.service.explorer.login import login_page
from penchant.service.explorer.registrar import page_response
from penchant.service.explorer.visiting import Unknown, view_of
from penchant.service.problems import Refused, Tell, respond

if TYPE_CHECKING:
    from penchant.service.service import Service

__all__ = ["tell_in_kind", "wants_page"]


def tell_in_kind(service: "Service", paths: Iterable[str]) -> Tell:
    """Pages where the browser of a person asks, problems where a script does.

    Arguments:
        paths: of the pages that there are.
    """

    def tell(scope: Scope, refused: Refused, request_id: str) -> Response:
        request = Request(scope)
        if not wants_page(request):
            return respond(refused, request_id)
        if refused.status_code == 401:
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            response = login_page(service, request, asked if request.method == "GET" else "/")
            response.status_code = 401
            return response
        view = view_of(service, request, frozenset(paths))
        response = page_response("problem.html", _values(refused, request_id), view, refused.status_code)
        response.headers.update(refused.headers or {})
        return response

    return tell


def wants_page(request: Request) -> bool:
    """Is HTML asked for by name, as browsers do for what they show, and no route of the API is meant?"""
    path = request.url.path
    return (
        "text/html" in request.headers.get("accept", "") and not path.startswith("/v1/") and not path.endswith(".json")
    )


def _values(refused: Refused, request_id: str) -> dict[str, Any]:
    unknown = refused if isinstance(refused, Unknown) else None
    after = (refused.headers or {}).get("retry-after", "")
    return {
        "status": refused.status_code,
        "detail": str(refused.detail),
        "side": None if unknown is None else unknown.side,
        "who": None if unknown is None else unknown.who,
        "alike": [] if unknown is None else unknown.alike,
        "after": int(after) if after.isdigit() else None,
        "request_id": request_id,
    }
