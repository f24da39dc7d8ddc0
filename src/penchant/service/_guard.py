"""Around every request: its id, bounds on its body and its time, headers that browsers heed, the log, the clock."""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penchant.service.problems import Refused, log_unexpected, problem_of, respond

__all__ = ["Guard"]

_log = logging.getLogger("penchant.service.access")
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
"""Of whatever sets none of its own, as pages do."""


class Guard:
    """The outermost layer of the app.

    Arguments:
        app: what is guarded.
        body_limit: bytes; more is refused with 413 as soon as it is known.
        deadline_s: a request that takes longer gets 504, or 408 where its body had not come.
        done: called with route, status and seconds of each request.
        here: names by which the service may be called; None: any.
        admit: called with each path, before anything is read; raises Refused where there is no room, so that refusing
            costs next to nothing when it must be done often.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        body_limit: int,
        deadline_s: float,
        done: Callable[[str, int, float], None],
        here: frozenset[str] | None,
        admit: Callable[[str], None],
    ) -> None:
        self.app, self.body_limit, self.deadline_s, self.done = app, body_limit, deadline_s, done
        self.here, self.admit = here, admit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request of HTTP; pass the rest on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await _Exchange(self, scope, receive, send).run()


class _Exchange:
    """One request and its response."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send) -> None:
        self.guard, self.scope, self._receive, self._send = guard, scope, receive, send
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        self.id = given.decode() if _ID.fullmatch(given) else secrets.token_hex(8)
        self.host = headers.get(b"host", b"").decode("latin-1")
        self.length = headers.get(b"content-length", b"")
        self.status, self.read, self.whole = 0, 0, False
        scope.setdefault("state", {})["request_id"] = self.id

    async def run(self) -> None:
        """Answer, whatever happens."""
        began = time.perf_counter()
        try:
            self._check()
            async with asyncio.timeout(self.guard.deadline_s):
                await self.guard.app(self.scope, self.receive, self.send)
        except TimeoutError:
            what = "The answer took too long." if self.whole else "The body did not come in time."
            await self._refuse(Refused(504 if self.whole else 408, what))
        except Refused as refused:
            await self._refuse(refused)
        except Exception as error:
            log_unexpected(error, self.id)
            await self._refuse(problem_of(RuntimeError()))
        finally:
            self._note(time.perf_counter() - began)

    def _check(self) -> None:
        if self.guard.here is not None and _name_of(self.host) not in self.guard.here:
            raise Refused(403, "Without keys the service answers to the names of this machine alone.")
        self.guard.admit(self.scope["path"])
        if self.length.isdigit() and int(self.length[:20]) > self.guard.body_limit:
            raise self._too_large()

    def _too_large(self) -> Refused:
        # what is still to come is not read, so the connection cannot be used again
        return Refused(413, f"At most {self.guard.body_limit:,} bytes expected.", headers={"connection": "close"})

    async def receive(self) -> Message:
        """The next part of the body, within its bound."""
        message = await self._receive()
        if message["type"] == "http.request":
            self.read += len(message.get("body", b""))
            self.whole = not message.get("more_body", False)
            if self.read > self.guard.body_limit:
                raise self._too_large()
        return message

    async def send(self, message: Message) -> None:
        """A part of the response, with our headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            own = {name.lower() for name, _ in headers}
            headers += [pair for pair in (*_HEADERS, _POLICY) if pair[0] not in own]
            message = {**message, "headers": [*headers, (b"x-request-id", self.id.encode())]}
        await self._send(message)

    async def _refuse(self, refused: Refused) -> None:
        if self.status:  # it had begun: all that is left is to break off
            return
        await respond(refused, self.id)(self.scope, self._receive, self.send)

    def _note(self, seconds: float) -> None:
        route = getattr(self.scope.get("route"), "path", "other")
        self.guard.done(route, self.status, seconds)
        state: dict[str, Any] = self.scope["state"]
        _log.info(
            "request",
            extra={
                "request_id": self.id,
                "method": self.scope["method"],
                "route": route,
                "status": self.status,
                "ms": round(seconds * 1000, 2),
                **{name: state[name] for name in ("key", "arm", "version") if name in state},
            },
        )


def _name_of(host: str) -> str:
    """The name of a Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
