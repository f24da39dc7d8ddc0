"""What comes next? Users as sequences of events, beside SASRec and GRU4Rec. Writes ``results/sequences.json``.

Case ``ml-100k last-out`` (`_sequence_data.py`): each user's last rating is to be found among all films not rated
before; the last but one stops the training and chose the settings. Metrics: hr@10, ndcg@10, means over 943 users, and
seconds of training. p: of penchant against each, users paired, by ndcg@10 (first seed).

    python benchmarks/sequences.py
    python benchmarks/sequences.py --models penchant EASE --seeds 0 --results folder
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _results import RESULTS, Row, over, write
from _sequence_data import LastOut, by_user, last_out
from _sequence_peers import GRU4Rec, SASRec, SequencePeer

from penchant import Penchant, Recommender
from penchant.baselines import EASE, ItemKNN, Popular
from penchant.evaluation import compare_paired

__all__ = ["CASE", "MODELS", "fitted", "main"]

CASE = "ml-100k last-out"
OURS = "penchant"
_JUDGED = "ndcg@10"
MODELS: dict[str, Callable[[], Any]] = {
    OURS: lambda: Penchant.preset("sequential"),
    "penchant gru": lambda: Penchant.preset("sequential", encoder__kind="gru"),
    "penchant lstm": lambda: Penchant.preset("sequential", encoder__kind="lstm"),
    "penchant bag": lambda: Penchant.preset("ranking"),
    "SASRec": SASRec,
    "SASRec softmax": lambda: SASRec(softmax=True),
    "GRU4Rec": GRU4Rec,
    "EASE": EASE,
    "ItemKNN": ItemKNN,
    "popularity": Popular,
}
"""By name. Settings were chosen by some three runs each on the validation events (`_sequence_peers.py`)."""
_NOTES = (
    "value, low, high: mean, least and most over seeds; those without randomness are run once.",
    "Every model is told all events of a user but the one to be found; trained on all but the last two of each.",
    "p: two-sided, by flipping signs of users' differences in ndcg@10, first seed.",
)
_SURE = ("EASE", "ItemKNN", "popularity")


def fitted(model: Any, data: LastOut, seed: int) -> Recommender:
    """Trained on the data, with the seed where it takes one."""
    if hasattr(model, "rng"):
        model.rng = seed
    if isinstance(model, SequencePeer):
        return model.learn(data)
    return model.fit(data.train, data.valid) if isinstance(model, Penchant) else model.fit(data.train)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, write the file."""
    options = _options(arguments)
    torch.set_num_threads(1)
    data, rows, gains = last_out(), [], {}
    for name in options.models:
        runs: list[Mapping[str, float]] = []
        for seed in options.seeds[: 1 if name in _SURE else None]:
            began = time.perf_counter()
            model = fitted(MODELS[name](), data, seed)
            seconds = time.perf_counter() - began
            found = by_user(model, data, test=True)
            gains.setdefault(name, found[_JUDGED])
            runs.append({**{metric: float(values.mean()) for metric, values in found.items()}, "seconds": seconds})
            print(f"{name}, seed {seed}: {runs[-1]}", flush=True)
        rows += over(CASE, name, runs)  # written each time: a long run that breaks keeps what it has
        every = [*rows, *_significance(gains)]
        write("sequences", every, threads=1, seeds=options.seeds, notes=_NOTES, folder=options.results)


def _significance(gains: Mapping[str, np.ndarray]) -> list[Row]:
    """Penchant against each other model."""
    if OURS not in gains:
        return []
    return [
        row
        for name, values in gains.items()
        if name != OURS
        for row in over(CASE, name, [{"p": compare_paired(gains[OURS], values).p_value}])
    ]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="one training each")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS), metavar="MODEL")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="folder of the result")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
