"""Decisions that hold for every item of a region: liked, or not liked, whatever its free fields are.

Branch and bound: bounds of the distance over pieces of the region; pieces that are not decided are cut in two, at the
field that moves the distance most, until all are, or until one liked and one other item are found: then it is proved
that the free fields matter. Pieces of a single item are asked of the model itself, so that with finitely many items
every question is answered in the end.

Source: docs/theory, portraits; branch and bound: Land, Doig 1960, Econometrica 28; Bunel et al. 2018, arXiv 1711.00455.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from penchant._spec import Features
from penchant.errors import ConfigError, SpaceError
from penchant.nets import MLPEncoder, take
from penchant.portraits.bounds._crown import Crown
from penchant.portraits.bounds._distance import distances
from penchant.portraits.bounds._items import Items, Pieces
from penchant.portraits.bounds.regions import Region
from penchant.spaces import UniformSpace

__all__ = ["Certificate", "Witness", "certify"]

Decision = Literal["liked", "not liked", "open"]

_AT_ONCE = 128
"""Pieces bounded in one go."""

_CLIMBS = 6
"""Steps of the search for the nearest and the farthest item before anything is cut."""


@dataclass(frozen=True, slots=True, eq=False)
class Witness:
    """An item of the region."""

    features: Features
    """One encoded row, the fixed fields as they were given."""
    distance: float
    """Its base distance from the centre, as the model computes it."""


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """What is known of all items of a region."""

    decision: Decision
    """liked, not liked: all of them. open: it depends on the free fields, or that could not be settled."""
    proved: bool
    """Whether it is certain: of "open", that there are items of both kinds (`nearest` and `farthest`)."""
    lower: float
    """No item is nearer than this base distance."""
    upper: float
    """No item is farther."""
    nearest: Witness
    """The nearest item that was found."""
    farthest: Witness
    """The farthest one."""
    pieces: int
    """So many pieces of the region were bounded."""


def certify(
    encoder: MLPEncoder,
    region: Region,
    *,
    space: UniformSpace,
    centre: Float[Tensor, " k"],
    threshold: float,
    pieces: int = 1024,
) -> Certificate:
    """Is every item of a region liked, or none, by a user at ``centre``?

    Sound for the model as it runs, in single precision: what is proved holds for every item that can be encoded. (Of an
    item on the threshold itself, to the last digits, the model is taken at its word: they may change with the batch.)

    Arguments:
        encoder: of the items, with ReLU, in evaluation mode.
        region: the items in question.
        space: where its points lie.
        centre: the interest point.
        threshold: p, a base distance above 0: liked is what lies within it.
        pieces: the budget: at most so many pieces are bounded, at least 1 (up to a millisecond each).

    Raises:
        ConfigError: an option outside its range, an encoder that cannot be bounded, a region that does not fit it.
        SpaceError: a centre of another dimension, or that is no point.
    """
    if not 0 < threshold < math.inf:
        raise ConfigError(f"threshold = {threshold}: a distance above 0 expected")
    if pieces < 1:
        raise ConfigError(f"pieces = {pieces}: at least 1 expected")
    space.check_dim(centre)
    if not bool(centre.isfinite().all()):
        raise SpaceError("centre: a finite point expected, got NaN or infinity")
    return _Search(Items(encoder, region), space, centre.detach(), threshold).run(pieces)


class _Bounded(NamedTuple):
    """Pieces with what is known of their distances, and forms that point to near and to far items."""

    pieces: Pieces
    low: Float[Tensor, " p"]
    high: Float[Tensor, " p"]
    asked: Float[Tensor, " p"]
    """What the model says of a piece that is one item; NaN elsewhere."""
    nearer: Float[Tensor, "p n"]
    farther: Float[Tensor, "p n"]

    def take(self, rows: Int[Tensor, " q"]) -> "_Bounded":
        return _Bounded(self.pieces.take(rows), *(known[rows] for known in self[1:]))

    def and_more(self, more: "_Bounded") -> "_Bounded":
        known = (torch.cat(both) for both in zip(self[1:], more[1:], strict=True))
        return _Bounded(self.pieces.and_more(more.pieces), *known)


class _Search:
    """One question, while it is being answered."""

    def __init__(self, items: Items, space: UniformSpace, centre: Float[Tensor, " k"], threshold: float) -> None:
        self.items, self.space, self.threshold = items, space, threshold
        self.centre = centre.to(items.base.device)
        self.rounding = items.rounding()
        self.found: list[Witness] = []
        """The nearest item and the farthest one."""

    def run(self, budget: int) -> Certificate:
        """Cut until it is decided, or the budget is spent."""
        left = self._bound(Pieces.whole(self.items))
        self._climb(left)
        used, lower, upper = 1, math.inf, -math.inf
        while True:
            decided = self._decided(left)
            lower, upper = _widened(lower, upper, left.take(decided.nonzero()[:, 0]))
            left = left.take((~decided).nonzero()[:, 0])
            room = min(budget - used, _AT_ONCE) // 2
            if not len(left.low) or (self._liked and self._other) or not room:
                break
            left, more = self._cut(left, room)
            used += more
        lower, upper = _widened(lower, upper, left)
        return self._answer(not len(left.low), lower, upper, used)

    def _decided(self, pieces: _Bounded) -> Bool[Tensor, " p"]:
        """Which pieces are like the items that were found: all liked, or none."""
        if self._liked:
            return torch.where(pieces.asked.isnan(), pieces.high, pieces.asked) <= self.threshold
        return torch.where(pieces.asked.isnan(), pieces.low, pieces.asked) > self.threshold

    @property
    def _liked(self) -> bool:
        """Is there a liked item?"""
        return self.found[0].distance <= self.threshold

    @property
    def _other(self) -> bool:
        """Is there one that is not?"""
        return self.found[1].distance > self.threshold

    def _bound(self, pieces: Pieces) -> _Bounded:
        """Bounds of pieces; the model is asked of an item in each that seems near, and of one that seems far."""
        known = distances(self.space, self.centre.double(), Crown(self.items.network, pieces), self.rounding)
        self._ask(pieces.best(known.nearer))
        distance = self._ask(pieces.best(known.farther))
        asked = distance.masked_fill(~pieces.single(), math.nan)
        return _Bounded(pieces, known.low, known.high, asked, known.nearer, known.farther)

    def _cut(self, left: _Bounded, room: int) -> tuple[_Bounded, int]:
        """The pieces that are farthest from being decided, at most ``room``, replaced by their halves."""
        order = (left.high if self._liked else -left.low).argsort(descending=True)
        parents, rest = left.take(order[:room]), left.take(order[room:])
        halves = self._bound(parents.pieces.halves(parents.farther if self._liked else parents.nearer))
        low, high = torch.maximum(halves.low, parents.low.repeat(2)), torch.minimum(halves.high, parents.high.repeat(2))
        return halves._replace(low=low, high=high).and_more(rest), len(low)

    @torch.no_grad()
    def _ask(self, rows: Features) -> Float[Tensor, " p"]:
        """Distances of items as the model computes them; the nearest and the farthest so far are kept."""
        points = self.space.bound(self.items.encoder(rows))
        distance = self.space.base_distance(points, self.centre).double()
        for end, row in enumerate((int(distance.argmin()), int(distance.argmax()))):
            witness = Witness(take(rows, torch.tensor([row], device=distance.device)), float(distance[row]))
            if len(self.found) <= end:
                self.found.append(witness)
            elif (witness.distance < self.found[end].distance) == (end == 0):
                self.found[end] = witness
        return distance

    def _climb(self, whole: _Bounded) -> None:
        """From items that seem nearest and farthest to nearer and farther ones: every field follows the gradient."""
        for sign, form in ((-1.0, whole.nearer), (1.0, whole.farther)):
            before = -math.inf
            for _ in range(_CLIMBS):
                rows = whole.pieces.best(form)
                distance = sign * float(self._ask(rows)[0])
                if distance <= before:
                    break
                before, form = distance, sign * self._gradient(rows)

    def _gradient(self, rows: Features) -> Float[Tensor, "1 n"]:
        """Of the distance by the joint inputs of an item."""
        joint = self.items.joint(replace(rows, dense=rows.dense.double())).requires_grad_()
        points = self.space.bound(self.items.network(joint))
        (gradient,) = torch.autograd.grad(self.space.base_distance(points, self.centre.double()).sum(), joint)
        return gradient

    def _answer(self, all_decided: bool, lower: float, upper: float, used: int) -> Certificate:
        both = self._liked and self._other
        decision: Decision = "open" if both or not all_decided else "liked" if self._liked else "not liked"
        return Certificate(decision, both or all_decided, lower, upper, self.found[0], self.found[1], used)


def _widened(lower: float, upper: float, pieces: _Bounded) -> tuple[float, float]:
    """Bounds that hold for further pieces."""
    return min([lower, *pieces.low.tolist()]), max([upper, *pieces.high.tolist()])
