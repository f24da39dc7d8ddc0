"""The distribution behind a portrait: what is liked as shares, medians and ranges, over points that are like rows.

Most of a ball holds nothing: its uniform points lie where no row is, and decoding them averages fantasies. Two ways to
keep to points that are like rows:

prior   known rows, weighted by P(liked | d) = σ(s·(p − d)): with every row as likely to be met as in the table, this is
        the distribution of what is liked. A radius leaves out what is beyond. The default, as measured on simulated
        tables: its ranges from 5 to 95 % hold nine of ten numbers that are really liked, those of the ball a third.
ball    uniform points of the ball, each read as a whole row and encoded again: those that come back into the ball
        (*cycle-consistent*). Needs no known rows.

Then, coordinate by coordinate of the rows' vectors: the weighted mean, the 5, 25, 50, 75 and 95 % quantiles, and "open"
where the range from 5 to 95 % is wider than a half.

Source: docs/theory, portraits. Cycle consistency: cf. Zhu et al. 2017, arXiv 1703.10593.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Float64, Int64

from penchant._random import generator, torch_generator
from penchant._spec import Block, Features
from penchant.errors import ConfigError
from penchant.portraits._distances import distances_to
from penchant.portraits._rows import encode_rows, whole_rows
from penchant.portraits._weights import (
    effective_number,
    like_weights,
    systematic_draw,
    weighted_mean,
    weighted_quantiles,
)
from penchant.portraits.intervals import OPEN
from penchant.spaces import Ball, BaseSpace
from penchant.tables import SideEncoder
from penchant.tables.kinds import Kind

__all__ = ["LEVELS", "Decode", "Distribution", "Encode", "ReadRows", "ball_distribution", "prior_distribution"]

Decode = Callable[[Float[np.ndarray, "n k"]], Float[np.ndarray, "n width"]]
"""Points to portrait vectors in (0, 1)."""
Encode = Callable[[Features], Float[np.ndarray, "n k"]]
"""Encoded rows of the side that is described to points."""
ReadRows = Callable[[Int64[np.ndarray, " m"]], Float[np.ndarray, "m width"]]
"""Numbers of known rows to their portrait vectors, NaN where unknown."""

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Levels of the quantiles."""

_FEW = 20
"""Points below which shares are said to rest on few."""
_LITTLE = 0.05
"""Share of points that come back below which a ball is said to hold hardly anything."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Points that are like rows, with weights, and what they say of each coordinate."""

    source: Literal["prior", "ball"]
    """Known rows by how likely each is liked, or points of the ball that came back."""
    points: Float[np.ndarray, "m k"]
    """The points."""
    vectors: Float[np.ndarray, "m width"]
    """Portrait vector of each point's row, in [0, 1]; NaN where a known row lacks a value."""
    weight: Float64[np.ndarray, " m"]
    """How much each counts, above 0; they sum to 1."""
    row: Int64[np.ndarray, " m"]
    """prior: row among the known ones. ball: -1, there is none."""
    mean: Float64[np.ndarray, " width"]
    """Weighted mean of the known values; NaN where there is none."""
    quantiles: Float64[np.ndarray, "levels width"]
    """Weighted quantiles at `LEVELS`; NaN where there is no value."""
    open: Bool[np.ndarray, " width"]
    """Is the range from 5 to 95 % wider than a half, or unknown? Of yes or no, a tag, a word: do both occur?"""
    returned: float
    """Share of the ball's points that came back into it, in [0, 1]; 1 for known rows."""
    effective: float
    """How many equally weighted points these are worth (Kish); 0 for none."""
    notes: tuple[str, ...]
    """What a reader has to know."""

    def table(self, encoder: SideEncoder) -> pl.DataFrame:
        """One row a coordinate, in order: feature, value, mean, q05 … q95, open, and ``said``, the same in words.

        ``said``: of numbers the median and the range in the field's own units, or "open"; else the share, "62%".
        """
        labels = encoder.labels()
        columns = {f"q{round(100 * level):02d}": row for level, row in zip(LEVELS, self.quantiles, strict=True)}
        return pl.DataFrame(
            {
                "feature": [feature for feature, _ in labels],
                "value": [value for _, value in labels],
                "mean": self.mean,
                **columns,
                "open": self.open,
                "said": list(self._said(encoder)),
            },
            schema_overrides={"feature": pl.String, "value": pl.String, "said": pl.String},
        ).fill_nan(None)

    def _said(self, encoder: SideEncoder) -> Iterator[str]:
        kinds: dict[str, Kind] = {kind.field.name: kind for kind in encoder.kinds}
        for block, place in encoder.layout.places():
            for column in range(place.start, place.stop):
                yield self._words(kinds[block.name], block, column)

    def _words(self, kind: Kind, block: Block, column: int) -> str:
        if np.isnan(self.mean[column]):
            return "unknown"
        if block.likelihood != "square":
            return f"{self.mean[column]:.0%}"
        if self.open[column]:
            return "open"
        low, _, middle, _, high = self.quantiles[:, column]
        if block.width > 1:  # an axis of a vector has no words of its own
            return f"{middle:.2f} ({low:.2f} to {high:.2f})"
        said = [kind.words(np.array([value], dtype=np.float32)) for value in (low, middle, high)]
        return said[1] if said[0] == said[2] else f"{said[1]} ({said[0]} to {said[2]})"


def prior_distribution(
    space: BaseSpace,
    centre: Float[np.ndarray, " k"],
    points: Float[np.ndarray, "n k"],
    read: ReadRows,
    *,
    threshold: float,
    slope: float,
    radius: float | None = None,
    most: int = 4000,
    rng: int = 0,
) -> Distribution:
    """The known rows weighted by P(liked); only what is beyond ``radius`` is left out.

    Of more than ``most`` rows so many are drawn by their weights, systematically: figures change by less than they
    would between one catalogue and another.

    Arguments:
        centre: the interest point; points: of the known rows.
        read: rows to their portrait vectors, NaN where unknown. (Decoded ones may be given, but what is decoded differs
            less than what is real: ranges were measured to be far too narrow.)
        threshold, slope: of the calibration.
        radius: of the ball to which the portrait is limited; None: P(liked) alone decides.
        most: rows that are looked at, at most.
        rng: seed of the draw.

    Raises:
        ConfigError: ``most`` below 1. SpaceError: points of another dimension, or not finite.
    """
    if most < 1:
        raise ConfigError(f"most = {most}: at least 1 expected")
    apart = distances_to(space, points, centre)
    weight = like_weights(apart, threshold=threshold, slope=slope, radius=radius)
    row = np.flatnonzero(weight)
    effective = effective_number(weight)
    if len(row) > most:
        drawn = systematic_draw(weight, most, generator(rng, "portraits", "prior"))
        row, count = np.unique(drawn, return_counts=True)
        weight = count / most
    else:
        weight = weight[row]
    notes = () if len(row) else ("No known row lies in the ball: nothing can be said of what is liked there.",)
    if 0 < effective < _FEW:
        notes = (f"Shares and ranges rest on what {effective:.1f} equally likely rows would tell.",)
    return _distribution("prior", points[row], read(row), weight, row, 1.0, effective, notes)


def ball_distribution(
    ball: Ball, *, decode: Decode, encode: Encode, encoder: SideEncoder, n: int = 1000, rng: int = 0
) -> Distribution:
    """Uniform points of the ball, each made into a row drawn by its shares; of these rows those that lie in the ball.

    Arguments:
        decode: points to portrait vectors; encode: encoded rows of that side to points.
        n: points drawn.
        rng: their seed.

    Raises:
        ConfigError: ``n`` below 1, or no field that can be read back. SpaceError: nothing of the ball is in the space.
    """
    if n < 1:
        raise ConfigError(f"n = {n}: at least 1 expected")
    drawn = ball.sample(n, torch_generator(rng, "portraits", "ball")).cpu().numpy()
    rows = whole_rows(encoder, decode(drawn), generator(rng, "portraits", "rows"))
    features = encode_rows(encoder, rows)
    points = encode(features)
    back = distances_to(ball.space, points, ball.centre.cpu().numpy()) <= ball.radius
    m, returned = int(back.sum()), float(back.mean())
    notes = () if m >= _FEW else (f"Only {m} of {n} points of the ball are like rows: it says little.",)
    if m >= _FEW and returned < _LITTLE:
        notes = (f"{returned:.1%} of the ball's points are like rows: hardly anything real lies in most of it.",)
    row = np.full(m, -1, dtype=np.int64)
    vectors, weight = encoder.portrait(features)[back], np.full(m, 1 / max(m, 1))
    return _distribution("ball", points[back], vectors, weight, row, returned, float(m), notes)


def _distribution(
    source: Literal["prior", "ball"],
    points: Float[np.ndarray, "m k"],
    vectors: Float[np.ndarray, "m width"],
    weight: Float64[np.ndarray, " m"],
    row: Int64[np.ndarray, " m"],
    returned: float,
    effective: float,
    notes: tuple[str, ...],
) -> Distribution:
    mean, quantiles = weighted_mean(vectors, weight), weighted_quantiles(vectors, weight, np.array(LEVELS))
    told = quantiles[-1] - quantiles[0] <= OPEN
    return Distribution(source, points, vectors, weight, row, mean, quantiles, ~told, returned, effective, notes)
