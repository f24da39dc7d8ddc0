"""The smallest change of an item that turns the decision: a search over valid changes, fewest first.

    size of a change = (how many fields and tags change, then Σ cost, then |d − p|)

Single changes are gone through one and all (numbers: on a grid, then between its neighbours down to the nearest value).
Where none turns the decision, those that come nearest are joined with every other, and so on: a beam search. Bounds of
the distance, where there are any, prove what a search cannot.

Source: Wachter, Mittelstadt, Russell 2017, arXiv 1711.00399 (counterfactual explanations).
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from penchant.portraits._changes import Change, FieldRange
from penchant.portraits._narrow import narrowed
from penchant.portraits._pair import Pair
from penchant.portraits._question import Bound, Combo, Question

__all__ = ["Flip", "Tried", "find_flip"]

_GRID = 33
"""Levels of a number that are tried before the search goes between them."""
_BEAM = 8
"""Sets of changes that are joined with every other change."""
_FEW = 64
"""So many are all joined."""
_NARROWED = 24
"""Flips whose numbers are drawn back."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A set of changes that turns the decision."""

    changes: Combo
    distance: float
    """The base distance after them."""
    fewest: bool
    """Whether it is proved that fewer changes cannot."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a search went through."""

    fields: tuple[str, ...]
    """Columns that could change."""
    nearest: float
    """The distance nearest to the other side of the threshold that was reached."""
    evaluations: int
    """Rows that the model was asked about."""
    proved: bool
    """Whether it is proved that nothing of the kind asked for turns the decision."""


def find_flip(
    pair: Pair,
    ranges: Sequence[FieldRange],
    row: Mapping[str, Any],
    now: float,
    *,
    max_changes: int,
    bound: Bound | None = None,
) -> tuple[Flip | None, Tried]:
    """The smallest set of at most ``max_changes`` changes of these fields that turns the decision; None: none found.

    Arguments:
        row: all the item's values, in the form of ``ranges``.
        now: the item's base distance.
    """
    question = Question(pair, row, now <= pair.threshold, now)
    places = {place.name: place for place in ranges}
    searched = {name: place.searched(_GRID) for name, place in places.items()}
    exhaustive = {name: whole for name, (changes, whole) in searched.items() if changes}
    names = tuple(exhaustive)
    if not names or question.excluded(bound, names):
        return None, Tried(names, now, 0, proved=True)
    singles = [change for changes, _ in searched.values() for change in changes]
    states: list[Combo] = [()]
    complete = uncut = True  # is it proved that fewer changes turn nothing; was every set of fewer gone through?
    flip = None
    for n in range(1, max_changes + 1):
        combos = _joined(states, singles)
        distance = question.ask(combos)
        turned = np.flatnonzero(question.flips(distance))
        if len(turned):
            flip = _smallest(question, places, [combos[j] for j in turned], distance[turned], complete)
            break
        complete = complete and ((uncut and all(exhaustive.values())) or _excluded(question, bound, exhaustive, n))
        states = _beam(combos, question.gap(distance))
        uncut = uncut and len(states) == len(combos)
    return flip, Tried(names, question.nearest, question.evaluations, flip is None and complete)


def _excluded(question: Question, bound: Bound | None, exhaustive: Mapping[str, bool], n: int) -> bool:
    """Whether no set of ``n`` changes turns the decision: by bounds, for one change also by having tried them all."""
    open_to = [name for name, whole in exhaustive.items() if not (n == 1 and whole)]
    sets = itertools.combinations(open_to, min(n, len(open_to)))
    return all(question.excluded(bound, fields) for fields in sets)


def _joined(states: Sequence[Combo], singles: Sequence[Change]) -> list[Combo]:
    """Each state with each change of another slot, every set once."""
    found: dict[frozenset, Combo] = {}
    for state in states:
        slots = {change.slot for change in state}
        for change in singles:
            if change.slot not in slots:
                combo = (*state, change)
                found.setdefault(frozenset((c.slot, c.value) for c in combo), combo)
    return list(found.values())


def _beam(combos: Sequence[Combo], gap: Float64[np.ndarray, " n"]) -> list[Combo]:
    """The sets of changes to go on with: all of a few, else the best, one for each set of slots."""
    if len(combos) <= _FEW:
        return list(combos)
    found: dict[frozenset, Combo] = {}
    for j in np.argsort(gap, kind="stable"):
        found.setdefault(frozenset(change.slot for change in combos[j]), combos[j])
        if len(found) == _BEAM:
            break
    return list(found.values())


def _smallest(
    question: Question,
    places: Mapping[str, FieldRange],
    combos: Sequence[Combo],
    distance: Float64[np.ndarray, " n"],
    complete: bool,
) -> Flip:
    """The smallest of several sets of changes that turn the decision, with its numbers drawn back."""
    chosen = _cheapest(question, combos, distance)
    found, at = narrowed(question, places, [combos[j] for j in chosen], distance[chosen])
    best = min(range(len(found)), key=lambda j: _size(question, found[j], float(at[j])))
    changes, there = _pruned(question, found[best], float(at[best]))
    return Flip(changes, there, len(changes) == 1 or complete)


def _cheapest(question: Question, combos: Sequence[Combo], distance: Float64[np.ndarray, " n"]) -> list[int]:
    """The cheapest of each set of slots (numbers: and ways), and of these the cheapest."""
    ordered = sorted(range(len(combos)), key=lambda j: _size(question, combos[j], float(distance[j])))
    found: dict[frozenset, int] = {}
    for j in ordered:
        found.setdefault(frozenset((change.slot, change.side) for change in combos[j]), j)
    return list(found.values())[:_NARROWED]


def _size(question: Question, combo: Combo, distance: float) -> tuple[int, float, float]:
    return len(combo), sum(change.cost for change in combo), abs(distance - question.pair.threshold)


def _pruned(question: Question, combo: Combo, distance: float) -> tuple[Combo, float]:
    """The changes without those that are not needed: a beam does not see every smaller set."""
    while len(combo) > 2:
        smaller = list(_without_one(combo))
        at = question.ask(smaller)
        turned = np.flatnonzero(question.flips(at))
        if not len(turned):
            break
        best = min(turned, key=lambda j: _size(question, smaller[j], float(at[j])))
        combo, distance = smaller[best], float(at[best])
    return combo, distance


def _without_one(combo: Combo) -> Iterator[Combo]:
    return (combo[:j] + combo[j + 1 :] for j in range(len(combo)))
