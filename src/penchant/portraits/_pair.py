"""A user's point and an item's row: the pair that is explained, and how it answers when the row is changed."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Float64

from penchant.errors import ConfigError
from penchant.portraits._distances import distances_to
from penchant.spaces import BaseSpace
from penchant.tables import SideEncoder

__all__ = ["Pair", "distances_from"]

_AT_ONCE = 4096
"""Rows encoded at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A user's point, an item's row, and the model as functions. Liked means a distance of at most ``threshold``.

    Raises:
        SpaceError: a point of another dimension. ConfigError: a threshold that is no positive number.
        DataError: training rows without a field's column.
    """

    row: Mapping[str, Any]
    """The item's values by column. A field that is left out is missing; what is no field does not count."""
    encoder: SideEncoder
    """The item's fields."""
    frame: pl.DataFrame
    """Training rows of the items: how frequent each value is."""
    encode: Callable[[Sequence[Mapping[str, Any]]], Float[np.ndarray, "n k"]]
    """Rows, as dictionaries with every field, to their points: the model itself."""
    centre: Float[np.ndarray, " k"]
    """The user's point."""
    space: BaseSpace
    """Where the points lie."""
    threshold: float
    """Base distance up to which a pair counts as liked."""
    probability: Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, " n"]]
    """Base distances to P(liked)."""

    def __post_init__(self) -> None:
        self.space.check_dim(torch.as_tensor(self.centre))
        self.encoder.encode(self.frame.head(0))  # says which columns are not there
        if not 0 < self.threshold < math.inf:
            raise ConfigError(f"threshold = {self.threshold}: a distance above 0 expected")

    def points(self, rows: Sequence[Mapping[str, Any]]) -> Float64[np.ndarray, "n k"]:
        """The point of each row, a few thousand encoded at a time."""
        parts = [self.encode(rows[start : start + _AT_ONCE]) for start in range(0, len(rows), _AT_ONCE)]
        return np.concatenate([np.zeros((0, self.space.dim)), *parts]).astype(np.float64)

    def distances(self, rows: Sequence[Mapping[str, Any]]) -> Float64[np.ndarray, " n"]:
        """Base distance of each row to the user."""
        return distances_from(self.centre, self.points(rows), self.space)


def distances_from(
    point: Float[np.ndarray, " k"], points: Float[np.ndarray, "n k"], space: BaseSpace
) -> Float64[np.ndarray, " n"]:
    """Base distance of one point to each of several, in double precision."""
    return distances_to(space, points.astype(np.float64), point.astype(np.float64))
