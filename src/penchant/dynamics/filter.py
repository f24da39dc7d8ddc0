"""A user's events folded into one state: what `penchant.dynamics.events` keeps for every user.

A state holds three views of the same events:

* the belief      one point with its uncertainty, moved by likes (Kalman), dislikes and ignored impressions
* the interests   up to M points, each with its share of the likes
* the generosity     how generous the user is: a threshold of one's own, by likes and dislikes

Events of items that are not known move time and nothing else: they stay in the log, and count in a later model that
knows them.
The fold of ``a + b`` is that of ``b`` onto that of ``a``, bit for bit, as every event is folded alone.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64

from penchant.dynamics.belief import Belief, Dynamics, begin, point
from penchant.dynamics.dislike import Neck, update_dislike
from penchant.dynamics.events.contract import Apply, Event, Id
from penchant.dynamics.events.packing import pack, unpack
from penchant.dynamics.generosity import Generosity, begin_generosity, update_generosity
from penchant.dynamics.kalman import predict, update_like
from penchant.dynamics.mixture import Interests, InterestsOptions, begin_interests, observe_interests

__all__ = ["DAY", "Anchor", "InterestFilter", "Moved"]

DAY = 86_400.0
"""Seconds."""

Point = Float64[np.ndarray, " k"]


class Anchor(NamedTuple):
    """Where a user is without any event: the encoder's point."""

    point: Point
    """Where."""
    variance: Point | None = None
    """Per axis, of a variational latent; None: the prior of the dynamics."""


class Moved(NamedTuple):
    """A state, read."""

    belief: Belief
    """Times in days."""
    interests: Interests
    """The heaviest first."""
    generosity: Generosity
    """The user's own shift of the threshold."""
    anchor: Point
    """The encoder's point when the state was made."""


@dataclass(frozen=True, kw_only=True)
class InterestFilter:
    """The fold over a user's events in one model's space."""

    space: str
    """Fingerprint of the model and of these options: states of others are not read."""
    anchor: Callable[[Id], Anchor]
    """The encoder's point of a user, known or not."""
    item: Callable[[Id], Point | None]
    """The point of an item; None: not known."""
    dynamics: Dynamics
    """How interest moves."""
    neck: Neck
    """What a dislike means."""
    options: InterestsOptions = field(default_factory=InterestsOptions)
    """When a second interest is born."""
    own: Callable[[Id], Dynamics | None] | None = None
    """Constants of a user's own (a segment's); None: those of everyone."""
    aligned: Mapping[str, float] = field(default_factory=dict)
    """Spaces whose points mean the same here (warm starts), each with the variance per axis that points have wandered
    since: what was compacted there is carried over, and is less sure by so much."""

    @property
    def apply(self) -> Apply:
        """As a store uses it."""
        return Apply(self.space, self.step, self.carry)

    def of(self, user: Id) -> "InterestFilter":
        """The fold with a user's own constants."""
        dynamics = None if self.own is None else self.own(user)
        return self if dynamics is None else replace(self, dynamics=dynamics, own=None)

    def step(self, user: Id, data: bytes | None, events: Sequence[Event]) -> bytes:
        """The state after these events, in their order."""
        anchor, fold = self.anchor(user), self.of(user)
        state = fold.begin(anchor, events[0].time / DAY) if data is None else self.read(data)
        for event in events:
            state = fold.after(state, event, anchor)
        return _packed(state)

    def begin(self, anchor: Anchor, time: float) -> Moved:
        """The state before any event."""
        start = begin(anchor.point, self.dynamics, time, anchor.variance)
        interests = begin_interests(anchor.point, self.dynamics, time, anchor.variance)
        return Moved(start, interests, begin_generosity(self.dynamics), anchor.point)

    def read(self, data: bytes) -> Moved:
        """A state's bytes.

        Raises: StorageError: bytes of something else.
        """
        a = unpack(data)
        interests = Interests(a["likes"], a["means"], a["variances"], a["anchors"], float(a["last"]))
        generosity = Generosity(*a["generosity"].tolist())
        return Moved(Belief(a["mean"], a["variance"], float(a["time"])), interests, generosity, a["anchor"])

    def carry(self, user: Id, space: str, data: bytes) -> bytes | None:
        """A folded past of an aligned space, moved as far as the user's encoded point has moved since, and less sure by
        what points have wandered."""
        if space not in self.aligned:
            return None
        state, now = self.read(data), self.anchor(user).point
        if now.shape != state.anchor.shape:
            return None
        shift = now - state.anchor
        several, belief, wider = state.interests, state.belief, self.aligned[space]
        interests = several._replace(
            mean=several.mean + shift, anchor=several.anchor + shift, variance=several.variance + wider
        )
        belief = belief._replace(mean=belief.mean + shift, variance=belief.variance + wider)
        return _packed(state._replace(belief=belief, interests=interests, anchor=now))

    def point(self, state: Moved, user: Id, time: float) -> Point:
        """Where a user is expected at a later time (days): inside the box."""
        return point(predict(state.belief, time, self.anchor(user).point, self.dynamics), self.dynamics)

    def after(self, state: Moved, event: Event, anchor: Anchor) -> Moved:
        """A state after one more event."""
        time, item = event.time / DAY, self.item(event.item)
        learned = event.label == 1 and item is not None and self.dynamics.like > 0
        likes = float(event.weight) if learned else 0.0
        belief = predict(state.belief, time, anchor.point, self.dynamics, likes=likes)
        if item is None:
            return state._replace(belief=belief)
        weight, liked = self._weight(event), event.label == 1
        generosity = update_generosity(state.generosity, self.distance(belief, item), liked, self.neck, weight)
        if not liked:
            strength = weight * self.dynamics.dislike
            pushed = update_dislike(belief, item, self.neck, self.dynamics, weight=strength)
            return state._replace(belief=pushed, generosity=generosity)
        strength, interests = weight * self.dynamics.like, state.interests
        if strength:
            belief = update_like(belief, item, self.dynamics, strength)
            interests = observe_interests(interests, time, item, anchor.point, self.dynamics, self.options, weight)
        return Moved(belief, interests, generosity, state.anchor)

    def _weight(self, event: Event) -> float:
        """How much an event counts: an ignored impression less than a dislike."""
        return float(event.weight) * (self.dynamics.ignored if event.kind == "impression" else 1.0)

    def distance(self, belief: Belief, item: Point) -> float:
        """Base distance of an item from the expected interest point."""
        apart, norm = np.abs(point(belief, self.dynamics) - item), self.neck.norm
        return float(apart.max() if math.isinf(norm) else (apart**norm).mean() ** (1 / norm))


def _packed(state: Moved) -> bytes:
    belief, interests = state.belief, state.interests
    arrays: Mapping[str, Any] = {
        "mean": belief.mean, "variance": belief.variance, "time": np.array(belief.time), "anchor": state.anchor,
        "likes": interests.likes, "means": interests.mean, "variances": interests.variance,
        "anchors": interests.anchor, "last": np.array(interests.time), "generosity": np.array(state.generosity),
    }  # fmt: skip
    return pack(arrays)
