"""The whole app over HTTP: every route is guarded, nothing makes it answer 5xx."""

import json
import socket
import time
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from penchant.service import KeyFile, make_app
from penchant.service.explorer.routes import FREE
from penchant.service.health import OPEN
from penchant.service.service import Service


def routes(app: Any) -> list[tuple[str, str]]:
    """Method and path of every route of an app, included routers too."""
    found, waiting = [], list(app.routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "original_router", route)
        if hasattr(inner, "endpoint"):
            found += [(method, inner.path) for method in inner.methods - {"HEAD"}]
        else:
            waiting += inner.routes
    return sorted(found)


@pytest.fixture(scope="module")
def guarded(settings, run, folder, tmp_path_factory):
    where = tmp_path_factory.mktemp("guarded")
    file = KeyFile.create(where / "keys.json")
    keys = {scope: file.add(scope, [scope])[1] for scope in ("read", "events", "admin")}
    keys["slow"] = file.add("slow", ["read", "events", "admin"], rate=0.001)[1]
    options = {"keys": str(file.path), "store": f"sqlite:///{where / 'events.db'}", "models": str(folder)}
    with run(replace(settings, **options)) as one:
        yield one, keys


SCOPES = {
    "/v1/events": "events", "/v1/users/{user:path}": "admin", "/v1/models": "admin", "/v1/models/rollback": "admin",
    "/forget": "admin", "/forget.json": "admin",
}  # fmt: skip
"""Of routes that need another scope than read."""


def test_every_route_asks_for_a_key_with_its_scope_and_not_too_often(guarded):
    live, keys = guarded
    table = routes(make_app(live.service.settings, service=live.service))
    assert len(table) >= 17
    for method, path in table:
        place = path.replace("{user:path}", "u1")
        if path in OPEN:
            assert live.http.request(method, place).status_code == 200
        if path in (*OPEN, *FREE):  # FREE: tests/service/explorer
            continue
        need = SCOPES.get(path, "read")

        def status(key: str | None, sent: Any = method, where: str = place) -> int:
            headers = {} if key is None else {"authorization": f"Bearer {key}"}
            return live.http.request(sent, where, content=b"{", headers=headers).status_code

        assert status(None) == 401, path
        assert status("read.wrong") == 401, path
        for scope in {"read", "events", "admin"} - {need}:
            assert status(keys[scope]) == 403, (path, scope)
        assert status(keys[need]) not in (401, 403, 429), path
        live.service.rates._buckets.clear()
        assert status(keys["slow"]) != 429, path
        refused = live.http.request(method, place, headers={"authorization": f"Bearer {keys['slow']}"})
        assert refused.status_code == 429, path
        assert int(refused.headers["retry-after"]) > 0


def test_every_response_has_its_headers_and_every_route_is_described(live):
    document = live.ask("/v1/openapi.json").json()
    app = make_app(live.service.settings, service=live.service)
    pages = {path for _, path in routes(app) if not path.startswith("/v1/")} - set(OPEN)
    assert {(m.lower(), p.replace(":path", "")) for m, p in routes(app) if p not in pages} == {
        (method, path) for path, operations in document["paths"].items() for method in operations
    }
    for path in ("/healthz", "/v1/model", "/none"):
        headers = live.http.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers
    for operations in document["paths"].values():
        for operation in operations.values():
            body = operation.get("requestBody")
            if body:
                name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                assert document["components"]["schemas"][name]["examples"]


def test_examples_of_the_document_are_answered(live):
    document = live.ask("/v1/openapi.json").json()
    for name in ("PredictQuestion", "RecommendQuestion", "PortraitQuestion", "RelatedQuestion"):
        for example in document["components"]["schemas"][name]["examples"]:
            route = name.removesuffix("Question").lower()
            assert live.ask(f"/v1/{route}", example).status_code in (200, 404)


# ---------------------------------------------------------------------- anything at all


@pytest.fixture(scope="module")
def schema(live):
    return schemathesis.openapi.from_dict(live.ask("/v1/openapi.json").json())


def test_schemathesis_finds_nothing(schema, live):
    checks = (not_a_server_error, content_type_conformance, response_schema_conformance)
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
        )
        @given(case=operation.as_strategy())
        def hold(case):
            case.call_and_validate(base_url=live.url, checks=checks, timeout=20)

        hold()


WORDS = ["u1", "i1", "\0\u202e'\"<>"]
NAMES = ["user", "item", "n", "where", "age", "role", "taste", "context", "pairs", "joined", "member"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=8) | st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
FIELDS = [
    "user",
    "item",
    "n",
    "where",
    "candidates",
    "context",
    "pairs",
    "to",
    "only",
    "core",
    "events",
    "examples",
    "name",
]
ROW = st.dictionaries(st.sampled_from(["age", "member", "role", "joined", "taste", "user_id"]), JSON, max_size=6)
HOSTILE = (
    st.binary(max_size=60)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(st.sampled_from(FIELDS), JSON | ROW, max_size=6).map(lambda value: json.dumps(value).encode())
    | ROW.map(lambda row: json.dumps({"user": row, "n": 3}).encode())
    | st.text(max_size=60).map(lambda where: json.dumps({"user": "u1", "where": where}).encode())
    | st.integers(1, 3000).map(lambda deep: b"[" * deep)
)
POSTS = ["predict", "recommend", "portrait", "audience", "explain", "related", "map/place", "events", "models"]


def hold_against(live, route, body):
    response = live.http.post(f"/v1/{route}", content=body, headers={"content-type": "application/json"})
    assert response.status_code < 500, (response.status_code, body, response.text)
    assert json.loads(response.content)


@settings(max_examples=400, suppress_health_check=list(HealthCheck), database=None)
@given(route=st.sampled_from(POSTS), body=HOSTILE)
def test_hostile_bodies(live, route, body):
    hold_against(live, route, body)


@pytest.mark.slow
@settings(max_examples=12_000, suppress_health_check=list(HealthCheck), database=None)
@given(route=st.sampled_from(POSTS), body=HOSTILE)
def test_many_hostile_bodies(live, route, body):
    hold_against(live, route, body)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"content-type": "text/plain"}, b"{}", 415),
        ({}, b"{}", 415),
        ({"content-type": "application/json; charset=utf-16"}, b"{}", 415),
        ({"content-type": "application/x-www-form-urlencoded"}, b"a=1", 415),
        ({"content-type": "application/json; charset=UTF-8"}, b'{"user":"u1"}', 200),
        ({"content-type": "application/json"}, b"", 422),
        ({"content-type": "application/json"}, b"null", 422),
        ({"content-type": "application/json"}, b'{"user":"u1","user":"u2"}', 400),
        ({"content-type": "application/json"}, b'{"user":"u1","n":NaN}', 400),
        ({"content-type": "application/json"}, b'{"user":"u1","n":1001}', 422),
        ({"content-type": "application/json"}, b'{"user":"\xff"}', 400),
    ],
)
def test_bodies_that_are_none(live, problem_in, headers, body, status):
    response = live.http.post("/v1/recommend", content=body, headers=headers)
    assert response.status_code == status
    if status != 200:
        problem_in(response)


def test_a_request_keeps_its_id_where_it_is_one(live):
    assert live.http.get("/healthz", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert live.http.get("/healthz", headers={"x-request-id": 'a"b\\n'}).headers["x-request-id"] != 'a"b\\n'


# ---------------------------------------------------------------------- callers that misbehave


def raw(live, *parts: bytes, wait: float = 1.5) -> bytes:
    """Send bytes on a connection of their own; what comes back until it is closed or nothing comes."""
    host, _, port = live.url.rpartition("//")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=wait) as own:
        for part in parts:
            own.sendall(part)
        got = b""
        try:
            while part := own.recv(65536):
                got += part
                if b"\r\n\r\n" in got and b"connection: close" in got.lower():
                    break
        except (TimeoutError, ConnectionResetError):
            pass
        return got


HEAD = b"POST /v1/recommend HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"


def test_large_bodies_are_refused_before_they_have_come(settings, run):
    with run(replace(settings, body_limit=1000, deadline_s=2)) as live:
        assert b" 413 " in raw(live, HEAD + b"content-length: 2000\r\n\r\n")
        chunked = HEAD + b"transfer-encoding: chunked\r\n\r\n"
        assert b" 413 " in raw(live, chunked, *[b"200\r\n" + b" " * 512 + b"\r\n"] * 3)
        assert live.ask("/v1/recommend", {"user": "u1"}).status_code == 200


def test_slow_and_half_closed_callers_do_no_harm(settings, run):
    with run(replace(settings, deadline_s=0.4)) as live:
        assert b" 408 " in raw(live, HEAD + b"content-length: 20\r\n\r\n", b'{"us')
        host, _, port = live.url.rpartition("//")[2].partition(":")
        for _ in range(20):
            own = socket.create_connection((host, int(port)))
            own.sendall(HEAD + b"content-length: 15\r\n\r\n" + b'{"user": "u1"}')
            own.shutdown(socket.SHUT_WR)
            own.close()
        began = time.monotonic()
        assert raw(live, b"GET /healthz HTTP/1.1\r\nhost: 127", wait=10) == b""
        assert b" 200 " in raw(live, *[b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"] * 2, b"GET /he", wait=10)
        assert time.monotonic() - began < 9, "they were closed"
        assert raw(live, b"nonsense\r\n\r\n", wait=1.0).startswith((b"HTTP/1.1 400", b""))
        assert live.ask("/v1/recommend", {"user": "u1"}).status_code == 200
        assert live.service.desk.waiting == 0


def test_without_keys_it_answers_to_loopback_names_alone(live, problem_in):
    problem_in(response := live.http.get("/v1/model", headers={"host": "evil.example"}))
    assert response.status_code == 403
    for host in ("localhost:80", "127.0.0.1", "[::1]:8000"):
        assert live.http.get("/v1/model", headers={"host": host}).status_code == 200


def test_origins_that_are_let_in(settings, run):
    with run(replace(settings, cors=("https://shop.example",))) as live:
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        for origin, there in (("https://shop.example", True), ("https://evil.example", False)):
            headers = live.http.options("/v1/recommend", headers={"origin": origin, **asked}).headers
            assert ("access-control-allow-origin" in headers) == there


def test_what_nobody_expected_is_logged_and_not_told(live, problem_in, monkeypatch, caplog):
    async def fail(self, *_):
        raise ZeroDivisionError("the secret of the inside")

    monkeypatch.setattr(Service, "ask", fail)
    content = problem_in(live.ask("/v1/recommend", {"user": "u1"}))
    assert content["status"] == 500
    assert "secret" not in str(content)
