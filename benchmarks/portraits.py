"""How true are portraits, and how far can what is proved be trusted? Writes ``results/portraits.json``.

Cases: six data sets (`_portrait_data.py`), each with what penchant says, its variants (`_portrait_variants.py`) and
plainer ways to a portrait (`_portrait_peers.py`), held against held-out likes, or against the truth where it is known;
``certificates`` (`_portrait_proofs.py`), ``explain`` (`_portrait_explained.py`) and ``sensitivity``
(`_portrait_grid.py`, which also draws docs/pictures/portrait_sensitivity.svg).

    python benchmarks/portraits.py
    python benchmarks/portraits.py --cases coat certificates --seeds 0 --merge --results folder
"""

import argparse
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import torch
from _portrait_cases import run
from _portrait_data import CASES, COAT
from _portrait_explained import largest_difference
from _portrait_grid import DELTAS, DIMS, cell, picture
from _portrait_proofs import decisions, decoder_proofs
from _results import RESULTS, over, write

from penchant.storage import write_atomic

__all__ = ["MORE", "main", "measured"]

MORE = ("certificates", "explain", "sensitivity")
"""Cases beside those of `_portrait_data.CASES`."""
PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "portrait_sensitivity.svg"
POINTS = 5_000_000
"""Sampled for the decoder's ranges, and as many items for the encoder's decisions."""
_NOTES = (
    "value, low, high: mean, least and most over seeds; certificates, explain and sensitivity: the first seed alone.",
    "correlation, squared_error, top3: means over test users of the portrait's lift against the truth's.",
    "Peers are tuned on validation likes; penchant has one configuration for all cases (_portrait_models.py).",
    "recall_*, coverage_*: what was promised 80, 90 and 95 times in a hundred, as measured on other users' likes.",
    "ratio: proved over found width at the radius where the found shares are .25 wide; one core; ms: medians.",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the cases asked for, print their tables, write the file."""
    options = _options(arguments)
    torch.set_num_threads(1)
    cases, missing = _there(options.cases)
    first = [(case, options.seeds[:1]) for case in cases if case in MORE]
    jobs = first + [(case, [seed]) for case in cases if case not in MORE for seed in options.seeds]
    found: dict[str, list[dict[str, dict[str, float]]]] = {case: [] for case in cases}
    for (case, _), figures in zip(jobs, _each(jobs, options), strict=True):
        found[case].append(figures)
    rows = [
        row
        for case, runs in found.items()
        for model in runs[0]
        for row in over(case, model, [one[model] for one in runs])
    ]
    left = [] if options.merge else [case for case in (*CASES, *MORE) if case not in cases]
    notes = [*_NOTES, *missing, *([f"Not run this time: {', '.join(left)}."] if left else [])]
    write("portraits", rows, threads=1, seeds=options.seeds, notes=notes, folder=options.results, merge=options.merge)


def _there(cases: Sequence[str]) -> tuple[list[str], list[str]]:
    """The cases whose data are there, asked before the work and not after it, and what is missing."""
    if "coat" not in cases or COAT.is_dir():
        return list(cases), []
    return [case for case in cases if case != "coat"], ["coat was not measured: its folder is not there."]


def _each(jobs: Sequence[tuple[str, list[int]]], options: argparse.Namespace) -> Iterator[dict[str, dict[str, float]]]:
    """The figures of each job, in order; with several processes at a time, each on one thread."""
    ask = partial(_timed, quick=options.quick, picture_to=options.picture)
    if options.processes == 1:
        yield from map(ask, jobs)
        return
    with ProcessPoolExecutor(options.processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(ask, jobs)


def _timed(job: tuple[str, list[int]], *, quick: bool, picture_to: Path) -> dict[str, dict[str, float]]:
    torch.set_num_threads(1)
    case, (seed,) = job
    began = time.perf_counter()
    found = measured(case, seed, quick=quick, picture_to=picture_to)
    print(f"{case}, seed {seed}: {time.perf_counter() - began:.0f} s", flush=True)
    return found


def measured(case: str, seed: int, *, quick: bool = False, picture_to: Path = PICTURE) -> dict[str, dict[str, float]]:
    """Model to metric to value, of one case with one seed."""
    if case == "certificates":
        points = 20_000 if quick else POINTS
        proofs = decoder_proofs(seed, points=points, users=50 if quick else 1000, steps=50 if quick else 1500)
        decided = decisions(seed, quick=quick, questions=40 if quick else 2000, points=points)
        violations = {"violations": proofs.pop("violations") + decided.pop("violations of items")}
        return {"penchant": violations | proofs | decided}
    if case == "explain":
        return {"penchant": largest_difference(seed, quick=quick, pairs=10 if quick else 1000)}
    if case == "sensitivity":
        grid = [(delta, dim) for dim in (DIMS[:1] if quick else DIMS) for delta in (DELTAS[:2] if quick else DELTAS)]
        figures = {at: cell(*at, seed, quick) for at in grid}
        picture_to.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(picture_to, picture(figures).encode())
        return {f"δ = {d:g}, k = {k}": found for (d, k), found in figures.items()}
    return run(case, seed, quick)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    cases = [*CASES, *MORE]
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="one training each")
    parser.add_argument("--cases", nargs="+", choices=cases, default=cases, metavar="CASE", help=", ".join(cases))
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="folder of the result")
    parser.add_argument("--merge", action="store_true", help="keep the other cases of the result that is there")
    parser.add_argument("--picture", type=Path, default=PICTURE, metavar="FILE", help="of the case sensitivity")
    parser.add_argument("--processes", type=int, default=1, help="cases at a time; times are best told alone")
    parser.add_argument("--quick", action="store_true", help="tiny tables: a test of the script, no measurement")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
