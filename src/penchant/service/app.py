"""`make_app`: the service as an ASGI app."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from penchant._version import __version__
from penchant.service._express import Express
from penchant.service._guard import Guard
from penchant.service.administration import administration_routes
from penchant.service.events import event_routes
from penchant.service.explorer.problem_pages import tell_in_kind
from penchant.service.explorer.registrar import Explorer
from penchant.service.explorer.routes import explorer_of, explorer_routes
from penchant.service.health import OPEN, health_routes
from penchant.service.maps import map_routes
from penchant.service.messages import Problem
from penchant.service.problems import Tell, handle_problems, tell_plainly
from penchant.service.questions import description_routes, question_routes
from penchant.service.service import Service
from penchant.service.settings import ServiceSettings
from penchant.service.tracing import Traced

__all__ = ["make_app"]

_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


class _App(FastAPI):
    """An app behind layers that lie around FastAPI, whose own would take longer than a question that is in order."""

    front: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request by the layers; all else as FastAPI does."""
        await (self.front if scope["type"] == "http" else self.routed)(scope, receive, send)

    async def routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What FastAPI does with it."""
        await super().__call__(scope, receive, send)


def make_app(settings: ServiceSettings, *, service: Service | None = None) -> FastAPI:
    """The app that serves a model.

    Arguments:
        settings: how it runs.
        service: its state, made from the settings where it is None.

    Raises: PenchantError: a model, a file of keys or a store that cannot be used.
    """
    state = Service(settings) if service is None else service

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with state.running():
            yield

    app = _App(
        title="penchant",
        version=__version__,
        summary="What users like, from one metric space of users and items.",
        lifespan=lifespan,
        docs_url=None,  # both pages load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
    )
    app.state.service = state
    explorer = explorer_of(state) if settings.explorer else None
    tell = tell_plainly if explorer is None else tell_in_kind(state, explorer.pages)
    handle_problems(app, tell)
    rooms = _rooms(state, explorer)
    for routes in rooms:
        app.include_router(routes)
    _describe(app)
    app.front = _layers(app.routed, state, [route for room in rooms for route in room.routes], tell)
    return app


def _layers(routed: ASGIApp, state: Service, routes: list[Any], tell: Tell) -> ASGIApp:
    """What every request passes before it is routed: the guard first, the short way last."""
    settings = state.settings
    app: ASGIApp = Express(routed, service=state, routes=routes)
    if settings.cors:
        app = CORSMiddleware(
            app,
            allow_origins=list(settings.cors),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["authorization", "content-type"],
        )

    def done(route: str, status: int, seconds: float) -> None:
        state.metrics.waiting.set(state.desk.waiting)
        state.metrics.note(route, status, seconds)

    app = Guard(
        app,
        body_limit=settings.body_limit,
        deadline_s=settings.deadline_s,
        done=done,
        here=_HERE if settings.keys is None else None,
        admit=state.admit,
        tell=tell,
    )
    return app if state.tracing is None else Traced(app, tracing=state.tracing)


def _rooms(state: Service, explorer: Explorer | None) -> list[APIRouter]:
    """All routes that the settings ask for."""
    rooms = [question_routes(state), description_routes(state), administration_routes(state), health_routes(state)]
    rooms.append(map_routes(state))
    rooms += [] if state.store is None else event_routes(state, state.store)
    return [*rooms, *([] if explorer is None else explorer_routes(explorer))]


def _describe(app: FastAPI) -> None:
    """The OpenAPI document, with the keys and the form of problems; read at /v1/openapi.json."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            parts = made.setdefault("components", {})
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            parts.setdefault("schemas", {}).update(problem.pop("$defs", {}) | {"Problem": problem})
            parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            for path, operations in made["paths"].items():
                for operation in operations.values() if path not in OPEN else ():
                    operation["security"] = [{"key": []}]
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
