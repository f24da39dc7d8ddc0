"""A case of ``portraits.py``, as tables and as numbers.

A case is tables dealt out to training, validation and test rows, which share users and items. `arrays` makes
of it what peers and measures need: vectors of users and items, pairs by row numbers, and for validation and
test the users with enough held-out likes and what these likes have in common.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from _portrait_measures import mean_vectors
from jaxtyping import Bool, Float, Float32, Float64, Int64

from penchant import Field, Tables
from penchant.tables.encoding import TablesEncoder
from penchant.tables.simulator import Truth

__all__ = ["LEAST", "Pairs", "PortraitArrays", "PortraitCase", "Target", "arrays", "average"]

LEAST = 8
"""Held-out likes that a test user must have (evidence.md, section 4)."""


@dataclass(frozen=True)
class PortraitCase:
    """Tables dealt out."""

    name: str
    """As in the results."""
    cold: bool
    """Whether nothing is known of test users but their features: none of their interactions is in training."""
    train: Tables
    """What models learn from."""
    valid: Tables
    """What they are tuned on; in a cold case likewise of users who are not in training."""
    test: Tables
    """What portraits are held against."""
    note: str
    """What a reader must know."""
    least: int = LEAST
    """Held-out likes that a test user must have."""
    least_valid: int = LEAST
    """The same for validation users."""
    truth: Truth | None = None
    """Simulated cases: portraits are held against the items truly inside the ball instead of held-out likes."""

    def with_fields(self, *extra: Field) -> "PortraitCase":
        """The same case with more fields in its schema: ids, or a history."""
        schema = replace(self.train.schema, fields=(*self.train.schema.fields, *extra))
        parts = {part: replace(getattr(self, part), schema=schema) for part in ("train", "valid", "test")}
        return replace(self, **parts)


class Pairs(NamedTuple):
    """Interactions by row numbers."""

    user: Int64[np.ndarray, " n"]
    item: Int64[np.ndarray, " n"]
    liked: Bool[np.ndarray, " n"]


@dataclass(frozen=True, slots=True)
class Target:
    """Users and what they really like."""

    users: Int64[np.ndarray, " n"]
    """Rows of the users' table."""
    portrait: Float[np.ndarray, "n width"]
    """The mean vector of their likes; NaN where no like has a value."""
    count: Int64[np.ndarray, " n"]
    """Of how many items that is the mean."""

    @property
    def weight(self) -> Float[np.ndarray, " n"]:
        """For tuning: the count, up to `LEAST`; so the same for everyone where that many are asked for."""
        return np.minimum(self.count, LEAST).astype(np.float64)


@dataclass(frozen=True, slots=True)
class PortraitArrays:
    """A case as numbers."""

    cold: bool
    """As in the case."""
    users: Float32[np.ndarray, "users demographics"]
    """Portrait vectors of all users in [0, 1]: their features, categories one-hot; NaN where missing."""
    items: Float32[np.ndarray, "items width"]
    """Portrait vectors of all items; NaN where missing."""
    labels: tuple[tuple[str, str], ...]
    """Field and word of each coordinate of an item's vector."""
    user_blocks: tuple[slice, ...]
    """The coordinates of each field of the users, in order."""
    train: Pairs
    """Training rows."""
    base: Float[np.ndarray, " width"]
    """The average liked item: the mean vector over training likes."""
    valid: Target
    """Of the validation rows."""
    test: Target
    """Of the test rows, or of the truth."""


def arrays(case: PortraitCase, encoder: TablesEncoder | None = None) -> PortraitArrays:
    """The case as numbers.

    Arguments:
        encoder: fitted on the training rows, such as a model's own; made here if None.
    """
    encoder = encoder or TablesEncoder.fit(case.train)
    encoded = encoder.encode(case.train)
    items = encoder.item.portrait(encoded.items)
    train = Pairs(encoded.user, encoded.item, encoded.label > 0.5)
    valid = _held_out(_pairs(encoder, case.valid), items, case.train.users.height, case.least_valid)
    if case.truth is None:
        test = _held_out(_pairs(encoder, case.test), items, case.train.users.height, case.least)
    else:
        test = _true(case.truth, items, case.least)
    return PortraitArrays(
        cold=case.cold,
        users=encoder.user.portrait(encoded.users),
        items=items,
        labels=encoder.item.labels(),
        user_blocks=tuple(place for _, place in encoder.user.layout.places()),
        train=train,
        base=average(items, train.item[train.liked]),
        valid=valid,
        test=test,
    )


def average(vectors: Float[np.ndarray, "rows width"], rows: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " width"]:
    """The mean vector of these rows over known values; ½ where there is none."""
    return np.nan_to_num(mean_vectors(vectors, np.zeros_like(rows), rows, 1)[0][0], nan=0.5)


def _pairs(encoder: TablesEncoder, tables: Tables) -> Pairs:
    encoded = encoder.encode(tables)
    return Pairs(encoded.user, encoded.item, encoded.label > 0.5)


def _held_out(pairs: Pairs, items: Float32[np.ndarray, "items width"], n_users: int, least: int) -> Target:
    """Users with at least so many likes among these pairs."""
    user, item = pairs.user[pairs.liked], pairs.item[pairs.liked]
    count = np.bincount(user, minlength=n_users)
    users = np.flatnonzero(count >= least)
    means, _ = mean_vectors(items, user, item, n_users)
    return Target(users, means[users], count[users])


def _true(truth: Truth, items: Float32[np.ndarray, "items width"], least: int) -> Target:
    """Users with at least so many items truly inside their ball."""
    n_users, n_items = len(truth.user_points), len(truth.item_points)
    every = np.arange(n_items)
    inside = np.stack([truth.distance(np.full(n_items, u), every) <= truth.radius for u in range(n_users)])
    user, item = np.nonzero(inside)
    return _held_out(Pairs(user, item, np.ones(len(user), dtype=bool)), items, n_users, least)
