"""Lower bounds of the distances to many points, from a few numbers a point: one thin matrix product for all of them.

For even r and points from which a common centre was taken, the rth power of a distance is linear in powers of y,

    mean_j (x_j − y_j)^r = A(x) + C(y) + φ(x)·ψ(y)      ψ(y) = (y, y², …, y^(r−1)), φ_i(x) = C(r, i) (−1)^i x^(r−i) / k

and on the R principal axes V of ψ − ψ̄, with what is left over bounded by Cauchy and Schwarz,

    ≥ A(x) + φ(x)·ψ̄ + C(y) + Vφ(x)·Vψ(y) − |φ(x) − VᵀVφ(x)| · |ψ(y) − VᵀVψ(y)|

which is tight where few axes hold nearly all of the points' spread, as those of encoded features do. For r = 2 it is
the distance on the axes and from them. Points lie in groups of neighbours, each with the box around its columns: what a
form is at least in a box is a bound for all of the group, and most groups need no other.

Source: Jolliffe 2002, Principal Component Analysis (the axes); `penchant.spaces._cross` (the products).
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant.spaces import _cross

__all__ = ["GROUP", "Bounds", "Lifted", "Sketch", "lift", "make_sketch"]

GROUP = 64
"""Points that lie side by side in a sketch and near to one another in the space."""
_ROWS = 1 << 13
"""Points of which the powers are held at a time."""
_VALUES = 1 << 17
"""Products that are held at a time: so many stay in a core's cache."""
_FEW = 8
"""Axes by which points are grouped, at most."""
_USUALLY = 0.75
"""Of so many queries all groups are looked into that turn out to matter, before it is known which ones do."""
_SPARE = 1e-9
"""What rounding in float64 may take from a norm, relatively, and more."""
_TINY_SPARE = 1e-12
"""What it may take from a sum."""


@dataclass(frozen=True, eq=False)
class Lifted:
    """The powers of points around their centre, and their principal axes; all in float64."""

    norm: int
    """r: 2, 4, 6 or 8."""
    centre: Float[Tensor, " k"]
    weight: Float[Tensor, " w"]
    """By which the powers are scaled, so that large ones do not take all the axes."""
    mean: Float[Tensor, " w"]
    """ψ̄, scaled."""
    axes: Float[Tensor, "w axes"]
    """V, the widest axis first."""

    def points(self, points: Float[Tensor, "n k"], axes: int) -> Float[Tensor, "n columns"]:
        """Vψ(y) on the first axes, C(y), and |ψ(y) − VᵀVψ(y)|, the last not less than it is."""
        y, along = points.double() - self.centre, self.axes[:, :axes]
        lifted = self.weight * _powers(y, self.norm) - self.mean
        near = lifted @ along
        left = (lifted - near @ along.mT).norm(dim=1) + _TINY_SPARE * lifted.norm(dim=1)
        return torch.cat([near, y.pow(self.norm).mean(1)[:, None], left[:, None] * (1 + _SPARE)], 1)

    def queries(
        self, queries: Float[Tensor, "q k"], axes: int
    ) -> tuple[Float[Tensor, "q columns"], Float[Tensor, " q"], Float[Tensor, " q"]]:
        """What such columns are multiplied by; A(x) + φ(x)·ψ̄; and the size of its summands."""
        x, along = queries.double() - self.centre, self.axes[:, :axes]
        forms = _forms(x, self.norm) / self.weight
        near = forms @ along
        left = (forms - near @ along.mT).norm(dim=1) + _TINY_SPARE * forms.norm(dim=1)
        power = x.pow(self.norm).mean(1)
        columns = torch.cat([near, torch.ones_like(power)[:, None], -left[:, None] * (1 + _SPARE)], 1)
        return columns, power + forms @ self.mean, power + forms.abs() @ self.mean.abs()


class Bounds(NamedTuple):
    """What a sketch says of some queries."""

    forms: Float[Tensor, "q columns"]
    """What the columns of a sketch are multiplied by, in float32."""
    lowest: Float[Tensor, "q groups"]
    """A bound of all of a group's points, without the query's own part: the lowest of theirs, or of their box."""
    own: Float[Tensor, " q"]
    """The query's own part less all rounding, in float64: with a bound never above the rth power of the distance."""


@dataclass(frozen=True, eq=False)
class Sketch:
    """A few numbers for each of m points."""

    lifted: Lifted
    axes: int
    """On how many axes it is."""
    grouped: Float[Tensor, "groups columns group"]
    """`Lifted.points` in float32, a column a point, in order of ``row``; behind the last C = inf."""
    box: Float[Tensor, "two_columns groups"]
    """The least of each of a group's columns, then the largest."""
    row: Int[Tensor, " padded"]
    """Row numbers of the points; -1 behind the last."""
    largest: Float[Tensor, " columns"]
    """The largest size in each column."""
    spread: float = math.inf
    """The bounds of groups that matter to a query are usually not above its lowest one by more."""

    def laid_out(self, queries: Float[Tensor, "q k"], reach: Float[Tensor, " q"]) -> "Sketch":
        """The same for queries such as these, which look for points within such distances: see ``spread``."""
        bounds = self.bounds(queries)
        within = self.power(reach) - bounds.own - self.boxed(bounds.forms).amin(1)
        return replace(self, spread=max(0.0, float(within.quantile(_USUALLY))))

    def bounds(self, queries: Float[Tensor, "q k"]) -> Bounds:
        """Lower bounds of the rth powers of the distances of (finite) queries to all points."""
        columns, own, summands = self.lifted.queries(queries, self.axes)
        forms = columns.float()
        size = columns.abs() @ self.largest
        lost = 1 + columns.abs().sum(1) + self.largest.sum()  # times what is too small for a normal number
        rounding = _cross._epsilon(forms) * size + torch.finfo(torch.float32).tiny * lost
        slack = (forms.shape[1] + 6) * rounding + _TINY_SPARE * (summands + size)
        return Bounds(forms, self._lowest(forms), own - slack)

    def boxed(self, forms: Float[Tensor, "q columns"]) -> Float[Tensor, "q groups"]:
        """What each form is at least in the box of each group."""
        with torch.autocast("cpu", enabled=False):
            return torch.cat([forms.clamp(min=0), forms.clamp(max=0)], 1) @ self.box

    def _lowest(self, forms: Float[Tensor, "q columns"]) -> Float[Tensor, "q groups"]:
        """See `Bounds`: the points of a group are looked at where any query is likely to need it."""
        lowest = self.boxed(forms)
        near = (lowest <= lowest.amin(1, keepdim=True) + self.spread).any(0).nonzero()[:, 0]
        with torch.autocast("cpu", enabled=False):
            for some in near.split(max(1, _VALUES // (GROUP * len(forms)))):
                lowest[:, some] = torch.matmul(forms, self.grouped.index_select(0, some)).amin(2).T
        return lowest

    def low(self, bounds: Bounds, query: Int[Tensor, " p"], group: Int[Tensor, " p"]) -> Float[Tensor, "p group"]:
        """Bounds of all points of a group for a query, pair by pair, without the query's own part."""
        with torch.autocast("cpu", enabled=False):
            forms, points = bounds.forms.index_select(0, query), self.grouped.index_select(0, group)
            return torch.bmm(forms[:, None], points)[:, 0]

    def power(self, distance: Float[Tensor, "*q"]) -> Float[Tensor, "*q"]:
        """The rth power of a distance in float64, rounding included: not less than it is."""
        return distance.pow(self.lifted.norm) * (1 + _TINY_SPARE)


def lift(points: Float[Tensor, "m k"], norm: int) -> Lifted:
    """The powers of (finite) points and their axes.

    Arguments:
        norm: r, even.
    """
    centre, m = points.double().mean(0), len(points)
    width = (norm - 1) * points.shape[1]
    mean, size, products = (torch.zeros(*shape, dtype=torch.float64) for shape in ((width,), (width,), (width, width)))
    for part in points.split(_ROWS):
        y = part.double() - centre
        powers = _powers(y, norm)
        mean += powers.sum(0) / m
        size += _forms(y, norm).square().sum(0) / m
        products += powers.T @ powers / m
    # the usual size of φ at each power: a distance changes as much by a step along each scaled axis
    weight = size.view(norm - 1, -1).mean(1).sqrt().repeat_interleave(points.shape[1])
    weight = weight.where(weight > 0, 1.0)
    mean = weight * mean
    axes = torch.linalg.eigh(products * weight * weight[:, None] - mean[:, None] * mean).eigenvectors
    return Lifted(norm, centre, weight, mean, axes.flip(1).contiguous())


def make_sketch(points: Float[Tensor, "m k"], lifted: Lifted, axes: int) -> Sketch:
    """The sketch of (finite) points on so many axes; see `Sketch.laid_out`."""
    columns = torch.cat([lifted.points(part, axes).float() for part in points.split(_ROWS)])
    order = _order(columns[:, : min(axes, _FEW)])
    padded = -(-len(order) // GROUP) * GROUP
    table, row = torch.zeros(axes + 2, padded), torch.full((padded,), -1)
    table[:, : len(order)], row[: len(order)] = columns[order].T, order
    table[axes, len(order) :] = math.inf
    grouped = table.view(axes + 2, -1, GROUP).transpose(0, 1).contiguous()
    least, most = grouped.amin(2).T, grouped.amax(2).T
    box = torch.cat([least, most.where(most.isfinite(), 0.0)])  # C is multiplied by 1: its largest is not looked at
    return Sketch(lifted, axes, grouped, box, row, columns.double().abs().amax(0))


def _powers(y: Float[Tensor, "n k"], norm: int) -> Float[Tensor, "n w"]:
    """ψ."""
    return torch.cat([y.pow(i) for i in range(1, norm)], 1)


def _forms(x: Float[Tensor, "n k"], norm: int) -> Float[Tensor, "n w"]:
    """φ."""
    k = x.shape[1]
    return torch.cat([math.comb(norm, i) * (-1) ** i / k * x.pow(norm - i) for i in range(1, norm)], 1)


def _order(where: Float[Tensor, "m c"]) -> Int[Tensor, " m"]:
    """Rows so that each `GROUP` of them lie together: halved at the middle of the widest axis, again and again.

    Source: Bentley 1975, doi 10.1145/361002.361007.
    """
    done: list[Tensor] = []
    left = [torch.arange(len(where))]
    while left:
        rows = left.pop()
        if len(rows) <= GROUP:
            done.append(rows)
            continue
        here = where[rows]
        widest = int((here.amax(0) - here.amin(0)).argmax())
        half = (len(rows) // GROUP + 1) // 2 * GROUP
        order = here[:, widest].argsort(stable=True)
        left += [rows[order[half:]], rows[order[:half]]]
    return torch.cat(done)
