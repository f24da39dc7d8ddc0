"""One process or several that serve: uvicorn, with what it does not bound itself."""

import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from penchant.errors import ConfigError
from penchant.service._connection import BoundedConfig, InTime
from penchant.service._log import set_up_logs
from penchant.service._memory import bound_free
from penchant.service._turnstile import Turnstile
from penchant.service._workers import Beat, Workers
from penchant.service.app import make_app
from penchant.service.settings import ServiceSettings
from penchant.storage import read_manifest

__all__ = ["listening", "run", "serve", "server_of"]

_SWITCH_S = 2e-4
"""How long the event loop may keep the interpreter from a thread that computes: each of a batch's hundred steps waits
for it, so that Python's own 5 ms would make a batch last half a second under load."""
_COUNTS = "PROMETHEUS_MULTIPROC_DIR"
_CONNECTIONS = 1024
"""Open ones of a process; more are answered 503 at once."""
_TICKS = 10
"""uvicorn's, from one beat to the next: a second."""
_PRELOAD = ("torch", "safetensors.torch", "scipy.optimize", "scipy.stats", "scipy.spatial", "fastapi", "uvicorn")
"""The slow half of what a worker imports, as far as it starts no threads: a process with threads must not fork, and
polars has some from the start."""


def _prepare(settings: ServiceSettings) -> None:
    import torch

    torch.set_num_threads(settings.threads)
    sys.setswitchinterval(_SWITCH_S)
    bound_free()
    set_up_logs(settings.log_level)


def run(settings: ServiceSettings) -> None:
    """Serve until told to end (SIGTERM, SIGINT); what has begun is finished first, for ``drain_s`` at most.

    Raises: PenchantError: a model, keys or a store that cannot be used. ConfigError: the address cannot be had.
    """
    with listening(settings) as own:
        if settings.workers == 1:
            serve(settings, own, None)
            return
        read_manifest(settings.model)  # a sentence here, not one a worker
        set_up_logs(settings.log_level)
        with _counts_of_all():
            Workers(settings, own, serve, preload=_PRELOAD).run()


def serve(settings: ServiceSettings, own: socket.socket, beat: Beat | None) -> None:
    """Serve on a socket, until told to end; a worker, also until its parent is gone."""
    _prepare(settings)
    app = make_app(settings)
    app.state.service.settle()
    server = server_of(app, settings)
    server.beat = beat
    server.run(sockets=[own])


def server_of(app: FastAPI, settings: ServiceSettings) -> "_Server":
    """uvicorn with our bounds. At a signal it ends its listening, and /readyz says so while the rest is finished."""
    config = BoundedConfig(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        http=InTime,
        ws="none",
        lifespan="on",
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=max(1, round(settings.drain_s)),
    )
    config.head_s = settings.deadline_s
    config.turnstile = Turnstile(app.state.service)
    return _Server(config)


class _Server(uvicorn.Server):
    """Says that it ends before it stops listening."""

    beat: Beat | None = None
    """Of a worker."""

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: tell the parent that the event loop turns; end where there is none any more."""
        if self.beat is not None and counter % _TICKS == 1 and not self.beat():
            self.handle_exit(signal.SIGTERM, None)
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Refuse to be ready as soon as a signal comes."""
        app = self.config.app
        if isinstance(app, FastAPI):
            app.state.service.ready = False
        super().handle_exit(sig, frame)


def listening(settings: ServiceSettings) -> socket.socket:
    """The bound socket.

    Raises: ConfigError: the address is taken, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    own = socket.socket(family)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        own.bind((settings.host, settings.port))
    except OSError as error:
        own.close()
        raise ConfigError(f"{settings.host}:{settings.port} cannot be listened on ({error.strerror})") from error
    own.set_inheritable(True)
    return own


@contextlib.contextmanager
def _counts_of_all() -> Iterator[None]:
    """A folder in which the counts of several processes are added up; it ends with them."""
    if _COUNTS in os.environ:
        yield
        return
    own = Path(tempfile.mkdtemp(prefix="penchant-counts-"))
    os.environ[_COUNTS] = str(own)
    try:
        yield
    finally:
        del os.environ[_COUNTS]
        shutil.rmtree(own, ignore_errors=True)
