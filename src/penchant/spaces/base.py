"""What every space keeps."""

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant.errors import ConfigError, SpaceError
from penchant.spaces import _minkowski, _nearest
from penchant.spaces._nearest import Measure, wide
from penchant.spaces._pairs import all_pairs
from penchant.spaces.prepared import PreparedPoints

__all__ = ["BaseSpace", "as_norm"]

S = TypeVar("S", bound="BaseSpace")  # not Self, which the run-time check of types cannot resolve


@dataclass(frozen=True, kw_only=True)
class BaseSpace(ABC):
    """A bounded box of R^k with a distance on it.

    Raises: ConfigError: an option outside its range.
    """

    kind: str = ""
    """The space, by its name in `penchant.spaces.KINDS`."""
    dim: int = 64
    """Axes k."""
    cap: float | int | Literal["auto"] | None = "auto"
    """The uniform metric's a: distances above it count as it. "auto": threshold + margin, settled after
    training, none until then. None: no cap."""
    box: Literal["tanh", "sigmoid"] = "tanh"
    """What bounds a point: tanh gives M = [-1, 1]^k, sigmoid [0, 1]^k. A ReLU bounds nothing: refused."""

    def __post_init__(self) -> None:
        if self.kind != type(self).kind:
            raise ConfigError(f"space.kind = {self.kind!r}: a {type(self).__name__} is {type(self).kind!r}")
        if isinstance(self.dim, bool) or int(self.dim) != self.dim or self.dim < 1:
            raise ConfigError(f"space.dim = {self.dim}: a whole number >= 1 expected")
        box: str = self.box
        if box not in ("tanh", "sigmoid"):
            why = " (a ReLU leaves the space unbounded: nothing could be read back)" if box == "relu" else ""
            raise ConfigError(f"space.box = {box!r}: 'tanh' or 'sigmoid' expected{why}")
        cap = self.cap
        if not (cap is None or cap == "auto" or (isinstance(cap, float | int) and cap > 0)):
            why = "; for the base metric, say None" if cap == 0 else ""
            raise ConfigError(f"space.cap = {cap!r}: a distance > 0, 'auto' or None expected{why}")

    @property
    def is_metric(self) -> bool:
        """Do the four axioms hold? What needs the triangle inequality refuses spaces without it."""
        return True

    def require_metric(self, question: str) -> None:
        """Refuse a question that needs a metric.

        Raises:
            SpaceError: this is none; names the question.
        """
        if not self.is_metric:
            raise SpaceError(
                f"{question}: a metric is needed, and the distance of {self} is none: it is not the same both ways, "
                "and what is near to something near may be far"
            )

    @property
    def axes(self) -> int:
        """Axes on which a point lies; its other coordinates, where it has any, say how surely."""
        return self.dim

    def location(self, points: Float[Tensor, "*n k"]) -> Float[Tensor, "*n axes"]:
        """Where points lie: what is decoded."""
        return points

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

    @property
    def reach(self) -> float:
        """The largest base distance from the centre of the box."""
        return self.diameter / 2

    def bound(self, x: Float[Tensor, "*n k"]) -> Float[Tensor, "*n k"]:
        """Any vectors into the box: the only place where an embedding is made bounded."""
        return torch.tanh(x) if self.box == "tanh" else torch.sigmoid(x)

    @abstractmethod
    def base_distance(self, x: Float[Tensor, "*#n k"], y: Float[Tensor, "*#n k"]) -> Float[Tensor, "*n"]:
        """Distance without the cap, row by row; leading axes broadcast."""

    def cross(self, x: Float[Tensor, "n k"], y: Float[Tensor, "m k"]) -> Float[Tensor, "n m"]:
        """Distance without the cap of every x to every y: n·m·k steps, some rows at a time."""
        self.check_dim(x, y)
        return all_pairs(self.base_distance, x, y)

    @torch.no_grad()
    def topk(
        self,
        queries: Float[Tensor, "q k"],
        points: Float[Tensor, "m k"],
        n: int,
        *,
        exclude: Sequence[Int[Tensor, " _"]] | None = None,
        chunk: int = 1 << 22,
    ) -> tuple[Float[Tensor, "q _n"], Int[Tensor, "q _n"]]:
        """The n nearest points of each query, the nearest first, ties by the lower row number; exact.

        Arguments:
            n: 1 … m; where fewer are left after ``exclude``, the rest has distance inf and row -1.
            exclude: for each query, rows of ``points`` that do not count.
            chunk: entries of the distance matrix held at a time; changes no result.

        Returns:
            Base distances (q, n) from the query to the point, computed in float64, and rows (q, n). No points: (q, 0).

        Raises:
            SpaceError: points of another dimension. ConfigError: n not in 1 … m, chunk below 1, or
                ``exclude`` not one list of rows for each query.
        """
        self.check_dim(queries, points)
        measure = self._measure()
        where = self._searched(queries), self._searched(points)
        return _nearest.nearest(*where, n, measure, exclude=exclude, chunk=chunk)

    @torch.no_grad()
    def prepared(self, points: Float[Tensor, "m k"], *, probes: Float[Tensor, "p k"] | None = None) -> PreparedPoints:
        """Points that will be searched often: a second for 100,000 of them, and `topk` then looks at few.

        Arguments:
            probes: queries as they may come, by which the search is laid out; None: some of the points. They change no
                result.

        Raises:
            SpaceError: points of another dimension.
        """
        return PreparedPoints(points, self._place(points), self._measure(), self.topk, self._place, probes)

    def _place(self, points: Float[Tensor, "*n k"]) -> Float[Tensor, "*n c"]:
        """Checked points on the coordinates that are searched."""
        self.check_dim(points)
        return _minkowski.single(self._searched(points))

    def _measure(self) -> Measure:
        """How `topk` searches; where nothing faster is known, by going through all pairs in float64."""

        def rough(queries: Tensor, block: Tensor) -> tuple[Tensor, None]:
            return all_pairs(self.base_distance, wide(queries), wide(block)), None

        return Measure(rough, self.base_distance)

    def _searched(self, points: Float[Tensor, "*n k"]) -> Float[Tensor, "*n k"]:
        """The coordinates on which that goes."""
        return points

    def distance(self, x: Float[Tensor, "*#n k"], y: Float[Tensor, "*#n k"]) -> Float[Tensor, "*n"]:
        """min(a, d), row by row; an "auto" that is not settled yet counts as no cap."""
        return self.capped(self.base_distance(x, y))

    def cross_distance(self, x: Float[Tensor, "n k"], y: Float[Tensor, "m k"]) -> Float[Tensor, "n m"]:
        """min(a, d) of every x to every y."""
        return self.capped(self.cross(x, y))

    def capped(self, distance: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        """Cut distances at the cap; no gradient beyond it."""
        return distance if self.cap is None or self.cap == "auto" else distance.clamp(max=float(self.cap))

    def resolve_cap(self: S, threshold: float, margin: float = 0.0) -> S:
        """The space with its "auto" cap settled at threshold + margin; a cap that was given is checked.

        Warns (UserWarning) of a given cap that is never reached, and of a threshold that reaches everywhere
        from the centre of the box.

        Arguments:
            threshold: p, a base distance > 0.
            margin: λ ≥ 0, a distance.

        Raises:
            ConfigError: a cap that is not above the threshold (everything would be liked), or one of the
                arguments outside its range.
        """
        if not 0 < threshold < math.inf or not 0 <= margin < math.inf:
            raise ConfigError(
                f"threshold = {threshold}, margin = {margin}: a threshold above 0 and a margin >= 0 expected"
            )
        if threshold >= self.reach:
            _warn(
                f"the threshold {threshold:.3g} is not below {self.reach:.3g}, as far as anything is from the centre: "
                "a user at the centre would like everything"
            )
        if self.cap is None:
            return self
        above = _next_single(threshold)
        cap = max(threshold + margin, above) if self.cap == "auto" else float(self.cap)
        if cap < above:
            raise ConfigError(f"space.cap = {cap}: above the threshold {threshold:.4g} expected, or all would be liked")
        if cap >= self.diameter and self.cap != "auto":
            _warn(f"space.cap = {cap} is not below the diameter {self.diameter:g}: it changes nothing")
        return replace(self, cap=cap)

    def check_dim(self, *points: Float[Tensor, "*_ _k"]) -> None:
        """Refuse points of another dimension.

        Raises:
            SpaceError: naming both dimensions.
        """
        for x in points:
            if x.shape[-1] != self.dim:
                raise SpaceError(f"points of {x.shape[-1]} axes in a space of {self.dim}")


def _next_single(x: float) -> float:
    """The least number above x in single precision too, where a cap must not round onto the threshold."""
    return float(torch.tensor(x, dtype=torch.float32).nextafter(torch.tensor(math.inf)))


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=3)  # at the line that called the public method


def as_norm(norm: float | int | str) -> float:
    """A norm r ≥ 1, infinity included (also as ``"inf"``).

    Raises:
        ConfigError: below 1, or no number.
    """
    try:
        value = float(norm)
    except (TypeError, ValueError):
        value = math.nan
    if not value >= 1:
        raise ConfigError(
            f"space.norm = {norm!r}: a number >= 1 or inf expected (below 1 there is no triangle inequality)"
        )
    return value
