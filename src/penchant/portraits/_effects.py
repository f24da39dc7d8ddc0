"""What brings an item closer to a user or pushes it away: its fields, its tags, the user's past likes, the axes."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Float64, Int64

from penchant.errors import ConfigError, SpaceError
from penchant.portraits._changes import Change, FieldRange
from penchant.portraits._pair import Pair, distances_from
from penchant.portraits._values import words
from penchant.spaces import BaseSpace, UniformSpace

__all__ = ["AxisSplit", "FieldEffects", "Without", "axis_table", "field_effects", "history_effects", "split_by_axis"]

_TIE = 1e-9
"""Axes nearer than this to the largest difference bind as well."""

Without = Callable[[Int64[np.ndarray, " n"]], Float[np.ndarray, "n k"]]
"""Numbers of entries of a history to the user's point without that entry, one for each."""

_EFFECTS = {
    "field": pl.String, "feature": pl.String, "tag": pl.String, "value": pl.String, "effect": pl.Float64,
    "average": pl.Float64, "left_out": pl.Float64, "best": pl.String, "best_change": pl.Float64, "worst": pl.String,
    "worst_change": pl.Float64,
}  # fmt: skip
_CHANGES = {
    "field": pl.String, "feature": pl.String, "how": pl.String, "value": pl.String, "share": pl.Float64,
    "distance": pl.Float64, "change": pl.Float64, "probability": pl.Float64, "liked": pl.Boolean,
}  # fmt: skip
_HISTORY = {
    "item": pl.String, "liked": pl.Boolean, "effect": pl.Float64, "change": pl.Float64, "distance": pl.Float64,
}  # fmt: skip


class AxisSplit(NamedTuple):
    """A distance taken apart."""

    distance: float
    """The base distance."""
    contribution: Float64[np.ndarray, " k"]
    """Share of each axis; they add to 1, or are all 0 where the distance is."""
    binding: Bool[np.ndarray, " k"]
    """Sup norm: the axes that are the distance; none for other norms."""


def split_by_axis(e_u: Float[np.ndarray, " k"], e_i: Float[np.ndarray, " m"], space: BaseSpace) -> AxisSplit:
    """Which axes make the distance.

        contribution_j = |x_j − y_j|^r / Σ_l |x_l − y_l|^r

    Under the sup norm the axes with the largest difference (ties within 1e-9) bind, and share 1 evenly.

    Raises: SpaceError: points of another dimension, or a space whose distance is no norm.
    Example:
        >>> from penchant.spaces import UniformSpace
        >>> split = split_by_axis(np.array([0.0, 0.0]), np.array([0.1, -0.3]), UniformSpace(dim=2, norm=2))
        >>> split.contribution.round(3).tolist()
        [0.1, 0.9]
    """
    space.check_dim(*(torch.as_tensor(point) for point in (e_u, e_i)))
    if not isinstance(space, UniformSpace):
        raise SpaceError(f"{type(space).__name__}: the distance is no norm of the axes' differences and does not split")
    size = np.abs(e_u.astype(np.float64) - e_i.astype(np.float64))
    top = float(size.max())
    distance = float(distances_from(e_u, e_i[None], space)[0])
    binding = (size >= top - _TIE) & (top > 0) & math.isinf(space.norm)
    power = binding.astype(np.float64) if math.isinf(space.norm) else (size / (top or 1.0)) ** space.norm
    return AxisSplit(distance, power / (power.sum() or 1.0), binding)


def axis_table(centre: Float[np.ndarray, " k"], point: Float64[np.ndarray, " k"], space: BaseSpace) -> pl.DataFrame:
    """`split_by_axis` as a table, the largest contribution first; without rows where the distance does not split."""
    k = len(centre) if isinstance(space, UniformSpace) else 0
    split = split_by_axis(centre, point, space) if k else AxisSplit(0.0, np.zeros(0), np.zeros(0, dtype=bool))
    columns = {
        "axis": np.arange(k),
        "user": centre[:k].astype(np.float64),
        "item": point[:k],
        "difference": point[:k] - centre[:k],
        "contribution": split.contribution,
        "binding": split.binding,
    }
    return pl.DataFrame(columns).sort("contribution", descending=True, maintain_order=True)


class FieldEffects(NamedTuple):
    """What `field_effects` found."""

    point: Float64[np.ndarray, " k"]
    """The item's point."""
    distance: float
    """Base distance of the item as it is."""
    effects: pl.DataFrame
    """One row a field, and one a tag that the item has."""
    changes: pl.DataFrame
    """One row a change."""


def field_effects(pair: Pair, ranges: Sequence[FieldRange], row: Mapping[str, Any]) -> FieldEffects:
    """Change every field in every way, with one question to the model.

    Arguments:
        row: the item's values in the form of ``ranges``.
    """
    changes = [(place, change, share) for place in ranges for change, share in place.effects()]
    drawn = [(place.name, value) for place in ranges for value, _ in place.population]
    rows = [
        row,
        *(change.apply(row) for _, change, _ in changes),
        *({**row, name: value} for name, value in drawn),
    ]
    points = pair.points(rows)
    distance = distances_from(pair.centre, points, pair.space)
    now, changed, other = np.split(distance, [1, 1 + len(changes)])
    table = _change_table(pair, changes, changed, float(now[0]))
    return FieldEffects(points[0], float(now[0]), _effect_table(ranges, table, other, float(now[0])), table)


def _change_table(
    pair: Pair,
    changes: Sequence[tuple[FieldRange, Change, float | None]],
    distance: Float64[np.ndarray, " n"],
    now: float,
) -> pl.DataFrame:
    radius, probability = pair.threshold, pair.probability(distance)
    rows = [
        (place.name, place.kind.field.heading, change.how, _said(place, change), share, d, d - now, p, d <= radius)
        for (place, change, share), d, p in zip(changes, distance.tolist(), probability.tolist(), strict=True)
    ]
    return pl.DataFrame(rows, schema=_CHANGES, orient="row")


def _said(place: FieldRange, change: Change) -> str:
    if change.how == "missing":
        return "left out"
    if change.how == "unseen":
        return "a new one"
    return change.value if change.how in ("added", "removed") else words(place.kind, change.value)


def _effect_table(
    ranges: Sequence[FieldRange], changes: pl.DataFrame, drawn: Float64[np.ndarray, " n"], now: float
) -> pl.DataFrame:
    rows: list[tuple[Any, ...]] = []
    tables = {str(key[0]): table for key, table in changes.partition_by("field", as_dict=True).items()}
    start = 0
    for place in ranges:
        distance = drawn[start : (start := start + len(place.population))]
        rows += _field_rows(place, tables[place.name], distance, now)
    effects = pl.DataFrame(rows, schema=_EFFECTS, orient="row")
    return effects.sort(pl.col("effect").abs(), descending=True, maintain_order=True)


def _field_rows(
    place: FieldRange, changes: pl.DataFrame, drawn: Float64[np.ndarray, " n"], now: float
) -> Iterator[tuple[Any, ...]]:
    """The row of a field, and of each known tag that the item has."""
    name, heading = place.name, place.kind.field.heading
    left_out = changes.filter(pl.col("how") == place.absent)["change"][0]
    weights = np.array([weight for _, weight in place.population])
    average = float(weights @ drawn) if len(weights) else now + left_out
    options = changes.filter(pl.col("how").is_in(["value", "added", "removed"])).sort("change", maintain_order=True)
    ends: tuple[Any, ...] = (None,) * 4
    if len(options):
        ends = tuple(part for row in (options.row(0, named=True), options.row(-1, named=True)) for part in _end(row))
    yield (name, heading, None, words(place.kind, place.present), now - average, average, left_out, *ends)
    for row in changes.filter(pl.col("how") == "removed").iter_rows(named=True):
        effect = -(1 - row["share"]) * row["change"]  # against a row that has the tag as often as training rows
        yield (name, heading, row["value"], row["value"], effect, now - effect, row["change"], *(None,) * 4)


def _end(option: dict[str, Any]) -> tuple[str, float]:
    sign = {"added": "+ ", "removed": "− "}.get(option["how"], "")
    return f"{sign}{option['value']}", option["change"]


def history_effects(
    pair: Pair,
    point: Float64[np.ndarray, " k"],
    now: float,
    history: Sequence[tuple[Any, bool]],
    without: Without | None,
) -> pl.DataFrame:
    """What each past like or dislike does: the distance to the user as the model sees them without it.

    Raises: ConfigError: a history without a way to leave entries out, or not one point for each entry.
    """
    if not history:
        return pl.DataFrame(schema=_HISTORY)
    if without is None:
        raise ConfigError("history: give without, the user's point with one entry left out, as well")
    users = without(np.arange(len(history), dtype=np.int64))
    if len(users) != len(history):
        raise ConfigError(
            f"without: {len(history)} points expected, one for each entry of the history, got {len(users)}"
        )
    distance = distances_from(point, users, pair.space)
    rows = [
        (str(name), bool(liked), now - d, d - now, d)
        for (name, liked), d in zip(history, distance.tolist(), strict=True)
    ]
    effects = pl.DataFrame(rows, schema=_HISTORY, orient="row")
    return effects.sort(pl.col("effect").abs(), descending=True, maintain_order=True)
