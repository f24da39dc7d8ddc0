"""How many rows a second does training go through, beside torch-rechub's DeepFM?

Writes ``results/training_speed.json``.

One run, one machine, the same rows, batch size and threads; rounds take turns, so that other work on the
machine disturbs all alike. penchant is timed inside `Penchant.fit` with the default preset, from the training
loop's start to its end. DeepFM twice: fed with ready tensor batches (an index per batch, nothing collated),
and through torch-rechub's own DataGenerator. It has vectors of 16, which is faster than the size it is tuned
to for label prediction.

    python benchmarks/training_speed.py
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from _movielens import prepared
from _peers import Setting, build, calibrated, inputs, train_neural
from _results import RESULTS, Row, median_over, over, peak_memory, write
from _settings import setting
from torch import Tensor, nn
from torch_rechub.utils.data import DataGenerator

from penchant import Penchant
from penchant.evaluation import auc

CASE = "AutoInt-100K ids"
BATCH = 1024
FAST = Setting(embed_dim=16, bins=50)
"""DeepFM as it is timed: torch-rechub's own defaults otherwise."""
LOADED_BATCHES = 12
"""Batches a round through torch-rechub's loader, which is too slow for whole epochs."""
FEWEST = 3
"""Rounds below which a median says little."""

PENCHANT, READY, LOADED = "penchant", "DeepFM", "DeepFM with its loader"


class _Clock:
    """A `penchant` progress that takes the time of the training loop."""

    def __init__(self) -> None:
        self.began = self.seconds = 0.0

    def start(self, total: int, title: str) -> None:
        self.began = time.perf_counter()

    def step(self, n: int = 1, **figures: float) -> None:
        pass

    def finish(self) -> None:
        self.seconds = time.perf_counter() - self.began


def penchant_speed(seed: int) -> float:
    """Rows a second of one epoch of the default preset."""
    dealt, _ = prepared(CASE)
    clock = _Clock()
    model = Penchant.preset("default", rng=seed, epochs=1, batch_size=BATCH, device="cpu")
    model.fit(dealt.train, progress=clock)
    return len(dealt.train) / clock.seconds


def _deepfm(seed: int) -> tuple[dict[str, np.ndarray], nn.Module, torch.optim.Optimizer]:
    _, data = prepared(CASE)
    torch.manual_seed(seed)
    columns = inputs(data, FAST.bins)
    module = build("DeepFM", columns, data, FAST).train()
    optimiser = torch.optim.Adam(module.parameters(), lr=FAST.learning_rate, weight_decay=FAST.weight_decay)
    return columns, module, optimiser


def _step(module: nn.Module, optimiser: torch.optim.Optimizer, x: dict[str, Tensor], y: Tensor) -> None:
    loss = nn.functional.binary_cross_entropy(module(x), y)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def ready_speed(seed: int) -> float:
    """Rows a second of one epoch of DeepFM on ready tensors."""
    columns, module, optimiser = _deepfm(seed)
    _, data = prepared(CASE)
    n = data.ends[0]
    tensors = {name: torch.tensor(codes[:n]) for name, codes in columns.items()}
    label = torch.tensor(data.label[:n])
    order = torch.Generator().manual_seed(seed)
    began = time.perf_counter()
    for rows in torch.randperm(n, generator=order).split(BATCH):
        _step(module, optimiser, {name: codes[rows] for name, codes in tensors.items()}, label[rows])
    return n / (time.perf_counter() - began)


def loaded_speed(seed: int) -> float:
    """Rows a second of some batches of DeepFM through torch-rechub's loader."""
    columns, module, optimiser = _deepfm(seed)
    _, data = prepared(CASE)
    train, valid, test = ({name: codes[rows] for name, codes in columns.items()} for rows in data.parts)
    labels = [data.label[rows] for rows in data.parts]
    loader, _, _ = DataGenerator(train, labels[0]).generate_dataloader(
        x_val=valid, y_val=labels[1], x_test=test, y_test=labels[2], batch_size=BATCH
    )
    seen, began = 0, time.perf_counter()
    for x, y in loader:
        _step(module, optimiser, x, y.float())
        seen += len(y)
        if seen >= LOADED_BATCHES * BATCH:
            break
    return seen / (time.perf_counter() - began)


SPEEDS: dict[str, Callable[[int], float]] = {
    PENCHANT: penchant_speed,
    READY: ready_speed,
    LOADED: loaded_speed,
}


def rounds(n: int) -> list[dict[str, float]]:
    """Rows a second of each model, ``n`` rounds in turns after one that does not count."""
    found = [{model: speed(number) for model, speed in SPEEDS.items()} for number in range(n + 1)]
    return found[1:]


def penchant_auc(seed: int) -> float:
    """Test AUC of the default preset, trained to its end."""
    dealt, _ = prepared(CASE)
    model = Penchant.preset("default", rng=seed, batch_size=BATCH, device="cpu").fit(dealt.train, dealt.valid)
    return model.score(dealt.test)


def deepfm_auc(chosen: Setting, seed: int) -> float:
    """Test AUC of DeepFM, trained to its end."""
    _, data = prepared(CASE)
    label = data.label.astype(np.float64)
    _, valid, test = data.parts
    said = calibrated(train_neural("DeepFM", data, chosen, seed=seed, batch_size=BATCH), label[valid])
    return auc(label[test], said.test)


def memory(model: str, threads: int) -> float:
    """Peak memory of a process that trains ``model`` as one round does, imports and data included."""
    command = [sys.executable, str(Path(__file__).resolve()), "--memory-of", model, "--threads", str(threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Read the options, measure, write the results."""
    options = _options()
    torch.set_num_threads(options.threads)
    if options.memory_of:
        SPEEDS[options.memory_of](0)
        print(json.dumps(peak_memory()))
        return
    measured = rounds(options.rounds)
    rows = _speed_rows(measured) + _auc_rows(options.seeds)
    for model in SPEEDS:
        rows += over(CASE, model, [{"peak memory MiB": memory(model, options.threads)}])
    notes = _notes(options.rounds)
    path = write(
        "training_speed",
        rows,
        threads=options.threads,
        seeds=options.seeds,
        notes=notes,
        folder=options.results,
    )
    print(f"written: {path}")


def _speed_rows(measured: list[dict[str, float]]) -> list[Row]:
    rivals = (READY, LOADED)
    ratios = [{f"speed over {rival}": one[PENCHANT] / one[rival] for rival in rivals} for one in measured]
    rows = median_over(CASE, PENCHANT, ratios)
    for model in SPEEDS:
        rows += median_over(CASE, model, [{"rows/s": one[model]} for one in measured])
    return rows


def _auc_rows(seeds: list[int]) -> list[Row]:
    tuned = setting("DeepFM", "ids")
    aucs: dict[str, Callable[[int], float]] = {
        PENCHANT: penchant_auc,
        READY: lambda seed: deepfm_auc(FAST, seed),
        "DeepFM tuned": lambda seed: deepfm_auc(tuned, seed),
    }
    rows: list[Row] = []
    for model, measure in aucs.items():
        rows += over(CASE, model, [{"auc": measure(seed)} for seed in seeds])
    return rows


def _notes(n: int) -> list[str]:
    return [
        f"Speeds: median, least and most over {n} rounds in turns; a ratio is of one round.",
        f"A round: one epoch, through torch-rechub's loader {LOADED_BATCHES} batches of {BATCH}; no validation.",
        "penchant is timed inside Penchant.fit (default preset), from the training loop's start to its end.",
        "DeepFM: vectors of 16, its own Adam; 'DeepFM tuned' is the slower one of label_prediction, not timed.",
        "AUC on the test rows: mean, least and most over seeds.",
        "Peak memory: resident, of a process that trains one round; the same imports and data in each.",
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=7, help="timed rounds of each model")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the AUC")
    parser.add_argument("--threads", type=int, default=1, help="of every model")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the result")
    parser.add_argument("--memory-of", choices=list(SPEEDS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rounds < FEWEST:
        parser.error(f"--rounds: at least {FEWEST}")
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    return options


if __name__ == "__main__":
    main()
