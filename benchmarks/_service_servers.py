"""Servers to be measured, each a process on one core: penchant's, and a bare FastAPI route of the same bytes."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from _service_load import Load

from penchant import Penchant, simulate, split_random

__all__ = ["bare", "load_on", "penchant", "portraits_of", "trained"]

BARE = """
import json, sys
import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel
answer = open(sys.argv[1], "rb").read()
app = FastAPI()
class Question(BaseModel):
    user: dict
    n: int = 20
@app.post("/v1/bare")
async def bare(question: Question) -> Response:
    return Response(answer, media_type="application/json")
@app.get("/readyz")
async def ready() -> dict[str, str]:
    return {}
uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False)
"""


def trained(folder: Path, n_items: int, seed: int) -> Path:
    """A model over so many items; one epoch, since only its size matters here."""
    path = folder / f"{n_items}-{seed}.penchant"
    if not path.exists():
        tables = simulate(n_users=1000, n_items=n_items, n_interactions=40_000, rng=seed).tables
        train, valid = split_random(tables, (0.9, 0.1), rng=seed)
        Penchant(epochs=1, rng=seed).fit(train, valid).save(path)
    return path


def portraits_of(model: Path, count: int) -> list[dict[str, Any]]:
    """Users who are in no table: known ones' features, without their ids."""
    fitted = Penchant.load(model, device="cpu")
    rows = fitted.users_.drop(fitted.schema_.user_id or "").head(count).to_dicts()
    return [json.loads(json.dumps(row, default=str)) for row in rows]


def _on_core(process: int, *, first: bool) -> None:
    """Keep a process that has just begun on the first core, or on the others; where the system can."""
    if hasattr(os, "sched_setaffinity"):
        every = os.sched_getaffinity(0)
        lowest = {min(every)}
        os.sched_setaffinity(process, lowest if first else every - lowest or every)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def _process(command: Sequence[str], port: int, *, one_core: bool = True) -> Iterator[tuple[str, int]]:
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    one = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)
    if one_core:
        _on_core(one.pid, first=True)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{url}/readyz", timeout=2).close()
                break
            if one.poll() is not None:
                raise RuntimeError(f"{command[:4]} ended with {one.returncode}")
            time.sleep(0.05)
        yield url, one.pid
    finally:
        one.terminate()
        one.wait(60)


@contextlib.contextmanager
def penchant(model: Path, *words: str, one_core: bool = True) -> Iterator[tuple[str, int]]:
    """Serve a model, on one core unless told otherwise; its URL and process."""
    port = _free_port()
    options = ["--port", str(port), "--log-level", "error", *words]
    command = [sys.executable, "-m", "penchant", "serve", str(model), *options]
    with _process(command, port, one_core=one_core) as one:
        yield one


@contextlib.contextmanager
def bare(answer: bytes) -> Iterator[str]:
    """A route that gives these bytes and computes nothing; its URL."""
    port = _free_port()
    with tempfile.NamedTemporaryFile() as file:
        file.write(answer)
        file.flush()
        with _process([sys.executable, "-c", BARE, file.name, str(port)], port) as (url, _):
            yield f"{url}/v1/bare"


def load_on(url: str, bodies: Sequence[Any], *, callers: int, seconds: float, rate: float | None = None) -> Load:
    """Load a server from a process on the other cores."""
    asked = {"url": url, "bodies": [json.dumps(body) for body in bodies], "callers": callers, "seconds": seconds}
    command = [sys.executable, str(Path(__file__).with_name("_service_load.py")), json.dumps({**asked, "rate": rate})]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as caller:
        _on_core(caller.pid, first=False)
        said, _ = caller.communicate()
    return Load(**json.loads(said))
