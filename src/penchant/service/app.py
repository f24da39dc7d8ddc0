"""`make_app`: the service as an ASGI app."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.cors import CORSMiddleware

from penchant._version import __version__
from penchant.service._guard import Guard
from penchant.service.administration import administration_routes
from penchant.service.events import event_routes
from penchant.service.health import OPEN, health_routes
from penchant.service.messages import Problem
from penchant.service.problems import handle_problems
from penchant.service.questions import description_routes, question_routes
from penchant.service.service import Service
from penchant.service.settings import ServiceSettings

__all__ = ["make_app"]

_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


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

    app = FastAPI(
        title="penchant",
        version=__version__,
        summary="What users like, from one metric space of users and items.",
        lifespan=lifespan,
        docs_url=None,  # both pages load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
    )
    app.state.service = state
    handle_problems(app)
    rooms = [question_routes(state), description_routes(state), administration_routes(state), health_routes(state)]
    if state.store is not None:
        rooms += event_routes(state, state.store)
    for routes in rooms:
        app.include_router(routes)
    _describe(app)
    if settings.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["authorization", "content-type"],
        )

    def done(route: str, status: int, seconds: float) -> None:
        state.metrics.waiting.set(state.desk.waiting)
        state.metrics.seconds.labels(route, str(status)).observe(seconds)
        if status in (401, 403, 408, 413, 429, 503, 504):
            state.metrics.refused.labels(str(status)).inc()

    app.add_middleware(
        Guard,
        body_limit=settings.body_limit,
        deadline_s=settings.deadline_s,
        done=done,
        here=_HERE if settings.keys is None else None,
        admit=state.admit,
    )
    return app


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
