"""Portraits of users and audiences of items, asked of the fitted model."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Float

from penchant.estimator.fitted import Fitted, SideName, other_side
from penchant.estimator.queries import Asked, as_many, nearest_each, resolve, resolve_one, subject
from penchant.estimator.reading import evidence_of
from penchant.estimator.uncertain import how_sure
from penchant.portraits import (
    Details,
    Evidence,
    Portrait,
    Radius,
    find_details,
    least_radius,
    likely_values,
    read_portrait,
    resolve_radius,
)
from penchant.spaces import UniformSpace

__all__ = [
    "NO_PORTRAIT_TERM",
    "Reach",
    "evidence",
    "portrait",
    "portrait_of",
    "portrait_table",
    "portraits_of",
    "radius_of",
]

NO_PORTRAIT_TERM = (
    "This model was trained without the portrait term (loss.delta = 0): its decoders were never shown what is liked, "
    "and such portraits were measured to be worse than the population average. Train with loss.delta > 0."
)
_NO_DETAILS = "No distribution is shown: it needs balls of a norm on places, as space.kind = 'uniform' has them."
_AT_ONCE = 4096
"""Rows whose portraits are read at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a portrait's ball reaches: at most one of the three; none: everything liked with P ≥ ½."""

    probability: float | None = None
    """Whatever lies inside is liked with this probability at least."""
    core: float | None = None
    """The ball holds this share of the known rows, the nearest."""
    distance: float | None = None
    """A base distance."""

    @property
    def given(self) -> bool:
        """Was a reach asked for?"""
        return any(value is not None for value in (self.probability, self.core, self.distance))


def radius_of(fitted: Fitted, of: SideName, centre: Float[np.ndarray, " k"], reach: Reach) -> Radius:
    """The reach as a radius around a point, counted over the known rows of a side.

    Raises: ConfigError: several meanings, or one outside its range.
    """
    least = least_radius(fitted.model.space)
    even = Reach(probability=0.5) if fitted.calibration.threshold > least else Reach(distance=least)
    asked = reach if reach.given else even
    return resolve_radius(
        fitted.model.space,
        centre,
        fitted.known[of].points.cpu().numpy(),
        threshold=fitted.calibration.threshold,
        slope=fitted.calibration.slope,
        probability=asked.probability,
        core=asked.core,
        distance=asked.distance,
        side=of,
    )


def portrait(
    fitted: Fitted,
    side: SideName,
    who: Any,
    *,
    examples: int,
    reach: Reach,
    details: bool,
    source: Literal["prior", "ball"],
    trained: bool,
    rng: int,
) -> Portrait:
    """A user read by the item decoder, or an item by the user decoder."""
    asked = resolve_one(fitted, side, who)
    return portrait_of(
        fitted,
        side,
        asked,
        subject(fitted, side, who, asked),
        examples=examples,
        reach=reach,
        details=details,
        source=source,
        trained=trained,
        rng=rng,
    )


def portrait_of(
    fitted: Fitted,
    side: SideName,
    asked: Asked,
    name: str,
    *,
    examples: int = 5,
    reach: Reach = Reach(),
    details: bool = False,
    source: Literal["prior", "ball"] = "prior",
    trained: bool = True,
    rng: int = 0,
) -> Portrait:
    """The portrait of one who was found, called ``name``."""
    return portraits_of(
        fitted,
        side,
        asked,
        [name],
        examples=examples,
        reach=reach,
        details=details,
        source=source,
        trained=trained,
        rng=rng,
    )[0]


def portraits_of(
    fitted: Fitted,
    side: SideName,
    asked: Asked,
    names: Sequence[str],
    *,
    examples: int,
    reach: Reach,
    details: bool,
    source: Literal["prior", "ball"],
    trained: bool,
    rng: int,
) -> list[Portrait]:
    """The portraits of those who were found, read together."""
    fitted.model.space.require_metric("portrait")
    of = other_side(side)
    given = evidence(fitted, side, asked)
    reading, encoder, space = fitted.readings[of], fitted.side_encoder(of), fitted.model.space
    raw = reading.raw(given)
    shares = reading.calibrated(given, raw)
    low, high = reading.ends(given, shares)
    real = nearest_each(fitted, asked.points, of, max(1, examples))
    notes = () if trained else (NO_PORTRAIT_TERM,)
    if details and not isinstance(space, UniformSpace):
        notes = (*notes, _NO_DETAILS)
    likely: list[pl.DataFrame | None] = [None] * len(names)
    for stage, rows in reading.by_stage(given):
        if stage.intervals is not None:
            said = likely_values(encoder, stage.intervals, raw[rows])
            for j, one in zip(rows, said, strict=True):
                likely[j] = one
    found = []
    for j, name in enumerate(names):
        centre = asked.points[j].cpu().numpy()
        ball, more = radius_of(fitted, of, centre, reach), None
        if details and isinstance(space, UniformSpace):
            wanted = ball.distance if reach.given else None
            more = details_of(fitted, space, of, centre, wanted, source, examples, rng)
        found.append(
            read_portrait(
                subject=name,
                side=of,
                shares=shares[j],
                ends=(low[j], high[j]),
                encoder=encoder,
                population=fitted.population[of],
                examples=real[j].head(max(0, examples)),
                ball=ball,
                likely=likely[j],
                details=more,
                notes=notes,
                sure=how_sure(fitted, side, asked.points[j : j + 1]),
                usual=fitted.usual(of),
            )
        )
    return found


def details_of(
    fitted: Fitted,
    space: UniformSpace,
    of: SideName,
    centre: Float[np.ndarray, " k"],
    radius: float | None,
    source: Literal["prior", "ball"],
    count: int,
    rng: int,
) -> Details:
    """What stands behind a portrait: see `find_details`."""
    known = fitted.known[of]
    return find_details(
        space,
        centre,
        known.points.cpu().numpy(),
        partial(fitted.vectors, of),
        decode=partial(fitted.decode, of),
        encode=partial(fitted.encode, of),
        encoder=fitted.side_encoder(of),
        names=lambda rows: fitted.names(of, rows).to_list(),
        population=fitted.population[of],
        threshold=fitted.calibration.threshold,
        slope=fitted.calibration.slope,
        radius=radius,
        side=of,
        source=source,
        count=max(1, count),
        rng=rng,
    )


def evidence(fitted: Fitted, side: SideName, asked: Asked) -> Evidence:
    """What there is to read of those who were found."""
    given = asked.features or fitted.encoded_rows(side, asked.rows)
    own = fitted.side_encoder(side).portrait(given)
    return evidence_of(fitted, side, asked.points.cpu().numpy(), own, asked.rows, given.history)


def portrait_table(fitted: Fitted, side: SideName, who: Any) -> pl.DataFrame:
    """See `Penchant.portraits`."""
    of = other_side(side)
    reading, labels = fitted.readings[of], fitted.side_encoder(of).labels()
    names = [value if value.startswith(feature) else f"{feature}={value}" for feature, value in labels]
    times = Counter(names)
    names = [name if times[name] == 1 else f"{name} ({j})" for j, name in enumerate(names)]
    shares, keys = [np.zeros((0, len(names)))], []
    for part in _parts(fitted, side, who):
        shares.append(reading.shares(evidence(fitted, side, part)))
        keys.append(part.keys)
    if not keys:
        return pl.DataFrame(schema=[fitted.key(side), *names])
    key = pl.concat(keys)
    key = pl.Series("row", range(len(key)), dtype=pl.Int64) if key.name == "row" else key
    columns = np.concatenate(shares).astype(np.float32).T
    return pl.DataFrame([key, *(pl.Series(name, column) for name, column in zip(names, columns, strict=True))])


def _parts(fitted: Fitted, side: SideName, who: Any) -> Iterator[Asked]:
    """Those who are asked about, some thousands at a time; None: all known ones."""
    if who is None:
        ids = fitted.known[side].vocabulary.ids
        who = (ids[start : start + _AT_ONCE].to_list() for start in range(0, len(ids), _AT_ONCE))
    else:
        many = as_many(who)
        who = (many[start : start + _AT_ONCE] for start in range(0, len(many), _AT_ONCE))
    return (resolve(fitted, side, part) for part in who)
