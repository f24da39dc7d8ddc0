"""A portrait from shares: what sets them apart from everyone, in words and units."""

from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Float

from penchant.portraits.portrait import Portrait
from penchant.tables import SideEncoder

__all__ = ["read_portrait"]

_FLOOR = 0.001
"""Shares below this count as this in a lift, so that what nobody has does not get an endless one."""


def read_portrait(
    *,
    subject: str,
    side: Literal["item", "user"],
    shares: Float[np.ndarray, " width"],
    ends: tuple[Float[np.ndarray, " width"], Float[np.ndarray, " width"]],
    encoder: SideEncoder,
    population: Float[np.ndarray, " width"],
    examples: pl.DataFrame,
    radius: float,
    inside: float,
    notes: tuple[str, ...] = (),
) -> Portrait:
    """The typical portrait.

    Arguments:
        subject: whose portrait it is, in words.
        side: what is described: liked items, or users who like.
        shares: of what is liked, in [0, 1] (see `Reading.shares`).
        ends: of an interval for each share, likewise.
        encoder: turns portrait vectors of ``side`` into words and units.
        population: mean portrait vector of ``side`` over all liked pairs, weighted.
        examples: real rows nearest to the centre.
        radius, inside: of the ball; the share of known rows it holds.
        notes: what a reader has to know.

    Source: the disclosure, §3.4; docs/theory, section Reading the space.
    """
    vector = shares.astype(np.float64)
    return Portrait(
        subject=subject,
        side=side,
        features=_features(vector, ends, population.astype(np.float64), encoder),
        typical=encoder.words(vector.astype(np.float32)),
        population=encoder.words(population.astype(np.float32)),
        examples=examples,
        radius=radius,
        inside=inside,
        notes=notes,
    )


def _features(
    vector: Float[np.ndarray, " width"],
    ends: tuple[Float[np.ndarray, " width"], Float[np.ndarray, " width"]],
    population: Float[np.ndarray, " width"],
    encoder: SideEncoder,
) -> pl.DataFrame:
    labels = encoder.labels()
    numbers = np.concatenate(
        [np.full(block.width, block.likelihood == "square") for block, _ in encoder.layout.places()]
        or [np.zeros(0, bool)]
    )
    lift = np.maximum(vector, _FLOOR) / np.maximum(population, _FLOOR)
    frame = pl.DataFrame(
        {
            "feature": [feature for feature, _ in labels],
            "value": [value for _, value in labels],
            "share": vector,
            "low": ends[0],
            "high": ends[1],
            "population": population,
            "difference": vector - population,
            "lift": pl.Series(np.where(numbers, np.nan, lift), nan_to_null=True, dtype=pl.Float64),
        },
        schema_overrides={"feature": pl.String, "value": pl.String},
    )
    return frame.sort(pl.col("difference").abs(), descending=True, maintain_order=True)
