"""Diagonal Gaussians as points: where something lies, and how sure that is.

    x = (μ, t) ∈ M,  k axes each:  N(μ, diag σ²),  σ = σ_min + (σ_max − σ_min) · (t − low) / (high − low)

All coordinates lie in the same box, so that whatever stores, indexes or compares points serves these as well.

    sup          max_j max(|Δμ_j|, |Δσ_j|)                       a metric; its balls are boxes
    wasserstein  sqrt(mean_j (Δμ_j² + Δσ_j²))                    a metric: W_2, divided by √k
    fisher_rao   sqrt(mean_j F_j²), F of single Gaussians        a metric; counts in standard deviations
    hellinger    sqrt(mean_j H_j²), H of single Gaussians        a metric, at most 1
    kl           mean_j KL(x_j ‖ y_j)                            no metric; for comparison

Source: Dowson, Landau 1982, doi 10.1016/0047-259X(82)90077-X (W_2); `penchant.spaces._gaussian` for the others.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from penchant.errors import ConfigError, SpaceError
from penchant.spaces import _cross, _gaussian, _minkowski
from penchant.spaces._nearest import Measure, by_norm
from penchant.spaces.base import BaseSpace
from penchant.spaces.uniform import UniformSpace

__all__ = ["METRICS", "GaussianSpace"]

_NORMS = {"sup": math.inf, "wasserstein": 2.0}
"""Metrics that are norms of (μ, σ), each with its r."""

_OTHERS: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "fisher_rao": _gaussian.fisher_rao,
    "hellinger": _gaussian.hellinger,
    "kl": _gaussian.kullback_leibler,
}

METRICS = (*_NORMS, *_OTHERS)
"""Names of all of them."""


@dataclass(frozen=True, kw_only=True)
class GaussianSpace(BaseSpace):
    """Diagonal Gaussians with a distance between them: the space of variational latents.

    Raises: ConfigError: an option outside its range.

    Example:
        >>> import torch
        >>> space = GaussianSpace(dim=2, metric="wasserstein", sigma_min=0.1, sigma_max=0.9)
        >>> a, b = torch.tensor([0.0, -1.0]), torch.tensor([0.3, 0.0])
        >>> space.scale(b)
        tensor([0.5000])
        >>> space.base_distance(a, b)
        tensor(0.5000)
    """

    kind: str = "gaussian"
    """The space, by its name in `penchant.spaces.KINDS`."""
    dim: int = 128
    """Coordinates, an even number: the mean on dim / 2 axes, then the standard deviation on each."""
    metric: str = "wasserstein"
    """The distance between Gaussians: wasserstein, sup, fisher_rao, hellinger or kl. kl is no metric: what needs one
    refuses it."""
    sigma_min: float | int = 0.01
    """The least standard deviation on an axis, above 0, in units of the box."""
    sigma_max: float | int = 1.0
    """The greatest, above the least."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dim % 2:
            raise ConfigError(f"space.dim = {self.dim}: an even number expected, a mean and a deviation for each axis")
        if self.metric not in METRICS:
            raise ConfigError(f"space.metric = {self.metric!r}: one of {', '.join(METRICS)} expected")
        if not 0 < self.sigma_min < self.sigma_max < math.inf:
            raise ConfigError(
                f"space.sigma_min = {self.sigma_min}, sigma_max = {self.sigma_max}: 0 < sigma_min < sigma_max expected"
            )

    @property
    def is_metric(self) -> bool:
        """All but kl are metrics."""
        return self.metric != "kl"

    @property
    def axes(self) -> int:
        """Axes on which a mean lies: half the coordinates."""
        return self.dim // 2

    @property
    def diameter(self) -> float:
        """The largest distance: of two Gaussians at the ends of every axis, each the narrowest or the widest."""
        ends = torch.tensor([self.low, self.high], dtype=torch.float64)
        x = torch.cartesian_prod(ends[:1], ends).repeat_interleave(self.axes, 1)
        return float(self.base_distance(x[:, None], self._far_ends()).max())

    @property
    def reach(self) -> float:
        """The largest distance from the centre: a mean in the middle, a deviation halfway between its ends."""
        centre = torch.full((self.dim,), (self.low + self.high) / 2, dtype=torch.float64)
        return float(self.base_distance(centre, self._far_ends()).max())

    def _far_ends(self) -> Float[Tensor, "2 k"]:
        """The narrowest and the widest Gaussian at the upper end of every axis."""
        ends = torch.tensor([self.low, self.high], dtype=torch.float64)
        return torch.cartesian_prod(ends[1:], ends).repeat_interleave(self.axes, 1)

    def bound(self, x: Float[Tensor, "*n k"]) -> Float[Tensor, "*n k"]:
        """Any vectors into the box: means as everywhere; log σ between its ends by a sigmoid, then as a coordinate."""
        mean, spread = x.chunk(2, -1)
        reach = math.log(self.sigma_max / self.sigma_min)
        share = torch.expm1(torch.sigmoid(spread) * reach) / math.expm1(reach)
        return torch.cat(
            [super().bound(mean), (self.low + (self.high - self.low) * share).clamp(self.low, self.high)], -1
        )

    def location(self, points: Float[Tensor, "*n k"]) -> Float[Tensor, "*n axes"]:
        """The means μ."""
        return points[..., : self.axes]

    def scale(self, points: Float[Tensor, "*n k"]) -> Float[Tensor, "*n axes"]:
        """The standard deviations σ, in units of the box."""
        per_side = (self.sigma_max - self.sigma_min) / (self.high - self.low)
        return self.sigma_min + per_side * (points[..., self.axes :] - self.low)

    def draw(self, points: Float[Tensor, "*n k"], noise: Float[Tensor, "*n axes"]) -> Float[Tensor, "*n k"]:
        """The same Gaussians about a place drawn from each: μ + σ·noise, cut to the box; σ stays.

        Source: Kingma, Welling 2013, arXiv 1312.6114, §2.4 (differentiable in μ and σ).
        """
        places = self.location(points) + self.scale(points) * noise
        return torch.cat([places.clamp(self.low, self.high), points[..., self.axes :]], -1)

    def deviation(
        self, x: Float[Tensor, "*#n k"], y: Float[Tensor, "*#n k"], *, drawn: Literal["x", "y"] = "x"
    ) -> Float[Tensor, "*n"]:
        """Standard deviation of the distance from x to y where the mean of one of them is not known for sure.

            sqrt( Σ_j σ_j² (∂d/∂μ_j)² )        μ, σ: of the one that is drawn from its Gaussian; the delta method

        To first order: right where σ is small beside the distance; 0 at x = y; under sup that of the one axis which
        makes the distance, shared at ties. Row by row, leading axes broadcast; it has no gradient.

        Raises:
            SpaceError: points of another dimension.

        Source: Oehlert 1992, doi 10.1080/00031305.1992.10475842.
        """
        with torch.enable_grad():
            x, y = torch.broadcast_tensors(_minkowski.single(x).detach(), _minkowski.single(y).detach())
            own = (x if drawn == "x" else y).clone().requires_grad_()
            distance = self.base_distance(own, y) if drawn == "x" else self.base_distance(x, own)
            (slope,) = torch.autograd.grad(distance.sum(), own)
        return (self.scale(own.detach()) * self.location(slope)).square().sum(-1).sqrt()

    def of_means(self) -> UniformSpace:
        """The space of the means alone. The means of a ball's Gaussians are the ball there, of the same radius.

        Raises:
            SpaceError: a metric that is no norm of means and deviations: its balls have other means.
        """
        if self.metric not in _NORMS:
            raise SpaceError(
                f"the means of a ball under {self.metric!r} are no ball; under {', '.join(_NORMS)} they are"
            )
        return UniformSpace(dim=self.axes, norm=_NORMS[self.metric], box=self.box)

    def base_distance(self, x: Float[Tensor, "*#n k"], y: Float[Tensor, "*#n k"]) -> Float[Tensor, "*n"]:
        """Distance from x to y without the cap, row by row (leading axes broadcast); half precision is widened.

        The gradient is 0 at x = y.

        Raises:
            SpaceError: points of another dimension.
        """
        self.check_dim(x, y)
        if self.metric in _NORMS:
            return _minkowski.distance(self._searched(x), self._searched(y), _NORMS[self.metric])
        x, y = _minkowski.single(x), _minkowski.single(y)
        return _OTHERS[self.metric](self.location(x), self.scale(x), self.location(y), self.scale(y))

    def cross(self, x: Float[Tensor, "n k"], y: Float[Tensor, "m k"]) -> Float[Tensor, "n m"]:
        """Distance of every x to every y: wasserstein by matrix products, sup by differences, others by n·m·k steps
        with some transcendental functions each (30 to 90 times as slow as products), computed anew for the gradient.

        Raises:
            SpaceError: points of another dimension.
        """
        if self.metric not in _NORMS:
            return super().cross(x, y)
        self.check_dim(x, y)
        return _cross.cross_distance(self._searched(x), self._searched(y), _NORMS[self.metric])

    def _measure(self) -> Measure:
        return by_norm(_NORMS[self.metric]) if self.metric in _NORMS else super()._measure()

    def _searched(self, points: Float[Tensor, "*n k"]) -> Float[Tensor, "*n k"]:
        """(μ, σ), of which the norm is taken; times √2 where its mean goes over 2k coordinates and not over k."""
        if self.metric not in _NORMS:
            return points
        points = _minkowski.single(points)
        own = torch.cat([self.location(points), self.scale(points)], -1)
        return own if self.metric == "sup" else math.sqrt(2) * own
