"""Load for an HTTP server, from a process of its own: so many callers at once, or so many requests a second.

    python benchmarks/_service_load.py '{"url": "http://127.0.0.1:8000/v1/recommend", "bodies": ["…"], "callers": 32,
                                         "seconds": 5, "rate": null}'

Prints one JSON object: requests by status, seconds, and times in ms of those answered 200. With a rate, requests start
when their time has come, answered or not the ones before, and times are counted from then (no coordinated omission).
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Load", "asked", "quantile"]


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


class _Caller:
    """A connection that is kept, and opened anew where it was closed."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self.host, self.port, self.path = place.hostname or "", place.port or 80, place.path
        self.streams: Any = None

    async def ask(self, body: bytes) -> int:
        """The status; 0 where there was no answer."""
        try:
            if self.streams is None:
                self.streams = await asyncio.open_connection(self.host, self.port)
            reader, writer = self.streams
            head = f"POST {self.path} HTTP/1.1\r\nhost: {self.host}\r\ncontent-type: application/json\r\n"
            writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            lower = answer.lower()
            await reader.readexactly(int(lower.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            if b"connection: close" in lower:
                self.close()
            return int(answer[9:12])
        except (OSError, asyncio.IncompleteReadError, ValueError):
            self.close()
            return 0

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


async def asked(url: str, bodies: list[str], callers: int, seconds: float, rate: float | None) -> Load:
    """Put the bodies in turn."""
    load, left = Load(), _turns([body.encode() for body in bodies])
    began = time.perf_counter()
    free: asyncio.Queue[_Caller] = asyncio.Queue()
    every = [_Caller(url) for _ in range(callers)]
    for caller in every:
        free.put_nowait(caller)

    async def keep_on(caller: _Caller) -> None:
        while time.perf_counter() - began < seconds:
            start = time.perf_counter()
            load.note(await caller.ask(next(left)), start)

    async def one(due: float) -> None:
        caller = await free.get()
        load.note(await caller.ask(next(left)), due)
        free.put_nowait(caller)

    if rate is None:
        await asyncio.gather(*(keep_on(free.get_nowait()) for _ in range(callers)))
    else:
        tasks = []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.ensure_future(one(due)))
        await asyncio.gather(*tasks)
    load.seconds = time.perf_counter() - began
    for caller in every:
        caller.close()
    return load


def _turns(bodies: list[bytes]) -> Any:
    while True:
        yield from bodies


if __name__ == "__main__":
    found = asyncio.run(asked(**json.loads(sys.argv[1])))
    print(json.dumps({"seconds": found.seconds, "statuses": found.statuses, "times_ms": found.times_ms}))
