"""A decision that is to be turned: changed rows are put to the model, and it is told how near they come."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from penchant.portraits._changes import Change
from penchant.portraits._pair import Pair

__all__ = ["SLACK", "Bound", "Combo", "Question"]

SLACK = 1e-6
"""By how much a flip is beyond the threshold: a point differs in its last digits between one row and many."""

Bound = Callable[[Sequence[str]], tuple[float, float]]
"""Columns to a proved lower and upper bound of the item's base distance, whatever these fields are within their ranges
while the others stay."""

Combo = tuple[Change, ...]
"""Changes made together, no two of one slot."""


@dataclass(slots=True)
class Question:
    """Whether a changed item is liked where it was not, or the other way round."""

    pair: Pair
    row: Mapping[str, Any]
    """The item's values in the form of changed rows."""
    liked: bool
    """The decision to turn."""
    nearest: float
    """The distance nearest to the other side of the threshold so far."""
    evaluations: int = 0
    """Rows that the model was asked about."""

    def ask(self, combos: Sequence[Combo]) -> Float64[np.ndarray, " n"]:
        """The distance after each set of changes."""
        distance = self.pair.distances([self.changed(combo) for combo in combos])
        self.evaluations += len(combos)
        reached = np.append(distance, self.nearest)
        self.nearest = float(reached[self.gap(reached).argmin()])
        return distance

    def changed(self, changes: Iterable[Change]) -> dict[str, Any]:
        """The row with all changes."""
        row = dict(self.row)
        for change in changes:
            row = change.apply(row)
        return row

    def gap(self, distance: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """How far distances are from the other side of the threshold; negative beyond it."""
        gap = distance - self.pair.threshold
        return -gap if self.liked else gap

    def flips(self, distance: Float64[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """Which distances turn the decision."""
        return self.gap(distance) <= -SLACK

    def excluded(self, bound: Bound | None, fields: Sequence[str]) -> bool:
        """Whether it is proved that these fields alone cannot turn the decision."""
        if bound is None:
            return False
        low, high = bound(fields)
        return high <= self.pair.threshold if self.liked else low > self.pair.threshold
