"""Login and logout: the key of the API, typed once and kept in a cookie that scripts cannot read."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from penchant.service._routing import COOKIE, same_origin
from penchant.service.explorer.registrar import page_response
from penchant.service.explorer.visiting import form_of, view_of
from penchant.service.problems import Refused

if TYPE_CHECKING:
    from penchant.service.service import Service

__all__ = ["login_page", "login_routes", "own_address"]

_HTTPS = "https"


def login_routes(service: "Service") -> APIRouter:
    """The routes that need no key, as they are where one is given."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/login", response_model=None)
    async def login(request: Request) -> Response:
        return login_page(service, request, request.query_params.get("next", "/"))

    @routes.post("/login", response_model=None)
    async def log_in(request: Request) -> Response:
        _check_origin(request)
        form = await form_of(request)
        there, key = own_address(form.get("next", "/")), form.get("key", "").strip()
        if service.keys is None:
            return _sent_to(there)
        if service.keys.find(key) is None:
            return login_page(service, request, there, wrong=True)
        response = _sent_to(there)
        response.set_cookie(COOKIE, key, httponly=True, samesite="strict", secure=_is_secure(request))
        return response

    @routes.post("/logout", response_model=None)
    async def log_out(request: Request) -> Response:
        _check_origin(request)
        response = _sent_to("/login")
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=_is_secure(request))
        return response

    return routes


def login_page(service: "Service", request: Request, there: str, *, wrong: bool = False) -> Response:
    """The form that asks for a key, with status 401 where a wrong one was given.

    Arguments:
        there: the address to go on to.
    """
    values = {"next": own_address(there), "wrong": wrong, "needed": service.keys is not None}
    return page_response("login.html", values, view_of(service, request, frozenset()), 401 if wrong else 200)


def own_address(text: str) -> str:
    """An address of this service, or the start page: nobody is sent elsewhere by a link to our login."""
    plain = text.isprintable() and "\\" not in text
    return text if plain and text.startswith("/") and not text.startswith("//") else "/"


def _sent_to(address: str) -> Response:
    return Response(status_code=303, headers={"location": address})


def _check_origin(request: Request) -> None:
    if not same_origin(request):
        raise Refused(403, "Only pages of this service may log somebody in or out.")


def _is_secure(request: Request) -> bool:
    """Does the browser speak https, to us or to the proxy before us?"""
    return _HTTPS in (request.url.scheme, request.headers.get("x-forwarded-proto", "").lower())
