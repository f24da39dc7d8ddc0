"""Which model tells best whether a user likes an item? Writes ``results/label_prediction.json``.

Cases: AutoInt-100K with the fields alone and with ids; with ``--ml-1m FOLDER`` ML-1M likewise. Models:
penchant, its variants, and peers tuned on the validation rows (`_settings.py`), all on the same rows and the
same seeds. Metrics on the test rows: auc, logloss; every model keeps its best epoch by validation AUC and is
calibrated on the validation rows.

    python benchmarks/label_prediction.py
    python benchmarks/label_prediction.py --models penchant DeepFM --cases "AutoInt-100K ids" --seeds 0
    python benchmarks/label_prediction.py --tune --models FM
"""

import argparse
import itertools
import math
import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from _movielens import CASES_1M, CASES_100K, Split, prepared
from _peers import NEURAL, Prediction, calibrated, train_neural
from _results import RESULTS, Row, over, write
from _settings import setting, tree_setting
from _trees import train_trees
from _tuning import tune_neural, tune_trees

from penchant import Penchant, Space
from penchant.evaluation import auc, logloss

T = TypeVar("T")

TREES = "boosted trees"
PEERS = (*NEURAL, TREES)
NORMS: dict[str, float] = {"penchant norm 2": 2.0, "penchant norm 4": 4.0, "penchant norm inf": math.inf}


def ours() -> dict[str, Callable[[], Penchant]]:
    """Configurations of penchant by the name in the results; the default's own norm is "penchant" itself."""
    default = Penchant.preset("default")
    found: dict[str, Callable[[], Penchant]] = {
        "penchant": lambda: Penchant.preset("default"),
        "penchant seed": lambda: Penchant.preset("seed"),
        "penchant seed sup norm": lambda: _with_norm("seed", math.inf),
        "penchant printed neck": lambda: Penchant.preset("default", loss=replace(default.loss, neck="literal")),
    }
    for name, norm in NORMS.items():
        if not (isinstance(default.space, Space) and default.space.norm == norm):
            found[name] = lambda norm=norm: _with_norm("default", norm)
    return found


def _with_norm(preset: str, norm: float) -> Penchant:
    model = Penchant.preset(preset)
    return model.set_params(space=replace(model.space, norm=norm))


@dataclass(frozen=True, slots=True)
class Task:
    """One training."""

    case: str
    model: str
    seed: int
    ml_1m: Path | None

    @property
    def variant(self) -> str:
        """fields or ids."""
        return self.case.rsplit(" ", 1)[1]

    @property
    def batch_size(self) -> int:
        """The same for every model."""
        return 4096 if self.case in CASES_1M else 1024


def run(task: Task) -> dict[str, float]:
    """Train one model on one case with one seed; its figures on the test rows."""
    dealt, data = prepared(task.case, task.ml_1m)
    label = data.label.astype(np.float64)
    _, valid, test = data.parts
    if task.model not in PEERS:
        probability = _run_penchant(task, dealt)
    else:
        probability = calibrated(_run_peer(task), label[valid]).test
    return {"auc": auc(label[test], probability), "logloss": logloss(label[test], probability)}


def _run_penchant(task: Task, dealt: Split) -> np.ndarray:
    model = ours()[task.model]().set_params(rng=task.seed, batch_size=task.batch_size, device="cpu")
    with warnings.catch_warnings():
        if model.loss.neck == "literal":
            warnings.simplefilter("ignore")  # it says that this neck is for the record only: so it is here
        model.fit(dealt.train, dealt.valid)
    return model.predict_proba(dealt.test)["probability"].to_numpy().astype(np.float64)


def _run_peer(task: Task) -> Prediction:
    _, data = prepared(task.case, task.ml_1m)
    if task.model == TREES:
        return train_trees(data, tree_setting(task.variant), seed=task.seed)
    chosen = setting(task.model, task.variant)
    if task.case in CASES_1M:  # four times the batch, twice the rate, as penchant's recipe for ML-1M
        chosen = replace(chosen, learning_rate=2 * chosen.learning_rate)
    return train_neural(task.model, data, chosen, seed=task.seed, batch_size=task.batch_size)


def run_tuning(task: Task) -> list[str]:
    """Run a peer's grid; a line for every setting that was tried, the chosen one last."""
    _, data = prepared(task.case, task.ml_1m)
    found = tune_trees(data) if task.model == TREES else tune_neural(task.model, data)
    return [f"{task.case}, {task.model}: validation AUC {figure:.4f} with {tried}" for tried, figure in found]


def _limit_threads(threads: int) -> None:
    torch.set_num_threads(threads)


def in_processes(
    work: Callable[[Task], T], tasks: list[Task], processes: int, threads: int
) -> Iterator[tuple[Task, T]]:
    """Results as they come; a process has its own threads, so their number changes no figure."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_limit_threads, initargs=(threads,)) as pool:
        asked = {pool.submit(work, task): task for task in tasks}
        for future in as_completed(asked):
            yield asked[future], future.result()


def main() -> None:
    """Read the options, train everything, write the results."""
    options = _options()
    if options.tune:
        tasks = [Task(c, m, 0, options.ml_1m) for m in options.models if m in PEERS for c in options.cases]
        for _, lines in in_processes(run_tuning, tasks, options.processes, options.threads):
            print("\n".join(lines), flush=True)
        return
    found = _train_all(options)
    rows: list[Row] = []
    for case in options.cases:
        for model in options.models:
            runs = [found[Task(case, model, seed, options.ml_1m)] for seed in options.seeds]
            rows += over(case, model, runs)
    path = write(
        "label_prediction",
        rows,
        threads=options.threads,
        seeds=options.seeds,
        notes=_notes(options),
        folder=options.results,
    )
    print(f"written: {path}")


def _train_all(options: argparse.Namespace) -> dict[Task, dict[str, float]]:
    parts = itertools.product(_slow_first(options.models), options.cases, options.seeds)
    tasks = [Task(case, model, seed, options.ml_1m) for model, case, seed in parts]
    found: dict[Task, dict[str, float]] = {}
    began = time.monotonic()
    for task, figures in in_processes(run, tasks, options.processes, options.threads):
        found[task] = figures
        shown = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
        done = f"{time.monotonic() - began:4.0f} s, {len(found)}/{len(tasks)}"
        print(f"[{done}] {task.case}, {task.model}, seed {task.seed}: {shown}", file=sys.stderr, flush=True)
    return found


def _slow_first(models: list[str]) -> list[str]:
    """An order in which no process is left alone with a long training at the end."""
    return sorted(
        models,
        key=lambda model: model not in ("AutoInt", "penchant printed neck", "penchant", "DCN", "DeepFM"),
    )


def _notes(options: argparse.Namespace) -> list[str]:
    notes = [
        "value, low, high: mean, least and most over seeds; the split is the protocol's and always the same.",
        "Every model keeps its best epoch by validation AUC and is calibrated on the validation rows.",
        "Peers: torch-rechub's models (FM: its DeepFM without the deep part) and scikit-learn's trees, tuned on",
        "the validation rows (benchmarks/_settings.py), penchant's running average of weights included.",
        "The preset seed takes the scaled features alone, as in the disclosure: zip and ids are nothing to it.",
        "penchant printed neck: the default with the neck as printed (the literal hinge).",
    ]
    if left := [model for model in (*ours(), *PEERS) if model not in options.models]:
        notes.append(f"Not run this time: {', '.join(left)}.")
    if options.ml_1m is None:
        notes.append("ML-1M was not measured: its folder was not given (--ml-1m).")
    return notes


def _options() -> argparse.Namespace:
    models = [*ours(), *PEERS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="one training each")
    parser.add_argument("--models", nargs="+", choices=models, default=models, metavar="MODEL", help=", ".join(models))
    parser.add_argument(
        "--cases",
        nargs="+",
        choices=[*CASES_100K, *CASES_1M],
        metavar="CASE",
        help="default: all there is data for",
    )
    parser.add_argument(
        "--ml-1m", type=Path, metavar="FOLDER", help="with ratings.dat, users.dat and movies.dat of ML-1M"
    )
    parser.add_argument("--threads", type=int, default=1, help="of one training")
    parser.add_argument("--processes", type=int, help="trainings at a time; default: cores / threads")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="folder of the result")
    parser.add_argument("--tune", action="store_true", help="run the peers' grids instead; writes nothing")
    options = parser.parse_args()
    if options.cases is None:
        options.cases = [*CASES_100K, *(CASES_1M if options.ml_1m else ())]
    if options.ml_1m is None and any(case in CASES_1M for case in options.cases):
        parser.error("ML-1M needs its folder: --ml-1m FOLDER")
    if options.processes is None:
        options.processes = max(1, (os.cpu_count() or 1) // options.threads)
    return options


if __name__ == "__main__":
    main()
