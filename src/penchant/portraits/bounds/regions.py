"""Sets of items: some fields as they are in a row, others free."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from penchant._spec import FIRST, Block, Features, Layout
from penchant.errors import ConfigError

__all__ = ["Freedom", "OneOf", "Region", "SetOf", "Within", "anything"]


@dataclass(frozen=True, slots=True)
class OneOf:
    """A category, an id, a binary field or a number that has one of several values."""

    values: tuple[int | float, ...]
    """Codes; for numbers, encoded values in [0, 1]. `MISSING` (for numbers NaN) stands for a missing value."""


@dataclass(frozen=True, slots=True)
class SetOf:
    """Tags: all of some, any of others, none of the rest."""

    codes: tuple[int, ...]
    """Tags that may be there or not."""
    always: tuple[int, ...] = ()
    """Tags that are there in any case."""
    least: int = 0
    """How many there are in all at least; 0: the empty set counts."""
    most: int | None = None
    """How many there are in all at most; None: any number."""


@dataclass(frozen=True, slots=True)
class Within:
    """A number, or every number of a ready vector, between two encoded values, in single precision.

    Everything between counts, fractions of whole numbers too: where only some values make sense, give `OneOf` them.
    """

    low: float | Sequence[float] = 0.0
    """The least, in [0, 1]: one for all axes, or one for each."""
    high: float | Sequence[float] = 1.0
    """The greatest."""


Freedom: TypeAlias = OneOf | SetOf | Within
"""What a free field may be."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """All items that agree with a row in every field that is not free.

    Example:
        >>> import torch
        >>> row = Features(torch.tensor([[0.5]]), torch.tensor([[2]]), ())
        >>> region = Region(row, {"year": Within(0.25, 0.75), "genre": OneOf((2, 3))})
        >>> sorted(region.free)
        ['genre', 'year']
    """

    row: Features
    """One encoded row, as arrays or tensors; what it says of free fields does not count."""
    free: Mapping[str, Freedom]
    """What each free field may be, by the field's name (see `anything`)."""

    def check(self, layout: Layout) -> None:
        """Refuse what does not fit the fields of a side.

        Raises:
            ConfigError: naming the field, and what is expected of it.
        """
        if len(self.row) != 1:
            raise ConfigError(f"Region: one row expected, got {len(self.row)}")
        blocks = {block.name: block for block in layout.blocks}
        for name, freedom in self.free.items():
            if name not in blocks:
                raise ConfigError(f"Region: {name!r} is no field of this side: one of {', '.join(blocks)} expected")
            problem = _problem(blocks[name], freedom)
            if problem:
                raise ConfigError(f"Region: {name} = {freedom}: {problem}")


def anything(block: Block) -> Freedom:
    """All known values of a field: neither missing nor unseen ones.

    Any of its codes; any set of its tags, the empty one too; 0 or 1; any number in [0, 1] on every axis.
    """
    known = tuple(range(FIRST, block.size))
    if block.form == "code":
        return OneOf(known)
    if block.form == "bag":
        return SetOf(known)
    return OneOf((0.0, 1.0)) if block.size == 1 and block.likelihood == "binary" else Within()


def _problem(block: Block, freedom: Freedom) -> str | None:
    """What is wrong with a freedom of a field."""
    if block.form == "bag":
        return _problem_of_tags(block, freedom)
    if block.form == "code":
        if not isinstance(freedom, OneOf) or not freedom.values:
            return "OneOf with at least one code expected"
        return _problem_of_codes(freedom.values, 0, block.size)
    if isinstance(freedom, OneOf):
        if block.size > 1:
            return f"Within expected for a vector of {block.size} numbers"
        known = all(math.isnan(value) or 0 <= value <= 1 for value in freedom.values)
        return None if freedom.values and known else "at least one number in [0, 1] (or NaN) expected"
    if not isinstance(freedom, Within):
        return "OneOf or Within expected"
    if block.size == 1 and block.likelihood == "binary":
        return "OneOf((0, 1)) expected, there is nothing between"
    lows, highs = ends(freedom, block.size)
    if len(lows) != block.size or len(highs) != block.size:
        return f"one number, or {block.size}, expected at each end"
    return None if all(0 <= a <= b <= 1 for a, b in zip(lows, highs, strict=True)) else "0 <= low <= high <= 1 expected"


def ends(freedom: Within, size: int) -> tuple[list[float], list[float]]:
    """Lower and upper ends on every axis."""
    low, high = freedom.low, freedom.high
    lows = [float(low)] * size if isinstance(low, float | int) else [float(x) for x in low]
    highs = [float(high)] * size if isinstance(high, float | int) else [float(x) for x in high]
    return lows, highs


def _problem_of_codes(codes: Sequence[float], first: int, size: int) -> str | None:
    if all(first <= code < size and int(code) == code for code in codes):
        return None
    return f"codes from {first} to {size - 1} expected"


def _problem_of_tags(block: Block, freedom: Freedom) -> str | None:
    if not isinstance(freedom, SetOf):
        return "SetOf expected"
    both = (*freedom.codes, *freedom.always)
    if len(set(both)) != len(both):
        return "every tag once expected"
    most = len(both) if freedom.most is None else freedom.most
    if not max(freedom.least, len(freedom.always)) <= min(most, len(both)):
        return f"between {len(freedom.always)} and {len(both)} tags can be there: no set fits least and most"
    return _problem_of_codes(both, FIRST, block.size)
