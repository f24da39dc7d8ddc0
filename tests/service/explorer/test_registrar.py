import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from penchant.service.explorer.registrar import POLICY, Explorer, Moved
from penchant.service.problems import handle_problems


class Client:
    """Asks an app without a server."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.request(method, path, **options)

        return asyncio.run(once())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("POST", path, **options)


@pytest.fixture
def client(live):
    """An explorer with pages of its own."""
    explorer = Explorer(live.service)

    @explorer.page("/gadget", "login.html")
    async def gadget(visit):
        return {"next": visit.text("next", "/"), "wrong": False, "needed": True}

    @explorer.page("/moved", "login.html")
    async def moved(visit):
        return Moved("/gadget?next=%2Fx")

    @explorer.twin("/odd")
    async def odd(visit):
        return {"nan": float("nan"), "n": visit.whole("n", 3, 1, 5), "may": list(visit.may)}

    @explorer.action("/do", "login.html", scope="read")
    async def do(visit):
        return {"next": (await visit.form()).get("next", ""), "wrong": False, "needed": True}

    app = FastAPI()
    handle_problems(app)

    @app.middleware("http")
    async def numbered(request, call_next):
        request.state.request_id = "r1"
        return await call_next(request)

    for routes in explorer.routers:
        app.include_router(routes)
    assert explorer.pages == {"/gadget": "login.html", "/moved": "login.html"}
    return Client(app)


def test_one_function_gives_html_and_json(client):
    page = client.get("/gadget?next=/a%22b")
    assert page.headers["content-security-policy"] == POLICY
    assert 'value="/a&#34;b"' in page.text
    assert client.get("/gadget.json?next=/a%22b").json()["next"] == '/a"b'


def test_what_has_moved(client):
    assert client.get("/moved").headers["location"] == "/gadget?next=%2Fx"
    assert client.get("/moved.json").json() == {"moved": "/gadget?next=%2Fx"}


def test_values_for_scripts(client):
    assert client.get("/odd.json").json() == {"nan": None, "n": 3, "may": ["read", "events", "admin"]}
    assert client.get("/odd.json?n=9").status_code == 422
    assert client.get("/odd").status_code == 404


def test_what_a_form_does_is_done_for_our_pages_alone(client):
    sent = {"data": {"next": "/y"}}
    assert client.post("/do", **sent).status_code == 403
    done = client.post("/do", headers={"sec-fetch-site": "same-origin"}, **sent)
    assert 'value="/y"' in done.text
    assert client.get("/do").status_code == 405


def test_the_explorer_is_not_in_the_apis_description(live):
    assert not [
        path for path in live.ask("/v1/openapi.json").json()["paths"] if path.endswith(".json") and "/v1/" not in path
    ]
