"""Whole rows that do not exist yet and would be liked: "an article like this would be liked, P = .93".

Drawn from the prior × P(liked): a known row by σ(s·(p − d)), a point on the way from it to one of its neighbours (a
smoothed bootstrap whose bandwidth is the distance of real rows, so it stays where rows are, in any dimension, and in
the box). Each is decoded to a whole row, and the row is encoded again: P is that of the row, not of the point. Of the
likelier half of those that are no known row, the likeliest are kept that are apart from one another: without the half,
keeping apart led to rows that were only as likely as their neighbours (simulator rare: .89 truly liked; with it .97).

Source: interpolation of neighbours: Chawla et al., SMOTE, JAIR 16 (2002). Choice: greedy, as in Gonzalez,
Theor. Comput. Sci. 38 (1985), but in the order of P.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Float32, Float64, Int64
from scipy.special import expit

from penchant._random import generator
from penchant.errors import ConfigError
from penchant.portraits._distances import distances_to
from penchant.portraits._rows import encode_rows, whole_rows
from penchant.portraits._weights import like_weights, systematic_draw
from penchant.portraits.distribution import Decode, Encode
from penchant.spaces import BaseSpace
from penchant.tables import SideEncoder

__all__ = ["Examples", "new_examples"]

_NEIGHBOURS = 8
_STEPS = 1000
"""Numbers are told apart in steps of a thousandth of their range."""
_LIKELIER = 0.5
"""Share of the new rows, the likeliest, from which examples are chosen that are apart."""
_HALVINGS = 8
"""How often the distance between examples is halved where they are too few, before it is given up."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Made-up rows, the likeliest first."""

    rows: pl.DataFrame
    """Their values, in the fields' own units; no ids."""
    points: Float[np.ndarray, "e k"]
    """Where the encoder puts them."""
    distance: Float64[np.ndarray, " e"]
    """From the interest point."""
    probability: Float64[np.ndarray, " e"]
    """P(liked), calibrated; falling."""
    notes: tuple[str, ...]
    """What a reader has to know."""

    def frame(self) -> pl.DataFrame:
        """Values, with columns probability and distance (underscored where a field has that name)."""
        extra = {"probability": self.probability, "distance": self.distance}
        free = {_free(name, self.rows.columns): values for name, values in extra.items()}
        return self.rows.with_columns(**free)


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name


def new_examples(
    space: BaseSpace,
    centre: Float[np.ndarray, " k"],
    points: Float[np.ndarray, "n k"],
    *,
    decode: Decode,
    encode: Encode,
    encoder: SideEncoder,
    known: Float32[np.ndarray, "n width"] | None = None,
    threshold: float,
    slope: float,
    radius: float | None = None,
    count: int = 5,
    apart: float | None = None,
    draws: int = 500,
    side: Literal["item", "user"] = "item",
    rng: int = 0,
) -> Examples:
    """At most ``count`` rows that do not exist yet; fewer, with a note, where no more can be told apart.

    Arguments:
        centre: the interest point; points: of the known rows.
        decode, encode: as in `ball_distribution`.
        known: portrait vectors of the known rows, which are no examples (numbers: to a thousandth of their range).
        threshold, slope: of the calibration.
        radius: only rows within it; None: P(liked) alone decides.
        count: how many.
        apart: base distance that two of them keep at least, halved until there are enough. None: half the median
            distance of what was drawn.
        draws: how many rows are made up, to choose from.
        side: what they are, for the notes.
        rng: seed of the draws.

    Raises:
        ConfigError: ``count`` or ``draws`` below 1, ``apart`` below 0, no known rows, or no field that can be read
            back. SpaceError: points of another dimension, or not finite.
    """
    _check(count, draws, apart, len(points))
    near = distances_to(space, points, centre)
    weight = like_weights(near, threshold=threshold, slope=slope, radius=radius)
    if not weight.any():  # no known row so near; one may be made up from what is nearest
        weight = like_weights(near, threshold=threshold, slope=slope)
    drawn = _between_neighbours(space, points, weight, draws, generator(rng, "portraits", "examples"))
    rows = whole_rows(encoder, decode(drawn))
    features = encode_rows(encoder, rows)
    made = encode(features)
    distance = distances_to(space, made, centre)
    fresh = _fresh(encoder.portrait(features), known)
    fresh &= distance <= (np.inf if radius is None else radius)
    order = np.argsort(distance, kind="stable")  # P falls with the distance
    fit = order[fresh[order]]
    likelier = fit[: max(count, math.ceil(_LIKELIER * len(fit)))]
    chosen = _diverse(space, made, likelier, count, apart)
    notes = () if len(chosen) == count else (_too_few(len(chosen), side),)
    probability = expit(slope * (threshold - distance[chosen]))
    return Examples(rows[chosen], made[chosen], distance[chosen], probability, notes)


def _check(count: int, draws: int, apart: float | None, n: int) -> None:
    if count < 1 or draws < 1:
        raise ConfigError(f"count = {count}, draws = {draws}: at least 1 expected")
    if apart is not None and not apart >= 0:
        raise ConfigError(f"apart = {apart}: a distance of at least 0 expected")
    if not n:
        raise ConfigError("examples are made up from known rows, and there is none")


def _too_few(found: int, side: str) -> str:
    some = f"Only {found} {side}{'s' * (found > 1)}" if found else f"No {side}"
    return f"{some} could be made up that are not known yet." if found > 1 else f"{some} could be made up that is new."


def _between_neighbours(
    space: BaseSpace,
    points: Float[np.ndarray, "n k"],
    weight: Float64[np.ndarray, " n"],
    draws: int,
    random: np.random.Generator,
) -> Float[np.ndarray, "{draws} k"]:
    """Rows by their weights, each moved a random part of the way to one of its nearest neighbours."""
    start = systematic_draw(weight, draws, random)
    if len(points) == 1:
        return points[start]
    rows, place = np.unique(start, return_inverse=True)
    every = torch.from_numpy(np.ascontiguousarray(points))
    itself = [torch.tensor([row]) for row in rows.tolist()]
    m = min(_NEIGHBOURS, len(points) - 1)
    _, found = space.topk(every[torch.from_numpy(rows)], every, m, exclude=itself)
    mate = found.cpu().numpy()[place, random.integers(m, size=draws)]
    part = random.random((draws, 1)).astype(points.dtype)
    return (1 - part) * points[start] + part * points[mate]


def _fresh(
    made: Float32[np.ndarray, "d width"], known: Float32[np.ndarray, "n width"] | None
) -> Bool[np.ndarray, " d"]:
    """Which made-up rows are not known, and not made up before."""
    seen = set() if known is None else set(_keys(known))
    fresh = np.zeros(len(made), dtype=bool)
    for number, key in enumerate(_keys(made)):
        fresh[number] = key not in seen
        seen.add(key)
    return fresh


def _keys(vectors: Float32[np.ndarray, "n width"]) -> Iterator[bytes]:
    steps = np.where(np.isnan(vectors), -1, np.rint(np.nan_to_num(vectors) * _STEPS)).astype(np.int16)
    return (row.tobytes() for row in steps)


def _diverse(
    space: BaseSpace, points: Float[np.ndarray, "d k"], order: Int64[np.ndarray, " c"], count: int, apart: float | None
) -> Int64[np.ndarray, " e"]:
    """The first of ``order`` that keep their distance, which is halved until there are enough."""
    if not len(order):
        return order
    candidates = torch.from_numpy(np.ascontiguousarray(points[order])).double()
    distance = space.cross(candidates, candidates).numpy()
    if apart is None:
        apart = float(np.median(distance[np.triu_indices(len(order), 1)])) / 2 if len(order) > 1 else 0.0
    for halving in range(_HALVINGS + 1):
        gap = apart / 2**halving if halving < _HALVINGS else 0.0
        chosen = _spread(distance, count, gap)
        if len(chosen) == count:
            break
    return order[chosen]


def _spread(distance: Float64[np.ndarray, "c c"], count: int, gap: float) -> Int64[np.ndarray, " e"]:
    free = np.ones(len(distance), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < count and free.any():
        chosen.append(int(free.argmax()))
        free &= distance[chosen[-1]] >= gap
        free[chosen[-1]] = False
    return np.array(chosen, dtype=np.int64)
