"""The uniform metric on a box: any norm r ≥ 1, cut at a cap.

    d_a(x, y) = min(a, d_r(x, y)),   d_r(x, y) = (mean_j |x_j − y_j|^r)^(1/r)

The mean (not the sum) keeps the box's diameter the same for every r and k, so that a threshold means the same
in all of them.

Source: Munkres, Topology (2000), §20; the disclosure, §3.5. Differs from it: any norm; no cap is None, not 0.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from penchant.spaces import _cross, _minkowski
from penchant.spaces._nearest import Measure, by_norm
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

    kind: str = "uniform"
    """The space, by its name in `penchant.spaces.KINDS`."""
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

    def _measure(self) -> Measure:
        return by_norm(self.norm)
