"""A stream of events, foretold one by one and then learned from: what ``dynamics.py`` compares.

Every way to follow a user is a `Follower`: asked for the distance of all items before each event, and told the event
afterwards. AUC is of the events' labels, by the score of their own item; ndcg@20 is of likes, among all items that the
user has not met before.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float, Int

from penchant import Penchant
from penchant.dynamics.events import Event
from penchant.dynamics.filter import DAY, InterestFilter
from penchant.evaluation import auc

__all__ = ["ExponentialMean", "Filtered", "Follower", "Reencoded", "Static", "Stream", "judged"]

_RANKS = 20


@dataclass(frozen=True, eq=False)
class Stream:
    """Events by time, and what was known before them."""

    user: Int[np.ndarray, " n"]
    """Row of the user."""
    item: Int[np.ndarray, " n"]
    """Row of the item."""
    liked: Float[np.ndarray, " n"]
    """1 liked, 0 not."""
    time: Float[np.ndarray, " n"]
    """Days, rising."""
    items: Float[np.ndarray, "m k"]
    """Points of the items."""
    anchors: Float[np.ndarray, "u k"]
    """The encoder's points of the users."""
    norm: float
    """Of the space."""
    met: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """Items of each user before the stream."""

    def distance(self, point: Float[np.ndarray, " k"]) -> Float[np.ndarray, " m"]:
        """Of all items from a point."""
        apart = np.abs(self.items - point)
        found: np.ndarray = apart.max(1) if math.isinf(self.norm) else (apart**self.norm).mean(1) ** (1 / self.norm)
        return found


class Follower(Protocol):
    """A way to follow users."""

    def score(self, stream: Stream, user: int, time: float) -> Float[np.ndarray, " m"]:
        """Of all items, more is better, before the event."""
        ...

    def learn(self, stream: Stream, place: int) -> None:
        """The event at this place of the stream."""
        ...


def judged(stream: Stream, follower: Follower) -> dict[str, float]:
    """AUC and ndcg@20 over the stream."""
    met = {user: set(items) for user, items in stream.met.items()}
    own, gains = np.zeros(len(stream.user)), []
    for place, (user, item, liked, time) in enumerate(
        zip(stream.user.tolist(), stream.item.tolist(), stream.liked, stream.time, strict=True)
    ):
        score = follower.score(stream, user, time)
        own[place] = score[item]
        seen = met.setdefault(user, set())
        if liked:
            before = score > score[item]
            before[list(seen)] = False
            rank = int(before.sum())
            gains.append(1 / math.log2(rank + 2) if rank < _RANKS else 0.0)
        seen.add(item)
        follower.learn(stream, place)
    return {"auc": auc(stream.liked.astype(np.float64), own), "ndcg@20": float(np.mean(gains))}


class Static:
    """The encoder's point, whatever happens."""

    def score(self, stream: Stream, user: int, time: float) -> Float[np.ndarray, " m"]:
        return -stream.distance(stream.anchors[user])

    def learn(self, stream: Stream, place: int) -> None:
        """Nothing."""


class ExponentialMean:
    """The simple rival: each like draws the point a share of the way."""

    def __init__(self, share: float) -> None:
        self.share, self.points = share, {}  # type: ignore[var-annotated]

    def score(self, stream: Stream, user: int, time: float) -> Float[np.ndarray, " m"]:
        return -stream.distance(self.points.get(user, stream.anchors[user]))

    def learn(self, stream: Stream, place: int) -> None:
        user = int(stream.user[place])
        if stream.liked[place]:
            before = self.points.get(user, stream.anchors[user])
            self.points[user] = (1 - self.share) * before + self.share * stream.items[stream.item[place]]


class Filtered:
    """The product's own filter; ``several``: by the nearest of the user's interests."""

    def __init__(self, fold: InterestFilter, *, several: bool = False) -> None:
        self.fold, self.several, self.states = fold, several, {}  # type: ignore[var-annotated]

    def score(self, stream: Stream, user: int, time: float) -> Float[np.ndarray, " m"]:
        if user not in self.states:
            return -stream.distance(stream.anchors[user])
        state = self.states[user]
        points = state.interests.mean if self.several else [self.fold.point(state, user, time)]
        found: np.ndarray = state.generosity.shift - np.min([stream.distance(point) for point in points], 0)
        return found

    def learn(self, stream: Stream, place: int) -> None:
        user = int(stream.user[place])
        event = Event(
            str(place), user, int(stream.item[place]), int(stream.liked[place]), float(stream.time[place]) * DAY
        )
        anchor = self.fold.anchor(user)
        if user not in self.states:
            self.states[user] = self.fold.begin(anchor, float(stream.time[place]))
        self.states[user] = self.fold.after(self.states[user], event, anchor)


class Reencoded:
    """The user's history so far, encoded anew at the first event of each day."""

    def __init__(self, model: Penchant, rows: Sequence[Mapping[str, Any]], past: Mapping[int, list], field_: str,
                 ids: Sequence[Any]) -> None:  # fmt: skip
        self.model, self.rows, self.field, self.ids = model, rows, field_, ids
        self.past = {user: list(own) for user, own in past.items()}
        self.points: dict[int, tuple[int, np.ndarray]] = {}

    def score(self, stream: Stream, user: int, time: float) -> Float[np.ndarray, " m"]:
        day = int(time)
        if user not in self.points or self.points[user][0] != day:
            own = self.past.get(user, [])
            told = {sign: [self.ids[item] for item, liked in own if liked == wanted]
                    for sign, wanted in (("liked", 1), ("disliked", 0))}  # fmt: skip
            point = self.model.encode("user", {**self.rows[user], self.field: told})[0]
            self.points[user] = day, point.astype(np.float64)
        return -stream.distance(self.points[user][1])

    def learn(self, stream: Stream, place: int) -> None:
        user = int(stream.user[place])
        self.past.setdefault(user, []).append((int(stream.item[place]), int(stream.liked[place])))


Made = Callable[[], Follower]
