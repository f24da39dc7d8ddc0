"""How interest moves, found out: the constants of everyone, and of segments whose interest moves otherwise."""

import numpy as np
import polars as pl

from penchant.dynamics import Dynamics, Likes, Segments, fit_dynamics, fit_segments
from penchant.dynamics.filter import DAY
from penchant.errors import ConfigError
from penchant.estimator.fitted import SIDES, Fitted
from penchant.tables import Tables

__all__ = ["check_segments", "constants_of"]

_LEAST_LIKES = 5
"""Of one user, from which on anything can be said of movement."""
_MOST_LIKES = 5000
"""The latest rows, by which the constants are fitted, of everyone and of a segment."""
_SEGMENT_LIKES = 200
"""Of a segment, from which on it has constants of its own."""
_ITERATIONS = 40
_KINDS = ("category", "binary")


def check_segments(column: str | None, tables: Tables) -> None:
    """A segment is a value of a users' column.

    Raises:
        ConfigError: no column of the users, or of a kind that has no values in common.
    """
    kinds = {field.name: field.kind for field in tables.schema.side("user")}
    if column is not None and kinds.get(column) not in _KINDS:
        known = ", ".join(name for name, kind in kinds.items() if kind in _KINDS) or "there is none"
        raise ConfigError(f"segments = {column!r}: a users' column of kind category or binary expected ({known})")


def constants_of(fitted: Fitted, held_out: Tables, column: str | None = None) -> tuple[Dynamics, Segments] | None:
    """How interest moves, by the likes of rows that were not learned from; None where these have no times, or too few.

    Gain and offset are fitted too: liked items lie nearer to the middle of the space than those who like them. They are
    the space's, and the same for all segments.

    Arguments:
        column: of the users, a segment each value; those with 200 likes and more have constants of their own.
    """
    found = _likes(fitted, held_out)
    if found is None:
        return None
    likes, users = found
    latest = likes.last(_MOST_LIKES)
    if np.bincount(latest.user).max() < _LEAST_LIKES:
        return None
    everyone = fit_dynamics(latest, gain=True, step=True, iterations=_ITERATIONS)
    if column is None:
        return everyone, Segments()
    values = fitted.known["user"].frame[column].gather(pl.Series(users)).to_list()
    names = sorted({str(value) for value in values if value is not None})
    place = {name: number for number, name in enumerate(names)}
    segment = np.array([-1 if value is None else place[str(value)] for value in values])
    constants = fit_segments(
        likes, segment, everyone=everyone, least=_SEGMENT_LIKES, most=_MOST_LIKES, start=everyone, step=True,
        iterations=_ITERATIONS,
    )  # fmt: skip
    own = {names[number]: one for number, one in constants.items() if number >= 0 and one is not everyone}
    return everyone, Segments(column=column, constants=own)


def _likes(fitted: Fitted, held_out: Tables) -> tuple[Likes, np.ndarray] | None:
    """Likes of known users and items, and the users' rows of the table; None where there are none with a time."""
    schema = held_out.schema
    if schema.time is None or schema.time not in held_out.interactions.columns:
        return None
    rows = held_out.interactions.filter(pl.col(schema.label) == 1).drop_nulls(schema.time)
    user, item = (known.vocabulary.find(rows[key]) for known, key in (
        (fitted.known["user"], schema.user), (fitted.known["item"], schema.item)))  # fmt: skip
    kept = np.flatnonzero((user >= 0) & (item >= 0))
    if not len(kept):
        return None
    space, time = fitted.model.space, rows[schema.time]
    days = (time.cast(pl.Datetime("us")).dt.epoch("us") / (1e6 * DAY)) if time.dtype.is_temporal() else time / DAY
    anchors, items = (space.location(fitted.known[side].points.cpu()).double().numpy() for side in SIDES)
    users, place = np.unique(user[kept], return_inverse=True)
    return Likes(anchors[users], items[item[kept]], place, days.to_numpy().astype(np.float64)[kept]), users
