"""A portrait from shares: what sets them apart from everyone, in words and units."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Float

from penchant.portraits._rows import likeliest
from penchant.portraits.details import Details
from penchant.portraits.intervals import OPEN, PortraitIntervals
from penchant.portraits.portrait import TERMS, Portrait
from penchant.portraits.radius import Radius
from penchant.tables import SideEncoder
from penchant.tables.kinds import Kind, Text

__all__ = ["likely_values", "read_portrait", "usual_words"]

_FLOOR = 0.001
"""Shares below this count as this in a lift, so that what nobody has does not get an endless one."""
_LIKELY = {"feature": pl.String, "level": pl.Float64, "open": pl.Boolean, "said": pl.String}
_WORDS = 6
"""Words of a field that are named, at most."""


def read_portrait(
    *,
    subject: str,
    side: Literal["item", "user"],
    shares: Float[np.ndarray, " width"],
    ends: tuple[Float[np.ndarray, " width"], Float[np.ndarray, " width"]],
    encoder: SideEncoder,
    population: Float[np.ndarray, " width"],
    examples: pl.DataFrame,
    ball: Radius,
    likely: pl.DataFrame | None = None,
    details: Details | None = None,
    notes: tuple[str, ...] = (),
    sure: str = "",
    usual: Mapping[str, str] | None = None,
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
        ball: how far it reaches, and what that means.
        likely: see `likely_values`; None: nothing was held out to say it from.
        details: what stands behind it.
        notes: what a reader has to know.
        sure: how sure it is where the subject lies; nothing where that is not known.
        usual: the population in words, where they are at hand (`usual_words`).

    Source: the disclosure, §3.4; docs/theory, section Reading the space.
    """
    vector = shares.astype(np.float64)
    (typical,) = likeliest(encoder.layout, vector[None])
    return Portrait(
        subject=subject,
        side=side,
        features=_features(vector, ends, population.astype(np.float64), encoder),
        typical=encoder.words(typical),
        population=dict(usual_words(encoder, population) if usual is None else usual),
        examples=examples,
        ball=ball,
        likely=pl.DataFrame(schema=_LIKELY) if likely is None else likely,
        details=details,
        notes=notes,
        terms=_terms(vector, population.astype(np.float64), encoder),
        sure=sure,
    )


def usual_words(encoder: SideEncoder, population: Float[np.ndarray, " width"]) -> dict[str, str]:
    """The most typical value of each feature over all likes of everyone, in words and units."""
    (usual,) = likeliest(encoder.layout, population.astype(np.float64)[None])
    return encoder.words(usual)


def _terms(
    vector: Float[np.ndarray, " width"], population: Float[np.ndarray, " width"], encoder: SideEncoder
) -> pl.DataFrame:
    """See `Portrait.terms`."""
    kinds = {kind.field.name: kind for kind in encoder.kinds}
    rows = [
        (kind.field.heading, term, mine, usual, mine - usual, max(mine, _FLOOR) / max(usual, _FLOOR))
        for block, place in encoder.layout.places()
        if isinstance(kind := kinds[block.name], Text)
        for term, mine, usual in kind.telling(vector[place], population[place])
    ]
    return pl.DataFrame(rows, schema=TERMS, orient="row")


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
    difference = vector - population
    order = np.argsort(-np.nan_to_num(np.abs(difference), nan=np.inf), kind="stable")  # the largest first
    return pl.DataFrame(
        [
            pl.Series("feature", [labels[j][0] for j in order], dtype=pl.String),
            pl.Series("value", [labels[j][1] for j in order], dtype=pl.String),
            pl.Series("share", vector[order]),
            pl.Series("low", ends[0][order]),
            pl.Series("high", ends[1][order]),
            pl.Series("population", population[order]),
            pl.Series("difference", difference[order]),
            pl.Series("lift", np.where(numbers, np.nan, lift)[order], nan_to_null=True, dtype=pl.Float64),
        ]
    )


def likely_values(
    encoder: SideEncoder, intervals: PortraitIntervals, raw: Float[np.ndarray, "n width"], level: float = 0.9
) -> list[pl.DataFrame]:
    """What really liked ones look like with this probability, field by field: one row a field that can be read.

    Arguments:
        raw: the portraits' vectors as read, before calibration (see `Reading.raw`).
        level: one of ``intervals.levels``; the promise is kept field by field, not for all fields at once.

    Returns:
        For each portrait a table of feature, level, open (the field may be anything, or nearly), said ("1985 to 1997",
        "drama or comedy").
    """
    ends = intervals.intervals(raw, level)
    return [_likely(encoder, intervals, *one, level) for one in zip(raw, *ends, strict=True)]


def _likely(
    encoder: SideEncoder,
    intervals: PortraitIntervals,
    raw: Float[np.ndarray, " width"],
    low: Float[np.ndarray, " width"],
    high: Float[np.ndarray, " width"],
    level: float,
) -> pl.DataFrame:
    sets, verdicts = intervals.sets_within(raw, high), intervals.verdicts_within(low, high)
    kinds = {kind.field.name: kind for kind in encoder.kinds}
    rows = []
    for block, place in encoder.layout.places():
        kind = kinds[block.name]
        if block.likelihood == "categorical":
            said = _one_of(kind, sets[block.name])
        elif block.form == "bag":
            said = _with_or_without(kind, verdicts[place])
        elif block.width > 1:  # an axis of a vector has no words of its own
            continue
        elif block.likelihood == "binary":
            verdict = verdicts[place.start]
            said = "" if verdict == "open" else kind.words(np.array([verdict == "yes"], dtype=np.float32))
        else:
            said = _between(kind, low[place], high[place])
        rows.append((kind.field.heading, level, not said, said or "open"))
    return pl.DataFrame(rows, schema=_LIKELY, orient="row")


def _one_of(kind: Kind, words: tuple[int, ...]) -> str:
    labels = kind.labels()
    if len(words) > max(1, len(labels) * OPEN):
        return ""
    named = " or ".join(labels[j] for j in words[:_WORDS])
    return named + (f" or {len(words) - _WORDS} more" if len(words) > _WORDS else "")


def _with_or_without(kind: Kind, verdicts: np.ndarray) -> str:
    labels = np.array(kind.labels(), dtype=object)
    has, lacks = labels[verdicts == "yes"], labels[verdicts == "no"]
    said = [f"{word} {', '.join(some[:_WORDS])}" + (f" and {len(some) - _WORDS} more" if len(some) > _WORDS else "")
            for word, some in (("with", has), ("without", lacks)) if len(some)]  # fmt: skip
    return "; ".join(said)


def _between(kind: Kind, low: Float[np.ndarray, "1"], high: Float[np.ndarray, "1"]) -> str:
    if high[0] - low[0] > OPEN:
        return ""
    first, last = (kind.words(end.astype(np.float32)) for end in (low, high))
    return first if first == last else f"{first} to {last}"
