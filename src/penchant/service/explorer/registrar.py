"""`Explorer`: where pages are entered. Each is one function from a visit to plain values; HTML and JSON come of it.

To add the page ``/gadget``:

1. ``service/explorer/gadget.py``, with one function that enters it::

        def add_gadget(explorer: Explorer) -> None:
            \"\"\"The page of gadgets.\"\"\"

            @explorer.page("/gadget", "gadget.html")
            async def gadget(visit: Visit) -> dict[str, Any]:
                who = await visit.id("user")  # ?id=…; 404 with suggestions where it is unknown
                listed = await visit.ask("recommend", RecommendQuestion(user=who, n=5), who)  # a question of the API
                extra = await visit.compute(lambda: heavy(visit.loaded(who)))  # anything slow, off the event loop
                return {"user": who, "items": listed["items"], "extra": extra}

   The function gives plain values only (they go through JSON before the template sees them). It may raise `Refused` or
   any PenchantError: people get a page that says so, scripts problem+json. `Moved` sends the browser elsewhere. `visit`
   has ``text`` and ``whole`` for other values of the query, ``may`` for the scopes of whoever asks.
2. `add_gadget` into the tuple `PAGES` of ``service/explorer/routes.py``; a place in the navigation, if any, is in
   `penchant.pages.rendering.NAVIGATION`, and shows up by itself once the page is there.
3. ``pages/templates/gadget.html``: ``{% extends "base.html" %}`` with the blocks ``title`` and ``content``. Every text
   as ``_("English, {n} of it", n=…)`` and its translation in ``pages/words/zh.json``, in order; sentences of the
   library as ``said(text)``; addresses as ``url("/user", id=…)``; numbers by the filters ``percent``, ``fixed`` and
   ``count``; charts by ``{% import "charts.html" as charts with context %}``. No style attribute, no inline script:
   the policy forbids both.
4. ``pages/static/gadget.js``, if it is needed: a module, loaded in the block ``scripts`` by
   ``<script type="module" src="{{ view.static('gadget.js') }}"></script>``. It may import its neighbours
   (``import { wordsOfPage, ask } from "./shared.js"``: texts of the page, requests to ``/v1/…``). Its texts come from
   ``{{ words("Loading…", …) }}`` in the template, numbers and lists from ``{{ embedded(values, "an-id") }}``.
5. Tests: ``tests/service/explorer/test_gadget.py``; the tests over all pages find yours through the routes.

``GET /gadget`` gives HTML and ``GET /gadget.json`` the values, both behind the same guard: scope ``read`` unless you
say.
"""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from penchant.pages.rendering import View, render
from penchant.pages.words import LANGUAGES
from penchant.service._json import dump
from penchant.service._routing import Guarded, router, same_origin
from penchant.service.explorer.visiting import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Visit, view_of
from penchant.service.problems import Refused

if TYPE_CHECKING:
    from penchant.service.service import Service

__all__ = ["POLICY", "Explorer", "Moved", "PageFunction", "Values", "page_response"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Of every page: nothing from elsewhere, nothing inline, nothing that is evaluated."""

_YEAR_S = 31_536_000

Values = dict[str, Any]


class Moved(NamedTuple):
    """What was asked for is elsewhere: an address of ours."""

    to: str


PageFunction = Callable[[Visit], Awaitable[Values | Moved]]


class Explorer:
    """The pages, as routes.

    Arguments:
        service: whose models they are of.
    """

    def __init__(self, service: "Service") -> None:
        self.service = service
        self._routers: dict[str, APIRouter] = {}
        self.pages: dict[str, str] = {}
        """Path and template of every page."""

    @property
    def routers(self) -> list[APIRouter]:
        """All routes, by scope."""
        return list(self._routers.values())

    def router(self, scope: str) -> APIRouter:
        """The routes of a scope: guarded, and not in the API's description."""
        if scope not in self._routers:
            self._routers[scope] = router(self.service, scope, kind=Guarded, include_in_schema=False)
        return self._routers[scope]

    def page(self, path: str, template: str, *, scope: str = "read") -> Callable[[PageFunction], PageFunction]:
        """Enter a page: ``path`` as HTML, ``path.json`` (``/start.json`` of ``/``) as its values."""

        def enter(function: PageFunction) -> PageFunction:
            self.pages[path] = template
            routes = self.router(scope)

            async def shown(request: Request) -> Response:
                return await self._answer(request, template, function)

            self.twin("/start" if path == "/" else path, scope=scope)(function)
            routes.add_api_route(path, shown, methods=["GET"], response_model=None)
            return function

        return enter

    def twin(self, path: str, *, scope: str = "read") -> Callable[[PageFunction], PageFunction]:
        """Enter values that only scripts ask for, as ``path.json``."""

        def enter(function: PageFunction) -> PageFunction:
            async def told(request: Request) -> Response:
                values = await function(self.visit(request))
                content = {"moved": values.to} if isinstance(values, Moved) else values
                return Response(dump(content), media_type="application/json")

            self.router(scope).add_api_route(f"{path}.json", told, methods=["GET"], response_model=None)
            return function

        return enter

    def action(self, path: str, template: str, *, scope: str = "admin") -> Callable[[PageFunction], PageFunction]:
        """Enter what a form of ours does: ``POST path``. From elsewhere it is refused, whoever asks."""

        def enter(function: PageFunction) -> PageFunction:
            async def done(request: Request) -> Response:
                if "authorization" not in request.headers and not same_origin(request):
                    raise Refused(403, "Only pages of this service may change something.")
                return await self._answer(request, template, function)

            self.router(scope).add_api_route(path, done, methods=["POST"], response_model=None)
            return function

        return enter

    def visit(self, request: Request) -> Visit:
        """A request as a visit."""
        return Visit(self.service, request, view_of(self.service, request, frozenset(self.pages)))

    async def _answer(self, request: Request, template: str, function: PageFunction) -> Response:
        """What a page function gives, as the browser gets it."""
        visit = self.visit(request)
        values = await function(visit)
        if isinstance(values, Moved):
            return Response(status_code=303, headers={"location": values.to})
        return _kept(request, page_response(template, json.loads(dump(values)), visit.view))


def page_response(template: str, values: Values, view: View, status: int = 200) -> Response:
    """A page with its policy."""
    return HTMLResponse(render(template, values, view), status, {"content-security-policy": POLICY})


def _kept(request: Request, response: Response) -> Response:
    """Let a browser keep the language and the theme that its request names."""
    for name, cookie, allowed in (("lang", LANGUAGE_COOKIE, tuple(LANGUAGES)), ("theme", THEME_COOKIE, THEMES)):
        value = request.query_params.get(name)
        if value in allowed:
            response.set_cookie(cookie, value, max_age=_YEAR_S, samesite="lax")
    return response
