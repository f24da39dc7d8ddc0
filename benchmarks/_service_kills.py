"""Workers of the service, and its PostgreSQL, killed with ``kill -9`` while callers send events and send them again.

    python benchmarks/_service_kills.py 200

A caller sends a batch until it is acknowledged, then the next, and now and then an acknowledged one once more, as after
a lost answer. Workers are killed at random moments, in part of the turns PostgreSQL with all its processes, which is
started again; the service replaces its workers itself. Each kill waits until something was acknowledged since the one
before. Afterwards the store is held against what was acknowledged, and its states against a replay of its log.
"""

import contextlib
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
from _service_servers import penchant, trained

from penchant import Penchant
from penchant.dynamics.events import EventStore, open_store
from penchant.testing.servers import PostgresServer

__all__ = ["kills"]

CALLERS = 4
LONGEST = 0.6
"""Seconds from an acknowledgement to the kill after it, at most."""
PASSING = (408, 503, 504)
"""What a caller waits for and asks again."""
START = time.time() - 1e6


class Caller(threading.Thread):
    """Sends batches of its own, one after another."""

    def __init__(self, url: str, number: int, seed: int) -> None:
        super().__init__()
        self.url, self.number = url, number
        self.rng = random.Random(f"{seed}/{number}")
        self.sent: list[list[str]] = []
        self.acknowledged = 0
        """Of the batches sent, from the first."""
        self.wrong = Counter[str]()
        self.longest_s = 0.0
        self.ended = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=self.url, timeout=15) as http:
            while not self.ended.is_set():
                batch = self._batch(len(self.sent))
                self.sent.append([event["id"] for event in batch])
                began = time.monotonic()
                if not self._send(http, batch):
                    return
                self.acknowledged += 1
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                if self.acknowledged % 5 == 0:
                    self._send(http, batch)

    def _batch(self, turn: int) -> list[dict[str, object]]:
        users = [f"u{self.rng.randrange(40)}", f"own {self.number}", f"new {self.number}/{turn}"]
        return [
            {
                "id": f"{self.number}/{turn}/{place}",
                "user": self.rng.choice(users),
                "item": f"i{self.rng.randrange(1000)}",
                "label": self.rng.randrange(2),
                "time": START + turn - self.rng.choice([0, 0, 0, 5]),
            }
            for place in range(self.rng.randrange(1, 12))
        ]

    def _send(self, http: httpx.Client, batch: list[dict[str, object]]) -> bool:
        """Send until it is acknowledged; False: nobody may answer any more."""
        while True:
            try:
                answer = http.post("/v1/events", json={"events": batch})
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 200:
                said = answer.json()
                whole = said["accepted"] + len(said["duplicates"]) == len(batch)
                self.wrong["torn batches"] += said["accepted"] not in (0, len(batch)) or not whole
                return True
            if answer is not None and answer.status_code not in PASSING:
                self.wrong["other answers"] += 1
            if self.ended.is_set() and answer is None:
                return False
            time.sleep(0.05)


def kills(model: Path, n: int, *, seed: int = 0, workers: int = 2, database_every: int = 5) -> dict[str, float]:
    """Kill ``n`` times, and count what went wrong.

    Arguments:
        database_every: each turn of this number kills PostgreSQL and no worker.

    Returns:
        kills (of PostgreSQL: how many of them); acknowledged (events); lost or doubled (events); torn batches (in the
        log in part); states unlike replay; other answers (than 200 and what passes); longest wait s (until a batch was
        acknowledged).
    """
    rng = random.Random(seed)
    with PostgresServer() as server:
        url = server.fresh()
        options = ("--workers", str(workers), "--store", url)
        with penchant(model, *options, one_core=False) as (address, process):
            callers = [Caller(address, number, seed) for number in range(CALLERS)]
            for caller in callers:
                caller.start()
            try:
                for turn in range(1, n + 1):
                    _kill(process, callers, rng, server if turn % database_every == 0 else None)
                _wait(callers)
            finally:
                for caller in callers:
                    caller.ended.set()
                for caller in callers:
                    caller.join()
        with open_store(url) as store:
            found = _wrong(store, model, callers)
    return {
        "kills": n,
        "of PostgreSQL": n // database_every,
        **found,
        "longest wait s": max(c.longest_s for c in callers),
    }


def _kill(process: int, callers: list[Caller], rng: random.Random, server: PostgresServer | None) -> None:
    """Kill a worker, or the server where there is one."""
    _wait(callers)
    time.sleep(rng.uniform(0, LONGEST))
    if server is not None:
        server.kill()
        server.start()
        return
    while not (workers := _workers(process)):
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.kill(rng.choice(workers), signal.SIGKILL)


def _wait(callers: list[Caller]) -> None:
    """Until a batch is acknowledged that was not when this was called."""
    before, end = sum(caller.acknowledged for caller in callers), time.monotonic() + 120
    while sum(caller.acknowledged for caller in callers) == before:
        if time.monotonic() > end:
            raise RuntimeError("nothing has been acknowledged for two minutes")
        time.sleep(0.005)


def _workers(process: int) -> list[int]:
    """The children of a process's children: its fork server has no others."""
    return [worker for child in _children(process) for worker in _children(child)]


def _children(process: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return []


def _wrong(store: EventStore, model: Path, callers: list[Caller]) -> dict[str, float]:
    """The store held against what was acknowledged, and against a replay."""
    times = Counter(event.id for _, event in store.events())
    acknowledged = [one for caller in callers for ids in caller.sent[: caller.acknowledged] for one in ids]
    every = {one for caller in callers for ids in caller.sent for one in ids}
    wrong = sum((caller.wrong for caller in callers), Counter[str]())
    wrong["lost or doubled"] = sum(times[one] != 1 for one in acknowledged) + sum(count > 1 for count in times.values())
    wrong["torn batches"] += sum(0 < sum(times[one] for one in ids) < len(ids) for c in callers for ids in c.sent)
    wrong["torn batches"] += len(times.keys() - every)
    fitted = Penchant.load(model, device="cpu")
    fitted.follow(store)
    apply, users = fitted.following.filter.apply, list(store.users())
    before = store.states(users, apply.space)
    store.replay(apply)
    after = store.states(users, apply.space)
    wrong["states unlike replay"] = sum(before.get(user) != after.get(user) for user in users)
    names = "lost or doubled", "torn batches", "states unlike replay", "other answers"
    return {"acknowledged": len(acknowledged), "users": len(users), **{name: wrong[name] for name in names}}


if __name__ == "__main__":
    folder = Path(tempfile.gettempdir()) / "penchant-service"
    print(kills(trained(folder, 2000, 1), int(sys.argv[1])))
