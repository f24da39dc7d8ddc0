"""Plainer ways to a portrait without candidate items: the peers of ``portraits.py``.

Each takes a case as numbers and says of every user what the user's likes have in common; its settings are
chosen by the squared error on the validation users (who count as many likes as they have there, up to 8),
never on test users.

* population: the average liked item, the same for everyone.
* group: the mean of the training likes of users with the same demographics, drawn to the population.
* own likes: the mean of the user's own training likes; *shrunk*: drawn to the population.
* ridge: ridge regression from demographics and, of known users, shrunk means of past likes and dislikes.
* ridge items: the same with a column for each item liked and each not liked beside.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from _portrait_arrays import PortraitArrays
from _portrait_inputs import Portraits, groups, lift, past
from _portrait_measures import mean_vectors, squared_error
from _portrait_ridge import cold_ridges, item_ridges, warm_ridges

__all__ = ["PEERS", "Claim", "peers"]

SHRINKS = (0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0)
"""Likes of the average user that are mixed into a mean."""
BINS = (1, 3, 5, 8)
"""Parts into which a number is cut at quantiles; 1: it does not count."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a peer says."""

    portrait: Portraits
    """A row for every user of the case; finite."""
    setting: str
    """What was chosen on the validation users; empty where there was nothing to choose."""
    error: float
    """The weighted squared error on the validation users."""


Peer = Callable[[PortraitArrays, int], Claim]


def population(data: PortraitArrays, rng: int = 0) -> Claim:
    """The average liked item, whoever the user is."""
    return _best(data, [("", np.tile(data.base, (len(data.users), 1)))])


def group(data: PortraitArrays, rng: int = 0) -> Claim:
    """The mean training like of users with the same demographics, drawn to the population."""
    return _best(data, _groups(data))


def own_likes(data: PortraitArrays, rng: int = 0) -> Claim:
    """The mean of the user's own training likes; the population for who has none."""
    return _best(data, [("", data.base + lift(*past(data, data.train, liked=True), data.base, 0.0))])


def own_likes_shrunk(data: PortraitArrays, rng: int = 0) -> Claim:
    """The same drawn to the population: (n·mean + s·base) / (n + s)."""
    means, count = past(data, data.train, liked=True)
    return _best(data, ((f"s={s:g}", data.base + lift(means, count, data.base, s)) for s in SHRINKS))


def ridge(data: PortraitArrays, rng: int = 0) -> Claim:
    """Ridge regression; ``rng`` deals out the folds of the warm cases."""
    return _best(data, cold_ridges(data) if data.cold else warm_ridges(data, rng))


def ridge_items(data: PortraitArrays, rng: int = 0) -> Claim:
    """Ridge regression that knows items by name."""
    return _best(data, item_ridges(data, rng))


PEERS: dict[str, Peer] = {
    "population": population,
    "group": group,
    "own likes": own_likes,
    "own likes shrunk": own_likes_shrunk,
    "ridge": ridge,
    "ridge items": ridge_items,
}
"""By the name in the results."""

_NEED_A_PAST = ("own likes", "own likes shrunk", "ridge items")


def peers(*, cold: bool) -> dict[str, Peer]:
    """The peers that have something to say: of cold users no past is known."""
    return {name: peer for name, peer in PEERS.items() if not (cold and name in _NEED_A_PAST)}


def _best(data: PortraitArrays, tried: Iterable[tuple[str, Portraits]]) -> Claim:
    """What has the least error on the validation users; the first of equals.

    Raises: ValueError: there are no validation users.
    """
    valid, best = data.valid, None
    if not len(valid.users):
        raise ValueError("no validation user has enough likes to choose settings by")
    for setting, portrait in tried:
        errors = squared_error(portrait[valid.users], valid.portrait)
        error = float(np.average(errors, weights=valid.weight))
        if best is None or error < best.error:
            best = Claim(portrait, setting, error)
    assert best is not None
    return best


def _groups(data: PortraitArrays) -> Iterator[tuple[str, Portraits]]:
    liked = data.train.liked
    for bins in BINS:
        of_user = groups(data, bins)
        user = of_user[data.train.user[liked]]
        means, count = mean_vectors(data.items, user, data.train.item[liked], of_user.max() + 1)
        for s in SHRINKS:
            yield f"bins={bins} s={s:g}", data.base + lift(means, count, data.base, s)[of_user]
