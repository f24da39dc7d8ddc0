"""How far linear forms reach over what balls and boxes share: never too little, and exact up to rounding.

    max { w·δ : ‖δ‖_r ≤ 1, n ≤ δ ≤ f }  ≤  ‖w¹‖_q + max { (w − w¹)·δ : n ≤ δ ≤ f }        for every w¹; 1/r + 1/q = 1

w¹ = w is the dual norm's bound, w¹ = 0 the box's. The best w¹ is w cut to what an edge can use: with the axes turned so
that w ≥ 0, w¹_j = clamp(w_j, μ n_j^(r−1), μ f_j^(r−1)) at one level μ ≥ 0 for all axes. With x = μ^q the best level
solves H(x) = x, H(x) = Σ_j |w¹_j|^q = Σ_j clamp(w_j^q, x n_j^r, x f_j^r). Whatever level is taken, the bound holds.

Source: Lagrange duality; r = 1 is the fractional knapsack (Dantzig 1957, Oper. Res. 5).
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from penchant.portraits.bounds._crown import InputSets

__all__ = ["BallBoxes"]

_STEPS = 12
"""Newton's steps towards the best level where boxes hold their ball's centre; three or four are usual."""

_MORE_STEPS = 24
"""Steps where they do not, and the level is kept between bounds."""

_STEEP = 4.0
"""Dual norms above this are taken of forms scaled to 1, so that no power under- or overflows."""

_SAME = 1e-10
"""Relative difference below which two levels count as one: their rounding says nothing."""

_TOUCH = 1e-9
"""Sets count as not empty while box and ball miss each other by less, in radii: rounding must not lose a point."""

_TINY = 1e-300


class BallBoxes(InputSets):
    """p sets {z : ‖z − e‖_r ≤ R, low ≤ z ≤ high}, with the unnormalised norm, in float64."""

    def __init__(
        self,
        centre: Float[Tensor, "p k"],
        low: Float[Tensor, "p k"],
        high: Float[Tensor, "p k"],
        reach: Float[Tensor, " p"],
        norm: float,
    ) -> None:
        self.centre, self.low, self.high, self.reach, self.norm = centre, low, high, reach, norm
        self.dual = 1.0 if math.isinf(norm) else math.inf if norm == 1 else norm / (norm - 1)
        radius = reach[:, None]
        near, far = (low - centre) / radius, (high - centre) / radius
        self.nearest = near.clamp(min=0) + far.clamp(max=0)
        """(p, k) from the centres to the nearest points of the boxes, in radii."""
        self.empty: Bool[Tensor, " p"] = self._length(self.nearest) > 1 + _TOUCH
        """Which sets have no point."""
        near, far = near.clamp(-1, 1), far.clamp(-1, 1)
        self.around = bool((near <= 0).all() and (far >= 0).all())
        """Does every box hold its ball's centre?"""
        # edges by the sign of a form: middle·sign ± half, which costs a tenth of torch.where
        self.middle, self.half = ((far + near) / 2)[:, None], ((far - near) / 2)[:, None]
        if not math.isinf(norm):
            f, n = _signed(far, norm), _signed(near, norm)
            self.middle_power, self.half_power = ((f + n) / 2)[:, None], ((f - n) / 2)[:, None]
            f, n = _signed(far, norm - 1), _signed(near, norm - 1)
            self.middle_slope, self.half_slope = ((f + n) / 2)[:, None], ((f - n) / 2)[:, None]

    def take(self, rows: slice | Int[Tensor, " q"]) -> "BallBoxes":
        """Some of the sets."""
        if isinstance(rows, slice) and rows == slice(0, len(self.centre)):
            return self
        return BallBoxes(self.centre[rows], self.low[rows], self.high[rows], self.reach[rows], self.norm)

    def around_box(self) -> tuple[Float[Tensor, "p k"], Float[Tensor, "p k"]]:
        """Lower and upper corners of boxes around the sets."""
        radius = self.reach[:, None]
        return torch.maximum(self.low, self.centre - radius), torch.minimum(self.high, self.centre + radius)

    def maximum(self, forms: Float[Tensor, "#p m k"]) -> Float[Tensor, "p m"]:
        """At least the largest value of each form w·z over each set; -inf where a set is empty."""
        shared = len(forms) == 1
        middle = self.centre @ forms[0].mT if shared else (forms @ self.centre[..., None])[..., 0]
        return (middle + self.reach[:, None] * self._gain(forms)).masked_fill(self.empty[:, None], -math.inf)

    def maximum_by_axes(self, forms: Float[Tensor, "1 m k"]) -> Float[Tensor, "p m"]:
        """The same over the boxes around the sets: as interval arithmetic sees them."""
        low, high = self.around_box()
        middle, half = (low + high) / 2, (high - low) / 2
        return middle @ forms[0].mT + half @ forms[0].abs().mT

    def maximiser(self, forms: Float[Tensor, "#p m k"]) -> Float[Tensor, "p m k"]:
        """A point of each (non-empty) set where each form is largest, up to rounding."""
        size, sign = forms.abs(), _turns(forms)
        turned = sign * self.middle
        near, far = turned - self.half, turned + self.half
        if math.isinf(self.norm):
            step = far
        elif self.norm == 1:
            step = _filled(size, near, far)
        else:
            size = size / size.amax(-1, keepdim=True).clamp(min=_TINY)
            level = self._level(size.pow(self.dual), *self._edges(sign, self.middle_power, self.half_power))
            ratio = (size / level.pow(1 / self.dual)[..., None].clamp(min=_TINY)).clamp(max=1e30)
            step = torch.minimum(torch.maximum(ratio.pow(1 / (self.norm - 1)), near), far)
        start = self.nearest[:, None]
        return self.centre[:, None] + self.reach[:, None, None] * self._inside(start, step * sign)

    def _inside(self, start: Float[Tensor, "p 1 k"], step: Float[Tensor, "p m k"]) -> Float[Tensor, "p m k"]:
        """The step, or as much of the way to it from a point inside as certainly lies in the balls."""
        first, last = self._length(start), self._length(step)
        share = ((1 - first) / (last - first).clamp(min=_TINY)).clamp(0, 1).where(last > 1 - _SAME, 1.0)
        return start + ((1 - _SAME) * share)[..., None] * (step - start)

    def _length(self, x: Float[Tensor, "*p k"]) -> Float[Tensor, "*p"]:
        length: Tensor = torch.linalg.vector_norm(x, self.norm, dim=-1)
        return length

    def _gain(self, forms: Float[Tensor, "#p m k"]) -> Float[Tensor, "p m"]:
        """What forms gain from the centre on, in radii."""
        size, sign = forms.abs(), forms.sign() if self.around else _turns(forms)
        if math.isinf(self.norm):
            return (size @ self.half.mT + forms @ self.middle.mT)[..., 0]
        if self.norm == 1:
            return _gain_of_one(size, sign * self.middle - self.half, sign * self.middle + self.half)
        if self.dual <= _STEEP:
            return self._gain_of(size, sign)
        top = size.amax(-1, keepdim=True).clamp(min=_TINY)
        return self._gain_of(size / top, sign) * top[..., 0]

    def _gain_of(self, size: Float[Tensor, "#p m k"], sign: Float[Tensor, "#p m k"]) -> Float[Tensor, "p m"]:
        power = size.pow(self.dual)
        whole = power.sum(-1)
        if self.around and not self._reached(power, whole):
            return whole.pow(1 / self.dual).expand(len(self.centre), -1)
        far, near = self._edges(sign, self.middle_power, self.half_power)
        level = self._level(power, far, near)
        held = _held(level, power, far, near).sum(-1).pow(1 / self.dual)
        slope = level.pow(1 / self.dual)[..., None]
        far, near = self._edges(sign, self.middle_slope, self.half_slope)
        rest = size - torch.minimum(size, slope * far)
        if near is not None:
            rest = size - torch.maximum(size - rest, slope * near)
        far, near = self._edges(sign, self.middle, self.half)
        reach = rest * far if near is None else torch.maximum(rest * far, rest * near)
        return held + reach.sum(-1)

    def _edges(self, sign: Tensor, middle: Tensor, half: Tensor) -> tuple[Tensor, Tensor | None]:
        """Far and near edges, or powers of them, axes turned to where forms rise; near ones only where they bind."""
        middle = sign * middle
        return middle + half, None if self.around else middle - half

    def _reached(self, power: Float[Tensor, "#p m k"], whole: Float[Tensor, "#p m"]) -> bool:
        """Does the balls' own best point lie beyond an edge anywhere?"""
        least = self.half_power - self.middle_power.abs()
        return bool((power > whole[..., None] * least).any())

    def _level(self, power: Float[Tensor, "#p m k"], far: Tensor, near: Tensor | None) -> Float[Tensor, "p m"]:
        """x = μ^q with H(x) = x, or 0 where the boxes end inside the balls."""
        above = power.sum(-1).expand(len(self.centre), -1)
        if near is not None:
            return _level_between(above, power, far, near)
        # H is concave, of straight pieces, and below x at H(inf): Newton's steps from there come down to the best level
        # and never pass it; they end on its piece. Beyond an edge are the axes that give all that the edge can use
        edge, level = power / far, _held(above, power, far, None).sum(-1)
        for _ in range(_STEPS):
            beyond = edge > level[..., None]
            given, slope = torch.where(beyond, 0.0, power).sum(-1), (far * beyond).sum(-1)
            new = torch.where(slope < 1, given / (1 - slope), level).minimum(level)
            if torch.equal(new, level):
                break
            level = new
        return level


def _held(
    level: Float[Tensor, "p m"], power: Float[Tensor, "#p m k"], far: Float[Tensor, "p #m k"], near: Tensor | None
) -> Float[Tensor, "p m k"]:
    """|w¹_j|^q at levels x."""
    x = level[..., None]
    held = torch.minimum(power, x * far)
    return held if near is None else torch.maximum(held, x * near).abs()


def _level_between(start: Float[Tensor, "p m"], power: Tensor, far: Tensor, near: Tensor) -> Float[Tensor, "p m"]:
    """`BallBoxes._level` by halving on a logarithmic scale: H(x) / x falls."""
    low, high = start * 1e-12, start * 1e12
    for _ in range(_MORE_STEPS):
        level = (low * high).sqrt()
        over = _held(level, power, far, near).sum(-1) > level
        low, high = torch.where(over, level, low), torch.where(over, high, level)
    return high


def _gain_of_one(
    size: Float[Tensor, "#p m k"], near: Float[Tensor, "p #m k"], far: Float[Tensor, "p #m k"]
) -> Float[Tensor, "p m"]:
    """`BallBoxes._gain` for r = 1: the level is the steepness of the axis that is filled in part."""
    _, order, room, capacity = _fill(size, near, far)
    filled = (capacity.cumsum(-1) <= room).sum(-1, keepdim=True)
    sizes = torch.nn.functional.pad(size.expand_as(order).gather(-1, order), (0, 1))
    level = sizes.gather(-1, filled)
    used = torch.maximum(torch.minimum(size, level * far.sign()), level * near.sign())
    rest = size - used
    return used.abs().amax(-1) + torch.maximum(rest * far, rest * near).sum(-1)


def _filled(
    size: Float[Tensor, "#p m k"], near: Float[Tensor, "p #m k"], far: Float[Tensor, "p #m k"]
) -> Float[Tensor, "p m k"]:
    """The best point for r = 1: from the nearest one on, the steepest axes first, while there is room."""
    start, order, room, capacity = _fill(size, near, far)
    taken = torch.minimum((room - capacity.cumsum(-1) + capacity).clamp(min=0), capacity)
    return start + torch.zeros_like(taken).scatter(-1, order, taken)


def _fill(size: Tensor, near: Tensor, far: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Nearest points, axes from the steepest down, the room that is left, and what each axis in that order can take."""
    start = near.clamp(min=0) + far.clamp(max=0)
    order = size.expand(torch.broadcast_shapes(size.shape, far.shape)).argsort(-1, descending=True)
    room = 1 - start.abs().sum(-1, keepdim=True)
    return start, order, room, (far - start).expand_as(order).gather(-1, order)


def _turns(forms: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """-1 or 1: a form of 0 has edges too."""
    return torch.copysign(forms.new_ones(()), forms)


def _signed(x: Float[Tensor, "*n"], r: float) -> Float[Tensor, "*n"]:
    """sign(x) |x|^r."""
    return x.sign() * x.abs().pow(r)
