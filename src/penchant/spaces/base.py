"""What every space keeps."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant.errors import ConfigError, SpaceError

__all__ = ["BaseSpace"]


@dataclass(frozen=True, kw_only=True)
class BaseSpace(ABC):
    """A bounded box of R^k with a distance on it."""

    is_metric: ClassVar[bool]
    """Do the four axioms hold? What needs the triangle inequality refuses spaces without it."""

    dim: int = 32
    """Axes k."""
    cap: float | Literal["auto"] | None = "auto"
    """The uniform metric's a: distances above it count as it. "auto": threshold + margin, settled after training, none until
    then. None: no cap."""
    box: Literal["tanh", "sigmoid"] = "tanh"
    """What bounds a point: tanh gives M = [-1, 1]^k, sigmoid [0, 1]^k. A ReLU bounds nothing and is refused."""

    def __post_init__(self) -> None:
        if int(self.dim) != self.dim or self.dim < 1:
            raise ConfigError(f"space.dim = {self.dim}: a whole number >= 1 expected")
        if self.box not in ("tanh", "sigmoid"):
            why = " (a ReLU leaves the space unbounded: nothing could be read back)" if self.box == "relu" else ""
            raise ConfigError(f"space.box = {self.box!r}: 'tanh' or 'sigmoid' expected{why}")
        if self.cap is not None and self.cap != "auto" and not (isinstance(self.cap, float | int) and self.cap > 0):
            raise ConfigError(f"space.cap = {self.cap!r}: a distance above 0, 'auto' or None expected")

    @property
    def low(self) -> float:
        """The box's lower edge on every axis."""
        return -1.0 if self.box == "tanh" else 0.0

    @property
    def high(self) -> float:
        """The box's upper edge on every axis."""
        return 1.0

    @property
    @abstractmethod
    def diameter(self) -> float:
        """The largest base distance between two points of the box."""

    def bound(self, x: Float[Tensor, "*n k"]) -> Float[Tensor, "*n k"]:
        """Any vectors into the box: the only place where an embedding is made bounded."""
        return torch.tanh(x) if self.box == "tanh" else torch.sigmoid(x)

    @abstractmethod
    def base_distance(self, x: Float[Tensor, "*n k"], y: Float[Tensor, "*n k"]) -> Float[Tensor, "*n"]:
        """Distance without the cap, row by row."""

    @abstractmethod
    def cross(self, x: Float[Tensor, "n k"], y: Float[Tensor, "m k"]) -> Float[Tensor, "n m"]:
        """Distance without the cap of every x to every y."""

    @abstractmethod
    def topk(
        self,
        queries: Float[Tensor, "q k"],
        points: Float[Tensor, "m k"],
        n: int,
        *,
        exclude: Sequence[Int[Tensor, " e"]] | None = None,
        chunk: int = 1 << 22,
    ) -> tuple[Float[Tensor, "q n"], Int[Tensor, "q n"]]:
        """The n nearest points of each query, the nearest first; see `penchant.spaces.uniform`."""

    def distance(self, x: Float[Tensor, "*n k"], y: Float[Tensor, "*n k"]) -> Float[Tensor, "*n"]:
        """min(a, d), row by row; an "auto" that is not settled yet counts as no cap."""
        return self.capped(self.base_distance(x, y))

    def cross_distance(self, x: Float[Tensor, "n k"], y: Float[Tensor, "m k"]) -> Float[Tensor, "n m"]:
        """min(a, d) of every x to every y."""
        return self.capped(self.cross(x, y))

    def capped(self, distance: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        """Cut distances at the cap."""
        return distance if self.cap is None or self.cap == "auto" else distance.clamp(max=float(self.cap))

    def check_dim(self, *points: Float[Tensor, "*n k"]) -> None:
        """Refuse points of another dimension.

        Raises:
            SpaceError: naming both dimensions.
        """
        for x in points:
            if x.shape[-1] != self.dim:
                raise SpaceError(f"points of {x.shape[-1]} axes in a space of {self.dim}")


def as_norm(norm: float | str) -> float:
    """A norm r ≥ 1, infinity included (also as ``"inf"``).

    Raises:
        ConfigError: below 1, or no number.
    """
    try:
        value = float(norm)
    except (TypeError, ValueError):
        value = math.nan
    if not value >= 1:
        raise ConfigError(f"space.norm = {norm!r}: a number >= 1 or inf expected (below 1 the triangle inequality fails)")
    return value
