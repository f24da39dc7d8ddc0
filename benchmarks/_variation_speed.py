"""``variations.py --cases speed``: an epoch of each variation against one of the default, in rounds that take turns."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from _movielens import prepared
from _results import Row, median_over
from _variation_settings import MODELS

from penchant import EncoderOptions, Field, Penchant, Tables

__all__ = ["CASE", "SEQUENCES", "rows_of_speed"]

CASE = "speed"
SEQUENCES: dict[str, Callable[[], Penchant]] = {
    kind: lambda kind=kind: Penchant(encoder=EncoderOptions(kind=kind), batch_by="user")
    for kind in ("gru", "lstm", "attention")
}
"""Encoders that go through the users' histories, which the others do not: for them the ratio is told, not held."""
_REFERENCE = "point"


class _Clock:
    """A progress that takes the processor's time of the training loop."""

    def __init__(self) -> None:
        self.began = self.seconds = 0.0

    def start(self, total: int, title: str) -> None:
        self.began = time.process_time()

    def step(self, n: int = 1, **figures: float) -> None:
        pass

    def finish(self) -> None:
        self.seconds = time.process_time() - self.began


@cache
def _tables(n: int | None) -> tuple[Tables, Tables]:
    """The first training rows of AutoInt-100K with ids, without and with histories."""
    train = prepared("AutoInt-100K ids")[0].train
    train = train if n is None else train.with_interactions(train.interactions.head(n))
    schema = train.schema
    past = Field(name="past", side="user", kind="history")
    return train, Tables(replace(schema, fields=(past, *schema.fields)), train.users, train.items, train.interactions)


def _seconds(make: Callable[[], Penchant], tables: Tables) -> float:
    clock = _Clock()
    make().set_params(epochs=1, device="cpu").fit(tables, progress=clock)
    return clock.seconds


def rows_of_speed(names: Sequence[str], rounds: int = 3, n: int | None = None) -> list[Row]:
    """Median, least and most over rounds of each model's processor time an epoch, by that of `point` in the same round.

    Arguments:
        names: of `MODELS`; sequence encoders are always measured.
        n: so many training rows; None: all.
    """
    plain, with_past = _tables(n)
    makes = {name: (MODELS[name], plain) for name in names} | {
        name: (make, with_past) for name, make in SEQUENCES.items()
    }
    _seconds(MODELS[_REFERENCE], plain)  # what is made once is made
    found: dict[str, list[dict[str, float]]] = {name: [] for name in makes}
    for _ in range(rounds):
        first = _seconds(MODELS[_REFERENCE], plain)
        for name, (make, tables) in makes.items():
            taken = first if name == _REFERENCE else _seconds(make, tables)
            found[name].append({"epoch ratio": taken / first, "s an epoch": taken})
    for name, runs in found.items():
        print(CASE, name, f"{statistics.median(run['epoch ratio'] for run in runs):.2f}", flush=True)
    return [row for name, runs in found.items() for row in median_over(CASE, name, runs)]
