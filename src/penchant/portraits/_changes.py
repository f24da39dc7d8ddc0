"""What a field may be: the values it has in the training rows, how frequent they are, and single changes of a row."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Float, Int64

from penchant._spec import FIRST, MISSING, UNSEEN, Bag
from penchant.portraits._values import Axis, axis_of, present_value, unseen_value
from penchant.tables import SideEncoder
from penchant.tables.kinds import Binary, Category, Id, Kind, Tags

__all__ = ["MOST", "Change", "FieldRange", "field_ranges"]

MOST = 1000
"""Values of a category, tags or an id that are tried, the most frequent."""
_ROWS = 10_000
"""Training rows, evenly spaced, from which frequencies are taken."""
_SETS = 256
"""Of these, rows whose sets of tags stand for all."""
_QUANTILES = 9
"""Values of a number that stand for its distribution."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a row: a field set to another value, or one tag put in or taken out."""

    field: str
    """The column."""
    how: Literal["missing", "unseen", "value", "added", "removed"]
    """Left out; set to what no training row has; set to ``value``; the tag ``value`` put in; taken out."""
    value: Any
    """What the field becomes, or the tag."""
    cost: float = 1.0
    """How large the change is: the step in [0, 1] of a number, 1 for anything else."""
    side: int = 0
    """For numbers: which way the step goes, -1 or 1."""

    @property
    def slot(self) -> tuple[str, ...]:
        """What is changed: two changes of one slot exclude each other."""
        return (self.field, self.value) if self.how in ("added", "removed") else (self.field,)

    def apply(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with this change."""
        if self.how not in ("added", "removed"):
            return {**row, self.field: self.value}
        kept = [tag for tag in row[self.field] or () if tag != self.value]
        return {**row, self.field: [*kept, self.value] if self.how == "added" else kept}


@dataclass(frozen=True, slots=True)
class FieldRange:
    """A field of one item: its value, and what training rows hold."""

    kind: Kind
    present: Any
    """The item's value (see `present_value`)."""
    values: tuple[Any, ...]
    """What it may be set to, in order; tags: each tag that may be put in or taken out. None for ids, vectors, texts."""
    shares: tuple[float | None, ...]
    """Share of the training rows that have each; None for numbers, of which these are quantiles."""
    population: tuple[tuple[Any, float], ...]
    """Values that stand for the training rows, with weights that add to 1; none where there is nothing to stand for."""
    lacking: bool
    """Whether training rows without a value were there, from which the model learned what that means."""

    @property
    def name(self) -> str:
        """The column."""
        return self.kind.field.name

    @property
    def absent(self) -> Literal["missing", "unseen"]:
        """How the field is best left out: as the model has met it in training.

        A code or tag that no training row lacks has an untrained place for "missing"; its place for "unseen" is
        trained by dropping values into it. Numbers are dropped into "missing".
        """
        return "unseen" if self.kind.form != "dense" and not self.lacking else "missing"

    def effects(self) -> Iterator[tuple[Change, float | None]]:
        """Every change whose effect is told, with the share of the training rows that have the value."""
        yield Change(self.name, "missing", None), None
        if self.kind.form != "dense":
            yield Change(self.name, "unseen", unseen_value(self.kind)), None
        yield from self._changes()

    def _changes(self) -> Iterator[tuple[Change, float | None]]:
        for value, share in zip(self.values, self.shares, strict=True):
            if isinstance(self.kind, Tags):
                yield Change(self.name, "removed" if value in (self.present or ()) else "added", value), share
            elif value != self.present:
                yield self.step(value), share

    def step(self, value: Any) -> Change:
        """The field set to a value, with what that costs."""
        axis = axis_of(self.kind)
        if axis is None or self.present is None:
            return Change(self.name, "value", value)
        way = axis.level(axis.number(value)) - axis.level(axis.number(self.present))
        return Change(self.name, "value", value, abs(way), int(np.sign(way)))

    def searched(self, grid: int) -> tuple[list[Change], bool]:
        """Single changes to a valid value that a search tries, and whether these are all there are.

        Numbers: each of at most four times ``grid`` whole numbers, or else the quantiles and ``grid`` even levels.
        """
        axis = axis_of(self.kind)
        if axis is None:
            every = self.known() if isinstance(self.kind, Id) else None
            changes = [c for c, _ in self._changes()] if every is None else [self.step(v) for v in every]
            known = len(self.kind.values) if isinstance(self.kind, Category | Tags | Id) else 0
            return changes, known <= MOST
        numbers, all_there_are = _scan(axis, grid)
        values = dict.fromkeys([axis.value(float(n)) for n in numbers] + ([] if all_there_are else [*self.values]))
        steps = (self.step(v) for v in values if v != self.present)
        return [s for s in steps if s.cost > 0], all_there_are

    def known(self) -> list[Any]:
        """Known ids other than the item's own, the most frequent first."""
        assert isinstance(self.kind, Id)
        return [v for v in self.kind.values.series.head(MOST).to_list() if v != self.present]


def field_ranges(encoder: SideEncoder, frame: pl.DataFrame, row: Mapping[str, Any]) -> tuple[FieldRange, ...]:
    """What each field of an item is and may be.

    Arguments:
        frame: training rows; of many, evenly spaced ones are looked at.
        row: the item's values; what is no field does not count.

    Raises: DataError: a value of another kind.
    """
    frame = frame.gather_every(max(1, -(-frame.height // _ROWS)))
    return tuple(_range(kind, frame[kind.field.name], row.get(kind.field.name)) for kind in encoder.kinds)


def _range(kind: Kind, column: pl.Series, value: Any) -> FieldRange:
    present = present_value(kind, value)
    axis = axis_of(kind)
    if axis is not None:
        return _numbers(axis, column, present)
    if not isinstance(kind, Tags | Binary | Category):
        return FieldRange(kind, present, (), (), (), lacking=column.null_count() > 0)
    encoded = kind.encode(column)
    if isinstance(kind, Tags):
        assert isinstance(encoded, Bag)
        return _tags(kind, encoded, present)
    if isinstance(kind, Binary):
        assert isinstance(encoded, np.ndarray)
        return _binary(kind, encoded[:, 0], present)
    return _category(kind, np.asarray(encoded), present)


def _numbers(axis: Axis, column: pl.Series, present: Any) -> FieldRange:
    """A few distinct values with their frequencies, or quantiles with the weights of the trapezoid rule."""
    numbers = axis.column(column)
    known = np.clip(numbers[np.isfinite(numbers)], *axis.ends)
    found, counts = np.unique(known, return_counts=True)
    shares: tuple[float | None, ...] = tuple((counts / max(1, len(column))).tolist())
    weights = [float(count) for count in counts]
    if len(found) > _QUANTILES:
        quantiles = np.quantile(known, np.linspace(0, 1, _QUANTILES), method="nearest")
        found, places = np.unique(quantiles, return_inverse=True)
        trapezoid = np.array([0.5, *[1.0] * (_QUANTILES - 2), 0.5]) / (_QUANTILES - 1)
        weights = (np.bincount(places, weights=trapezoid) * len(known)).tolist()
        shares = (None,) * len(found)
    values = tuple(axis.value(float(number)) for number in found)
    population = _weighted([*values, None], [*weights, len(column) - len(known)])
    return FieldRange(axis.kind, present, values, shares, population, lacking=True)


def _category(kind: Category, codes: Int64[np.ndarray, " n"], present: Any) -> FieldRange:
    counts = np.bincount(codes, minlength=kind.values.size)
    values = kind.values.series.head(MOST).to_list()
    known = counts[FIRST : FIRST + len(values)]
    weights = [*known, counts[MISSING], counts[UNSEEN]]
    population = _weighted([*values, None, unseen_value(kind)], weights)
    shares = tuple((known / max(1, len(codes))).tolist())
    return FieldRange(kind, present, tuple(values), shares, population, lacking=bool(counts[MISSING]))


def _binary(kind: Binary, numbers: Float[np.ndarray, " n"], present: Any) -> FieldRange:
    there = [number for number, text in enumerate((kind.zero, kind.one)) if text is not None]
    values = kind.decode(np.array(there, dtype=np.float32)[:, None]).to_list()
    counts = [int((numbers == number).sum()) for number in there]
    population = _weighted([*values, None], [*counts, int(np.isnan(numbers).sum())])
    shares = tuple(count / max(1, len(numbers)) for count in counts)
    return FieldRange(kind, present, tuple(values), shares, population, lacking=True)


def _tags(kind: Tags, bag: Bag, present: Any) -> FieldRange:
    n = len(bag.offsets) - 1
    counts = np.bincount(bag.values, minlength=kind.values.size)  # a row has each code once
    labels = kind.labels()
    kept = {*range(min(MOST, len(labels))), *(labels.index(tag) for tag in present or () if tag in labels)}
    places = sorted(kept)
    names = {FIRST + j: label for j, label in enumerate(labels)} | {UNSEEN: unseen_value(kind)[0]}
    rows = range(0, n, max(1, -(-n // _SETS)))
    sets = Counter(tuple(bag.values[bag.offsets[j] : bag.offsets[j + 1]].tolist()) for j in rows)
    values = [None if MISSING in codes else [names[code] for code in codes] for codes in sets]
    return FieldRange(
        kind,
        present,
        tuple(labels[j] for j in places),
        tuple(float(counts[FIRST + j]) / max(1, n) for j in places),
        _weighted(values, list(sets.values())),
        lacking=bool(counts[MISSING]),
    )


def _weighted(values: Sequence[Any], counts: Sequence[Any]) -> tuple[tuple[Any, float], ...]:
    """Values that occur, with their shares."""
    total = float(sum(counts))
    return tuple((value, float(count) / total) for value, count in zip(values, counts, strict=True) if count > 0)


def _scan(axis: Axis, grid: int) -> tuple[Float[np.ndarray, " n"], bool]:
    """Valid numbers from end to end, and whether these are all there are."""
    if axis.constant:
        return np.zeros(0), True
    low, high = axis.ends
    if axis.whole and high - low <= 4 * grid and low == np.floor(low):
        return np.arange(low, high + 1), True
    return np.unique(axis.at(np.linspace(0, 1, grid))), False
