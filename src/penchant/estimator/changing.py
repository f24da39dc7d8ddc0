"""What-if: features of a user or an item changed, asked of the fitted model."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float, Int
from torch import Tensor

from penchant._spec import Features
from penchant.errors import ConfigError
from penchant.estimator.fitted import Fitted, SideName, other_side
from penchant.estimator.portraying import Reach, portrait_of
from penchant.estimator.queries import Asked, described, resolve_one, subject, values_of
from penchant.portraits import WhatIf, moved_features
from penchant.training import encode_all

__all__ = ["as_changed", "as_it_is", "what_if"]


def what_if(
    fitted: Fitted, side: SideName, who: Any, change: Mapping[str, Any], *, n: int, core: float, trained: bool, rng: int
) -> WhatIf:
    """See `Penchant.what_if`."""
    if not change:
        raise ConfigError("what_if: nothing is changed; give column and value")
    if n < 1:
        raise ConfigError(f"what_if: n = {n}: at least 1 expected")
    of, name = other_side(side), subject(fitted, side, who, was := resolve_one(fitted, side, who))
    row = as_it_is(fitted, side, who, was)
    now = as_changed(fitted, side, was, row, change)
    reach = Reach(core=core)
    before, after = (portrait_of(fitted, side, one, name, reach=reach, trained=trained, rng=rng) for one in (was, now))
    distance = [_distances(fitted, of, one) for one in (was, now)]
    inside = [found <= shown.ball.distance for found, shown in zip(distance, (before, after), strict=True)]
    moved = fitted.model.space.base_distance(was.points[0].double(), now.points[0].double())
    return WhatIf(
        subject=name,
        changes={column: (_told(fitted, was, row, column), value) for column, value in change.items()},
        before=before,
        after=after,
        moved=float(moved),
        features=moved_features(before, after),
        top=_top(fitted, of, distance[0], distance[1], n),
        core=core,
        kept=float((inside[0] & inside[1]).sum() / max(1, inside[0].sum())),
    )


def as_it_is(fitted: Fitted, side: SideName, who: Any, was: Asked) -> dict[str, Any]:
    """The values of the one who was found, by column: of fields only."""
    row = values_of(fitted, side, who, was)
    names = [field.name for field in fitted.side_encoder(side).fields] if was.rows[0] >= 0 else row
    return {name: row[name] for name in names if name in row}


def _told(fitted: Fitted, was: Asked, row: Mapping[str, Any], column: str) -> Any:
    """A value as it is; of the past of a known user, how much there is of it."""
    history = fitted.schema.history
    if history is None or column != history.name or was.rows[0] < 0:
        return row.get(column)
    past = fitted.encoded_rows("user", was.rows).history
    return f"{0 if past is None else len(past.items):,} earlier items"


def as_changed(fitted: Fitted, side: SideName, was: Asked, row: Mapping[str, Any], change: Mapping[str, Any]) -> Asked:
    """The same one with other features; who is known keeps id and past, unless these are changed too, and is moved as
    far as events have moved the one who was found.

    Arguments:
        was: who was found.
        row: the values as they are (`as_it_is`).
        change: column to new value (None: missing).

    Raises: DataError: a name that is no field, a value of another kind. UnknownIdError: an item of a past.
    """
    history = fitted.schema.history
    renewed = side == "user" and history is not None and history.name in change
    merged = {**row, **change}
    rows = was.rows
    if side == "user" and (renewed or rows[0] < 0):
        features: Features = fitted.encoder.encode_user_rows([merged])
        rows = np.full(1, -1, dtype=np.int64)
    else:
        features = fitted.side_encoder(side).encode_rows([merged])
        past = fitted.encoded_rows(side, rows).history if rows[0] >= 0 else None
        features = replace(features, history=past)
    points = encode_all(fitted.model, side, features, fitted.device)
    if side == "user" and fitted.follower is not None and was.features is not None and not was.by_row:
        space, still = fitted.model.space, encode_all(fitted.model, side, was.features, fitted.device)
        points = (points + was.points - still).clamp(space.low, space.high)
    return Asked(points, rows, was.keys, features)


def _distances(fitted: Fitted, of: SideName, asked: Asked) -> Float[np.ndarray, " n"]:
    points: Tensor = fitted.known[of].points
    return fitted.model.space.base_distance(points, asked.points).double().cpu().numpy()


def _top(
    fitted: Fitted, of: SideName, before: Float[np.ndarray, " n"], after: Float[np.ndarray, " n"], n: int
) -> pl.DataFrame:
    """The first n before or after, the new order first."""
    ranks = [_ranks(distance) for distance in (before, after)]
    shown = np.flatnonzero((ranks[0] <= n) | (ranks[1] <= n))
    shown = shown[np.argsort(ranks[1][shown])]
    probability = fitted.calibration.probability
    return described(fitted, of, shown).with_columns(
        rank_before=ranks[0][shown],
        rank_after=ranks[1][shown],
        probability_before=probability(before[shown]),
        probability_after=probability(after[shown]),
    )


def _ranks(distance: Float[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """From 1, the nearest first, ties by row number."""
    ranks = np.empty(len(distance), dtype=np.int64)
    ranks[np.argsort(distance, kind="stable")] = np.arange(1, len(distance) + 1)
    return ranks
