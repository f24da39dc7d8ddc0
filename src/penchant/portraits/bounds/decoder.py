"""How far every feature of a portrait can lie inside a ball: ranges that are proved, and ranges that are found.

A *certified* range holds what the decoder says of every point of the ball ∩ M, in exact arithmetic and in single
precision; a *found* one is reached. What lies between the two is not known. Both are ranges of logits, where widths say
something: shares near 0 and 1 are narrow because the sigmoid is flat there.

Source: docs/theory, portraits; Zhang et al. 2018, arXiv 1811.00866 (linear bounds).
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from penchant.errors import ConfigError, SpaceError
from penchant.nets import MLPDecoder
from penchant.nets.interval import interval_bounds
from penchant.portraits.bounds._ball import BallBoxes
from penchant.portraits.bounds._crown import SINGLE, Crown, ReLUNetwork, linear_layers
from penchant.portraits.bounds._search import climb
from penchant.portraits.bounds._splitting import cut
from penchant.spaces import Ball, UniformSpace

__all__ = ["DecodedBounds", "Range", "certified_range", "decoded_bounds", "found_range", "interval_range"]

_AT_ONCE = 1 << 16
"""Entries of the linear forms held at a time: so many stay in a core's cache."""

_SHARE_ROUNDING = 2.0**-21
"""How far a sigmoid in single precision may be off, and more."""


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """From where to where m features lie for b centres, in float64."""

    low: Float[Tensor, "b m"]
    """Lower ends, as logits or shares."""
    high: Float[Tensor, "b m"]
    """Upper ends."""
    proved: bool
    """True: nothing lies outside. False: both ends are reached."""

    @property
    def width(self) -> Float[Tensor, "b m"]:
        """Upper less lower ends."""
        return self.high - self.low

    def shares(self) -> "Range":
        """A range of logits as one of shares in [0, 1]."""
        slack = _SHARE_ROUNDING if self.proved else 0.0
        low, high = torch.sigmoid(self.low) - slack, torch.sigmoid(self.high) + slack
        return Range(low.clamp(0, 1), high.clamp(0, 1), self.proved)


@dataclass(frozen=True, slots=True, eq=False)
class DecodedBounds:
    """What is proved and what is found of the same balls."""

    certified: Range
    """Nothing inside the ball decodes to outside of it."""
    found: Range
    """Points of the ball decode to its ends."""

    def shares(self) -> "DecodedBounds":
        """Both as shares in [0, 1]."""
        return DecodedBounds(self.certified.shares(), self.found.shares())

    def ratio(self) -> Float[Tensor, " b"]:
        """Certified over found width, summed over the features: 1 where all is known; inf where nothing was found."""
        found = self.found.width.sum(1)
        ratio = self.certified.width.sum(1) / found
        return torch.where(found > 0, ratio, math.inf)


def certified_range(
    decoder: MLPDecoder,
    space: UniformSpace,
    centres: Float[Tensor, "b k"],
    radius: float | Float[Tensor, " b"],
    *,
    pieces: int = 1,
) -> Range:
    """Proved ranges of every feature's logit over balls ∩ M.

    With more than one piece, balls are cut along the axes that loosen the bounds most and each piece is bounded by
    itself: the ranges only become narrower, for ``pieces`` times the work. In a few axes that gains much, in 64 little
    (64 pieces: a ratio of 1.084 to 1.077).

    Arguments:
        decoder: of either side, with ReLU.
        centres: b points.
        radius: a base distance for all balls, or one for each; above 0.
        pieces: into so many parts each ball is cut at most, at least 1; a power of two is used.

    Raises:
        ConfigError: a decoder with another activation, a radius or pieces outside their range.
        SpaceError: points of another dimension or that are no numbers, or a ball that lies outside M.
    """
    if pieces < 1:
        raise ConfigError(f"pieces = {pieces}: at least 1 expected")
    network = _network(decoder)
    sets, slack = _balls(space, centres, radius, (space.dim + 32) * SINGLE), _slack(network)
    cuts = int(math.log2(pieces))
    parts = [_bounded(network, sets.take(rows), cuts) for rows in _rows(len(sets.centre), network.entries)]
    return Range(torch.cat([low for low, _ in parts]) - slack, torch.cat([high for _, high in parts]) + slack, True)


def interval_range(
    decoder: MLPDecoder, space: UniformSpace, centres: Float[Tensor, "b k"], radius: float | Float[Tensor, " b"]
) -> Range:
    """The same by interval arithmetic over boxes around the balls: ten times wider and for any activation; a check."""
    low, high = _balls(space, centres, radius).around_box()
    exact = copy.deepcopy(decoder).double()
    with torch.no_grad():
        below, above = interval_bounds(exact.layers, low, high)
        if exact.linear is not None:
            more = interval_bounds([exact.linear], low, high)
            below, above = below + more[0], above + more[1]
    return Range(below, above, True)


def found_range(
    decoder: MLPDecoder,
    space: UniformSpace,
    centres: Float[Tensor, "b k"],
    radius: float | Float[Tensor, " b"],
    *,
    steps: int = 10,
    samples: int = 0,
    rng: int = 0,
) -> Range:
    """Ranges of every feature's logit that points of the balls ∩ M reach, found by climbing; for any activation.

    Arguments:
        decoder, space, centres, radius: as of `certified_range`.
        steps: of each climb at most, at least 0; few are needed.
        samples: uniform points of each ball, of which the best is where a climb starts, if it is better than the
            ball's centre (or what of M is nearest to it).
        rng: seed of the samples.

    Raises:
        ConfigError, SpaceError: as `certified_range`.
    """
    if steps < 0 or samples < 0:
        raise ConfigError(f"steps = {steps}, samples = {samples}: at least 0 expected")
    own = _OwnLogits.of(decoder)
    sets = _balls(space, centres, radius)
    points = _starts(space, sets, samples, rng)
    found = torch.cat([
        climb(own, sets.take(rows), own.best(points[rows]), steps)
        for rows in _rows(len(points), max(p.numel() for p in decoder.parameters()))
    ])  # fmt: skip
    low, high = found.chunk(2, 1)
    return Range(-low, high, False)


def decoded_bounds(
    decoder: MLPDecoder,
    space: UniformSpace,
    centres: Float[Tensor, "b k"],
    radius: float | Float[Tensor, " b"],
    *,
    pieces: int = 1,
    target: float = 1.25,
) -> DecodedBounds:
    """What is proved and what is found, and balls cut into pieces where the two are far apart.

    Arguments:
        decoder, space, centres, radius: as of `certified_range`.
        pieces: into so many parts a ball is cut at most.
        target: balls whose certified ranges are at most so many times as wide as the found ones (summed over the
            features) are not cut.

    Raises:
        ConfigError, SpaceError: as `certified_range`.
    """
    bounds = DecodedBounds(
        certified_range(decoder, space, centres, radius), found_range(decoder, space, centres, radius)
    )
    if pieces < 2:
        return bounds
    wide = (bounds.ratio() > target).nonzero()[:, 0]
    if len(wide):
        some = radius[wide] if isinstance(radius, Tensor) else radius
        tighter = certified_range(decoder, space, centres[wide], some, pieces=pieces)
        low, high = bounds.certified.low.clone(), bounds.certified.high.clone()
        low[wide], high[wide] = tighter.low, tighter.high
        bounds = DecodedBounds(Range(low, high, True), bounds.found)
    return bounds


def _network(decoder: MLPDecoder) -> ReLUNetwork:
    layers = linear_layers(decoder.layers, "decoder")
    return ReLUNetwork(
        tuple(layer.weight.detach().double() for layer in layers),
        tuple(layer.bias.detach().double() for layer in layers),
        None if decoder.linear is None else decoder.linear.weight.detach().double(),
    )


def _slack(network: ReLUNetwork) -> Float[Tensor, " m"]:
    """How far off single precision may be at any point of M (|z_j| <= 1), the rounding of the point included."""
    one = torch.ones(network.weights[0].shape[1], dtype=torch.float64, device=network.weights[0].device)
    return network.rounding(one, SINGLE * one)


def _balls(
    space: UniformSpace, centres: Float[Tensor, "b k"], radius: float | Float[Tensor, " b"], wider: float = 0.0
) -> BallBoxes:
    """The balls ∩ M in float64, with radii that are wider by a share.

    Raises: ConfigError: a radius. SpaceError: centres.
    """
    space.check_dim(centres)
    b, k = centres.shape
    radii = torch.as_tensor(radius, dtype=torch.float64, device=centres.device).detach().expand(b)
    if not bool(((radii > 0) & (radii < math.inf)).all()):
        raise ConfigError("radius: distances above 0 expected, and finite ones")
    if not bool(centres.isfinite().all()):
        raise SpaceError("centres: finite points expected, got NaN or infinity")
    centre = centres.detach().double()
    reach = radii * (1.0 if math.isinf(space.norm) else k ** (1 / space.norm)) * (1 + wider)
    low, high = torch.full_like(centre, space.low), torch.full_like(centre, space.high)
    sets = BallBoxes(centre, low, high, reach, space.norm)
    if bool(sets.empty.any()):
        rows = sets.empty.nonzero()[:5, 0].tolist()
        raise SpaceError(f"no point of the space lies in the balls of rows {rows}: their centres are too far outside")
    return sets


def _rows(n: int, entries: int) -> Iterator[slice]:
    """So many balls at a time that their linear forms, of so many entries each, stay in the cache."""
    size = max(1, _AT_ONCE // entries)
    return (slice(start, min(n, start + size)) for start in range(0, max(n, 1), size))


def _bounded(network: ReLUNetwork, sets: BallBoxes, cuts: int) -> tuple[Float[Tensor, "p m"], Float[Tensor, "p m"]]:
    """Bounds of the outputs over sets, each cut ``cuts`` times where that can help."""
    crown = Crown(network, sets)
    low, high = crown.outputs()
    if not cuts or not crown.ranges:
        return low, high
    pieces, owner = cut(crown, sets, cuts)
    parts = [Crown(network, pieces.take(rows)).outputs() for rows in _rows(len(owner), network.entries)]
    where = owner[:, None].expand(-1, low.shape[1])
    lowest = torch.full_like(low, math.inf).scatter_reduce(0, where, torch.cat([p[0] for p in parts]), "amin")
    highest = torch.full_like(low, -math.inf).scatter_reduce(0, where, torch.cat([p[1] for p in parts]), "amax")
    return torch.maximum(low, lowest), torch.minimum(high, highest)


def _starts(space: UniformSpace, sets: BallBoxes, samples: int, rng: int) -> Float[Tensor, "b s k"]:
    """What of the balls ∩ M is nearest to their centres, and uniform points."""
    radii = sets.reach if math.isinf(space.norm) else sets.reach / space.dim ** (1 / space.norm)
    points = sets.centre.clamp(space.low, space.high)[:, None]
    if not samples:
        return points
    generator = torch.Generator().manual_seed(rng)
    drawn = [
        Ball(space, centre, float(radius)).sample(samples, generator)
        for centre, radius in zip(sets.centre, radii, strict=True)
    ]
    return torch.cat([points, torch.stack(drawn)], 1) if drawn else points


@dataclass(frozen=True, slots=True, eq=False)
class _OwnLogits:
    """A decoder in float64, of which each output is asked at points of its own.

    -1 times the logit of feature j at each point (i, j), then the logit of feature j at (i, m + j).
    """

    hidden: Sequence[Callable[[Tensor], Tensor]]
    """All layers but the last."""
    weight: Float[Tensor, "n h"]
    """Of the last layer."""
    bias: Float[Tensor, " n"]
    skip: Float[Tensor, "n k"] | None
    """What goes past the hidden layers."""

    @classmethod
    def of(cls, decoder: MLPDecoder) -> "_OwnLogits":
        """Of a decoder's outputs, first -1 times each, then each."""
        *hidden, last = decoder.layers
        assert isinstance(last, nn.Linear), "a decoder ends in one"
        skip = None if decoder.linear is None else _twice(decoder.linear.weight)
        return cls([_exact(layer) for layer in hidden], _twice(last.weight), _twice(last.bias), skip)

    def __call__(self, points: Float[Tensor, "p n k"]) -> tuple[Float[Tensor, "p n"], Float[Tensor, "p n k"]]:
        at = points.detach().requires_grad_()
        hidden = self._deep(at)
        (gradient,) = torch.autograd.grad(hidden, at, self.weight.expand_as(hidden))
        logits = (hidden.detach() * self.weight).sum(-1) + self.bias
        if self.skip is None:
            return logits, gradient
        return logits + (points * self.skip).sum(-1), gradient + self.skip

    def best(self, points: Float[Tensor, "p s k"]) -> Float[Tensor, "p n k"]:
        """For each output the one of the points where it is largest."""
        logits = self._deep(points) @ self.weight.mT + self.bias
        if self.skip is not None:
            logits = logits + points @ self.skip.mT
        return points.gather(1, logits.argmax(1)[..., None].expand(-1, -1, points.shape[2]))

    def _deep(self, points: Float[Tensor, "*p k"]) -> Float[Tensor, "*p h"]:
        for layer in self.hidden:
            points = layer(points)
        return points


def _exact(layer: nn.Module) -> Callable[[Tensor], Tensor]:
    """A layer in float64."""
    if not isinstance(layer, nn.Linear):
        return layer
    return partial(nn.functional.linear, weight=layer.weight.detach().double(), bias=layer.bias.detach().double())


def _twice(weight: Float[Tensor, "m *k"]) -> Float[Tensor, "n *k"]:
    exact = weight.detach().double()
    return torch.cat([-exact, exact])
