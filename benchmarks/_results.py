"""What benchmarks write: ``results/<name>.json``, and the table of the same rows.

    {"meta": {commit, date, python, torch, versions, cores, threads, seeds, notes},
     "rows": [{case, model, metric, value, low, high}, …]}

One script writes one file, in one step. ``low`` and ``high`` are the least and the most over seeds (or rounds, where a
script says so), ``value`` their mean (or median).

A run writes the file whole, or replaces its own cases in it and keeps the others (merge). "meta" is that of the run
that wrote last; cases that come from earlier runs are named in meta.earlier, a list of these runs' own meta, each with
the cases that still stand from it:

    {"meta": {…, "earlier": [{"cases": [case, …], commit, date, …, notes}, …]}, "rows": […]}
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from penchant.storage import write_atomic

__all__ = ["RESULTS", "Row", "cell", "median_over", "over", "peak_memory", "table", "write", "write_cases"]

RESULTS = Path(__file__).parent / "results"
"""Where results stand."""

_PACKAGES = ("penchant", "numpy", "polars", "scikit-learn", "torch-rechub", "implicit", "lightfm-next", "cornac")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure."""

    case: str
    model: str
    metric: str
    value: float
    low: float
    high: float


def over(case: str, model: str, runs: Sequence[Mapping[str, float]]) -> list[Row]:
    """A row a metric: mean, least and most over the runs (one a seed), each a mapping of metric to value.

    Raises:
        ValueError: no runs, or runs with different metrics.
    """
    return _rows(case, model, runs, statistics.fmean)


def median_over(case: str, model: str, runs: Sequence[Mapping[str, float]]) -> list[Row]:
    """As `over`, with the median: for times, which other work on the machine disturbs."""
    return _rows(case, model, runs, statistics.median)


def _rows(case: str, model: str, runs: Sequence[Mapping[str, float]], centre: Any) -> list[Row]:
    if not runs or any(set(run) != set(runs[0]) for run in runs):
        raise ValueError(f"{case}, {model}: runs with the same metrics expected, got {[sorted(run) for run in runs]}")
    found = {metric: [float(run[metric]) for run in runs] for metric in runs[0]}
    return [
        Row(case=case, model=model, metric=metric, value=centre(values), low=min(values), high=max(values))
        for metric, values in found.items()
    ]


def write(
    name: str,
    rows: Iterable[Row],
    *,
    threads: int,
    seeds: Sequence[int],
    notes: Sequence[str] = (),
    folder: Path = RESULTS,
    merge: bool = False,
) -> Path:
    """Write ``<folder>/<name>.json`` beside its place and rename it over; print the table of the rows given.

    Arguments:
        threads: that one training may use.
        notes: what a reader must know, such as rows that could not be measured.
        merge: keep the cases of the file that is there of which no row is given, with the meta of their own runs.

    Raises:
        ValueError: a figure that is no finite number, or given twice.
    """
    rows = list(rows)
    keys = [(row.case, row.model, row.metric) for row in rows]
    if twice := {key for key in keys if keys.count(key) > 1}:
        raise ValueError(f"figures given twice: {sorted(twice)}")
    path = folder / f"{name}.json"
    content = {"meta": _meta(threads, seeds, notes), "rows": [asdict(row) for row in rows]}
    if merge and path.exists():
        content = _merged(json.loads(path.read_text(encoding="utf-8")), content)
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(path, (text + "\n").encode())
    console = Console()
    for each in table(rows):
        console.print(each)
    for note in notes:
        console.print(f"- {note}")
    return path


def write_cases(
    name: str,
    cases: Iterable[str],
    measured: Callable[[str], tuple[Sequence[Row], Sequence[str]]],
    *,
    threads: int,
    seeds: Sequence[int],
    folder: Path = RESULTS,
    merge: bool = False,
) -> None:
    """Measure case after case, and `write` them: each as soon as it is there (merge), or all at the end, whole.

    Arguments:
        measured: a case to its rows and notes; where its data are missing, a FileNotFoundError, which becomes a note.
    """
    rows: list[Row] = []
    notes: list[str] = []
    for case in cases:
        began = time.perf_counter()
        try:
            found, said = measured(case)
        except FileNotFoundError as error:
            found, said = [], [f"Not measured: {error}."]
        print(f"{case}: {time.perf_counter() - began:.0f} s", flush=True)
        if found and merge:
            write(name, found, threads=threads, seeds=seeds, notes=said, folder=folder, merge=True)
        rows += found
        notes += [note for note in said if note not in notes]
    if not merge:
        write(name, rows, threads=threads, seeds=seeds, notes=notes, folder=folder)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The new content with the old one's other cases, where they stood, and with the runs that these come from."""
    measured = {row["case"] for row in new["rows"]}
    order = list(dict.fromkeys(row["case"] for row in (*old["rows"], *new["rows"])))
    kept = [row for row in old["rows"] if row["case"] not in measured]
    last = dict(old["meta"])
    runs = last.pop("earlier", [])
    before = {case for run in runs for case in run["cases"]}
    runs = [{"cases": [case for case in order if case not in before], **last}, *runs]
    left = {row["case"] for row in kept}
    runs = [{**run, "cases": [case for case in run["cases"] if case in left]} for run in runs]
    earlier = [run for run in runs if run["cases"]]
    meta = {**new["meta"], "earlier": earlier} if earlier else new["meta"]
    return {"meta": meta, "rows": sorted([*kept, *new["rows"]], key=lambda row: order.index(row["case"]))}


def table(rows: Sequence[Row]) -> list[Table]:
    """A table a case: models down, metrics across, "value (low–high)"."""
    tables = []
    for case in dict.fromkeys(row.case for row in rows):
        here = [row for row in rows if row.case == case]
        metrics = list(dict.fromkeys(row.metric for row in here))
        shown = Table("model", title=case, title_justify="left")
        for metric in metrics:
            shown.add_column(metric, justify="right")
        for model in dict.fromkeys(row.model for row in here):
            cells = {row.metric: cell(row) for row in here if row.model == model}
            shown.add_row(model, *(cells.get(metric, "") for metric in metrics))
        tables.append(shown)
    return tables


def cell(row: Row) -> str:
    """A figure as tables here and in the docs show it: value (low–high)."""
    value, low, high = (_number(x) for x in (row.value, row.low, row.high))
    return value if low == high else f"{value} ({low}–{high})"


def _number(value: float) -> str:
    if 0 < abs(value) < 0.01:
        return f"{value:.3g}"
    return f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"


def peak_memory() -> float:
    """The most memory this process has held so far, in MiB (resident; imports and data included)."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 2**10


def _meta(threads: int, seeds: Sequence[int], notes: Sequence[str]) -> dict[str, Any]:
    return {
        "commit": _commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "torch": _version("torch"),
        "versions": {package: _version(package) for package in _PACKAGES},
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": threads,
        "seeds": list(seeds),
        "notes": list(notes),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """The commit of this repository; "+changes" where the files differ from it; "unknown" outside of git."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(RESULTS.parent), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        return done.stdout.strip()

    try:
        commit, changed = git("rev-parse", "HEAD"), git("status", "--porcelain", "--", "..", ":!results")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return commit + ("+changes" if changed else "")
