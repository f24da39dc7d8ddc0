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
"""Rounds without a single point before giving up; a few dozen are usual where all is well."""

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
            if idle > _ROUNDS:
                raise SpaceError("next to nothing of this ball lies in the box: no point could be drawn")
        return self.centre + self.radius * torch.cat(kept)[:n]

    def _accept(self, steps: Tensor, generator: torch.Generator) -> Tensor:
        if math.isinf(self.norm):
            return torch.ones(len(steps), dtype=torch.bool)
        room = self.dim - steps.abs().pow(self.norm).sum(1)
        return (room >= 0) & (_uniform(generator, len(steps)) < torch.exp(-self.tilt * room))

    def _propose(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, k) steps from the centre, each axis from its tilted density, by rejection from another.

        From the flat one, or the untruncated one: |δ| = G^(1/r)·U with G ~ Gamma(1 + 1/r) / β, U uniform. The
        narrower of the two accepts two of five at least, as long as the centre lies in the box.
        """
        width = self.high - self.low
        flat = (width <= self._full_width()) | (self.low > 0) | (self.high < 0)
        base = torch.where(self.low > 0, self.low, torch.where(self.high < 0, -self.high, 0.0)).pow(self.norm)
        steps = torch.empty(n * self.dim, dtype=torch.float64)
        todo = torch.arange(n * self.dim)
        for _ in range(_ROUNDS):
            axis = todo % self.dim
            level, spread = flat[axis], _uniform(generator, 2 * len(todo))
            first, second = spread[: len(todo)], spread[len(todo) :]
            step = self.low[axis] + width[axis] * first
            good = torch.ones_like(level)
            if self.tilt:
                size = step.abs().pow(self.norm)
                good = second < torch.exp(-self.tilt * (size - base[axis]))
            if not bool(level.all()):
                wide = self._untruncated(first, second, generator)
                inside = (wide >= self.low[axis]) & (wide <= self.high[axis])
                step, good = step.where(level, wide), good.where(level, inside)
            steps[todo[good]] = step[good]
            todo = todo[~good]
            if not len(todo):
                return steps.view(n, self.dim)
        raise SpaceError("next to nothing of this ball lies in the box: no point could be drawn")

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
        """E_β[S]: (1/rβ) Σ_j P(1 + 1/r, β·t_j^r) / P(1/r, β·t_j^r), P the lower incomplete gamma function."""
        order = torch.tensor(1 / self.norm, dtype=torch.float64)
        mass, moment = (
            torch.special.gammainc(order + plus, tilt * self.high.abs().pow(self.norm)) * self.high.sign()
            - torch.special.gammainc(order + plus, tilt * self.low.abs().pow(self.norm)) * self.low.sign()
            for plus in (0, 1)
        )
        return float(torch.where(mass > 0, moment / mass, 0.0).sum() / (self.norm * tilt))


def _uniform(generator: torch.Generator, n: int) -> Tensor:
    return torch.rand(n, generator=generator, dtype=torch.float64, device=generator.device).cpu()
