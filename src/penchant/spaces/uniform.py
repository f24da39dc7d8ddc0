"""The uniform metric on a box: any norm r ≥ 1, cut at a cap.

    d_a(x, y) = min(a, d_r(x, y)),   d_r(x, y) = (mean_j |x_j − y_j|^r)^(1/r)

The mean (not the sum) keeps the box's diameter the same for every r and k, so that a threshold means the same in all of them.

Source: Munkres, Topology (2000), §20; the disclosure, §3.5. Differs from it: any norm, and no cap is None, not 0.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant.errors import ConfigError
from penchant.spaces import _minkowski
from penchant.spaces.base import BaseSpace, as_norm

__all__ = ["UniformSpace"]

_SPARE = 16
"""More rows than asked are kept from the matrix products, whose last digits are not to be trusted, and ranked anew."""


@dataclass(frozen=True, kw_only=True)
class UniformSpace(BaseSpace):
    """The box M with min(a, d_r). A true metric for every r ≥ 1 and a > 0.

    Raises: ConfigError: an option outside its range.

    Example:
        >>> import torch
        >>> space = UniformSpace(dim=2, norm=2, cap=0.3)
        >>> space.distance(torch.tensor([0.0, 0.0]), torch.tensor([0.3, -0.4])).item()
        0.30000001192092896
    """

    is_metric: ClassVar[bool] = True

    norm: float = 4.0
    """r: 1, 2, 4, …, inf (the sup norm)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "norm", as_norm(self.norm))

    @property
    def diameter(self) -> float:
        """The side of the box, for every r and k: 2 for tanh, 1 for sigmoid."""
        return self.high - self.low

    def base_distance(self, x: Float[Tensor, "*n k"], y: Float[Tensor, "*n k"]) -> Float[Tensor, "*n"]:
        """d_r, row by row (leading axes broadcast).

        Raises:
            SpaceError: points of another dimension.
        """
        self.check_dim(x, y)
        return _minkowski.distance(x, y, self.norm)

    def cross(self, x: Float[Tensor, "n k"], y: Float[Tensor, "m k"]) -> Float[Tensor, "n m"]:
        """d_r of every x to every y; for even norms by matrix products, exact to about 1e-3 near 0 and 1e-6 beyond .1.

        Raises:
            SpaceError: points of another dimension.
        """
        self.check_dim(x, y)
        return _minkowski.cross_distance(x, y, self.norm)

    @torch.no_grad()
    def topk(
        self,
        queries: Float[Tensor, "q k"],
        points: Float[Tensor, "m k"],
        n: int,
        *,
        exclude: Sequence[Int[Tensor, " e"]] | None = None,
        chunk: int = 1 << 22,
    ) -> tuple[Float[Tensor, "q n"], Int[Tensor, "q n"]]:
        """The n nearest points of each query, the nearest first, ties by the lower row number; exact.

        Arguments:
            n: at most m; where fewer are left after ``exclude``, the rest has distance inf and row -1.
            exclude: for each query, rows of ``points`` that do not count.
            chunk: entries of the distance matrix held at a time.

        Returns:
            Base distances (q, n), recomputed directly, and rows (q, n).

        Raises:
            SpaceError: points of another dimension. ConfigError: n not in 1 … m.
        """
        self.check_dim(queries, points)
        if len(points) == 0 or len(queries) == 0:
            shape = (len(queries), 0 if len(points) == 0 else n)
            return queries.new_zeros(shape), torch.zeros(shape, dtype=torch.int64, device=queries.device)
        if not 1 <= n <= len(points):
            raise ConfigError(f"n = {n}: between 1 and the {len(points)} points expected")
        step = max(1, chunk // len(points))
        found = [
            self._nearest(queries[i : i + step], points, n, None if exclude is None else exclude[i : i + step])
            for i in range(0, len(queries), step)
        ]
        return torch.cat([d for d, _ in found]), torch.cat([rows for _, rows in found])

    def _nearest(
        self, queries: Tensor, points: Tensor, n: int, exclude: Sequence[Tensor] | None
    ) -> tuple[Tensor, Tensor]:
        """One chunk: a shortlist from the cross form, its distances anew, ordered by (distance, row)."""
        rough = self.cross(queries, points)
        for j, rows in enumerate(exclude or ()):
            rough[j, rows] = math.inf
        kept = min(len(points), n + _SPARE)
        edge, rows = rough.topk(kept, largest=False)
        if kept < len(points):
            rows = self._with_ties(rough, edge[:, -1:], rows, n)
        rows = rows.sort(1).values
        exact = _minkowski.distance(queries[:, None], points[rows], self.norm)
        exact = exact.masked_fill(rough.gather(1, rows).isinf(), math.inf)
        order = exact.sort(dim=1, stable=True).indices[:, :n]
        exact, rows = exact.gather(1, order), rows.gather(1, order)
        return exact, rows.masked_fill(exact.isinf(), -1)

    def _with_ties(self, rough: Tensor, edge: Tensor, rows: Tensor, n: int) -> Tensor:
        """Widen the shortlist until it surely holds the n nearest: everything within the cross form's error of the nth."""
        nth = rough.gather(1, rows).sort(1).values[:, n - 1 : n]
        limit = nth + self._rounding(nth)
        if bool((edge > limit).all()):
            return rows
        wide = int((rough <= limit).sum(1).max())
        return rough.topk(min(rough.shape[1], max(wide, rows.shape[1])), largest=False).indices

    def _rounding(self, distance: Tensor) -> Tensor:
        """Twice the largest error of the cross form at a distance: that of the rth power, taken through the root."""
        if math.isinf(self.norm) or self.norm not in (2.0, 4.0, 6.0, 8.0):
            return 1e-5 + 0 * distance
        eps = 4.0 * torch.finfo(distance.dtype).eps * 2.0**self.norm * (self.norm + 1)
        power = distance.clamp(max=2 * self.diameter) ** self.norm
        return 2 * ((power + eps) ** (1 / self.norm) - distance.clamp(max=2 * self.diameter)) + 1e-6

    def resolve_cap(self, threshold: float, margin: float = 0.0) -> "UniformSpace":
        """The space with an "auto" cap settled at threshold + margin; other caps are checked against the threshold.

        Raises:
            ConfigError: a cap that is not above the threshold: it would call everything liked.
        """
        if self.cap is None:
            return self
        cap = max(threshold + margin, math.nextafter(threshold, math.inf)) if self.cap == "auto" else float(self.cap)
        if cap <= threshold:
            raise ConfigError(f"space.cap = {cap}: above the threshold {threshold:.4f} expected, or everything would be liked")
        if cap >= self.diameter and self.cap != "auto":
            warnings.warn(f"the cap {cap} is not below the diameter {self.diameter}: it changes nothing", UserWarning, stacklevel=2)
        return replace(self, cap=cap)
