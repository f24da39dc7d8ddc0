"""Writers killed with ``kill -9`` at random moments: what was acknowledged is there once, and states are replays.

    python benchmarks/_event_kills.py sqlite 200
    python benchmarks/_event_kills.py postgresql 200 [--server]

A writer is a process that appends batches with a filter and prints the number of each one that was acknowledged; it
sends some again, as after a lost answer, and some events come late. Afterwards the store is opened again, and its log
and states are held against what was printed.
"""

import contextlib
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from penchant.dynamics.events import Event, EventStore, Logged, open_store
from penchant.errors import StorageError
from penchant.testing.servers import PostgresServer
from penchant.testing.stores import chain

APPLY = chain("kills")
LONGEST = 0.3
"""Seconds from a writer's first batch to its end, at most."""


def batch_of(turn: int, number: int, seed: int) -> list[Event]:
    """The events of a batch; known to the writer and to whoever checks it."""
    rng = random.Random(f"{seed}/{turn}/{number}")
    return [
        Event(
            id=f"{seed}/{turn}/{number}/{place}",
            user=rng.choice([f"user {turn}/{rng.randrange(4)}", turn, "everyone's"]),
            item=rng.randrange(1000),
            label=rng.randrange(2),
            time=1e9 + turn * 1000 + number - rng.choice([0, 0, 0, 5]),
        )
        for place in range(rng.randrange(1, 40))
    ]


def write(url: str, turn: int, seed: int) -> None:
    """Append batches until killed; a line for each that was acknowledged."""
    with open_store(url) as store:
        print("ready", flush=True)
        for number in range(10**6):
            batch = batch_of(turn, number, seed)
            store.append(batch, apply=APPLY)
            print(number, flush=True)
            if number % 5 == 4:
                store.append(batch, apply=APPLY)


def kills(kind: str, n: int, seed: int = 0, *, victim: str = "writer") -> dict[str, int]:
    """Kill ``n`` writers, and count what went wrong.

    Arguments:
        kind: "sqlite" (a file of its own), "postgresql" (a server of its own), or the URL of an empty store.
        victim: "writer", or "server": PostgreSQL itself, all its processes, started again each time.
    """
    rng, found = random.Random(seed), Counter[str]({"kills": n, "acknowledged": 0, "lost or doubled": 0})
    found |= Counter({"torn batches": 0, "states unlike replay": 0})
    with _place(kind) as (url, server):
        after = 0
        for turn in range(n):
            printed = _killed(url, turn, seed, rng, server if victim == "server" else None)
            with open_store(url) as store:
                log = list(store.events(after=after))
                after = log[-1].offset if log else after
                found.update(_wrong(printed, log, turn, seed))
                found["states unlike replay"] += _unlike(store, {e.user for _, e in log} - {"everyone's"})
        with open_store(url) as store:
            found["states unlike replay"] += _unlike(store, set(store.users()))
            times = Counter(event.id for _, event in store.events())
            found["lost or doubled"] += sum(count > 1 for count in times.values())
    return dict(found)


@contextlib.contextmanager
def _place(kind: str) -> Iterator[tuple[str, PostgresServer | None]]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'events.db'}", None
    elif kind == "postgresql":
        with PostgresServer() as server:
            yield server.fresh(), server
    else:
        yield kind, None


def _killed(url: str, turn: int, seed: int, rng: random.Random, server: PostgresServer | None) -> list[int]:
    """Batches that a writer said were acknowledged before it, or its server, was killed."""
    words = [sys.executable, __file__, "writer", url, str(turn), str(seed)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as writer:
        assert writer.stdout is not None
        first = writer.stdout.readline()
        assert first == "ready\n", "the writer did not start"
        time.sleep(rng.uniform(0, LONGEST))
        if server is not None:
            server.kill()
            lines = writer.stdout.read()  # it ends by itself: an error, and no acknowledgement
            server.start()
        else:
            writer.kill()
            lines = writer.stdout.read()
    return [int(line) for line in lines.splitlines(keepends=True) if line.endswith("\n")]


def _wrong(printed: list[int], log: list[Logged], turn: int, seed: int) -> Counter[str]:
    """The log of one turn held against what was acknowledged."""
    there = Counter(event.id for _, event in log)
    sent = {number: [e.id for e in batch_of(turn, number, seed)] for number in range(len(printed) + 2)}
    acknowledged = [identity for number in printed for identity in sent[number]]
    wrong = Counter({"acknowledged": len(acknowledged)})
    wrong["lost or doubled"] = sum(there[identity] != 1 for identity in acknowledged)
    wrong["torn batches"] = sum(0 < sum(there[i] for i in ids) != len(ids) for ids in sent.values())
    wrong["torn batches"] += len(there.keys() - {i for ids in sent.values() for i in ids})
    return wrong


def _unlike(store: EventStore, users: set[str | int]) -> int:
    """States that are not the fold of their user's events."""
    wrong, states = 0, store.states(users, APPLY.space)
    for user in users:
        log = sorted(store.events(user), key=lambda one: (one.event.time, one.offset))
        wrong += states[user].data != APPLY.step(user, None, [event for _, event in log])
        wrong += states[user].version != len(log)
    return wrong


if __name__ == "__main__":
    if sys.argv[1] == "writer":
        try:
            write(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
        except StorageError as error:
            sys.exit(str(error))
    else:
        server_too = "server" if "--server" in sys.argv else "writer"
        print(kills(sys.argv[1], int(sys.argv[2]), victim=server_too))
