"""What becomes of errors: RFC 9457 problems that name the field, and nothing of the inside.

    {"type": "…", "title": "…", "status": 422, "detail": "…", "request_id": "…",
     "errors": [{"field": "/n", "message": "…"}]}

``field`` is a JSON pointer into the body (RFC 6901).
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from penchant.errors import ConfigError, DataError, PenchantError, SpaceError, StorageError, UnknownIdError
from penchant.service._json import NotJsonError, dump

__all__ = ["MEDIA_TYPE", "Refused", "handle_problems", "problem_of", "respond"]

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
    503: "Too much to do",
    504: "Not answered in time",
}

_log = logging.getLogger("penchant.service")


class Refused(HTTPException):
    """A request that is answered with a problem. (FastAPI lets no other error through from where a body is read.)

    Arguments:
        status: of HTTP.
        detail: what was wrong and what to do, for whoever asked.
        errors: fields, each {"field": JSON pointer, "message": …}.
        headers: e.g. Retry-After.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.errors = errors


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
        case StorageError():
            return Refused(409, str(error))
        case PenchantError():
            return Refused(422, str(error))
    return Refused(500, "The error is in the service's log, by the request's id.")


def respond(refused: Refused, request_id: str) -> Response:
    """The problem as a response."""
    status = refused.status_code
    title = _TITLES.get(status, "The request failed")
    body = {"type": "about:blank", "title": title, "status": status, "detail": refused.detail}
    body |= {"request_id": request_id}
    if refused.errors:
        body["errors"] = [dict(one) for one in refused.errors]
    return Response(dump(body), status, {**(refused.headers or {}), "content-type": MEDIA_TYPE})


def handle_problems(app: FastAPI) -> None:
    """Let every error of an app become a problem."""
    app.add_exception_handler(RequestValidationError, _unfit)
    app.add_exception_handler(HTTPException, _http)
    for kind in (Refused, PenchantError, NotJsonError):
        app.add_exception_handler(kind, _known)


async def _known(request: Request, error: Exception) -> Response:
    return respond(problem_of(error), request.state.request_id)


async def _unfit(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [{"field": _place(one["loc"]), "message": str(one["msg"])} for one in error.errors()[:20]]
    detail = "; ".join(f"{one['field'] or 'the body'}: {one['message']}" for one in errors)
    return respond(Refused(422, detail, errors=errors), request.state.request_id)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = f"There is no {request.url.path}" if error.status_code == 404 else str(error.detail)
    return respond(Refused(error.status_code, detail, headers=error.headers), request.state.request_id)


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
