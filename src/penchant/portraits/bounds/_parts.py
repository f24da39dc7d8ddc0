"""Free fields: sets of their inputs that can be bounded, cut in two, and taken values from.

A part's *state* says, for each of p pieces, what the field may still be. Scores are what a linear form of the inputs
makes of the field's vertices (`penchant.nets.vertices`), so that every method sees vertices as numbers.
"""

import math
from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from penchant._spec import Bag, Block

__all__ = ["Axes", "Choice", "Part", "Path", "Tags", "as_single"]

Scores = Float[Tensor, "#p m v"]


class Part(ABC):
    """One free field."""

    start: Tensor
    """(1, …) state of the piece that holds all."""

    def __init__(self, block: Block, columns: Int[Tensor, " c"], offsets: Float[Tensor, "v c"]) -> None:
        """``columns``: of the joint inputs that the field fills; ``offsets``: of its vertices there, from its base."""
        self.block, self.columns, self.offsets = block, columns, offsets

    def scores(self, forms: Float[Tensor, "#p m n"]) -> Scores:
        """What forms of the joint inputs make of the vertices."""
        return forms[..., self.columns] @ self.offsets.mT

    def span(self) -> Float[Tensor, " c"]:
        """The largest absolute offset of each column."""
        return self.offsets.abs().amax(0)

    @abstractmethod
    def maximum(self, scores: Scores, state: Tensor) -> Float[Tensor, "p m"]:
        """The largest score of anything the field may be."""

    @abstractmethod
    def best(self, scores: Float[Tensor, "p v"], state: Tensor) -> Tensor | Bag:
        """A value of the largest score for each piece, encoded."""

    @abstractmethod
    def single(self, state: Tensor) -> Bool[Tensor, " p"]:
        """In which pieces is one value left?"""

    @abstractmethod
    def halves(self, scores: Float[Tensor, "p v"], state: Tensor) -> tuple[Tensor, Tensor]:
        """Two states that hold what each of these (not single) states holds; cut so that scores differ."""


class Choice(Part):
    """One of several vertices; the state marks those that are left."""

    def __init__(self, block: Block, columns: Tensor, offsets: Tensor, values: Tensor) -> None:
        super().__init__(block, columns, offsets)
        self.values = values
        self.start = torch.ones(1, len(values), dtype=torch.bool, device=offsets.device)

    def maximum(self, scores: Scores, state: Bool[Tensor, "p v"]) -> Float[Tensor, "p m"]:
        """The largest one that is left."""
        return _left(scores, state[:, None]).amax(-1)

    def best(self, scores: Float[Tensor, "p v"], state: Bool[Tensor, "p v"]) -> Tensor:
        """Codes, or numbers (p, 1)."""
        return self.values[_left(scores, state).argmax(-1)]

    def single(self, state: Bool[Tensor, "p v"]) -> Bool[Tensor, " p"]:
        """One vertex is left."""
        return state.sum(-1) == 1

    def halves(self, scores: Float[Tensor, "p v"], state: Bool[Tensor, "p v"]) -> tuple[Tensor, Tensor]:
        """The upper half of the scores that are left, and the lower."""
        upper = state & (_rank(_left(scores, state)) < (state.sum(-1, keepdim=True) + 1) // 2)
        return upper, state & ~upper


class Tags(Part):
    """A set of tags: their mean, or their sum. The state says 0 out, 1 perhaps, 2 always."""

    def __init__(
        self,
        block: Block,
        columns: Tensor,
        offsets: Tensor,
        codes: Int[Tensor, " v"],
        start: Int[Tensor, " v"],
        sizes: tuple[int, int],
        *,
        mean: bool,
    ) -> None:
        """``sizes``: the least and the largest number of tags in all."""
        super().__init__(block, columns, offsets)
        self.codes, self.sizes, self.mean = codes, sizes, mean
        self.start = self._settled(start[None])

    def span(self) -> Float[Tensor, " c"]:
        """Of one tag for the mean, of all for the sum."""
        return super().span() if self.mean else self.offsets.abs().sum(0)

    def maximum(self, scores: Scores, state: Int[Tensor, "p v"]) -> Float[Tensor, "p m"]:
        """Over all sizes: the tags that are always there, and the best of the others."""
        return self._by_size(scores, state[:, None]).amax(-1)

    def best(self, scores: Float[Tensor, "p v"], state: Int[Tensor, "p v"]) -> Bag:
        """The best set of each piece."""
        more = self._by_size(scores, state).argmax(-1, keepdim=True)
        there = (state == 2) | ((state == 1) & (_rank(_left(scores, state == 1)) < more))
        rows, places = there.nonzero(as_tuple=True)
        lengths = torch.bincount(rows, minlength=len(there))
        return Bag(self.codes[places], functional.pad(lengths.cumsum(0), (1, 0)))

    def single(self, state: Int[Tensor, "p v"]) -> Bool[Tensor, " p"]:
        """Every tag is in or out."""
        return (state != 1).all(-1)

    def halves(self, scores: Float[Tensor, "p v"], state: Int[Tensor, "p v"]) -> tuple[Tensor, Tensor]:
        """With and without the tag that changes the score most."""
        middle = scores.mean(-1, keepdim=True) if self.mean else 0.0
        tag = _left((scores - middle).abs(), state == 1).argmax(-1, keepdim=True)
        with_it, without = state.scatter(-1, tag, 2), state.scatter(-1, tag, 0)
        return self._settled(with_it), self._settled(without)

    def _by_size(self, scores: Float[Tensor, "*#p v"], state: Int[Tensor, "*#p v"]) -> Float[Tensor, "*p w"]:
        """The largest score with 0, 1, … further tags; -inf where there cannot be so many."""
        always = (state == 2).to(scores.dtype)
        others = _left(scores, state == 1).sort(-1, descending=True).values
        total = (scores * always).sum(-1, keepdim=True) + functional.pad(others.cumsum(-1), (1, 0))
        count = always.sum(-1, keepdim=True) + torch.arange(total.shape[-1], device=total.device)
        if self.mean:
            total = total / count.clamp(min=1)
        return total.masked_fill((count < self.sizes[0]) | (count > self.sizes[1]), -math.inf)

    def _settled(self, state: Int[Tensor, "p v"]) -> Int[Tensor, "p v"]:
        """What the sizes leave no choice about is said."""
        always, perhaps = (state == 2).sum(-1, keepdim=True), (state == 1).sum(-1, keepdim=True)
        state = state.masked_fill((state == 1) & (always >= self.sizes[1]), 0)
        return state.masked_fill((state == 1) & (always + perhaps <= self.sizes[0]), 2)


class Path(Part):
    """A number on a broken line between knots; the state is (low, high), both numbers of single precision."""

    def __init__(
        self, block: Block, columns: Tensor, offsets: Tensor, knots: Float[Tensor, " v"], low: float, high: float
    ) -> None:
        super().__init__(block, columns, offsets)
        self.knots = knots
        self.start = as_single(torch.tensor([[low, high]], dtype=torch.float64, device=offsets.device))

    def maximum(self, scores: Scores, state: Float[Tensor, "p 2"]) -> Float[Tensor, "p m"]:
        """At the knots between the ends, or at an end."""
        inside = _left(scores, self._inside(state)[:, None]).amax(-1)
        return torch.maximum(inside, self._at(scores, state).amax(-1))

    def best(self, scores: Float[Tensor, "p v"], state: Float[Tensor, "p 2"]) -> Tensor:
        """A knot, or an end (p, 1)."""
        every = torch.cat([_left(scores, self._inside(state)), self._at(scores[:, None], state)[:, 0]], -1)
        places = torch.cat([self.knots.expand(len(state), -1), state], -1)
        found = as_single(places.gather(-1, every.argmax(-1, keepdim=True)))
        return torch.minimum(torch.maximum(found, state[:, :1]), state[:, 1:])

    def single(self, state: Float[Tensor, "p 2"]) -> Bool[Tensor, " p"]:
        """The ends meet."""
        return state[:, 0] == state[:, 1]

    def halves(self, scores: Float[Tensor, "p v"], state: Float[Tensor, "p 2"]) -> tuple[Tensor, Tensor]:
        """At the knot nearest to the middle, or at the middle where there is none."""
        low, high = state[:, :1], state[:, 1:]
        middle = (low + high) / 2
        knot = as_single(self.knots[(self.knots - middle).abs().argmin(-1, keepdim=True)])
        return _halved(low, high, torch.where((low < knot) & (knot < high), knot, middle))

    def span(self) -> Float[Tensor, " c"]:
        """The length of the whole way: single precision adds up its parts."""
        return self.offsets.diff(dim=0).abs().sum(0)

    def _inside(self, state: Float[Tensor, "p 2"]) -> Bool[Tensor, "p v"]:
        return (self.knots > state[:, :1]) & (self.knots < state[:, 1:])

    def _at(self, scores: Scores, x: Float[Tensor, "p e"]) -> Float[Tensor, "p m e"]:
        """Scores between the knots."""
        before = (torch.searchsorted(self.knots, x.contiguous(), right=True) - 1).clamp(0, len(self.knots) - 2)
        share = (x - self.knots[before]) / (self.knots[before + 1] - self.knots[before])
        scores = scores.expand(len(x), -1, -1)
        where = before[:, None].expand(-1, scores.shape[1], -1)
        return torch.lerp(scores.gather(-1, where), scores.gather(-1, where + 1), share[:, None])


class Axes(Part):
    """Numbers that each add their share of a vertex; the state is (low, high) for each axis."""

    def __init__(
        self, block: Block, columns: Tensor, offsets: Tensor, low: Float[Tensor, " v"], high: Float[Tensor, " v"]
    ) -> None:
        super().__init__(block, columns, offsets)
        self.start = as_single(torch.stack([low, high])[None])

    def span(self) -> Float[Tensor, " c"]:
        """All axes together."""
        return self.offsets.abs().sum(0)

    def maximum(self, scores: Scores, state: Float[Tensor, "p 2 v"]) -> Float[Tensor, "p m"]:
        """At the corner to which the scores point."""
        middle, half = state.mean(1), (state[:, 1] - state[:, 0]) / 2
        return (scores @ middle[..., None] + scores.abs() @ half[..., None])[..., 0]

    def best(self, scores: Float[Tensor, "p v"], state: Float[Tensor, "p 2 v"]) -> Tensor:
        """That corner (p, v)."""
        return torch.where(scores > 0, state[:, 1], state[:, 0])

    def single(self, state: Float[Tensor, "p 2 v"]) -> Bool[Tensor, " p"]:
        """The ends meet on every axis."""
        return (state[:, 0] == state[:, 1]).all(-1)

    def halves(self, scores: Float[Tensor, "p v"], state: Float[Tensor, "p 2 v"]) -> tuple[Tensor, Tensor]:
        """At the middle of the axis that changes the score most."""
        width = state[:, 1] - state[:, 0]
        change = (scores.abs() * width).masked_fill(width == 0, -1.0)
        axis = change.argmax(-1)
        rows = torch.arange(len(state), device=state.device)
        low, high = state[rows, 0, axis][:, None], state[rows, 1, axis][:, None]
        lower, upper = state.clone(), state.clone()
        (lower[rows, :, axis], upper[rows, :, axis]) = _halved(low, high, (low + high) / 2)
        return lower, upper


def as_single(x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Numbers as single precision holds them, in float64."""
    return x.float().double()


def _halved(
    low: Float[Tensor, "p 1"], high: Float[Tensor, "p 1"], middle: Float[Tensor, "p 1"]
) -> tuple[Float[Tensor, "p 2"], Float[Tensor, "p 2"]]:
    """[low, middle] and [middle, high]; the ends alone where single precision has nothing between them."""
    middle = as_single(middle)
    between = (low < middle) & (middle < high)
    first, second = torch.where(between, middle, low), torch.where(between, middle, high)
    return torch.cat([low, first], -1), torch.cat([second, high], -1)


def _left(scores: Float[Tensor, "*#p v"], there: Bool[Tensor, "*#p v"]) -> Float[Tensor, "*p v"]:
    """Scores, and -inf for what is not there."""
    return torch.where(there, scores, -math.inf)


def _rank(scores: Float[Tensor, "p v"]) -> Int[Tensor, "p v"]:
    """Of each score in its row: 0 for the largest."""
    return scores.argsort(stable=True, dim=-1, descending=True).argsort(-1)
