"""One process or several that serve: uvicorn, with what it does not bound itself."""

import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from penchant._config import build, plain
from penchant.errors import ConfigError
from penchant.service._connection import BoundedConfig, InTime
from penchant.service._json import dump, parse
from penchant.service._log import set_up_logs
from penchant.service.app import make_app
from penchant.service.service import Service
from penchant.service.settings import PREFIX, ServiceSettings
from penchant.storage import read_manifest

__all__ = ["app_of_worker", "run", "server_of"]

_SETTINGS = f"{PREFIX}EFFECTIVE"
"""Environment variable that hands the settings to workers."""
_SWITCH_S = 2e-4
"""How long the event loop may keep the interpreter from a thread that computes: each of a batch's hundred steps waits
for it, so that Python's own 5 ms would make a batch last half a second under load."""
_COUNTS = "PROMETHEUS_MULTIPROC_DIR"
_CONNECTIONS = 1024
"""Open ones of a process; more are answered 503 at once."""


def app_of_worker() -> FastAPI:
    """The app of a worker: its settings are in the environment."""
    settings: ServiceSettings = build(ServiceSettings, parse(os.environ[_SETTINGS].encode()), "settings")
    _prepare(settings)
    return make_app(settings)


def _prepare(settings: ServiceSettings) -> None:
    import torch

    torch.set_num_threads(settings.threads)
    sys.setswitchinterval(_SWITCH_S)
    set_up_logs(settings.log_level)


def run(settings: ServiceSettings) -> None:
    """Serve until told to end (SIGTERM, SIGINT); what has begun is finished first, for ``drain_s`` at most.

    Raises: PenchantError: a model, keys or a store that cannot be used. ConfigError: the address cannot be had.
    """
    if settings.workers > 1:
        _run_workers(settings)
        return
    _prepare(settings)
    service = Service(settings)
    server_of(make_app(settings, service=service), settings).run(sockets=[listening(settings)])


def server_of(app: FastAPI | str, settings: ServiceSettings) -> uvicorn.Server:
    """uvicorn with our bounds. At a signal it ends its listening, and /readyz says so while the rest is finished."""
    return _Server(_config(app, settings))


def _config(app: FastAPI | str, settings: ServiceSettings) -> BoundedConfig:
    options: dict[str, Any] = {"factory": True, "workers": settings.workers} if isinstance(app, str) else {}
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
        **options,
    )
    config.head_s = settings.deadline_s
    return config


class _Server(uvicorn.Server):
    """Says that it ends before it stops listening."""

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


def _run_workers(settings: ServiceSettings) -> None:
    """Several processes on one socket; their counts are added up in a folder that ends with them."""
    from uvicorn.supervisors import Multiprocess

    read_manifest(settings.model)  # a sentence here, not one a worker
    os.environ[_SETTINGS] = dump(plain(settings)).decode()
    own = None if _COUNTS in os.environ else Path(tempfile.mkdtemp(prefix="penchant-counts-"))
    if own is not None:
        os.environ[_COUNTS] = str(own)
    config = _config("penchant.service.running:app_of_worker", settings)
    try:
        Multiprocess(config, sockets=[listening(settings)]).run()
    finally:
        if own is not None:
            del os.environ[_COUNTS]
            shutil.rmtree(own, ignore_errors=True)
