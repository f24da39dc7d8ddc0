"""Portraits of groups and segments, asked of the fitted model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant._random import generator
from penchant.errors import ConfigError
from penchant.estimator.fitted import Fitted, SideName, other_side
from penchant.estimator.portraying import NO_PORTRAIT_TERM, Reach, evidence, radius_of
from penchant.estimator.queries import Asked, described, resolve, rows_where
from penchant.portraits import (
    Group,
    GroupPortrait,
    Part,
    Radius,
    find_common_taste,
    least_radius,
    liked_more,
    read_portrait,
)
from penchant.spaces import UniformSpace

__all__ = ["group_portrait"]

_ASKED = 2000
"""Members who are asked about each item at most: a sample of larger segments."""
_ITEMS = 20_000
"""Items, the nearest to the centre, that they are asked about at most."""
_CELLS = 1 << 22


def group_portrait(
    fitted: Fitted,
    side: SideName,
    members: Sequence[Any] | None,
    where: str | None,
    *,
    probability: float,
    examples: int,
    trained: bool,
    rng: int,
) -> GroupPortrait:
    """See `Penchant.group`."""
    space, of = fitted.model.space, other_side(side)
    if not isinstance(space, UniformSpace):
        raise ConfigError(
            f"group: balls of a norm are needed, and {type(space).__name__} has none: space.kind = 'uniform'"
        )
    asked, name = _members(fitted, side, members, where)
    radius = fitted.calibration.radius(probability)
    least = least_radius(space)
    if radius < least:
        top = float(fitted.calibration.probability(np.array([least]))[0])
        raise ConfigError(f"group: probability = {probability}: no ball is that sure; below {top:.4g} expected")
    points = asked.points.cpu().numpy()
    found = find_common_taste(space, points, radius, rng=rng)
    given = evidence(fitted, side, asked)
    shares = fitted.readings[of].shares(given)
    low, high = fitted.readings[of].ends(given, shares)
    encoder = fitted.side_encoder(of)
    some = generator(rng, "groups").permutation(len(points))[:_ASKED]
    everyone = read_portrait(
        subject=name,
        side=of,
        shares=shares.mean(0),
        ends=(low.mean(0), high.mean(0)),
        encoder=encoder,
        population=fitted.population[of],
        examples=_liked_by_most(fitted, of, asked.points[torch.as_tensor(some)], found.centre, radius, examples),
        ball=_ball(fitted, of, found, radius),
        notes=() if trained else (NO_PORTRAIT_TERM,),
    )
    parts = []
    for part, other in zip(found.parts, reversed(found.parts), strict=True):
        mine, theirs = (shares[p.members].mean(0) for p in (part, other))
        tells = liked_more(mine, theirs, encoder.labels())
        parts.append(Part(tuple(asked.keys.gather(part.members).to_list()), part.reach, part.left, tells))
    notes = () if len(some) == len(points) else (f"Items were put to {_ASKED:,} of them, drawn at random.",)
    return GroupPortrait(
        name=name,
        size=len(points),
        verdict=found.verdict,
        radius=radius,
        reach=found.reach,
        left=found.left,
        served=found.served,
        portrait=everyone,
        parts=tuple(parts),
        notes=notes,
    )


def _ball(fitted: Fitted, of: SideName, found: Group, radius: float) -> Radius:
    """The ball of what everyone likes; without a common taste, one as large as a member's around their centre."""
    common = found.left >= 0
    reach = max(found.left, least_radius(fitted.model.space)) if common else radius
    ball = radius_of(fitted, of, found.centre, Reach(distance=reach))
    said = "The ball that everyone likes" if common else "They have no ball in common. The one of a single taste there"
    return replace(ball, words=f"{said} has radius {reach:.3f} and holds {ball.inside:.1%} of the known {of}s.")


def _members(fitted: Fitted, side: SideName, members: Any, where: str | None) -> tuple[Asked, str]:
    """Those in question, and who they are in words.

    Raises: ConfigError: neither members nor a condition, or nobody.
    """
    if (members is None) == (where is None):
        raise ConfigError(f"group: give {side}s or a condition (where), one of the two")
    if where is None:
        asked = resolve(fitted, side, members)
        return asked, f"a group of {len(asked.rows)} {side}s" if len(asked.rows) != 1 else f"a group of one {side}"
    ids = fitted.known[side].vocabulary.ids
    kept = np.flatnonzero(rows_where(fitted, side, np.arange(len(ids)), where))
    if not len(kept):
        raise ConfigError(f"group: where = {where!r}: no known {side} is like that")
    asked = Asked(fitted.points(side, kept), kept, ids.gather(kept).alias(fitted.key(side)), None)
    return asked, f"the {len(kept):,} {side}s with {where}"


def _liked_by_most(
    fitted: Fitted,
    of: SideName,
    members: Float[Tensor, "m k"],
    centre: Float[np.ndarray, " k"],
    radius: float,
    n: int,
) -> pl.DataFrame:
    """What the most members would like, of equal ones the nearest: key, name, distance (of the farthest member),
    probability (the least among them), liked_by (share of the members)."""
    points, space = fitted.known[of].points, fitted.model.space
    rows = np.arange(len(points))
    if len(points) > _ITEMS:
        here = torch.as_tensor(centre, device=points.device)[None]
        rows = np.sort(space.topk(here, points, _ITEMS)[1][0].cpu().numpy())
    liked_by, mean, farthest = (np.empty(len(rows)) for _ in range(3))
    step = max(1, _CELLS // max(1, len(members) * space.dim))
    for start in range(0, len(rows), step):
        place = slice(start, start + step)
        apart = space.cross(fitted.points(of, rows[place]), members)
        liked_by[place], mean[place] = (t.double().mean(1).cpu().numpy() for t in (apart <= radius, apart))
        farthest[place] = apart.amax(1).cpu().numpy()
    best: Int[np.ndarray, " n"] = np.lexsort((mean, -liked_by))[: max(1, n)]
    return described(fitted, of, rows[best]).with_columns(
        distance=farthest[best], probability=fitted.calibration.probability(farthest[best]), liked_by=liked_by[best]
    )
