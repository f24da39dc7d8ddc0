"""What the rooms hand to one another: the layout of a side's fields, and rows encoded after it.

A *side* is ``user``, ``item`` or ``context`` (the columns of an interaction that describe its situation). This file
imports neither torch nor NumPy: `Features` holds NumPy arrays in `penchant.tables` and tensors in the rooms above.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Form = Literal["dense", "code", "bag"]
"""How a field reaches a network: as numbers, as one code, or as a bag of codes."""

Likelihood = Literal["none", "square", "binary", "categorical"]
"""How a field's place in the portrait is scored when it is reconstructed."""

UNSEEN = 0
"""Code of a value that was not in the training rows: a place of its own, trained by dropping values into it."""

MISSING = 1
"""Code of a missing value: a place of its own, trained by the rows that lack one."""

FIRST = 2
"""Code of the first known value."""


@dataclass(frozen=True, slots=True)
class Block:
    """One field as a network sees it."""

    name: str
    """The field's column."""
    form: Form
    """dense: ``size`` numbers in [0, 1], NaN where missing. code: one integer. bag: a list of integers."""
    size: int
    """dense: how many numbers. code and bag: how many codes there are, `UNSEEN` and `MISSING` included."""
    width: int
    """Coordinates in the portrait vector: ``size`` (dense), ``size - FIRST`` (code, bag), or 0 (ids)."""
    likelihood: Likelihood
    """How those coordinates are scored."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of one side, in the order in which `Features` and portrait vectors hold them."""

    blocks: tuple[Block, ...]

    def of(self, form: Form) -> tuple[Block, ...]:
        """The blocks of one form, in order."""
        return tuple(b for b in self.blocks if b.form == form)

    @property
    def n_dense(self) -> int:
        """Columns of `Features.dense`."""
        return sum(b.size for b in self.of("dense"))

    @property
    def width(self) -> int:
        """Length of the portrait vector v."""
        return sum(b.width for b in self.blocks)

    def places(self) -> Iterator[tuple[Block, slice]]:
        """Each block with its coordinates in the portrait vector (those with a width only)."""
        start = 0
        for block in self.blocks:
            if block.width:
                yield block, slice(start, start + block.width)
                start += block.width


class Bag(NamedTuple):
    """Lists of codes, one list a row, laid end to end."""

    values: Any
    """(nnz,) int64 codes."""
    offsets: Any
    """(n + 1,) int64: row j holds ``values[offsets[j]:offsets[j + 1]]``."""


class History(NamedTuple):
    """Items that n users liked or did not like earlier: one list a user, in the order of the items, end to end."""

    items: Any
    """(nnz,) int64 rows of the catalogue; rising within a user, each at most once."""
    liked: Any
    """(nnz,) float32: 1 liked, 0 not."""
    weight: Any
    """(nnz,) float32 in (0, 1]: how much the entry still counts."""
    place: Any
    """(nnz,) int64: where the entry stands in its user's order of time; larger is later, each at most once, 0 the
    oldest (gaps are left where entries were taken out)."""
    age: Any
    """(nnz,) float32 >= 0: time from the entry to the user's latest one, in days (dates) or in the unit of the time
    column; 0 where it is not known."""
    offsets: Any
    """(n + 1,) int64: row j holds the entries ``offsets[j]:offsets[j + 1]``."""

    def with_entries(self, picked: Callable[[Any], Any], offsets: Any) -> "History":
        """Other entries: each array but the offsets as ``picked`` makes it."""
        return History(*[*map(picked, self[:-1]), offsets])


@dataclass(frozen=True, slots=True)
class Features:
    """n encoded rows of one side, after a `Layout`."""

    dense: Any
    """(n, n_dense) float32 in [0, 1], NaN where missing."""
    codes: Any
    """(n, number of code blocks) int64."""
    bags: tuple[Bag, ...]
    """One for each bag block."""
    history: History | None = None
    """Users only, where the schema has a history."""

    def __len__(self) -> int:
        return len(self.dense)
