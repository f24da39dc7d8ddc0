"""Two small models in a folder, and servers that run in a thread."""

import contextlib
import json
import math
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from penchant import Penchant, simulate, split_random
from penchant.service import ServiceSettings, make_app
from penchant.service.running import listening, server_of
from penchant.service.service import Service


class Live(NamedTuple):
    """A server that answers."""

    url: str
    service: Service
    http: httpx.Client
    server: Any

    def ask(self, route: str, body: Any = None, key: str | None = None, **options: Any) -> httpx.Response:
        """GET without a body, POST with one."""
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        return self.http.request("GET" if body is None else "POST", route, json=body, headers=headers, **options)


@contextlib.contextmanager
def serving(settings: ServiceSettings) -> Iterator[Live]:
    settings = replace(settings, port=0)
    service = Service(settings)
    server = server_of(make_app(settings, service=service), settings)
    sock = listening(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    try:
        with httpx.Client(base_url=url, timeout=20) as http:
            yield Live(url, service, http, server)
    finally:
        server.should_exit = True
        thread.join(20)
        sock.close()
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """Models a.penchant and b.penchant of the same tables; a file that names no model."""
    where = tmp_path_factory.mktemp("models")
    tables = simulate(n_users=40, n_items=50, n_interactions=900, rng=3).tables
    train, valid = split_random(tables, (0.8, 0.2), rng=1)
    for name, rng in (("a", 1), ("b", 2)):
        Penchant(epochs=1, rng=rng).fit(train, valid).save(where / f"{name}.penchant")
    (where / "readme.txt").write_text("models")
    return where


@pytest.fixture
def models(folder, tmp_path) -> Path:
    """A folder of one's own, to change."""
    return Path(shutil.copytree(folder, tmp_path / "models"))


@pytest.fixture(scope="session")
def settings(folder) -> ServiceSettings:
    return ServiceSettings(model=str(folder / "a.penchant"), log_level="error")


@pytest.fixture(scope="session")
def model(folder) -> Penchant:
    """The model that is served."""
    return Penchant.load(folder / "a.penchant", device="cpu")


@pytest.fixture(scope="session")
def live(settings, tmp_path_factory) -> Iterator[Live]:
    """A server without keys, with a store of events."""
    store = f"sqlite:///{tmp_path_factory.mktemp('store') / 'events.db'}"
    with serving(replace(settings, store=store, open_metrics=True)) as one:
        yield one


@pytest.fixture(scope="session")
def run():
    """Start a server."""
    return serving


def alike(one: Any, other: Any) -> bool:
    """Are two answers the same but for the last of six digits?"""
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=1.5e-5)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other


@pytest.fixture(scope="session")
def same():
    """Hold two answers against one another."""
    return alike


def problem(response: httpx.Response) -> dict[str, Any]:
    """The problem of a response, held against RFC 9457."""
    assert response.headers["content-type"] == "application/problem+json"
    content = json.loads(response.content)
    assert content["status"] == response.status_code
    assert {"type", "title", "detail", "request_id"} <= set(content)
    assert content["request_id"] == response.headers["x-request-id"]
    assert "Traceback" not in content["detail"]
    return content


@pytest.fixture(scope="session")
def problem_in():
    return problem
