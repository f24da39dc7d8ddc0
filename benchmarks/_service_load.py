"""Load for an HTTP server, from a process of its own: so many callers at once, or so many requests a second.

    python benchmarks/_service_load.py '{"url": "http://127.0.0.1:8000/v1/recommend", "bodies": ["…"], "callers": 32,
                                         "seconds": 5, "rate": null}'

Prints one JSON object: requests by status, seconds, and times in ms of those answered 200. With a rate, requests start
when their time has come, answered or not the ones before, and times are counted from then (no coordinated omission).
"""

import asyncio
import json
import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import uvloop

__all__ = ["Load", "asked", "quantile"]

_TICK_S = 5e-4
"""Requests that are due are looked for so often."""


@dataclass
class Load:
    """What came of a load."""

    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    times_ms: list[float] = field(default_factory=list)

    def note(self, status: int, began: float) -> None:
        self.statuses[str(status)] = self.statuses.get(str(status), 0) + 1
        if status == 200:
            self.times_ms.append(1000 * (time.perf_counter() - began))

    @property
    def per_second(self) -> float:
        """Answers of 200 a second."""
        return len(self.times_ms) / self.seconds

    @property
    def failed(self) -> int:
        """Requests without an answer, or with another than 200, 429 or 503."""
        return sum(count for status, count in self.statuses.items() if status not in ("200", "429", "503"))


def quantile(values: list[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class _Wire(asyncio.Protocol):
    """A connection, on which one request at a time is answered; asyncio's streams would be slower than what is
    measured."""

    transport: Any = None
    closed = False

    def __init__(self) -> None:
        self.got = bytearray()
        self.answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def ask(self, request: bytes) -> "asyncio.Future[int]":
        """The status; 0 where the connection is lost."""
        self.got.clear()
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.answer

    def data_received(self, data: bytes) -> None:
        self.got += data
        end = self.got.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.got[: end + 2]).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(self.got) >= end + 4 + length and not self.answer.done():
            self.answer.set_result(int(head[9:12]))
            if b"connection: close" in head:
                self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if not self.answer.done():
            self.answer.set_result(0)

    def close(self) -> None:
        self.closed = True
        self.transport.close()


class _Caller:
    """A connection that is kept, and opened anew where it was closed."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self.host, self.port = place.hostname or "", place.port or 80
        self.head = f"POST {place.path} HTTP/1.1\r\nhost: {self.host}\r\ncontent-type: application/json\r\n".encode()
        self.wire: _Wire | None = None

    async def connect(self) -> None:
        """Open one. Raises: OSError."""
        _, self.wire = await asyncio.get_running_loop().create_connection(_Wire, self.host, self.port)

    def ask(self, body: bytes) -> "asyncio.Future[int]":
        """The status to come; 0 where there is no answer."""
        request = b"%bcontent-length: %d\r\n\r\n%b" % (self.head, len(body), body)
        if self.wire is not None and not self.wire.closed:
            return self.wire.ask(request)
        return asyncio.ensure_future(self._again(request))

    async def _again(self, request: bytes) -> int:
        try:
            await self.connect()
        except OSError:
            return 0
        assert self.wire is not None
        return await self.wire.ask(request)

    def close(self) -> None:
        if self.wire is not None:
            self.wire.close()


async def asked(url: str, bodies: list[str], callers: int, seconds: float, rate: float | None) -> Load:
    """Put the bodies in turn."""
    load, left = Load(), _turns([body.encode() for body in bodies])
    every = [_Caller(url) for _ in range(callers)]
    await asyncio.gather(*(caller.connect() for caller in every), return_exceptions=True)
    began = time.perf_counter()

    async def keep_on(caller: _Caller) -> None:
        while time.perf_counter() - began < seconds:
            start = time.perf_counter()
            load.note(await caller.ask(next(left)), start)

    if rate is None:
        await asyncio.gather(*map(keep_on, every))
    else:
        await _at_a_rate(every, left, load, rate, int(rate * seconds))
    load.seconds = time.perf_counter() - began
    for caller in every:
        caller.close()
    return load


async def _at_a_rate(every: list[_Caller], left: Iterator[bytes], load: Load, rate: float, count: int) -> None:
    """So many requests a second, without a task for each: what asks must not be slower than what is asked."""
    free, waiting = list(every), deque[float]()
    answered = asyncio.Semaphore(0)
    began = time.perf_counter()

    def ask(due: float) -> None:
        caller = free.pop()
        caller.ask(next(left)).add_done_callback(lambda status: done(caller, due, status.result()))

    def done(caller: _Caller, due: float, status: int) -> None:
        load.note(status, due)
        free.append(caller)
        answered.release()
        if waiting:
            ask(waiting.popleft())

    number = 0
    while number < count:
        while number < count and began + number / rate <= time.perf_counter():
            (ask if free else waiting.append)(began + number / rate)
            number += 1
        await asyncio.sleep(_TICK_S)
    for _ in range(count):
        await answered.acquire()


def _turns(bodies: list[bytes]) -> Any:
    while True:
        yield from bodies


if __name__ == "__main__":
    found = uvloop.run(asked(**json.loads(sys.argv[1])))
    times = [round(one, 3) for one in found.times_ms]
    said = json.dumps({"seconds": found.seconds, "statuses": found.statuses, "times_ms": times}).encode()
    while said:  # a pipe takes less at a time
        said = said[os.write(1, said[: 1 << 15]) :]
