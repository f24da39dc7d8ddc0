"""What becomes of errors: RFC 9457 problems that name the field, and nothing of the inside.

    {"type": "…", "title": "…", "status": 422, "detail": "…", "request_id": "…",
     "errors": [{"field": "/n", "message": "…"}]}

``field`` is a JSON pointer into the body (RFC 6901).
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from penchant.errors import (
    BusyStoreError,
    ConfigError,
    DataError,
    FullStoreError,
    PenchantError,
    SpaceError,
    StorageError,
    UnknownIdError,
    UnreachableStoreError,
)
from penchant.service._json import NotJsonError, dump

__all__ = [
    "MEDIA_TYPE",
    "Refused",
    "Tell",
    "handle_problems",
    "log_unexpected",
    "problem_of",
    "respond",
    "tell_plainly",
]

MEDIA_TYPE = "application/problem+json"

_TITLES = {
    400: "The request cannot be read",
    401: "A key is needed",
    403: "The key may not do this",
    404: "Not found",
    405: "Another method is needed",
    408: "The request did not come in time",
    409: "This cannot be done now",
    413: "The request is too large",
    415: "JSON is needed",
    422: "The request does not fit",
    429: "Too many requests",
    500: "Something went wrong here",
    501: "Not available here",
    503: "Too much to do",
    504: "Not answered in time",
    507: "There is no room",
}

_log = logging.getLogger("penchant.service")


class Refused(HTTPException):
    """A request that is answered with a problem. (FastAPI lets no other error through from where a body is read.)

    Arguments:
        status: of HTTP.
        detail: what was wrong and what to do, for whoever asked.
        errors: fields, each {"field": JSON pointer, "message": …}.
        headers: e.g. Retry-After.
        more: members that the problem has beside the usual ones.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.errors, self.more = errors, dict(more or {})


def problem_of(error: BaseException) -> Refused:
    """What is said of an error; of one that nobody expected, nothing but that it is in the log."""
    match error:
        case Refused():
            return error
        case NotJsonError():
            errors = [{"field": error.pointer, "message": error.message}] if error.pointer else []
            return Refused(400, f"The body is not as it must be: {error.message}.", errors=errors)
        case UnknownIdError():
            return Refused(404, str(error))
        case DataError():
            errors = [{"field": _pointer(one.column), "message": str(one)} for one in error.problems]
            return Refused(422, str(error), errors=errors)
        case ConfigError() | SpaceError():
            return Refused(422, str(error))
        case BusyStoreError():
            return _passing("Other writers hold the store of events, and nothing was stored.", "1")
        case UnreachableStoreError():
            return _passing("The store of events cannot be reached.", "2")
        case FullStoreError():
            return Refused(507, "The store of events is full. Nothing of this was stored: keep it, and send it later.")
        case StorageError():
            return Refused(409, str(error))
        case PenchantError():
            return Refused(422, str(error))
    return Refused(500, "The error is in the service's log, by the request's id.")


def _passing(what: str, seconds: str) -> Refused:
    """What passes by itself, so that asking again helps."""
    return Refused(503, f"{what} Ask again a little later.", headers={"retry-after": seconds})


def respond(refused: Refused, request_id: str) -> Response:
    """The problem as a response."""
    status = refused.status_code
    title = _TITLES.get(status, "The request failed")
    body = {"type": "about:blank", "title": title, "status": status, "detail": refused.detail}
    body |= {"request_id": request_id}
    if refused.errors:
        body["errors"] = [dict(one) for one in refused.errors]
    body |= refused.more
    return Response(dump(body), status, {**(refused.headers or {}), "content-type": MEDIA_TYPE})


Tell = Callable[[Scope, Refused, str], Response]
"""What becomes of a refusal, by the scope of the request and its id."""


def tell_plainly(scope: Scope, refused: Refused, request_id: str) -> Response:
    """The problem as JSON, whoever asked."""
    return respond(refused, request_id)


def handle_problems(app: FastAPI, tell: Tell = tell_plainly) -> None:
    """Let every error of an app become a problem, told in this way."""

    def handle(find: Callable[[Any, Request], Refused]) -> Any:
        async def handler(request: Request, error: Exception) -> Response:
            return tell(request.scope, find(error, request), request.state.request_id)

        return handler

    app.add_exception_handler(RequestValidationError, handle(_unfit))
    app.add_exception_handler(HTTPException, handle(_http))
    for kind in (Refused, PenchantError, NotJsonError, Exception):  # the last is raised again, and logged
        app.add_exception_handler(kind, handle(lambda error, request: problem_of(error)))


def _unfit(error: RequestValidationError, request: Request) -> Refused:
    errors = [{"field": _place(one["loc"]), "message": str(one["msg"])} for one in error.errors()[:20]]
    return Refused(422, "; ".join(f"{one['field'] or 'the body'}: {one['message']}" for one in errors), errors=errors)


def _http(error: HTTPException, request: Request) -> Refused:
    detail = f"There is no {request.url.path}" if error.status_code == 404 else str(error.detail)
    return Refused(error.status_code, detail, headers=error.headers)


def log_unexpected(error: BaseException, request_id: str) -> None:
    """The whole of an error nobody expected, for the operator."""
    _log.error("unexpected", exc_info=error, extra={"request_id": request_id})


def _place(loc: Sequence[Any]) -> str:
    """pydantic's place as a JSON pointer into the body; of other parts by their name."""
    inside = loc[1:] if loc and loc[0] == "body" else loc
    words = [one for one in inside if isinstance(one, int) or not _is_branch(one)]
    return "".join(f"/{_escaped(str(one))}" for one in words)


def _is_branch(word: str) -> bool:
    """Is it no name but pydantic's word for one of several types?"""
    return word in ("str", "int", "constrained-str", "constrained-int") or word.startswith(("dict[", "list["))


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _pointer(column: str | None) -> str:
    return "" if column is None else f"/{_escaped(column)}"
