"""Writers killed with ``kill -9`` at random moments: what was acknowledged is there once, and states are replays.

    python benchmarks/_event_kills.py sqlite 200
    python benchmarks/_event_kills.py postgresql 200 [--server]

A writer is a process that appends batches with a filter and prints the number of each one that was acknowledged; it
sends some again, as after a lost answer, and some events come late. Afterwards the store is opened again, and its log
and states are held against what was printed. Writers are forks of one process that has loaded what they need.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from penchant.dynamics.events import Event, EventStore, Logged, open_store
from penchant.errors import StorageError
from penchant.testing.servers import PostgresServer
from penchant.testing.stores import chain

__all__ = ["kills"]

APPLY = chain("kills")
LONGEST = 0.25
"""Seconds from a writer's start to its end, at most."""

Nursery = subprocess.Popen[str]


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


# ---------------------------------------------------------------------- the writers


def nursery(url: str, seed: int) -> None:
    """Fork a writer for each turn read; say its process, pass on what it prints, and say when it has ended."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                write(url, int(line), seed)
            except StorageError:
                os._exit(1)  # its server was killed: nothing more is acknowledged
        say(f"pid {child}")
        os.waitpid(child, 0)
        say("end")


def write(url: str, turn: int, seed: int) -> None:
    """Append batches until killed; a line for each that was acknowledged."""
    with open_store(url) as store:
        for number in range(10**6):
            batch = batch_of(turn, number, seed)
            store.append(batch, apply=APPLY)
            say(str(number))
            if number % 5 == 4:
                store.append(batch, apply=APPLY)


def say(line: str) -> None:
    """A line in one piece: a process that is killed has printed it or has not."""
    os.write(1, f"{line}\n".encode())


# ---------------------------------------------------------------------- who kills them, and looks


def kills(kind: str, n: int, seed: int = 0, *, victim: str = "writer") -> dict[str, int]:
    """Kill ``n`` writers, and count what went wrong.

    Arguments:
        kind: "sqlite" (a file of its own), "postgresql" (a server of its own), or the URL of an empty store.
        victim: "writer", or "server": PostgreSQL itself, all its processes, started again each time.

    Returns:
        kills; acknowledged (events); lost or doubled (events); torn batches (in the log in part); states unlike
        replay (states that are not the fold of their user's log).
    """
    rng, found = random.Random(seed), Counter[str]()
    with _place(kind) as (url, server), _nursery(url, seed) as writers:
        after = 0
        for turn in range(n):
            printed = _killed(writers, turn, rng, server if victim == "server" else None)
            with open_store(url) as store:
                log = list(store.events(after=after))
                after = log[-1].offset if log else after
                found.update(_wrong(printed, log, turn, seed))
                found["states unlike replay"] += _unlike(store, {e.user for _, e in log} - {"everyone's"})
        with open_store(url) as store:
            found["states unlike replay"] += _unlike(store, set(store.users()))
            times = Counter(event.id for _, event in store.events())
            found["lost or doubled"] += sum(count > 1 for count in times.values())
    names = "acknowledged", "lost or doubled", "torn batches", "states unlike replay"
    return {"kills": n, **{name: found[name] for name in names}}


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


@contextlib.contextmanager
def _nursery(url: str, seed: int) -> Iterator[Nursery]:
    words = [sys.executable, __file__, "nursery", url, str(seed)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def _killed(writers: Nursery, turn: int, rng: random.Random, server: PostgresServer | None) -> list[int]:
    """Batches that a writer said were acknowledged before it, or its server, was killed."""
    assert writers.stdin is not None
    assert writers.stdout is not None
    print(turn, file=writers.stdin, flush=True)
    lines = [writers.stdout.readline().split()]
    under_way = rng.random() < 0.75  # the others are killed while they open the store, or soon after
    while not any(words[0] == "pid" for words in lines) or (under_way and len(lines) < 2):
        lines.append(writers.stdout.readline().split())
    time.sleep(rng.uniform(0, LONGEST))
    if server is None:
        (process,) = [int(words[1]) for words in lines if words[0] == "pid"]
        os.kill(process, signal.SIGKILL)
    else:
        server.kill()  # the writer ends by itself: an error, and no acknowledgement
    while lines[-1] != ["end"]:
        lines.append(writers.stdout.readline().split())
    if server is not None:
        server.start()
    return [int(words[0]) for words in lines if words[0].isdecimal()]


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
        data = APPLY.step(user, None, [event for _, event in log])
        wrong += user not in states or (states[user].data, states[user].version) != (data, len(log))
    return wrong


def main(words: Sequence[str]) -> None:
    """The command line above."""
    if words[0] == "nursery":
        nursery(words[1], int(words[2]))
    else:
        print(kills(words[0], int(words[1]), victim="server" if "--server" in words else "writer"))


if __name__ == "__main__":
    main(sys.argv[1:])
