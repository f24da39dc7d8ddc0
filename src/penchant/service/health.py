"""Routes for those who watch: /healthz and /readyz answer anyone, /metrics loopback and keys."""

import asyncio
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from penchant.service._json import dump
from penchant.service._routing import identify
from penchant.service.problems import Refused

if TYPE_CHECKING:
    from penchant.service.service import Service

__all__ = ["OPEN", "health_routes"]

OPEN = ("/healthz", "/readyz", "/metrics")
"""The routes without a scope, each with a policy of its own (docs/service.md)."""

_LOOPBACK = ("127.0.0.1", "::1")
_FORWARDED = {"forwarded", "x-forwarded-for", "x-real-ip", "via"}
"""Headers by which a proxy on this machine tells that somebody else asks."""


def health_routes(service: "Service") -> APIRouter:
    """The routes that need no scope."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", response_model=None)
    async def healthz() -> Response:
        """Does the process live?"""
        return Response(b'{"status":"alive"}', media_type="application/json")

    @routes.get("/readyz", response_model=None, responses={503: {"description": "It is ending, or overloaded."}})
    async def readyz() -> Response:
        """Should it be sent requests?"""
        content = {"status": "ready" if service.ready else "ending", "version": service.models.serving.first.version}
        return Response(dump(content), 200 if service.ready else 503, media_type="application/json")

    @routes.get(
        "/metrics",
        response_class=PlainTextResponse,
        responses={401: {"description": "Neither loopback nor a key."}},
    )
    async def metrics(request: Request) -> Response:
        """What Prometheus reads."""
        near = request.client is not None and request.client.host in _LOOPBACK and not _FORWARDED & set(request.headers)
        if not (near or service.settings.open_metrics or identify(service, request)):
            raise Refused(401, "Metrics need a key from other machines.", headers={"www-authenticate": "Bearer"})
        text = await asyncio.to_thread(service.metrics.text)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes
