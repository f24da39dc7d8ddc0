"""The map as a value: who and what is on it, where, in which clusters, by what it can be coloured, how good it is."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float32, Int16, UInt8
from pydantic import TypeAdapter
from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

from penchant import storage
from penchant.errors import CorruptModelError, UnknownIdError
from penchant.maps._base64 import encoded
from penchant.maps.columns import CategoryColumn, MapColumn, NumberColumn, SideName
from penchant.maps.naming import MapCluster, Trait
from penchant.maps.quality import MapQuality

__all__ = ["FORM", "SIDES", "InterestMap", "MapForm"]

FORM = "penchant.map/1"
"""Of the JSON form."""
SIDES: tuple[SideName, SideName] = ("item", "user")
"""By their number in ``side``."""

_KIND = "penchant-map"
_EXACT = 2**53 - 1
"""Whole numbers beyond it are no longer exact in JavaScript: such ids are given as text."""


class ClusterForm(TypedDict):
    """See `MapCluster`."""

    name: str
    size: int
    x: float
    y: float
    traits: list[dict[str, Any]]


class QualityForm(TypedDict):
    """See `MapQuality`."""

    trustworthiness: float | None
    trustworthiness_of_openTSNE: float | None
    knn_preservation: float | None
    k: int
    sampled: int


class MapForm(TypedDict):
    """See `InterestMap`; arrays are base64 of little-endian numbers."""

    form: Literal["penchant.map/1"]
    model: str
    metric: dict[str, Any]
    method: str
    n: int
    x: str
    y: str
    side: str
    ids: list[str | int]
    labels: list[str | None]
    cluster: str
    clusters: list[ClusterForm]
    columns: list[dict[str, Any]]
    quality: QualityForm
    placed: int
    notes: list[str]


@dataclass(frozen=True, eq=False)
class InterestMap:
    """Users and items of a model in one picture. A picture bends distances: ``quality`` says how much."""

    form: ClassVar[type] = MapForm

    ids: tuple[str | int, ...]
    """Keys, items before users, those that were placed last."""
    labels: tuple[str | None, ...]
    """What people read; None: the key."""
    side: UInt8[np.ndarray, " n"]
    """0 an item, 1 a user."""
    xy: Float32[np.ndarray, "n 2"]
    """Where they are; the wider side of those laid out reaches from -1 to 1."""
    cluster: Int16[np.ndarray, " n"]
    """Number in ``clusters``; -1 for none."""
    clusters: tuple[MapCluster, ...]
    """The largest first."""
    columns: tuple[MapColumn, ...]
    """What it can be coloured by."""
    quality: MapQuality
    """How far it can be trusted."""
    metric: dict[str, Any]
    """norm (or the metric of Gaussians), cap (None: none) and threshold (the radius of a ball) of the space."""
    method: str
    """How it was laid out."""
    scale: float
    """Median distance from a point to its 15th nearest: what is near, on this map."""
    placed: int = 0
    """So many, the last ones, were placed among the others, which did not move."""
    model: str = ""
    """Version of the model; empty where it is in no file."""
    notes: tuple[str, ...] = ()
    """What a reader has to know."""

    def __len__(self) -> int:
        return len(self.ids)

    def index(self, side: SideName, one: str | int) -> int:
        """The place of a user or item on the map, by key (``"17"`` finds 17).

        Raises:
            UnknownIdError: not on the map.
        """
        found = self._index.get((SIDES.index(side), str(one)))
        if found is None:
            raise UnknownIdError(f"{side} {one!r} is not on the map, which shows {len(self):,} users and items")
        return found

    @cached_property
    def _index(self) -> dict[tuple[int, str], int]:
        pairs = zip(self.side.tolist(), map(str, self.ids), strict=True)
        return {pair: place for place, pair in reversed(list(enumerate(pairs)))}

    def sentences(self) -> Iterator[str]:
        """What a reader has to know of the picture."""
        yield "A picture bends distances: who is near on it is mostly near in the space, who is far may be nearer."
        trust, kept, k = self.quality.trustworthiness, self.quality.knn_preservation, self.quality.k
        if trust is not None and kept is not None:
            yield f"Trustworthiness {trust:.3f}; of {k} neighbours on the map {kept * k:.1f} are so in the space."
        if self.placed:
            yield f"{self.placed:,} were placed among the others, which did not move."
        yield from self.notes

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form (`MapForm`)."""
        x, y = (np.ascontiguousarray(self.xy[:, axis]) for axis in (0, 1))
        quality = {
            "trustworthiness": self.quality.trustworthiness,
            "trustworthiness_of_openTSNE": None,  # a benchmark's figure, for those who write it there
            "knn_preservation": self.quality.knn_preservation,
            "k": self.quality.k,
            "sampled": self.quality.sampled,
        }
        return {
            "form": FORM,
            "model": self.model,
            "metric": dict(self.metric),
            "method": self.method,
            "n": len(self),
            "x": encoded(x),
            "y": encoded(y),
            "side": encoded(self.side),
            "ids": [_safe(one) for one in self.ids],
            "labels": [str(one) if said is None else said for one, said in zip(self.ids, self.labels, strict=True)],
            "cluster": encoded(self.cluster),
            "clusters": [one.to_dict() for one in self.clusters],
            "columns": [column.to_dict() for column in self.columns],
            "quality": quality,
            "placed": self.placed,
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """The JSON form."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema (2020-12) of the JSON form."""
        return TypeAdapter(cls.form).json_schema()

    def _repr_html_(self) -> str:
        """The map for a notebook; it needs Jinja2, and says so where that is not installed."""
        try:
            from penchant.pages.map_file import map_frame
        except ImportError:
            return f"<p>A map of {len(self):,} users and items. To see it here: pip install penchant[serve]</p>"
        return map_frame(self.to_dict())

    def save(self, path: str | PathLike[str]) -> None:
        """Write the map as a directory with checksums (`penchant.storage`); an older map there is replaced in one step.

        Raises:
            StorageError: something else is there, or it cannot be written.
        """
        arrays = {"xy": self.xy, "side": self.side, "cluster": self.cluster}
        arrays |= {f"column {number}": column.values for number, column in enumerate(self.columns)}
        quality, clusters = TypeAdapter(MapQuality), TypeAdapter(MapCluster)
        facts = {
            "ids": list(self.ids),
            "labels": list(self.labels),
            "clusters": [clusters.dump_python(one, mode="json") for one in self.clusters],
            "columns": [_described(column) for column in self.columns],
            "quality": quality.dump_python(self.quality, mode="json"),
            "metric": self.metric,
            "notes": list(self.notes),
            **{name: getattr(self, name) for name in _PLAIN},
        }
        storage.write_directory(Path(path), tensors={"map": arrays}, json={"map": facts}, blobs={}, kind=_KIND)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "InterestMap":
        """Read a map that was saved; equal in every bit.

        Raises:
            CorruptModelError: a file is missing, altered or not as it was written. StorageError: no map is there.
            NewerFormatError: written by a later version.
        """
        contents = storage.read_directory(Path(path), _KIND)
        try:
            facts, arrays = contents.json["map"], contents.tensors["map"]
            columns = [_restored(one, arrays[f"column {place}"]) for place, one in enumerate(facts["columns"])]
            return cls(
                ids=tuple(facts["ids"]),
                labels=tuple(facts["labels"]),
                side=arrays["side"],
                xy=arrays["xy"],
                cluster=arrays["cluster"],
                clusters=tuple(_cluster(one) for one in facts["clusters"]),
                columns=tuple(columns),
                quality=MapQuality(**facts["quality"]),
                metric=facts["metric"],
                notes=tuple(facts["notes"]),
                **{name: facts[name] for name in _PLAIN},
            )
        except (KeyError, TypeError) as error:
            raise CorruptModelError(f"{path}: the map is not as it was written ({error!r})") from error


_PLAIN = ("method", "scale", "placed", "model")


def _safe(one: str | int) -> str | int:
    """An id that every reader of JSON reads right."""
    return str(one) if isinstance(one, int) and abs(one) > _EXACT else one


def _described(column: MapColumn) -> dict[str, Any]:
    """A column without its values."""
    facts: dict[str, Any] = {"name": column.name, "side": column.side}
    if isinstance(column, CategoryColumn):
        return {**facts, "words": list(column.words)}
    return {**facts, "low": column.low, "high": column.high, "unit": column.unit}


def _restored(facts: dict[str, Any], values: np.ndarray) -> MapColumn:
    if "words" in facts:
        return CategoryColumn(facts["name"], facts["side"], values, tuple(facts["words"]))
    return NumberColumn(values=values, **facts)


def _cluster(facts: dict[str, Any]) -> MapCluster:
    return MapCluster(**{**facts, "traits": tuple(Trait(**trait) for trait in facts["traits"])})
