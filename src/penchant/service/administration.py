"""Routes of administrators: which models are served. Each action is in the audit log."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from penchant.errors import PenchantError
from penchant.service._json import dump
from penchant.service._routing import router
from penchant.service.messages import LoadOrder
from penchant.service.questions import PROBLEMS, told

if TYPE_CHECKING:
    from penchant.service.service import Service

__all__ = ["administration_routes"]


def administration_routes(service: "Service") -> APIRouter:
    """The routes of the scope admin."""
    routes = router(service, "admin", prefix="/v1/models", tags=["administration"], responses=PROBLEMS)

    def state() -> Response:
        serving = service.models.serving
        content = {**told(service), "names": service.models.names, "before": list(serving.before)}
        return Response(dump(content), media_type="application/json")

    async def change(request: Request, action: str, work: Callable[[], Any], **about: Any) -> Response:
        facts = {"key": request.state.key, "request_id": request.state.request_id, **about}
        try:
            await asyncio.to_thread(work)
        except PenchantError as error:
            service.audit.note(action, outcome=f"refused: {error}", **facts)
            raise
        service.audit.note(action, outcome="done", **facts)
        return state()

    @routes.get("", response_model=None)
    async def models() -> Response:
        """What is served, what could be, what was."""
        return state()

    @routes.post("", response_model=None)
    async def load_model(order: LoadOrder, request: Request) -> Response:
        """Load a model of the models folder, check it, and switch to it; what is served meanwhile is served on."""
        options: dict[str, Any] = {"arm": order.arm, "share": order.share, "shadow": order.shadow}
        work = lambda: service.models.switch(order.name, **options)  # noqa: E731 - the order as one thing to do
        return await change(request, "load model", work, name=order.name, **options)

    @routes.post("/rollback", response_model=None)
    async def roll_back(request: Request) -> Response:
        """Go back to the model that was served before."""
        return await change(request, "roll back", service.models.roll_back)

    return routes
