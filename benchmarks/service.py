"""How much does the service answer, how soon, and what happens when it is asked for more than it can do?

Writes ``results/service.json``.

    recommend 100k   20 of 100,000 items for users in no table: requests a second with 64 callers at once; p99 at half
                     of that rate; the share of a bare FastAPI route that gives the same bytes
    portrait         the same for portraits, and with proved ranges
    overload         five times as many requests as it answers: p99 of those answered, and how many were
    switch           requests that failed while models were switched under load
    fuzz             responses 5xx to hostile bodies

The server has one core of its own, the load comes from a process on the others. Rounds take turns with the bare route.

    python benchmarks/service.py [--cases recommend portrait overload switch fuzz] [--seconds 5] [--rounds 3]
"""

import argparse
import json
import random
import shutil
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from _results import Row, median_over, write
from _service_load import Load, quantile
from _service_servers import bare, load_on, penchant, portraits_of, trained

ITEMS, SMALL = 100_000, 2000
CALLERS = 64
"""At once; of slower routes fewer, as many as they let wait."""
_EVERY_S = 0.5
"""From one switch to the next."""
PENCHANT, BARE = "penchant", "bare FastAPI route"


def post(url: str, body: bytes) -> tuple[int, bytes]:
    """Status and answer."""
    asked = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def throughput(
    case: str, model: Path, route: str, bodies: list[Any], seconds: float, rounds: int, callers: int
) -> list[Row]:
    """Requests a second of a route and of a bare one, and the times at half of that."""
    ours, theirs = [], []
    with penchant(model) as (url, _):
        place = f"{url}/v1/{route}"
        answer = post(place, json.dumps(bodies[0]).encode())[1]
        load_on(place, bodies, callers=callers, seconds=1)
        with bare(answer) as other:
            for _ in range(rounds):
                full = load_on(place, bodies, callers=callers, seconds=seconds)
                plain = load_on(other, bodies, callers=CALLERS, seconds=seconds)
                half = load_on(place, bodies, callers=256, seconds=seconds, rate=max(1.0, full.per_second / 2))
                ours.append({
                    "requests_per_s": full.per_second, "p99_ms": quantile(half.times_ms, 0.99),
                    "p50_ms": quantile(half.times_ms, 0.5), "share of bare route": full.per_second / plain.per_second,
                })  # fmt: skip
                theirs.append({"requests_per_s": plain.per_second})
    return [*median_over(case, PENCHANT, ours), *median_over(case, BARE, theirs)]


def recommend(folder: Path, seconds: float, rounds: int) -> list[Row]:
    model = trained(folder, ITEMS, 1)
    bodies = [{"user": row, "n": 20} for row in portraits_of(model, 500)]
    return throughput("recommend 100k", model, "recommend", bodies, seconds, rounds, CALLERS)


def portrait(folder: Path, seconds: float, rounds: int) -> list[Row]:
    model = trained(folder, SMALL, 1)
    rows = portraits_of(model, 200)
    plain = throughput("portrait", model, "portrait", [{"user": row} for row in rows], seconds, rounds, 12)
    ranged = [{"user": row, "ranges": True} for row in rows]
    return [*plain, *throughput("portrait with proved ranges", model, "portrait", ranged, seconds, rounds, 4)]


def overload(folder: Path, seconds: float, rounds: int) -> list[Row]:
    """Five times as many requests as were answered with nobody waiting in vain."""
    model, found = trained(folder, ITEMS, 1), []
    bodies = [{"user": row, "n": 20} for row in portraits_of(model, 500)]
    with penchant(model) as (url, process):
        place = f"{url}/v1/recommend"
        for _ in range(rounds):
            able = load_on(place, bodies, callers=CALLERS, seconds=seconds).per_second
            load = load_on(place, bodies, callers=1000, seconds=seconds, rate=5 * able)
            found.append({
                "p99_ms": quantile(load.times_ms, 0.99), "answered_per_s": load.per_second,
                "share answered": load.per_second / able, "failed": load.failed, "memory_mib": _memory(process),
            })  # fmt: skip
    return median_over("overload", PENCHANT, found)


def _memory(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def switch(folder: Path, switches: int) -> list[Row]:
    """Models switched while 16 callers ask."""
    models = folder / "models"
    models.mkdir(exist_ok=True)
    for name, seed in (("a.penchant", 1), ("b.penchant", 2)):
        shutil.copytree(trained(folder, SMALL, seed), models / name, dirs_exist_ok=True)
    bodies = [{"user": row, "n": 20} for row in portraits_of(models / "a.penchant", 200)]
    with penchant(models / "a.penchant", "--models", str(models)) as (url, _):
        done: list[Load] = []
        seconds = _EVERY_S * switches + 2
        caller = threading.Thread(
            target=lambda: done.append(load_on(f"{url}/v1/recommend", bodies, callers=16, seconds=seconds))
        )
        caller.start()
        began = time.perf_counter()
        for number in range(switches):
            time.sleep(max(0.0, began + _EVERY_S * number - time.perf_counter()))
            name = ("b.penchant", "a.penchant")[number % 2]
            status, answer = post(f"{url}/v1/models", json.dumps({"name": name}).encode())
            if status != 200:
                raise RuntimeError(answer)
        caller.join()
    others = sum(count for status, count in done[0].statuses.items() if status != "200")
    figures = {"failed": others, "switches": switches, "requests": sum(done[0].statuses.values())}
    return median_over("switch", PENCHANT, [figures])


def fuzz(folder: Path, count: int) -> list[Row]:
    """Bodies that mean nothing, or nearly something."""
    source, statuses = random.Random(1), []
    with penchant(trained(folder, SMALL, 1)) as (url, _):
        for _ in range(count):
            route = source.choice(["predict", "recommend", "portrait", "audience", "explain", "related"])
            statuses.append(post(f"{url}/v1/{route}", hostile(source))[0])
    figures = {"5xx": sum(status >= 500 for status in statuses), "bodies": count}
    return median_over("fuzz", PENCHANT, [figures])


WORDS = ["user", "item", "n", "where", "age", "role", "taste", "u1", "i1", "lang = 'zh'", "\0", "\u202e", "'", ""]


def hostile(source: random.Random) -> bytes:
    """One body."""
    kind = source.random()
    if kind < 0.1:
        return source.randbytes(source.randrange(80))
    if kind < 0.15:
        return b"[" * source.randrange(1, 50_000)
    value = {source.choice(WORDS[:5]): _any(source, 4) for _ in range(source.randrange(1, 5))}
    text = json.dumps(value).encode()
    return text if kind < 0.9 else text[: source.randrange(len(text))]


def _any(source: random.Random, deep: int) -> Any:
    kind = source.randrange(8 if deep else 5)
    if kind >= 5:
        inside = range(source.randrange(4))
        if kind == 5:
            return [_any(source, deep - 1) for _ in inside]
        return {source.choice(WORDS): _any(source, deep - 1) for _ in inside}
    numbers = [0, -1, 3, 2**63, 10**400, 1e308, float("nan"), float("inf"), 0.5]
    return [None, True, source.choice(WORDS), source.choice(WORDS), source.choice(numbers)][kind]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    every = ["recommend", "portrait", "overload", "switch", "fuzz"]
    parser.add_argument("--cases", nargs="+", choices=every, default=every)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--switches", type=int, default=50)
    parser.add_argument("--bodies", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "penchant-service")
    parser.add_argument("--dry", action="store_true", help="write beside the models, not into results")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for case in asked.cases:
        if case in ("recommend", "portrait", "overload"):
            rows += {"recommend": recommend, "portrait": portrait, "overload": overload}[case](
                asked.folder, asked.seconds, asked.rounds
            )
        else:
            rows += switch(asked.folder, asked.switches) if case == "switch" else fuzz(asked.folder, asked.bodies)
    notes = ["The server has one core and one thread; the load comes from other cores of the same machine."]
    where = {"folder": asked.folder} if asked.dry else {}
    write("service", rows, threads=1, seeds=[1], notes=notes, merge=True, **where)


if __name__ == "__main__":
    main()
