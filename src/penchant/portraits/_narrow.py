"""Numbers of a flip drawn back: the nearest value to the present one that still turns the decision."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from penchant.portraits._changes import Change, FieldRange
from penchant.portraits._question import Combo, Question
from penchant.portraits._values import Axis, axis_of

__all__ = ["narrowed"]

_PARTS = 16
"""Pieces into which what is left of a range is cut at a time: bisection, with fewer questions to the model."""
_ROUNDS = 8
_FINE = 1e-7
"""Levels nearer than this are one to the encoder, which holds them in single precision."""


@dataclass(slots=True)
class _Bracket:
    """A number of a set of changes, between one that does not turn the decision and one that does."""

    combo: Combo
    at: int
    axis: Axis
    place: FieldRange
    near: float
    far: float
    distance: float
    """At the far end."""

    def between(self) -> Float64[np.ndarray, " n"]:
        """Valid numbers to try, from the near end to the far one."""
        low, high = sorted((self.near, self.far))
        ends = self.axis.levels(np.array([self.near, self.far]))
        if self.axis.whole and high - low <= _PARTS:
            numbers = np.arange(math.floor(low) + 1, math.ceil(high), dtype=np.float64)
        elif abs(ends[1] - ends[0]) < _FINE:
            return np.zeros(0)
        else:
            numbers = self.axis.at(np.linspace(ends[0], ends[1], _PARTS + 1)[1:-1])
            numbers = np.clip(numbers, math.floor(low) + 1, math.ceil(high) - 1) if self.axis.whole else numbers
        numbers = np.unique(numbers[(numbers > low) & (numbers < high)])
        return numbers if self.near <= self.far else numbers[::-1]

    def with_number(self, number: float) -> Combo:
        """The changes with another number."""
        change = self.place.step(self.axis.value(number))
        return (*self.combo[: self.at], change, *self.combo[self.at + 1 :])


def narrowed(
    question: Question, places: Mapping[str, FieldRange], combos: Sequence[Combo], distance: Float64[np.ndarray, " n"]
) -> tuple[list[Combo], Float64[np.ndarray, " n"]]:
    """Draw every number of every set of changes back towards the present one, as far as the decision stays turned.

    Between the two ends the first value that turns the decision is looked for, then between it and the one before,
    until nothing lies between: the nearest one, for a distance that crosses the threshold at most once in a sixteenth.

    Arguments:
        combos: sets of changes that turn the decision.
        distance: what each leads to.
    """
    found, at = list(combos), distance.copy()
    for position in range(max((len(combo) for combo in combos), default=0)):
        brackets = {
            j: bracket
            for j, combo in enumerate(found)
            if position < len(combo) and (bracket := _bracket(combo, position, places, float(at[j])))
        }
        _close(question, list(brackets.values()))
        for j, bracket in brackets.items():
            found[j], at[j] = bracket.combo, bracket.distance
    return found, at


def _bracket(combo: Combo, at: int, places: Mapping[str, FieldRange], distance: float) -> _Bracket | None:
    """None where the change is no step from one number to another."""
    change: Change = combo[at]
    place = places[change.field]
    axis = axis_of(place.kind)
    if axis is None or place.present is None:
        return None
    near = float(np.clip(axis.number(place.present), *axis.ends))
    return _Bracket(combo, at, axis, place, near, axis.number(change.value), distance)


def _close(question: Question, brackets: list[_Bracket]) -> None:
    """Narrow all brackets at once, a question to the model a round."""
    for _ in range(_ROUNDS):
        tries = [(bracket, bracket.between()) for bracket in brackets]
        tries = [(bracket, numbers) for bracket, numbers in tries if len(numbers)]
        if not tries:
            return
        distance = question.ask([bracket.with_number(float(n)) for bracket, numbers in tries for n in numbers])
        start = 0
        for bracket, numbers in tries:
            _take(question, bracket, numbers, distance[start : (start := start + len(numbers))])


def _take(
    question: Question, bracket: _Bracket, numbers: Float64[np.ndarray, " n"], distance: Float64[np.ndarray, " n"]
) -> None:
    """Move the ends to the first number that turns the decision and the one before it."""
    turned = np.flatnonzero(question.flips(distance))
    first = int(turned[0]) if len(turned) else len(numbers)
    if first > 0:
        bracket.near = float(numbers[first - 1])
    if first < len(numbers):
        bracket.far, bracket.distance = float(numbers[first]), float(distance[first])
        bracket.combo = bracket.with_number(bracket.far)
