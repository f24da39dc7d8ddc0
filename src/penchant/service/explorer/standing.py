"""Where an item stands among the others: whom it reaches, and how many items reach more users.

An item *reaches* a user in whose ball it lies: who would rather like it than not. It is *offered* to a user for whom it
is among the first twenty items. Both are counted exactly; of large models the others are an even sample, and said so.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant.service.explorer.visiting import Visit
from penchant.service.models import Loaded

__all__ = ["FIRST", "Standing", "reach_of_points", "standing_of"]

FIRST = 20
"""An item is offered to users for whom it is among so many."""
_WORK = 20_000_000
"""Distances that are computed once a model; of more the items are sampled."""
_USERS = 2000
"""Users whose first items are looked up; of more an even sample."""
_AT_ONCE = 1_000_000
"""Distances between two looks at whoever else waits."""


def _evenly(n: int, most: int) -> Int[np.ndarray, " m"]:
    """At most so many of n rows, evenly chosen."""
    return np.arange(n) if n <= most else np.unique(np.linspace(0, n - 1, max(1, most)).round().astype(np.int64))


def reach_of_points(loaded: Loaded, points: Float[Tensor, "n k"]) -> Int[np.ndarray, " n"]:
    """How many known users each of some items reaches."""
    fitted = loaded.fitted
    users, threshold = fitted.known["user"].points, fitted.calibration.threshold
    with torch.no_grad():
        inside = [
            (fitted.model.space.cross(part, users) <= threshold).sum(1)
            for part in points.split(max(1, _AT_ONCE // max(1, len(users))))
        ]
    return np.concatenate([one.cpu().numpy() for one in inside]) if inside else np.zeros(0, dtype=np.int64)


@dataclass
class Standing:
    """What the items of a model reach."""

    items: Int[np.ndarray, " m"]
    """Row numbers of the items that were looked at."""
    users: Int[np.ndarray, " u"]
    """Row numbers of the users whose first items were."""
    reach: list[int] = field(default_factory=list)
    """Of each of the items: how many users it reaches."""
    last: list[float] = field(default_factory=list)
    """Of each of the users: the distance of the last of the first items."""

    def told(self, loaded: Loaded, point: Float[Tensor, "1 k"], row: int = -1) -> dict[str, Any]:
        """Where an item stands.

        Arguments:
            point: its point. row: its number among the known ones; -1: it is none of them.

        Returns: ``reach`` of ``users``; ``more``, how many of ``items`` others reach more; ``place``, from 1, of
        ``items`` + 1; ``all``: are these all items; ``offered`` to so many of ``asked`` users, ``all_users`` likewise.
        """
        fitted = loaded.fitted
        users, items = fitted.known["user"].points, fitted.known["item"].points
        reach = int(reach_of_points(loaded, point)[0])
        others = np.array(self.reach)[self.items != row]
        near = fitted.model.space.cross(point, users[torch.as_tensor(self.users)])[0].double().cpu().numpy()
        more = int((others > reach).sum())
        return {
            "reach": reach,
            "users": len(users),
            "more": more,
            "place": more + 1,
            "items": len(others),
            "all": len(self.items) == len(items),
            "offered": int((near <= np.array(self.last) * (1 + (row >= 0) * 1e-6)).sum()),
            "asked": len(self.users),
            "all_users": len(self.users) == len(users),
        }


_STANDINGS: "WeakKeyDictionary[Any, Standing]" = WeakKeyDictionary()


async def standing_of(visit: Visit, loaded: Loaded) -> Standing:
    """The standing of a model's items: computed once, in pieces, so that callers of the API come in between."""
    kept = _STANDINGS.get(loaded.model)
    if kept is not None:
        return kept
    known = loaded.fitted.known
    n_users, n_items = len(known["user"].points), len(known["item"].points)
    found = Standing(_evenly(n_items, max(100, _WORK // max(1, n_users))), _evenly(n_users, _USERS))
    for part in _parts(found.items, _AT_ONCE // max(1, n_users)):
        found.reach += await visit.compute(partial(_reach, loaded, part))
    for part in _parts(found.users, _AT_ONCE // max(1, n_items)):
        found.last += await visit.compute(partial(_last, loaded, part))
    _STANDINGS[loaded.model] = found
    return found


def _parts(rows: Int[np.ndarray, " n"], size: int) -> list[Int[np.ndarray, " _"]]:
    size = min(max(1, size), 256)
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _reach(loaded: Loaded, items: Int[np.ndarray, " n"]) -> list[int]:
    found: list[int] = reach_of_points(loaded, loaded.fitted.points("item", items)).tolist()
    return found


@torch.no_grad()
def _last(loaded: Loaded, users: Int[np.ndarray, " n"]) -> list[float]:
    """The distance of each user's last of the first items."""
    fitted = loaded.fitted
    if not len(fitted.known["item"].points):
        return [float("inf")] * len(users)
    distance, _ = fitted.topk("item", fitted.points("user", users), min(FIRST, len(fitted.known["item"].points)))
    found: list[float] = distance[:, -1].double().cpu().tolist()
    return found
