"""Connections of HTTP whose heads must come in time: uvicorn waits for one as long as the other side likes."""

import asyncio

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from penchant.service._turnstile import Turnstile

__all__ = ["BoundedConfig", "InTime"]


class BoundedConfig(uvicorn.Config):
    """uvicorn's settings, and ours; workers get them pickled, so the class has a place in a module."""

    head_s: float
    """Seconds for the head of a request."""
    turnstile: Turnstile | None = None
    """Turns away what there is no room for."""


class InTime(HttpToolsProtocol):
    """Closes a connection on which a request's head, once it may begin, is not whole in time."""

    config: BoundedConfig
    _late: asyncio.TimerHandle | None = None
    _begun = False
    """Is part of a request here, and the rest not?"""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        turnstile, free = self.config.turnstile, self.cycle is None or self.cycle.response_complete
        if turnstile is not None and free and not self._begun:
            refusal = turnstile.refusal(data, self.server_state.default_headers, self.loop.call_soon)
            if refusal is not None:
                self._unset_keepalive_if_required()
                self.transport.write(refusal)
                self._whole()
                self._wait()
                return
        if self._late is None and (self.cycle is None or self.cycle.response_complete):
            self._wait()
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._begun = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._begun = False
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        self._whole()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._whole()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._late = self.loop.call_later(self.config.head_s, self.transport.close)

    def _whole(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
