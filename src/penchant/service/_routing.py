"""Routes that nobody forgets to guard: each has a scope, and asks for a key before it reads the body.

A route of these classes that names no scope needs that of administrators.
"""

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from penchant.service._json import NotJsonError, parse
from penchant.service.keys import SCOPES, KeyRecord
from penchant.service.problems import Refused

if TYPE_CHECKING:
    from penchant.service.service import Service

__all__ = ["COOKIE", "LARGE", "Guarded", "admit", "identify", "is_json", "router", "same_origin"]

COOKIE = "penchant_key"
"""Holds the key of somebody who has typed it into the explorer."""
_SAFE = ("GET", "HEAD", "OPTIONS")

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]

LARGE = 1 << 15
"""Bodies beyond this are parsed in a thread."""


class _Request(Request):
    """A request whose JSON is strict."""

    async def json(self) -> Any:
        """The body's value. Raises: Refused: 400, the body is no JSON of ours."""
        if not hasattr(self, "_json"):
            body = await self.body()
            try:
                self._json = parse(body) if len(body) < LARGE else await asyncio.to_thread(parse, body)
            except NotJsonError as error:
                errors = [{"field": error.pointer, "message": error.message}] if error.pointer else []
                raise Refused(400, f"The body cannot be read: {error.message}.", errors=errors) from error
        return self._json


class Guarded(APIRoute):
    """A route that needs a key with a scope."""

    service: ClassVar["Service"]
    scope: ClassVar[str] = "admin"

    def get_route_handler(self) -> _Handler:
        """FastAPI's handler, behind the guard."""
        inner = super().get_route_handler()
        service, scope, with_body = self.service, self.scope, bool(self.body_field)

        async def handle(request: Request) -> Response:
            if "key" not in request.scope["state"]:  # let in already, on the short way
                admit(service, request, scope)
            if with_body and not is_json(request.headers.get("content-type", "")):
                raise Refused(415, "Give the body as application/json, in UTF-8.")
            return await inner(_Request(request.scope, request.receive))

        return handle


def is_json(content_type: str) -> bool:
    """Is it JSON in UTF-8?"""
    kind, _, rest = content_type.lower().partition(";")
    return kind.strip() == "application/json" and rest.strip() in ("", "charset=utf-8", 'charset="utf-8"')


def router(service: "Service", scope: str, *, kind: type[Guarded] = Guarded, **options: Any) -> APIRouter:
    """A router whose routes need this scope."""
    assert scope in SCOPES
    return APIRouter(route_class=type(kind.__name__, (kind,), {"service": service, "scope": scope}), **options)


def admit(service: "Service", request: Request, scope: str) -> None:
    """Let a request in whose key may do this, now.

    Raises: Refused: 401 no or a wrong key; 403 a key that may not; 429 with Retry-After, too often.
    """
    record = identify(service, request)
    if record is None and service.keys is not None:
        raise Refused(401, "Give a key: Authorization: Bearer <key>.", headers={"www-authenticate": "Bearer"})
    name = "anonymous" if record is None else record.id
    request.state.key = name
    if record is not None and request.method not in _SAFE and _by_cookie(request) and not same_origin(request):
        raise Refused(403, "With a key in a cookie, only pages of this service may change something.")
    if record is not None and scope not in record.scopes:
        raise Refused(403, f"The key {name} has not the scope {scope}.")
    rate = service.settings.rate if record is None or record.rate is None else record.rate
    wait = service.rates.wait(name, None if rate is None else rate / service.settings.workers)
    if wait:
        raise Refused(
            429, f"The key {name} may ask {rate:g} times a second.", headers={"retry-after": str(math.ceil(wait))}
        )


def identify(service: "Service", request: Request) -> KeyRecord | None:
    """Whose key a request brings, in its header or else in the explorer's cookie; None: there is none, or a wrong
    one."""
    if service.keys is None:
        return None
    if _by_cookie(request):
        return service.keys.find(request.cookies.get(COOKIE, ""))
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    return service.keys.find(key.strip()) if kind.lower() == "bearer" else None


def _by_cookie(request: Request) -> bool:
    return "authorization" not in request.headers and COOKIE in request.cookies


def same_origin(request: Request) -> bool:
    """Does a page of this service ask? Browsers say so themselves, and let no page say it in their place.

    Where they trust the connection (https, loopback) they give ``Sec-Fetch-Site``; else ``Origin``, which has to name
    the host that was asked.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    _, there, host = request.headers.get("origin", "").partition("://")
    return bool(there) and host.lower() == request.headers.get("host", "").lower()
