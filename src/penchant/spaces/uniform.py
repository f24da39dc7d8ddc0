"""The uniform metric on a box: any norm r ≥ 1, cut at a cap.

    d_a(x, y) = min(a, d_r(x, y)),   d_r(x, y) = (mean_j |x_j − y_j|^r)^(1/r)

The mean (not the sum) keeps the box's diameter the same for every r and k, so that a threshold means the same
in all of them.

Source: Munkres, Topology (2000), §20; the disclosure, §3.5. Differs from it: any norm; no cap is None, not 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant.errors import ConfigError
from penchant.spaces import _cross, _minkowski, _nearest
from penchant.spaces.base import BaseSpace, as_norm

__all__ = ["UniformSpace"]


@dataclass(frozen=True, kw_only=True)
class UniformSpace(BaseSpace):
    """The box M with min(a, d_r). A true metric for every r ≥ 1 and a > 0.

    Raises: ConfigError: an option outside its range.

    Example:
        >>> import torch
        >>> space = UniformSpace(dim=2, norm=float("inf"), cap=0.3)
        >>> space.base_distance(torch.tensor([0.0, 0.0]), torch.tensor([0.25, -0.5]))
        tensor(0.5000)
        >>> space.distance(torch.tensor([0.0, 0.0]), torch.tensor([0.25, -0.5]))
        tensor(0.3000)
    """

    is_metric: ClassVar[bool] = True

    norm: float | int = 2.0
    """r: 1, 2, 4, …, inf (the sup norm; also as the text "inf")."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "norm", as_norm(self.norm))

    @property
    def diameter(self) -> float:
        """The side of the box, for every r and k: 2 for tanh, 1 for sigmoid."""
        return self.high - self.low

    def base_distance(self, x: Float[Tensor, "*#n k"], y: Float[Tensor, "*#n k"]) -> Float[Tensor, "*n"]:
        """d_r, row by row (leading axes broadcast); half precision is widened.

        The gradient is 0 at x = y and shared evenly at ties of the sup norm. Twice differentiable.

        Raises:
            SpaceError: points of another dimension.
        """
        self.check_dim(x, y)
        return _minkowski.distance(x, y, self.norm)

    def cross(self, x: Float[Tensor, "n k"], y: Float[Tensor, "m k"]) -> Float[Tensor, "n m"]:
        """d_r of every x to every y: for r = 2, 4, 6, 8 by matrix products, near pairs anew.

        As good as `base_distance` to about five digits, and with the same gradient; differentiable once.

        Raises:
            SpaceError: points of another dimension.
        """
        self.check_dim(x, y)
        return _cross.cross_distance(x, y, self.norm)

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
            Base distances (q, n), computed in float64, and rows (q, n). No points: (q, 0).

        Raises:
            SpaceError: points of another dimension. ConfigError: n not in 1 … m, chunk below 1, or
                ``exclude`` not one list of rows for each query.
        """
        self.check_dim(queries, points)
        if len(points) == 0 or len(queries) == 0:
            shape = (len(queries), 0 if len(points) == 0 else n)
            return queries.new_zeros(shape), torch.zeros(shape, dtype=torch.int64, device=queries.device)
        if not 1 <= n <= len(points):
            raise ConfigError(f"n = {n}: between 1 and the {len(points)} points expected")
        if chunk < 1:
            raise ConfigError(f"chunk = {chunk}: at least 1 expected")
        return _nearest.nearest(queries, points, n, self.norm, exclude=exclude, chunk=chunk)
