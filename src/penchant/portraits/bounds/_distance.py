"""Bounds of the distance between a point and the points of sets of items.

With finite r the distance is a sum over the axes, k d^r = Σ_j |c_j − g(y_j)|^r, of an encoder's outputs y and the
bound g of the space. Each term lies between two lines in y_j on the range of y_j, and the sum of the lines is one
linear form of the outputs, which linear bounds of the network follow back to the items: what two axes cannot do at once
is seen. The box of the axes' own ranges gives bounds as well; the narrower ones hold.

Source: linear bounds of S-shaped functions: Zhang et al. 2018, arXiv 1811.00866, §3.2; here met with a power.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from penchant.portraits.bounds._crown import SINGLE, Crown
from penchant.spaces import UniformSpace

__all__ = ["Distances", "distances"]

_LARGEST_POWER = 16.0
"""Above this the norm is so near the largest difference that the sum's lines say nothing."""

_HALVINGS = 20
"""Of the interval in which a tangent's place is looked for; every place tried on the safe side is sound."""

_EVEN = 1e-9
"""Ranges narrower than this count as flat."""

_BOUND_ROUNDING = 2.0**-21
"""How far off tanh and sigmoid in single precision may be, and more."""


class Distances(NamedTuple):
    """Of p sets."""

    low: Float[Tensor, " p"]
    """Nothing in a set is nearer."""
    high: Float[Tensor, " p"]
    """Nothing in a set is farther."""
    nearer: Float[Tensor, "p n"]
    """Forms of the inputs that are large, as it seems, where items are near."""
    farther: Float[Tensor, "p n"]
    """The same where they are far."""


class _Lines(NamedTuple):
    """a y + b, axis by axis."""

    slope: Float[Tensor, "p k"]
    height: Float[Tensor, "p k"]


def distances(
    space: UniformSpace, centre: Float[Tensor, " k"], crown: Crown, rounding: Float[Tensor, " k"]
) -> Distances:
    """Bounds of the base distance, in whatever precision it is computed.

    Arguments:
        centre: the point from which distances are taken.
        crown: the encoder's network on the sets.
        rounding: how far single precision may be from the network's outputs.
    """
    low, high = crown.outputs()
    least, most = _by_box(space, centre, space.bound(low), space.bound(high))
    if space.norm <= _LARGEST_POWER:
        below, above = _terms(space, centre, low, high)
        nearer, farther = crown.above(-below.slope[:, None]), crown.above(above.slope[:, None])
        sum_low = below.height.sum(1) - (crown.inputs.maximum(nearer[0]) + nearer[1])[:, 0]
        sum_high = above.height.sum(1) + (crown.inputs.maximum(farther[0]) + farther[1])[:, 0]
        least = torch.maximum(least, (sum_low.clamp(min=0) / space.dim).pow(1 / space.norm))
        most = torch.minimum(most, (sum_high.clamp(min=0) / space.dim).pow(1 / space.norm))
    else:
        away = _worst_axis(space, centre, low, high)
        nearer, farther = crown.above(-away[:, None]), crown.above(away[:, None])
    slack = float(rounding.max()) + _BOUND_ROUNDING  # distances move by no more than the largest error of an axis
    share = (space.dim + 32) * SINGLE
    low, high = (least * (1 - share) - slack).clamp(min=0), most * (1 + share) + slack
    return Distances(low, high, nearer[0][:, 0], farther[0][:, 0])


def _by_box(
    space: UniformSpace, centre: Float[Tensor, " k"], low: Float[Tensor, "p k"], high: Float[Tensor, "p k"]
) -> tuple[Float[Tensor, " p"], Float[Tensor, " p"]]:
    """Least and largest distance to a box: exact."""
    near = torch.minimum(torch.maximum(centre, low), high)
    far = torch.where(high - centre > centre - low, high, low)
    return space.base_distance(near, centre), space.base_distance(far, centre)


def _worst_axis(
    space: UniformSpace, centre: Float[Tensor, " k"], low: Float[Tensor, "p k"], high: Float[Tensor, "p k"]
) -> Float[Tensor, "p k"]:
    """The outward unit vector of the axis on which items can be farthest away."""
    above, below = space.bound(high) - centre, centre - space.bound(low)
    axis = torch.maximum(above, below).argmax(1, keepdim=True)
    out = torch.where(above > below, 1.0, -1.0).to(low.dtype)
    return torch.zeros_like(low).scatter(1, axis, out.gather(1, axis))


def _terms(
    space: UniformSpace, centre: Float[Tensor, " k"], low: Float[Tensor, "p k"], high: Float[Tensor, "p k"]
) -> tuple[_Lines, _Lines]:
    """Lines below and above |c − g(y)|^r on [low, high]: of the power first, then of g."""
    r, first, last = space.norm, space.bound(low), space.bound(high)

    def power(x: Tensor) -> Tensor:
        return (centre - x).abs().pow(r)

    below_g, above_g = _lines_of_bound(space, low, high)
    middle = (first + last) / 2
    slope = -r * (centre - middle).abs().pow(r - 1) * (centre - middle).sign()  # convex: a tangent is below
    below = _put(_Lines(slope, power(middle) - slope * middle), below_g, above_g)
    slope = (power(last) - power(first)) / (last - first).clamp(min=_EVEN)  # and a chord above
    height = torch.maximum(power(last) - slope * last, power(first) - slope * first)
    return below, _put(_Lines(slope, height), above_g, below_g)


def _put(outer: _Lines, rising: _Lines, falling: _Lines) -> _Lines:
    """a g(y) + b as a line in y, with one line of g where a > 0 and the other where a < 0."""
    up, down = outer.slope.clamp(min=0), outer.slope.clamp(max=0)
    slope = up * rising.slope + down * falling.slope
    return _Lines(slope, outer.height + up * rising.height + down * falling.height)


def _lines_of_bound(
    space: UniformSpace, low: Float[Tensor, "p k"], high: Float[Tensor, "p k"]
) -> tuple[_Lines, _Lines]:
    """Lines below and above the space's bound g: convex up to 0, concave from there, and odd around the middle of M."""
    above = _line_above(space, low, high)
    mirrored = _line_above(space, -high, -low)
    return _Lines(mirrored.slope, space.low + space.high - mirrored.height), above


def _line_above(space: UniformSpace, low: Float[Tensor, "p k"], high: Float[Tensor, "p k"]) -> _Lines:
    """The chord where that is above; else the tangent at the least place from which it passes above (low, g(low))."""
    first, last = space.bound(low), space.bound(high)
    chord = (last - first) / (high - low).clamp(min=_EVEN)
    steep = (_steepness(space, high) >= chord) | (high <= 0)
    inner, outer = low.clamp(min=0), high.clamp(min=0)
    place = (inner + outer) / 2
    for _ in range(_HALVINGS):
        passes = space.bound(place) - _steepness(space, place) * (place - low) >= first
        inner, outer = torch.where(passes, inner, place), torch.where(passes, place, outer)
        place = torch.where(low >= 0, place, (inner + outer) / 2)
    place = torch.where(low >= 0, place, outer)
    slope = torch.where(steep, chord, _steepness(space, place))
    height = torch.where(
        steep, torch.maximum(first - chord * low, last - chord * high), space.bound(place) - slope * place
    )
    return _Lines(slope, height)


def _steepness(space: UniformSpace, y: Float[Tensor, "p k"]) -> Float[Tensor, "p k"]:
    """g'(y)."""
    g = space.bound(y)
    return 1 - g * g if space.box == "tanh" else g * (1 - g)
