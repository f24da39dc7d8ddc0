"""Protocols: what is held out, what is given, and which items compete. One contract, eight ways.

    random                   rows at random                         known users, known items
    per_user                 a share of each user's rows            known users
    leave_one_out            each user's last like                  known users
    time                     the latest rows                        whoever is there by then
    strong_generalisation    whole users, a part of whose past is given when they are asked about
    cold_users               whole users, of whom nothing but features is known
    cold_items               whole items, of which nothing but features is known
    cold_both                both at once

A protocol is a small frozen dataclass of options; `BaseProtocol.task` makes a fold of it. Rows of a pair that is there
several times do not straddle: a held-out row whose pair is learned from (or given, or validated on) is left out,
and the task says how many.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from penchant._config import build
from penchant.errors import ConfigError, DataError, Problem
from penchant.evaluation.task import Task, pairs_of
from penchant.tables import Tables
from penchant.tables.splits import (
    split_cold_both,
    split_cold_items,
    split_cold_users,
    split_leave_one_out,
    split_per_user,
    split_random,
    split_strong_generalisation,
    split_time,
)

__all__ = [
    "KINDS",
    "BaseProtocol",
    "ByTime",
    "ColdBoth",
    "ColdItems",
    "ColdUsers",
    "LeaveOneOut",
    "PerUser",
    "RandomRows",
    "StrongGeneralisation",
    "make_protocol",
]

Parts = tuple[Tables, Tables | None, Tables, Tables | None]
"""Training, validation, test, and what is given."""


@dataclass(frozen=True, kw_only=True)
class BaseProtocol(ABC):
    """Tables to tasks. One seed gives one task; the parts share users and items, and no pair is in two of them."""

    name: ClassVar[str]
    says: ClassVar[str]
    folds: int = 1
    """How many tasks there are; each draws anew, unless said otherwise."""

    def __post_init__(self) -> None:
        if self.folds < 1:
            raise ConfigError(f"{self.name}.folds = {self.folds}: at least 1 expected")

    @property
    def words(self) -> str:
        """What is held out, and what competes."""
        return f"{self.says}; {self._competing}"

    @property
    def _competing(self) -> str:
        return "all items compete but those the user is known to have met"

    @property
    def _only_held_out(self) -> bool:
        """Do the items of the part alone compete?"""
        return False

    @abstractmethod
    def _parts(self, tables: Tables, fold: int, rng: int) -> Parts:
        """The parts of a fold, as they fall."""

    def task(self, tables: Tables, fold: int = 0, *, rng: int = 0) -> Task:
        """One fold.

        Raises:
            ConfigError: there is no such fold.
            DataError: the tables do not allow it (no times, too few users), or nothing is left to learn or to find.
        """
        if not 0 <= fold < self.folds:
            raise ConfigError(f"fold = {fold}: 0 to {self.folds - 1} expected, {self.name} has {self.folds}")
        train, valid, found, given = self._parts(tables, fold, rng)
        if not len(train):
            raise DataError([Problem("interactions", f"{self.name}, fold {fold}: no row is left to learn from")])
        test = _without(found, train, given, valid)
        valid = None if valid is None else _without(valid, train, given)
        words, left_out = self.words, len(found) - len(test)
        if left_out:
            words += f" ({left_out:,} of {len(found):,} test rows left out: their pair is known already)"
        return Task(
            train=train, valid=valid if valid is not None and len(valid) else None, test=test, given=given,
            held_out_items=self._only_held_out, fold=fold, words=words,
        )  # fmt: skip

    def tasks(self, tables: Tables, *, folds: Sequence[int] | None = None, rng: int = 0) -> Iterator[Task]:
        """All folds, or some, one after the other. Raises: as `task`."""
        return (self.task(tables, fold, rng=rng) for fold in (range(self.folds) if folds is None else folds))


@dataclass(frozen=True, kw_only=True)
class _Shared(BaseProtocol):
    """A share of something is held out, drawn anew in each fold."""

    valid: float = 0.1
    """Share to stop and calibrate on, in [0, 1); 0: none."""
    test: float = 0.1
    """Share to judge by, in (0, 1)."""
    split: ClassVar[Callable[..., tuple[Tables, ...]]]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0 <= self.valid < 1 and 0 < self.test < 1 and self.valid + self.test < 1):
            said = f"{self.name}: valid = {self.valid} and test = {self.test}"
            raise ConfigError(f"{said}: a share >= 0 and one above 0 expected that leave something to learn from")

    def _parts(self, tables: Tables, fold: int, rng: int) -> Parts:
        shares = [1 - self.valid - self.test, *([self.valid] if self.valid else []), self.test]
        train, *rest = type(self).split(tables, shares, rng=rng + fold)
        return train, rest[0] if self.valid else None, rest[-1], None


@dataclass(frozen=True, kw_only=True)
class RandomRows(_Shared):
    """Rows at random (`split_random`): how well are the gaps of a table filled in?"""

    name: ClassVar[str] = "random"
    says: ClassVar[str] = "rows held out at random"
    split = staticmethod(split_random)


@dataclass(frozen=True, kw_only=True)
class PerUser(_Shared):
    """A share of each user's rows (`split_per_user`): everybody is learned from. With valid = test = .2 CML's own."""

    name: ClassVar[str] = "per_user"
    says: ClassVar[str] = "a share of each user's rows held out"
    split = staticmethod(split_per_user)


@dataclass(frozen=True, kw_only=True)
class ByTime(_Shared):
    """The latest rows (`split_time`): as in life; no row that is learned from is later than one to be found."""

    name: ClassVar[str] = "time"
    says: ClassVar[str] = "the latest rows held out"
    split = staticmethod(split_time)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.folds != 1:
            raise ConfigError(f"time.folds = {self.folds}: there is one past and one future: 1 expected")


@dataclass(frozen=True, kw_only=True)
class LeaveOneOut(BaseProtocol):
    """Each user's last like is the test, the last but one the validation (`split_leave_one_out`)."""

    name: ClassVar[str] = "leave_one_out"
    says: ClassVar[str] = "each user's last like held out"
    by_time: bool = False
    """Is the last one the latest? Else the order is drawn at random."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.by_time and self.folds != 1:
            raise ConfigError(f"leave_one_out.folds = {self.folds}: by time there is one last like: 1 expected")

    @property
    def words(self) -> str:
        """What is held out, and what competes."""
        return f"{self.says}, {'by time' if self.by_time else 'in random order'}; {self._competing}"

    def _parts(self, tables: Tables, fold: int, rng: int) -> Parts:
        return *split_leave_one_out(tables, by_time=self.by_time, rng=rng + fold), None


@dataclass(frozen=True, kw_only=True)
class StrongGeneralisation(BaseProtocol):
    """Whole users, a share of whose rows is given when they are asked about (`split_strong_generalisation`).

    The users are dealt out once: each is in the test of exactly one fold, and in the validation of the one before.
    """

    name: ClassVar[str] = "strong_generalisation"
    says: ClassVar[str] = "users held out whole"
    folds: int = 5
    """Parts of the users, at least 3."""
    given: float = 0.8
    """Share of each one's likes that is given, in (0, 1)."""
    least: int = 5
    """Users with fewer likes are not held out."""

    @property
    def words(self) -> str:
        """What is held out, and what competes."""
        given = f"{self.given:.0%} of the likes of each given, the rest to be found"
        return f"{self.says}, {given}; all items compete but those given"

    def _parts(self, tables: Tables, fold: int, rng: int) -> Parts:
        found = split_strong_generalisation(
            tables, fold=fold, folds=self.folds, given=self.given, least=self.least, rng=rng
        )
        return found.train, found.valid, found.test, found.given


@dataclass(frozen=True, kw_only=True)
class ColdUsers(_Shared):
    """Whole users (`split_cold_users`): their features are all there is to go by."""

    name: ClassVar[str] = "cold_users"
    says: ClassVar[str] = "users held out whole, known by their features alone"
    split = staticmethod(split_cold_users)

    @property
    def _competing(self) -> str:
        return "all items compete"


@dataclass(frozen=True, kw_only=True)
class _Cold(_Shared):
    """Items are new: which ones compete?"""

    among: Literal["held_out", "all"] = "held_out"
    """held_out: the items of the part alone. all: every other item as well, which tells how new ones stand beside."""

    @property
    def _only_held_out(self) -> bool:
        return self.among == "held_out"

    @property
    def _competing(self) -> str:
        return "only these items compete" if self._only_held_out else super()._competing


@dataclass(frozen=True, kw_only=True)
class ColdItems(_Cold):
    """Whole items (`split_cold_items`): their features are all there is to go by.

    Source: Volkovs, Yu, Poutanen, DropoutNet, NeurIPS 2017: new items are ranked among themselves.
    """

    name: ClassVar[str] = "cold_items"
    says: ClassVar[str] = "items held out whole, known by their features alone"
    split = staticmethod(split_cold_items)


@dataclass(frozen=True, kw_only=True)
class ColdBoth(_Cold):
    """New users and new items (`split_cold_both`); rows that join a known one with a new one are not used."""

    name: ClassVar[str] = "cold_both"
    says: ClassVar[str] = "users and items held out whole, known by their features alone"
    split = staticmethod(split_cold_both)
    valid: float = 0.2
    """Share of users and of items to stop and calibrate on: about its square of the rows."""
    test: float = 0.2
    """Share of users and of items to judge by."""


KINDS: dict[str, type[BaseProtocol]] = {
    "random": RandomRows,
    "per_user": PerUser,
    "leave_one_out": LeaveOneOut,
    "time": ByTime,
    "strong_generalisation": StrongGeneralisation,
    "cold_users": ColdUsers,
    "cold_items": ColdItems,
    "cold_both": ColdBoth,
}
"""Every protocol by name."""


def make_protocol(name: str, options: Mapping[str, Any] | None = None) -> BaseProtocol:
    """A protocol by name, with options from plain values.

    Raises:
        ConfigError: no such protocol, an option it does not have, or a value outside its range.

    Example:
        >>> make_protocol("strong_generalisation", {"folds": 3})
        StrongGeneralisation(folds=3, given=0.8, least=5)
    """
    if name not in KINDS:
        raise ConfigError(f"protocol {name!r}: one of {', '.join(KINDS)} expected")
    return build(KINDS[name], options or {}, name)


def _without(part: Tables, *known: Tables | None) -> Tables:
    """The rows whose pair is not in any of the others."""
    rows, schema = part.interactions, part.schema
    for other in known:
        if other is not None:
            rows = rows.join(pairs_of(other), on=[schema.user, schema.item], how="anti", maintain_order="left")
    return part.with_interactions(rows)
