"""How much does the service answer, how soon, and what happens when it is asked for more than it can do?

Writes ``results/service.json``.

    recommend 100k   20 of 100,000 items for users in no table: requests a second with 64 callers at once; p99 at half
                     of that rate; the share of a bare FastAPI route that gives the same bytes
    portrait         the same for portraits, and with proved ranges
    overload         five times as many requests as it answers: p99 of those answered, and how many were
    switch           requests that failed while models were switched under load
    fuzz             responses 5xx to hostile bodies
    kills            events lost or doubled, where two workers and their PostgreSQL are killed under load
    soak             growth of memory under mixed load

The server has one core of its own, the load comes from a process on the others (of kills: where there is room). Rounds
take turns with the bare route.

    python benchmarks/service.py [--cases recommend portrait overload switch fuzz kills soak] [--seconds 5] [--rounds 3]
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

from _results import RESULTS, Row, median_over, write_cases
from _service_kills import kills
from _service_load import Load, quantile
from _service_servers import bare, load_on, penchant, portraits_of, trained
from _service_soak import resident, soak

ITEMS, SMALL = 100_000, 2000
CALLERS, FEWER = 64, 12
"""At once; of slower routes fewer, so that all may wait."""
_EVERY_S = 0.5
"""From one switch to the next."""
PENCHANT, BARE = "penchant", "bare FastAPI route"
ONE_CORE = "The server has one core and one thread; the load comes from other cores of the same machine."
HOSTILE_TO = ("predict", "recommend", "portrait", "audience", "explain", "related", "events", "models")


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
    plain, ranged = ([{"user": row, "ranges": ranges} for row in rows] for ranges in (False, True))
    return [
        *throughput("portrait", model, "portrait", plain, seconds, rounds, FEWER),
        *throughput("portrait with proved ranges", model, "portrait", ranged, seconds, rounds, FEWER),
    ]


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
                "share answered": load.per_second / able, "failed": load.failed, "memory_mib": resident(process),
            })  # fmt: skip
    return median_over("overload", PENCHANT, found)


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
    source = random.Random(1)
    with tempfile.TemporaryDirectory() as place:
        store = f"sqlite:///{place}/events.db"
        with penchant(trained(folder, SMALL, 1), "--store", store) as (url, _):
            statuses = [post(f"{url}/v1/{source.choice(HOSTILE_TO)}", hostile(source))[0] for _ in range(count)]
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
    every = ["recommend", "portrait", "overload", "switch", "fuzz", "kills", "soak"]
    parser.add_argument("--cases", nargs="+", choices=every, default=every)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--switches", type=int, default=50)
    parser.add_argument("--bodies", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=30, help="of soak")
    parser.add_argument("--results", type=Path, help="folder to write into, instead of results")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "penchant-service")
    parser.add_argument("--dry", action="store_true", help="write beside the models, not into results")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    where = asked.folder if asked.dry else asked.results or RESULTS
    write_cases(
        "service", asked.cases, lambda case: measured(case, asked), threads=1, seeds=[1], folder=where, merge=True
    )


def measured(case: str, asked: argparse.Namespace) -> tuple[list[Row], list[str]]:
    """The rows of a case, and how they came about."""
    notes = [ONE_CORE]
    match case:
        case "switch":
            return switch(asked.folder, asked.switches), notes
        case "fuzz":
            return fuzz(asked.folder, asked.bodies), notes
        case "kills":
            found = kills(trained(asked.folder, SMALL, 1), asked.kills)
            return median_over("kills", PENCHANT, [found]), [
                "kills: two workers, four callers, PostgreSQL on this machine."
            ]
        case "soak":
            with tempfile.TemporaryDirectory() as place:
                found = soak(trained(asked.folder, SMALL, 1), asked.minutes, f"sqlite:///{place}/events.db")
            return median_over("soak", PENCHANT, [found]), notes
    loads = {"recommend": recommend, "portrait": portrait, "overload": overload}
    return loads[case](asked.folder, asked.seconds, asked.rounds), notes


if __name__ == "__main__":
    main()
