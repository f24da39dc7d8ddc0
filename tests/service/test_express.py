"""The short way answers what the long way would, and leaves to it what is not in order."""

import asyncio
import json
from dataclasses import replace

import httpx
import pytest

from penchant.service import make_app
from penchant.service._express import Express
from penchant.service.service import Service

QUESTIONS = [
    ("/v1/recommend", {"user": {"age": 24}, "n": 3}),
    ("/v1/recommend", {"user": "u1", "n": 0}),
    ("/v1/recommend", {"user": "nobody"}),
    ("/v1/recommend", {"user": "u1", "colour": 1}),
    ("/v1/recommend", {"user": "u1", "n": 10**6}),
    ("/v1/recommend", [1]),
    ("/v1/predict", {"pairs": [{"user": "u1", "item": "i1"}, {"user": {"age": "old"}, "item": "i1"}]}),
    ("/v1/portrait", {"user": {"role": "tank"}, "core": 0.1, "ranges": True}),
    ("/v1/portrait", {"user": "u2", "core": 0.1, "distance": 0.1}),
    ("/v1/related", {"item": "i1"}),
    ("/v1/related", {}),
    ("/v1/models", {"name": "a.penchant"}),
    ("/v1/nothing", {}),
]


@pytest.fixture(scope="module")
def ways(settings):
    """The app with the short way, and without."""
    service = Service(replace(settings, gather_ms=0.0))
    short, long = (make_app(service.settings, service=service) for _ in range(2))
    long.user_middleware = [one for one in long.user_middleware if one.cls is not Express]
    yield short, long
    service.close()


def ask(app, path, body, content_type="application/json"):
    async def main():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            headers = {"content-type": content_type, "x-request-id": "r"}
            return await http.post(path, content=body, headers=headers)

    return asyncio.run(main())


@pytest.mark.parametrize(("path", "question"), QUESTIONS)
def test_both_ways_say_the_same(ways, same, path, question):
    one, other = (ask(app, path, json.dumps(question)) for app in ways)
    assert one.status_code == other.status_code
    assert dict(one.headers) == dict(other.headers)
    assert same(one.json(), other.json())


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"user": NaN}', b'{"user": "\\ud800"}', b"\xff", b'{"user":"u1"}' + b" " * 40_000]
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_bodies_that_are_not_in_order(ways, body, content_type):
    one, other = (ask(app, "/v1/recommend", body, content_type) for app in ways)
    assert (one.status_code, one.content) == (other.status_code, other.content)


def test_a_rate_is_counted_once(settings, folder, tmp_path):
    from penchant.service import KeyFile

    key = KeyFile.create(tmp_path / "keys.json").add("k", ["read"], rate=2)[1]
    service = Service(replace(settings, keys=str(tmp_path / "keys.json")))
    app = make_app(service.settings, service=service)

    async def main():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
            headers = {"authorization": f"Bearer {key}"}
            asked = [await http.post("/v1/recommend", json={"n": 0}, headers=headers) for _ in range(3)]
            return [one.status_code for one in asked]

    assert asyncio.run(main()) == [422, 422, 429]
    service.close()
