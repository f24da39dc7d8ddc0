"""A short way for questions that are in order: past routing and dependencies, which cost more than parsing and asking.

A POST route whose function takes one message and the request is called from here, with the same key, the same strict
JSON and the same message. Whatever is not in order (no JSON, a message that does not fit) goes the long way, with its
body, and is told there what is wrong.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penchant.errors import PenchantError
from penchant.service._json import NotJsonError, parse
from penchant.service._routing import LARGE, Guarded, admit, is_json
from penchant.service.problems import problem_of

if TYPE_CHECKING:
    from penchant.service.service import Service

__all__ = ["Express"]


class _Stop(NamedTuple):
    """A route that can be reached the short way."""

    route: Guarded
    endpoint: Callable[..., Any]
    message: type[BaseModel]


class Express:
    """Middleware that is the innermost one.

    Arguments:
        app: what goes the long way.
        service: admits by keys.
        routes: of the app's routers.
    """

    def __init__(self, app: ASGIApp, *, service: "Service", routes: Sequence[Any]) -> None:
        self._app, self._service = app, service
        self._stops = {route.path: stop for route in routes if (stop := _stop_of(route)) is not None}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        stop = self._stops.get(scope.get("path", "")) if scope.get("method") == "POST" else None
        if stop is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = stop.route
        request = Request(scope)
        admit(self._service, request, stop.route.scope)
        body = b""
        messages: list[Message] = []
        if is_json(request.headers.get("content-type", "")):
            while not messages or messages[-1].get("more_body"):
                messages.append(await receive())
            body = b"".join(message.get("body", b"") for message in messages)
        if not 0 < len(body) < LARGE or (question := _read(body, stop.message)) is None:
            await self._app(scope, _again(messages, receive), send)
            return
        try:
            response = await stop.endpoint(question, request)
        except (PenchantError, NotJsonError) as error:
            raise problem_of(error) from error
        await response(scope, receive, send)


def _stop_of(route: Any) -> _Stop | None:
    """The route as a stop, if it is one."""
    own = isinstance(route, Guarded) and type(route).get_route_handler is not Guarded.get_route_handler
    if not isinstance(route, Guarded) or own or route.methods != {"POST"} or "{" in route.path:
        return None
    given = list(inspect.signature(route.endpoint, eval_str=True).parameters.values())
    message = given[0].annotation if len(given) == 2 else None
    if not (inspect.isclass(message) and issubclass(message, BaseModel)) or given[1].annotation is not Request:
        return None
    return _Stop(route, route.endpoint, message)


def _read(body: bytes, message: type[BaseModel]) -> BaseModel | None:
    """The message of a body; None where something is wrong with it."""
    try:
        return message.model_validate(parse(body))
    except (NotJsonError, ValidationError):
        return None


def _again(messages: list[Message], receive: Receive) -> Receive:
    """What was received comes again, then the rest."""
    left = iter(messages)

    async def next_one() -> Message:
        for message in left:
            return message
        return await receive()

    return next_one
