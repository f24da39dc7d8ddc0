"""Two small models in a folder, and servers that run in a thread."""

import contextlib
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import Live, serving

from penchant import Penchant, simulate, split_random
from penchant.service import ServiceSettings
from penchant.storage import read_manifest, version_of


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
def maps(folder, tmp_path_factory) -> str:
    """A folder with the maps of both, so that no test draws one by the way."""
    where = tmp_path_factory.mktemp("maps")
    for name in ("a", "b"):
        path = folder / f"{name}.penchant"
        version = version_of(read_manifest(path))
        replace(Penchant.load(path).map(method="pca"), model=version).save(where / f"{version}.map")
    return str(where)


@pytest.fixture(scope="session")
def settings(folder, maps) -> ServiceSettings:
    return ServiceSettings(model=str(folder / "a.penchant"), maps=maps, log_level="error")


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


# ---------------------------------------------------------------------- processes


@contextlib.contextmanager
def started(*words: Any, **environ: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A process of ``penchant serve`` once it is ready: its URL, and itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "penchant", "serve", *map(str, words), "--port", str(port)]
    own = subprocess.Popen(command, env={**os.environ, **environ}, stderr=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(2400):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                    break
            assert own.poll() is None, own.stderr.read()
            time.sleep(0.05)
        yield url, own
    finally:
        if own.poll() is None:
            own.send_signal(signal.SIGKILL)
        own.communicate()


@pytest.fixture(scope="session")
def process():
    """Start a process."""
    return started
