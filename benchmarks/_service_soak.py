"""A server under mixed load for a long time: does its memory grow?

Callers ask in turn for recommendations, portraits and explanations, of known users and of new ones, and send events of
users of whom most are new. Memory is that of the server's process, once a second; its growth is what a straight line
through the second half of the run rises by, over as long as the run (the first half is for caches to fill).
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from _service_servers import penchant, portraits_of

__all__ = ["slope", "soak"]

CALLERS = 3
EVERYONE = 10**7
"""New users that there could be: hardly any comes twice."""


class Mixed(threading.Thread):
    """Asks one thing after another."""

    def __init__(self, url: str, rows: Sequence[Any], number: int, ended: threading.Event) -> None:
        super().__init__()
        self.url, self.rows, self.rng, self.ended = url, rows, random.Random(number), ended
        self.statuses = Counter[int]()

    def run(self) -> None:
        with httpx.Client(base_url=self.url, timeout=60) as http:
            while not self.ended.is_set():
                route, body = self._question()
                try:
                    self.statuses[http.post(f"/v1/{route}", json=body).status_code] += 1
                except httpx.TransportError:
                    self.statuses[0] += 1

    def _question(self) -> tuple[str, dict[str, Any]]:
        rng = self.rng
        who = rng.choice([f"u{rng.randrange(1, 900)}", rng.choice(self.rows)])
        kind = rng.random()
        if kind < 0.55:
            return "recommend", {"user": who, "n": 20}
        if kind < 0.7:
            return "portrait", {"user": who}
        if kind < 0.8:
            return "explain", {"user": who, "item": f"i{rng.randrange(1, 2000)}"}
        return "events", {"events": [self._event() for _ in range(3)]}

    def _event(self) -> dict[str, Any]:
        rng = self.rng
        user = rng.choice(
            [f"u{rng.randrange(1, 900)}", f"new {rng.randrange(EVERYONE)}", f"new {rng.randrange(EVERYONE)}"]
        )
        when = time.time() - rng.uniform(0, 1000)
        return {
            "id": rng.randbytes(8).hex(),
            "user": user,
            "item": f"i{rng.randrange(1, 2000)}",
            "label": 1,
            "time": when,
        }


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """Of the straight line through these points, by least squares; 0 where there is none."""
    middle, level = sum(times) / len(times), sum(values) / len(values)
    width = sum((time - middle) ** 2 for time in times)
    return sum((t - middle) * (v - level) for t, v in zip(times, values, strict=True)) / width if width else 0.0


def soak(model: Path, minutes: float, store: str) -> dict[str, float]:
    """Load a server for so long.

    Returns:
        memory_mib (at the end); slope_mib_per_h and growth_mib (in the second half: the line's, over as long as the
        run); requests; failed (without an answer, or 5xx but 503).
    """
    rows, ended = portraits_of(model, 200), threading.Event()
    times, memory = list[float](), list[float]()
    with penchant(model, "--store", store) as (url, process):
        callers = [Mixed(url, rows, number, ended) for number in range(CALLERS)]
        for caller in callers:
            caller.start()
        began = time.monotonic()
        while (now := time.monotonic() - began) < 60 * minutes:
            times.append(now)
            memory.append(resident(process))
            time.sleep(1)
        ended.set()
        for caller in callers:
            caller.join()
    half = len(times) // 2
    rise = slope(times[half:], memory[half:])
    statuses = sum((caller.statuses for caller in callers), Counter[int]())
    return {
        "minutes": minutes, "memory_mib": memory[-1], "slope_mib_per_h": 3600 * rise, "growth_mib": 60 * minutes * rise,
        "requests": sum(statuses.values()),
        "failed": sum(count for status, count in statuses.items() if not status or (status >= 500 and status != 503)),
    }  # fmt: skip


def resident(process: int) -> float:
    """Memory of a process, in MiB."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096 / 2**20
