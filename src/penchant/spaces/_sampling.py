"""Points drawn uniformly from a ball of an r-norm cut by a box, exactly, in any dimension.

Rejection from the whole ball (or from the box) accepts next to nothing once dozens of axes are cut. Here a
point is proposed axis by axis from the density ∝ exp(−β|δ_j|^r) on what the box leaves of the axis, and is
accepted with probability

    exp(−β(B − S)) if S ≤ B, else 0        S = Σ_j |δ_j|^r, B = k·radius^r

which makes the accepted ones uniform for every β ≥ 0. The best β solves E_β[S] = B; without the box it is
k/(rB), and about one proposal in √(2πk/r) is accepted.

Source: exponential tilting (Asmussen, Glynn 2007, Stochastic Simulation, ch. VI.2); the axes' density for the
whole ball: Barthe, Guédon, Mendelson, Naor 2005, doi 10.1214/009117904000000874.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from penchant.errors import SpaceError

__all__ = ["Sampler"]

_ROUNDS = 2000
"""Rounds in which an axis is proposed before giving up; a few dozen are usual where all is well."""

_IDLE = 100
"""Rounds without a single point accepted before giving up; a few at most where all is well."""

_AT_ONCE = 1 << 17
"""Numbers proposed at a time, at most."""


class Sampler:
    """Draws from {x : mean_j |x_j − centre_j|^r ≤ radius^r, low ≤ x ≤ high}, in float64 on the CPU."""

    def __init__(
        self,
        centre: Float[Tensor, " k"],
        low: Float[Tensor, " k"],
        high: Float[Tensor, " k"],
        radius: float,
        norm: float,
    ) -> None:
        self.centre = centre.double().cpu()
        self.low, self.high = low.double().cpu() - self.centre, high.double().cpu() - self.centre
        self.radius, self.norm, self.dim = radius, norm, len(centre)
        # differences in units of the radius, so that B = k for every ball
        self.low, self.high = self.low / radius, self.high / radius
        self.near = torch.maximum(self.low, -self.high).clamp(min=0)
        """How far the box is from the centre on each axis: 0 where it holds it."""
        self.tilt = 0.0 if math.isinf(norm) else self._best_tilt()
        self.accepted = 1.0
        """Share of the last proposals that was accepted."""

    def __call__(self, n: int, generator: torch.Generator) -> Float[Tensor, "n k"]:
        """``n`` points.

        Raises:
            SpaceError: the ball only just touches the box.
        """
        kept: list[Tensor] = []
        found = idle = 0
        while found < n:
            ask = min(int((n - found) / max(self.accepted, 1e-3) * 1.1) + 16, max(1, _AT_ONCE // self.dim))
            steps = self._propose(ask, generator)
            steps = steps[self._accept(steps, generator)]
            self.accepted = len(steps) / ask
            kept.append(steps)
            found += len(steps)
            idle = 0 if len(steps) else idle + 1
            if idle > _IDLE:
                raise SpaceError("next to nothing of this ball lies in the box: no point could be drawn")
        return self.centre + self.radius * torch.cat(kept)[:n]

    def _accept(self, steps: Tensor, generator: torch.Generator) -> Tensor:
        if math.isinf(self.norm):
            return torch.ones(len(steps), dtype=torch.bool)
        room = self.dim - steps.abs().pow(self.norm).sum(1)
        return (room >= 0) & (_uniform(generator, len(steps)) < torch.exp(-self.tilt * room))

    def _propose(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, k) steps from the centre, each axis from its tilted density, by rejection from another.

        From `_between`, or the untruncated one: |δ| = G^(1/r)·U with G ~ Gamma(1 + 1/r) / β, U uniform. The
        narrower of the two accepts two of five at least, where the axis holds the centre.
        """
        bounded = (self.high - self.low <= self._full_width()) | (self.near > 0)
        steps = torch.empty(n * self.dim, dtype=torch.float64)
        todo = torch.arange(n * self.dim)
        for _ in range(_ROUNDS):
            axis = todo % self.dim
            narrow, spread = bounded[axis], _uniform(generator, 2 * len(todo))
            first, second = spread[: len(todo)], spread[len(todo) :]
            step, odds = self._between(axis, first)
            good = second < odds
            if not bool(narrow.all()):
                wide = self._untruncated(first, second, generator)
                inside = (wide >= self.low[axis]) & (wide <= self.high[axis])
                step, good = step.where(narrow, wide), good.where(narrow, inside)
            steps[todo[good]] = step[good]
            todo = todo[~good]
            if not len(todo):
                return steps.view(n, self.dim)
        raise SpaceError("next to nothing of this ball lies in the box: no point could be drawn")

    def _between(self, axis: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """Steps between the edges, and the odds of keeping them, which leave the density ∝ exp(−β|δ|^r).

        Flat where the axis holds the centre; elsewhere exponential from the near edge on, along the tangent of
        |δ|^r there, which lies below it.
        """
        low, high, near = self.low[axis], self.high[axis], self.near[axis]
        if not self.tilt:
            return low + (high - low) * first, torch.ones_like(first)
        rate = (self.tilt * self.norm * near.pow(self.norm - 1)).where(near > 0, 0.0)
        way = -torch.log1p(first * torch.expm1(-rate * (high - low))) / rate
        way = way.where(rate > 0, (high - low) * first)
        step = torch.where(high < 0, high - way, low + way)
        return step, torch.exp(rate * way - self.tilt * (step.abs().pow(self.norm) - near.pow(self.norm)))

    def _untruncated(self, first: Tensor, second: Tensor, generator: torch.Generator) -> Tensor:
        """Steps of density ∝ exp(−β|δ|^r) on the whole line; ``first`` gives the sign, ``second`` is U."""
        shape = torch.full((len(first),), 1 + 1 / self.norm, dtype=torch.float64, device=generator.device)
        gamma = torch._standard_gamma(shape, generator=generator).cpu()
        return torch.where(first < 0.5, -1.0, 1.0) * (gamma / self.tilt).pow(1 / self.norm) * second

    def _full_width(self) -> float:
        """∫ exp(−β|δ|^r) dδ over the line."""
        if not self.tilt:
            return math.inf
        return 2 * math.gamma(1 + 1 / self.norm) * self.tilt ** (-1 / self.norm)

    def _best_tilt(self) -> float:
        """β with E_β[S] = B by bisection, 0 where the box alone keeps S below B. Any β ≥ 0 is right."""
        below, above = 1e-6, 1e12
        if self._mean(below) <= self.dim:
            return 0.0
        for _ in range(60):
            middle = math.sqrt(below * above)
            below, above = (middle, above) if self._mean(middle) > self.dim else (below, middle)
        return above

    def _mean(self, tilt: float) -> float:
        """E_β[S]: (1/rβ) Σ_j P(1 + 1/r, β·t_j^r) / P(1/r, β·t_j^r), P the lower incomplete gamma function.

        Its complement far from the centre, where P is 1 but for the last digits; where that is below the smallest
        number, the exponential at the near edge.
        """
        order = torch.tensor(1 / self.norm, dtype=torch.float64)
        low, high = (tilt * edge.abs().pow(self.norm) for edge in (self.low, self.high))
        mass, moment = (
            torch.where(
                (self.near > 0) & (torch.minimum(low, high) > 1),
                (torch.special.gammaincc(a, low) - torch.special.gammaincc(a, high)).abs(),
                torch.special.gammainc(a, high) * self.high.sign() - torch.special.gammainc(a, low) * self.low.sign(),
            )
            for a in (order, order + 1)
        )
        edge = self.near.pow(self.norm) + ((self.near > 0) & (self.high > self.low)) / tilt
        return float(torch.where(mass > 0, moment / mass / (self.norm * tilt), edge).sum())


def _uniform(generator: torch.Generator, n: int) -> Tensor:
    return torch.rand(n, generator=generator, dtype=torch.float64, device=generator.device).cpu()
