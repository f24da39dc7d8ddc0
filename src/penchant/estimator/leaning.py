"""Rankings that lean one way or the other where it is not sure where a user lies."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant.errors import ConfigError
from penchant.spaces import BaseSpace, GaussianSpace

__all__ = ["ATTITUDES", "Leaning", "gaussian", "lean"]

ATTITUDES = {"mean": 0, "optimistic": -1, "pessimistic": 1}
"""How many standard deviations are added to a distance before it is ranked by."""

_AT_ONCE = 1 << 20
"""Coordinates gone through at a time."""


class Leaning(NamedTuple):
    """A ranking; inf and row -1 where too few are left."""

    leaned: Float[Tensor, "q n"]
    """Distance with its deviation added or taken away: what is ranked by."""
    row: Int[Tensor, "q n"]
    distance: Float[Tensor, "q n"]
    """From mean to mean."""
    deviation: Float[Tensor, "q n"]
    """Standard deviation of the distance, as the user's place is not sure (`GaussianSpace.deviation`)."""


def gaussian(space: BaseSpace, question: str) -> GaussianSpace:
    """The space of a model that knows how sure it is.

    Raises: ConfigError: another one; ``question`` begins the message.
    """
    if isinstance(space, GaussianSpace):
        return space
    raise ConfigError(
        f"{question}: the points of this model do not say how sure they are; train with latent.kind = 'variational', "
        "as the preset 'variational' does"
    )


def lean(
    space: BaseSpace,
    users: Float[Tensor, "q k"],
    items: Float[Tensor, "m k"],
    n: int,
    attitude: str,
    exclude: Sequence[Int[Tensor, " _"]] | None = None,
) -> Leaning:
    """The first n items of each user by d + a·s, ties by the lower row number; in float64.

        a = 0 mean, −1 optimistic (what may well be near comes first), 1 pessimistic (what is surely near does)

    Arguments:
        users: whose places are drawn: s is the deviation of d for μ_u ~ N(μ_u, σ_u²).
        n: 1 … m.
        exclude: for each user, rows of ``items`` that do not count.

    Raises:
        ConfigError: no such attitude, or points that do not say how sure they are.
    """
    if attitude not in ATTITUDES:
        raise ConfigError(f"attitude = {attitude!r}: one of {', '.join(ATTITUDES)} expected")
    found = gaussian(space, f"attitude = {attitude!r}")
    users, items = users.double(), items.double()
    rows: list[tuple[Tensor, ...]] = []
    for number, user in enumerate(users):
        parts = items.split(max(1, _AT_ONCE // space.dim))
        distance = torch.cat([found.base_distance(user, part) for part in parts])
        deviation = torch.cat([found.deviation(user, part) for part in parts])
        leaned = distance + ATTITUDES[attitude] * deviation
        if exclude is not None:
            leaned = leaned.index_fill(0, exclude[number], torch.inf)
        order = leaned.sort(stable=True).indices[:n]
        row = order.masked_fill(leaned[order].isinf(), -1)
        rows.append((leaned[order], row, distance[order], deviation[order]))
    return Leaning(*(torch.stack(column) for column in zip(*rows, strict=True)))
