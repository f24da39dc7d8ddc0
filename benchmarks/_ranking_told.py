"""Peers that know users by their training rows only, asked about users held out whole.

What is given of the users of validation and test joins their training rows. They see more than the others, who are told
of these likes only when they are asked; nothing that is to be found is in it.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import polars as pl

from penchant import Tables
from penchant.evaluation import Report, StrongGeneralisation, Task

__all__ = ["Told", "both", "told"]


def told(task: Task) -> Task:
    """A task with what is given among the training rows, and nothing given any more."""
    if task.given is None:
        return task
    rows = pl.concat([task.train.interactions, task.given.interactions])
    return replace(task, train=task.train.with_interactions(rows), given=None)


@dataclass(frozen=True, kw_only=True)
class Told(StrongGeneralisation):
    """`StrongGeneralisation` for models that cannot fold a past in: the same pairs are to be found."""

    says: ClassVar[str] = "likes of users whose other likes are learned from"

    def task(self, tables: Tables, fold: int = 0, *, rng: int = 0) -> Task:
        """One fold, see `told`."""
        return told(super().task(tables, fold, rng=rng))


def both(first: Report, second: Report) -> Report:
    """Two reports of the same folds as one; what one of them measured is no longer skipped."""
    frames = {name: pl.concat([getattr(first, name), getattr(second, name)]) for name in ("values", "users", "seconds")}
    measured = set(frames["values"]["model"])
    skipped = {name: why for name, why in {**first.skipped, **second.skipped}.items() if name not in measured}
    return replace(first, **frames, skipped=skipped)
