"""Names for the clusters of a map, by the features of who and what is in them: "support guides · low length".

A value tells of a cluster if at least a quarter of its members have it (half of them, of a number that is low or high),
and clearly more than elsewhere: a tenth of them more, 1.3 times as often, and by more than three standard errors. The
most telling come first, by their part of the information between the two,

    share · log(share / elsewhere)

Numbers and dates count as low, middling or high by thirds of all rows. Members without a value do not count; where they
are most of a cluster, the column tells nothing of it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from penchant._spec import FIRST, MISSING, Bag
from penchant.maps.columns import MapSide, SideName
from penchant.tables import SideEncoder
from penchant.tables.kinds import Binary, Category, Date, Kind, Numeric, Tags

__all__ = ["MapCluster", "Trait", "name_clusters"]

_SHARE, _MORE, _LIFT = 0.25, 0.1, 1.3
_HALF, _SURE = 0.5, 3.0
_MEMBERS = 5
"""Members of a side from which its features tell of a cluster."""
_PARTS, _TAGS = 3, 2
"""Words in a name, and of them tags of one column."""
_KEPT = 6
"""Traits that are told of a cluster."""
_MIXED = "mixed"
_SHORT, _LONG = 3, 40
"""Letters: fewer are a code, more are cut."""
_ENDS = {"date": ("early", "late")}
_LOW_HIGH = ("low", "high")


@dataclass(frozen=True, slots=True)
class Trait:
    """A value that tells a cluster from the rest."""

    side: SideName
    """Whose."""
    column: str
    """The field's heading."""
    value: str
    """The value, or "low" or "high" of a number."""
    word: str
    """As it stands in a name."""
    share: float
    """Of the cluster's members on this side whose value is known."""
    elsewhere: float
    """The same of all others."""


@dataclass(frozen=True, slots=True)
class MapCluster:
    """A cluster of a map."""

    name: str
    """What tells it from the rest; no two of a map have the same."""
    size: int
    """Points."""
    x: float
    """Where it is densest."""
    y: float
    """Likewise."""
    traits: tuple[Trait, ...]
    """The most telling first; empty where nothing tells it from the rest ("mixed")."""

    def to_dict(self) -> dict[str, Any]:
        """As in the JSON form."""
        traits = [
            {"side": t.side, "column": t.column, "value": t.value, "share": t.share, "elsewhere": t.elsewhere}
            for t in self.traits
        ]
        return {"name": self.name, "size": self.size, "x": self.x, "y": self.y, "traits": traits}


class _Values(NamedTuple):
    """A field as values that a row has or has not."""

    kind: Kind
    said: tuple[tuple[str, str], ...]
    """Of each value: what it is, and how it stands in a name; an empty word for values that name nothing."""
    row: Int64[np.ndarray, " m"]
    """Rows that have a value, and which."""
    value: Int64[np.ndarray, " m"]
    known: Int64[np.ndarray, " n"]
    """Rows of which it is known, 1 or 0."""


def name_clusters(
    sides: Sequence[MapSide], label: Int64[np.ndarray, " n"], peak: Float64[np.ndarray, "c 2"]
) -> tuple[MapCluster, ...]:
    """The clusters of a map whose points are the rows of ``sides``, one side after the other.

    Arguments:
        label: of each point, -1 for none; peak: of each cluster, where it is densest.
    """
    found: list[list[Trait]] = [[] for _ in peak]
    start = 0
    for side in sides:
        own = label[start : start + len(side)]
        start += len(side)
        for number, trait in _traits(side, own, len(peak)):
            found[number].append(trait)
    ranked = [sorted(traits, key=lambda t: (-_telling(t.share, t.elsewhere), t.word)) for traits in found]
    sizes = np.bincount(label[label >= 0], minlength=len(peak))
    return tuple(
        MapCluster(name, int(size), float(x), float(y), tuple(traits[:_KEPT]))
        for name, size, (x, y), traits in zip(_names(ranked), sizes, peak, ranked, strict=True)
    )


def _telling(share: float, elsewhere: float) -> float:
    return share * math.log(share / elsewhere)


def _traits(side: MapSide, label: Int64[np.ndarray, " n"], n_clusters: int) -> Iterator[tuple[int, Trait]]:
    """What tells of each cluster on one side."""
    members = np.bincount(label[label >= 0], minlength=n_clusters)
    if not len(side) or not n_clusters:
        return
    for values in _values_of(side):
        width, least = len(values.said), _HALF if isinstance(values.kind, Numeric | Date) else _SHARE
        known = np.bincount(label[(label >= 0) & (values.known > 0)], minlength=n_clusters)
        inside = label[values.row] >= 0
        place = label[values.row[inside]] * width + values.value[inside]
        having = np.bincount(place, minlength=n_clusters * width).reshape(n_clusters, width)
        everyone, all_known = np.bincount(values.value, minlength=width), int(values.known.sum())
        for number in np.flatnonzero((members >= _MEMBERS) & (2 * known >= members) & (known > 0)):
            rest = max(1, all_known - int(known[number]))
            share = having[number] / known[number]
            elsewhere = np.maximum(everyone - having[number], 0.5) / rest  # not seen elsewhere is not never
            overall = everyone / max(1, all_known)
            error = np.sqrt(overall * (1 - overall) * (1 / known[number] + 1 / rest))
            more = np.maximum(np.maximum(_MORE, _SURE * error), (_LIFT - 1) * elsewhere)
            tells = (share >= least) & (share - elsewhere >= more)
            if all_known == known[number]:
                continue  # there is no elsewhere
            for j in np.flatnonzero(tells):
                value, word = values.said[j]
                if word:
                    heading = values.kind.field.heading
                    yield int(number), Trait(side.side, heading, value, word, float(share[j]), float(elsewhere[j]))


def _values_of(side: MapSide) -> Iterator[_Values]:
    """The fields that can name a cluster; of numbers and dates their thirds."""
    encoder: SideEncoder = side.encoder
    every = np.arange(len(side))
    for kind in encoder.kinds:
        if not isinstance(kind, Binary | Category | Tags | Numeric | Date):
            continue
        code = kind.encode(side.frame[kind.field.name])
        if isinstance(kind, Tags):
            assert isinstance(code, Bag)
            rows, have = np.repeat(every, np.diff(code.offsets)), code.values >= FIRST
            known = np.ones(len(side), dtype=np.int64)
            known[rows[code.values == MISSING]] = 0
            yield _Values(kind, _said(kind), rows[have], code.values[have] - FIRST, known)
            continue
        if isinstance(kind, Category):
            value, said = np.maximum(np.asarray(code) - FIRST, -1), _said(kind)
        else:
            value, said = _ends(kind, np.asarray(code)[:, 0])
        have = value >= 0
        yield _Values(kind, said, every[have], value[have], have.astype(np.int64))


def _said(kind: Kind) -> tuple[tuple[str, str], ...]:
    return tuple((word, _clear(word, kind)) for word in kind.labels())


def _clear(word: str, kind: Kind) -> str:
    """A word that says of what it is: of codes with their heading, of long ones the beginning."""
    if len(word) < _SHORT or word.isdigit():
        return f"{kind.field.heading} {word}"
    return word if len(word) <= _LONG else word[: _LONG - 1] + "…"


def _ends(
    kind: Binary | Numeric | Date, level: np.ndarray
) -> tuple[Int64[np.ndarray, " n"], tuple[tuple[str, str], ...]]:
    """One of two values; or low, middling and high, by thirds of all rows."""
    heading = kind.field.heading
    there = ~np.isnan(level)
    if isinstance(kind, Binary):
        words = [kind.words(np.array([end], dtype=np.float32)) for end in (0.0, 1.0)]
        named = {"yes": heading, "no": f"no {heading}"}
        value = np.where(there, np.nan_to_num(level), -1).astype(np.int64)
        return value, tuple((word, named.get(word) or _clear(word, kind)) for word in words)
    low, high = _ENDS.get(kind.field.kind, _LOW_HIGH)
    cuts = np.quantile(level[there], [1 / 3, 2 / 3]) if there.any() else np.zeros(2)
    third = (level > cuts[0]).astype(np.int64) + (level >= max(cuts[1], np.nextafter(cuts[0], np.inf)))
    return np.where(there, third, -1), ((low, f"{low} {heading}"), ("", ""), (high, f"{high} {heading}"))


def _names(ranked: Sequence[Sequence[Trait]]) -> list[str]:
    """A name each: items' words before users'. Of equal ones the smaller cluster says more, or has a number."""
    names: list[str] = []
    for traits in ranked:
        words = _words(traits)
        name, length = _joined(words[:_PARTS]), _PARTS
        while name in names and length < len(words):
            length += 1
            name = _joined(words[:length])
        tried, number = name, 2
        while tried in names:
            tried, number = f"{name} ({number})", number + 1
        names.append(tried)
    return names


def _words(traits: Sequence[Trait]) -> list[Trait]:
    """One trait a column, of tags two."""
    kept: list[Trait] = []
    for trait in traits:
        same = sum((one.side, one.column) == (trait.side, trait.column) for one in kept)
        if same < _TAGS and all(one.word != trait.word for one in kept):
            kept.append(trait)
    return kept


def _joined(traits: Sequence[Trait]) -> str:
    ordered = sorted(traits, key=lambda trait: trait.side == "user")
    return " · ".join(trait.word for trait in ordered) or _MIXED
