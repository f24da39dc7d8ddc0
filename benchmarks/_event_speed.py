"""How fast a store of events is: batches that are durable when they return, and a replay of all of them.

python benchmarks/_event_speed.py sqlite 100000
python benchmarks/_event_speed.py postgresql 100000
"""

import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from penchant.dynamics.events import Apply, Event, Id, open_store, pack, unpack
from penchant.testing.servers import PostgresServer

__all__ = ["APPLY", "speed"]

_NUMBERS = 3 * 32
"""In a state: as many as in a filter's of one interest and 32 axes."""


def _step(user: Id, data: bytes | None, events: Sequence[Event]) -> bytes:
    sums = np.zeros(_NUMBERS) if data is None else unpack(data)["sums"]
    for event in events:
        sums = sums + event.time
    return pack({"sums": sums})


APPLY = Apply("speed", _step)
"""A fold next to free, of states as large as a filter's: what is timed is the store."""


def speed(url: str, events: int, batch: int, *, users: int = 5000) -> dict[str, float]:
    """Durable events a second in batches, one after another, from one process; and how long a replay takes.

    Arguments:
        url: of an empty store.
        events: how many, in all.
        batch: how many are sent at a time, each batch with the fold of its users' states.
        users: whose they are, at random.

    Returns:
        events_per_s; p99_ms, of a batch; recovery_s_per_million: seconds of `replay` for a million events.
    """
    rng, times = random.Random(0), []
    with open_store(url) as store:
        for start in range(0, events, batch):
            numbers = range(start, min(start + batch, events))
            some = [Event(str(n), rng.randrange(users), rng.randrange(2000), n % 2, 1e9 + n) for n in numbers]
            began = time.perf_counter()
            store.append(some, apply=APPLY)
            times.append(time.perf_counter() - began)
        began = time.perf_counter()
        store.replay(APPLY)
        replayed = time.perf_counter() - began
    return {
        "events_per_s": events / sum(times),
        "p99_ms": 1000 * float(np.quantile(times, 0.99)),
        "recovery_s_per_million": 1e6 * replayed / events,
    }


if __name__ == "__main__":
    if sys.argv[1] == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            print(speed(f"sqlite:///{Path(folder) / 'events.db'}", int(sys.argv[2]), 100))
    else:
        with PostgresServer() as server:
            print(speed(server.fresh(), int(sys.argv[2]), 100))
