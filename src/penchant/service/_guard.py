"""Around every request: its id, bounds on its body and its time, headers that browsers heed, the log, the clock."""

import asyncio
import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penchant.service.problems import Refused, Tell, log_unexpected, problem_of

__all__ = ["HEADERS", "Guard", "log_request", "new_id"]

_log = logging.getLogger("penchant.service.access")
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_IDS = random.Random()
"""Of ids that name requests in the log and keep nothing secret: asking the system for each costs 20 µs."""

_OWN = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
"""Of whatever sets none of its own, as pages do."""
HEADERS = (*_OWN, _POLICY)
"""Of every response."""
_NAMES = frozenset(name for name, _ in HEADERS)


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
        tell: what becomes of a refusal, by the request's scope and id.
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
        tell: Tell,
    ) -> None:
        self.app, self.body_limit, self.deadline_s, self.done = app, body_limit, deadline_s, done
        self.here, self.admit, self.tell = here, admit, tell

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
        self.id = given.decode() if _ID.fullmatch(given) else new_id()
        self.host = headers.get(b"host", b"").decode("latin-1")
        self.length = headers.get(b"content-length", b"")
        self.status, self.read = 0, 0
        self.whole = self.length in (b"", b"0") and b"transfer-encoding" not in headers  # there is no body to come
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
            headers += HEADERS if own.isdisjoint(_NAMES) else [pair for pair in HEADERS if pair[0] not in own]
            headers.append((b"x-request-id", self.id.encode()))
            message = {**message, "headers": headers}
        await self._send(message)

    async def _refuse(self, refused: Refused) -> None:
        if self.status:  # it had begun: all that is left is to break off
            return
        await self.guard.tell(self.scope, refused, self.id)(self.scope, self._receive, self.send)

    def _note(self, seconds: float) -> None:
        route = getattr(self.scope.get("route"), "path", "other")
        self.guard.done(route, self.status, seconds)
        log_request(self.id, self.scope["method"], route, self.status, seconds, self.scope["state"])


def new_id() -> str:
    """Of a request that brings none."""
    return f"{_IDS.getrandbits(64):016x}"


def log_request(
    request_id: str, method: str, route: str, status: int, seconds: float, state: Mapping[str, Any]
) -> None:
    """A line of the log for each request."""
    if not _log.isEnabledFor(logging.INFO):
        return
    _log.info(
        "request",
        extra={
            "request_id": request_id,
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 2),
            **{name: state[name] for name in ("key", "arm", "version", "trace_id") if name in state},
        },
    )


def _name_of(host: str) -> str:
    """The name of a Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
