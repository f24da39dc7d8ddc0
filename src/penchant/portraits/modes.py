"""Modes: the kinds of rows that a ball holds. "Short humorous videos, 60 %; patch-note analyses, 30 %".

There are as many modes as valleys of the density separate, shown on points that were held out (see
`penchant.portraits._clusters`): one where nothing is separated, and none of a share below a tenth. A mode has a name
in words: the values that are more frequent in it than in the population, and than in the other modes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64

from penchant._spec import Block
from penchant.errors import ConfigError
from penchant.portraits._clusters import separate_groups
from penchant.portraits._weights import weighted_mean
from penchant.spaces import BaseSpace
from penchant.tables import SideEncoder
from penchant.tables.kinds import Kind, Text

__all__ = ["Mode", "find_modes"]

_PARTS = 3
"""Words in a name, at most."""
_TELLING = 0.1
"""Difference, of a share or of a level in [0, 1], from which a value is worth a word."""
_COMMON = 0.25
"""Share from which a value describes a mode: what most of its rows lack would mislead."""
_ALIKE = "much like everyone's"
_ENDS = {"date": ("early", "late")}
_LOW_HIGH = ("low", "high")


@dataclass(frozen=True, slots=True)
class Mode:
    """One kind of rows among those that a ball holds."""

    name: str
    """What tells it from the population and from the other modes: "low length, humour, video"."""
    share: float
    """Of all the weight, in (0, 1]."""
    centre: Float[np.ndarray, " k"]
    """Weighted mean of its points, a point of the space."""
    vector: Float64[np.ndarray, " width"]
    """Weighted mean of its vectors, in [0, 1]; NaN where no value is known."""
    typical: dict[str, str]
    """The most typical value of each field, in words and units."""
    members: Int64[np.ndarray, " s"]
    """Its points, as rows of those that were given."""
    examples: Int64[np.ndarray, " e"]
    """The known rows nearest to its centre, the nearest first."""


def find_modes(
    space: BaseSpace,
    points: Float[np.ndarray, "m k"],
    vectors: Float[np.ndarray, "m width"],
    weight: Float64[np.ndarray, " m"],
    *,
    encoder: SideEncoder,
    population: Float[np.ndarray, " width"],
    known: Float[np.ndarray, "n k"],
    by: Literal["points", "vectors"] = "points",
    most: int = 4,
    least: float = 0.1,
    examples: int = 3,
    rng: int = 0,
) -> tuple[Mode, ...]:
    """The modes of weighted points, the heaviest first; none of no points.

    Arguments:
        points, vectors, weight: of a `Distribution`; weights ≥ 0.
        encoder: gives the words.
        population: mean portrait vector over everyone's likes, to name what differs from it.
        known: points of the known rows, of which the nearest are examples.
        by: points: kinds that tastes tell apart. vectors: kinds that differ in what is known of them, by language for
            instance, even where tastes go over into one another.
        most: modes, at most; least: share of a mode, at least.
        examples: known rows for each mode.
        rng: seed of the halves and of k-means.

    Raises:
        ConfigError: ``most`` below 1, ``least`` not in [0, 1), ``examples`` below 0.
    """
    if most < 1 or not 0 <= least < 1 or examples < 0:
        given = f"most = {most}, least = {least}, examples = {examples}"
        raise ConfigError(f"{given}: at least 1, a share below 1, and at least 0 expected")
    counted = np.flatnonzero(weight > 0)
    if not len(counted):
        return ()
    w = weight[counted] / weight[counted].sum()
    place = points[counted] if by == "points" else _filled(vectors[counted], w)
    group = separate_groups(place, w, most=most, least=least, rng=rng)
    parts = [(counted[group == g], w[group == g]) for g in range(int(group.max()) + 1)]
    means = np.array([weighted_mean(vectors[rows], v) for rows, v in parts])
    shares = np.array([v.sum() for _, v in parts])
    names = [_name(mean, _others(means, shares, g), population, encoder) for g, mean in enumerate(means)]
    centres = np.array([v @ points[rows].astype(np.float64) / v.sum() for rows, v in parts]).astype(points.dtype)
    near = _nearest(space, centres, known, examples)
    return tuple(
        Mode(name, float(share), centre, mean, encoder.words(mean.astype(np.float32)), rows, shown)
        for name, share, centre, mean, (rows, _), shown in zip(names, shares, centres, means, parts, near, strict=True)
    )


def _filled(vectors: Float[np.ndarray, "m width"], weight: Float64[np.ndarray, " m"]) -> Float64[np.ndarray, "m width"]:
    """The mean where a value is missing."""
    return np.where(np.isnan(vectors), np.nan_to_num(weighted_mean(vectors, weight)), vectors)


def _others(
    means: Float64[np.ndarray, "g width"], shares: Float64[np.ndarray, " g"], g: int
) -> Float64[np.ndarray, " width"] | None:
    """What the other modes hold together; None where there is no other."""
    rest = np.delete(shares, g)
    return weighted_mean(np.delete(means, g, axis=0), rest) if len(rest) else None


def _nearest(
    space: BaseSpace, centres: Float[np.ndarray, "g k"], known: Float[np.ndarray, "n k"], count: int
) -> Int64[np.ndarray, "g e"]:
    count = min(count, len(known))
    if not count:
        return np.zeros((len(centres), 0), dtype=np.int64)
    queries, every = (torch.from_numpy(np.ascontiguousarray(x)) for x in (centres, known))
    return space.topk(queries, every, count)[1].cpu().numpy()


def _name(
    mean: Float64[np.ndarray, " width"],
    others: Float64[np.ndarray, " width"] | None,
    population: Float[np.ndarray, " width"],
    encoder: SideEncoder,
) -> str:
    """The values that tell most: for a number, yes or no, and one of many one word each, and any number of tags.

    By the difference from the population; where there are other modes, by half of that from the population and half of
    that from them, as what they have in common names none of them.
    """
    from_all = mean - population.astype(np.float64)
    score = from_all if others is None else (from_all + mean - others) / 2
    score = np.where(score * from_all > 0, score, 0.0)  # below everyone's is not high, whatever the others are
    words = list(_words(score, mean, encoder))
    ranked = sorted((w for w in words if w[0] >= _TELLING), key=lambda w: -w[0])[:_PARTS]
    return ", ".join(word for _, word in ranked) or _ALIKE


def _words(
    score: Float64[np.ndarray, " width"], mean: Float64[np.ndarray, " width"], encoder: SideEncoder
) -> Iterator[tuple[float, str]]:
    """What could be said, with how telling it is: of text its terms. Single axes of vectors mean nothing to anyone."""
    kinds = {kind.field.name: kind for kind in encoder.kinds}
    for block, place in encoder.layout.places():
        kind, told = kinds[block.name], score[place]
        if block.form == "dense":
            if block.width == 1:
                yield abs(float(told[0])), _of_one(kind, block, float(told[0]) > 0)
            elif isinstance(kind, Text):
                terms = kind.telling(mean[place], mean[place] - told, _PARTS)
                yield from ((one.weight - one.usual, one.term) for one in terms)
            continue
        labels, common = kind.labels(), np.flatnonzero(mean[place] >= _COMMON)
        said = [(float(told[j]), labels[j]) for j in common]
        yield from said if block.form == "bag" else sorted(said, reverse=True)[:1]


def _of_one(kind: Kind, block: Block, more: bool) -> str:
    """A number that is low or high; one of two values; yes or no."""
    heading = kind.field.heading
    if block.likelihood == "square":
        return f"{_ENDS.get(kind.field.kind, _LOW_HIGH)[more]} {heading}"
    word = kind.words(np.array([float(more)], dtype=np.float32))
    return {"yes": heading, "no": f"no {heading}"}.get(word, word)
