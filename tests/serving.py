"""Servers that run in a thread, for the tests of the service and of its pages."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import httpx

from penchant.service import ServiceSettings, make_app
from penchant.service.running import listening, server_of
from penchant.service.service import Service

__all__ = ["Live", "serving"]


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
def serving(settings: ServiceSettings, port: int = 0) -> Iterator[Live]:
    """A server while it is needed; on a free port, unless one is given."""
    settings = replace(settings, port=port)
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
