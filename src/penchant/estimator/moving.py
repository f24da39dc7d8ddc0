"""Interest points that move with events: a fitted model over a store of them. Nothing is retrained."""

import hashlib
import json
import math
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from penchant.dynamics import (
    Belief,
    Dynamics,
    InterestFilter,
    Moved,
    Neck,
    Trajectory,
    credible_radius,
    point,
    smooth,
)
from penchant.dynamics.events import Appended, Event, EventStore, Id, Logged, SQLiteStore
from penchant.dynamics.filter import DAY, Anchor
from penchant.estimator.fitted import Fitted, SideName
from penchant.estimator.portraying import portrait_of
from penchant.estimator.queries import Asked, nearest, resolve, subject
from penchant.portraits import Interest, moved_features
from penchant.spaces import GaussianSpace, UniformSpace
from penchant.tables import Schema

__all__ = ["Following", "events_of", "filter_of", "fingerprint", "follow", "follow_on", "interest", "observe"]

_LEVEL = 0.9
"""Of the balls that are shown."""
_NEAREST = 3
"""Items by which an interest is named."""
_USERS = 500
"""Whose states are brought up to date at a time."""
_NORMS = {"sup": math.inf}
"""Of the metrics between Gaussians; the others push as the 2-norm does."""
_INTERESTS: dict[str, Any] = {
    "weight": pl.Float64, "likes": pl.Float64, "radius": pl.Float64, "nearest": pl.List(pl.String)
}  # fmt: skip
_TRAJECTORY: dict[str, Any] = {
    "time": pl.Datetime("us"), "item": pl.String, "label": pl.Int64, "moved": pl.Float64, "radius": pl.Float64
}  # fmt: skip


@dataclass(frozen=True)
class Following:
    """A model's users as a store's events move them."""

    fitted: Fitted
    store: EventStore
    filter: InterestFilter
    ends: object = None
    """What is kept as long as somebody follows the store; its end is the end of a store of one's own."""

    def points(self, users: Sequence[Id]) -> dict[Id, Float[np.ndarray, " k"]]:
        """Where the users are who have events, as points of the model's space."""
        found = self._states(users).items()
        return {user: _point(self.fitted, state.belief, self.filter.of(self.own(user))) for user, state in found}

    def shifts(self, users: Sequence[Id]) -> Float64[np.ndarray, " n"]:
        """By how much each one's own threshold is above the model's; 0 without events."""
        states = self._states(users)
        return np.array([states[user].generosity.shift if user in states else 0.0 for user in users], dtype=np.float64)

    def items(self, user: Id) -> list[Id]:
        """The items of a user's events: what was shown already."""
        return [event.item for _, event in self.store.events(self.own(user))]

    def _states(self, users: Sequence[Id]) -> dict[Id, Moved]:
        asked = {user: self.own(user) for user in users}
        states = self.store.states(list(asked.values()), self.filter.space)
        return {user: self.filter.read(states[own].data) for user, own in asked.items() if own in states}

    def own(self, one: Id, side: SideName = "user") -> Id:
        """An id in the type of the model's: to a store the text "7" is another one than the number 7."""
        ids = self.fitted.known[side].vocabulary.ids
        if ids.dtype == pl.String:
            return str(one)
        return int(one) if isinstance(one, str) and one.removeprefix("-").isdecimal() else one


def fingerprint(fitted: Fitted, dynamics: Dynamics) -> str:
    """Names a model's space and how interest moves in it: its weights, the items' points, all constants."""
    digest = hashlib.sha256(json.dumps(dynamics.config(), sort_keys=True).encode())
    if fitted.segments.column is not None:
        digest.update(json.dumps(fitted.segments.config(), sort_keys=True).encode())
    for name, tensor in sorted(fitted.model.state_dict().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).tobytes())
    digest.update(np.ascontiguousarray(fitted.known["item"].points.cpu().numpy()).tobytes())
    return digest.hexdigest()[:32]


def filter_of(fitted: Fitted) -> InterestFilter:
    """The filter of a model: anchors are encoded users, observations the points of known items."""
    space, dynamics, known = fitted.model.space, fitted.dynamics, fitted.known
    items = space.location(known["item"].points.cpu()).double().numpy()
    norm = float(space.norm) if isinstance(space, UniformSpace) else _NORMS.get(getattr(space, "metric", ""), 2.0)
    neck = Neck(threshold=fitted.calibration.threshold, slope=fitted.calibration.slope, norm=norm)
    nobody = resolve(fitted, "user", [{}]).points

    def anchor(user: Id) -> Anchor:
        row = _row(known["user"].vocabulary, user)
        return _anchor(fitted, known["user"].points[row : row + 1] if row >= 0 else nobody)

    def item(one: Id) -> Float64[np.ndarray, " k"] | None:
        row = _row(known["item"].vocabulary, one)
        return None if row < 0 else items[row]

    return InterestFilter(
        space=fingerprint(fitted, dynamics), anchor=anchor, item=item,
        dynamics=replace(dynamics, low=space.low, high=space.high), neck=neck,
        own=_own_constants(fitted), aligned=dict(fitted.ancestors),
    )  # fmt: skip


def _own_constants(fitted: Fitted) -> Callable[[Id], Dynamics | None] | None:
    """A user's constants where these are not everyone's; None: nobody has any."""
    segments, known, space = fitted.segments, fitted.known["user"], fitted.model.space
    if segments.column is None or not segments.constants:
        return None
    values = known.frame[segments.column]
    bounded = {value: replace(one, low=space.low, high=space.high) for value, one in segments.constants.items()}
    segments = replace(segments, constants=bounded)

    def own(user: Id) -> Dynamics | None:
        row = _row(known.vocabulary, user)
        return None if row < 0 else segments.of(values[row])

    return own


def follow(fitted: Fitted, store: EventStore | None) -> Following:
    """Keep a model's users in a store: from now on they are where their events put them. None: in one of their own."""
    fitted.follower = None  # anchors are the encoder's
    if store is not None:
        fitted.follower = following = Following(fitted, store, filter_of(fitted))
        return following
    folder = Path(tempfile.mkdtemp(prefix="penchant-events-"))
    own, ends = SQLiteStore(folder / "events.db"), _End()
    weakref.finalize(ends, _ended, own, folder)
    fitted.follower = following = Following(fitted, own, filter_of(fitted), ends)
    return following


def follow_on(fitted: Fitted, before: Following) -> Following:
    """Follow the same store in the space of a later model: everyone's state is there when this returns.

    What is in the log is folded anew; what was compacted is carried over, where the later model grew from the earlier.
    """
    fitted.follower = None
    following = Following(fitted, before.store, filter_of(fitted), before.ends)
    users = iter(before.store.users())
    while page := list(islice(users, _USERS)):
        before.store.advance(page, following.filter.apply)
    fitted.follower = following
    return following


class _End:
    """Lives as long as a `Following` that keeps it."""


def _ended(store: EventStore, folder: Path) -> None:
    store.close()
    shutil.rmtree(folder, ignore_errors=True)


def observe(following: Following, events: Iterable[Event] | pl.DataFrame) -> Appended:
    """See `Penchant.observe`."""
    given = events_of(events, following.fitted.schema) if isinstance(events, pl.DataFrame) else events
    batch = [replace(event, user=following.own(event.user), item=following.own(event.item, "item")) for event in given]
    return following.store.append(batch, apply=following.filter.apply)


def events_of(frame: pl.DataFrame, schema: Schema) -> list[Event]:
    """Events from a frame of interactions: user, item, label and time as in the schema; kind, weight, id if there.

    Times are datetimes, or seconds since 1970. Rows without an id get one made of what they say, so that the same row
    sent again is the same event.
    """
    time = schema.time or "time"
    keep = {schema.user: "user", schema.item: "item", schema.label: "label", time: "time"}
    rows = frame.rename({old: new for old, new in keep.items() if old in frame.columns})
    if "time" in rows.columns and rows["time"].dtype.is_temporal():
        rows = rows.with_columns(pl.col("time").cast(pl.Datetime("us")).dt.epoch("us") / 1e6)
    names = [name for name in ("id", "user", "item", "label", "time", "kind", "weight") if name in rows.columns]
    return [_event(row) for row in rows.select(names).iter_rows(named=True)]


def _event(row: dict[str, Any]) -> Event:
    given = {name: value for name, value in row.items() if value is not None}
    if "id" not in given:
        said = json.dumps([given.get(name) for name in ("user", "item", "label", "time", "kind")], default=str)
        given["id"] = hashlib.sha256(said.encode()).hexdigest()[:24]
    given["id"] = str(given["id"])
    blank = {"user": "", "item": "", "label": -1, "time": math.nan}  # refused at the door, by number and field
    return Event(**{**blank, **given})


def interest(following: Following, user: Any, *, trained: bool, rng: int) -> Interest:
    """See `Penchant.interest`."""
    fitted, user = following.fitted, following.own(user)
    known = _row(fitted.known["user"].vocabulary, user) >= 0
    filter_ = following.filter.of(user)
    state = following.store.state(user, filter_.space)
    if state is None and not known:
        resolve(fitted, "user", user)  # raises, and says what is near
    was = _asked(fitted, user, _encoded(fitted, user))
    moved = filter_.begin(filter_.anchor(user), 0.0) if state is None else filter_.read(state.data)
    here = _point(fitted, moved.belief, filter_)
    now = _asked(fitted, user, here)
    name = subject(fitted, "user", user, was) if known else f"user {user}"
    before, after = (portrait_of(fitted, "user", asked, name, trained=trained, rng=rng) for asked in (was, now))
    log = list(following.store.events(user))
    return Interest(
        subject=name,
        point=here,
        radius=_radius(moved.belief, filter_),
        moved=float(fitted.model.space.base_distance(was.points[0].double(), now.points[0].double())),
        events=0 if state is None else state.version,
        interests=_interests(fitted, moved, filter_),
        features=moved_features(before, after),
        trajectory=_trajectory(filter_, user, log),
        notes=_notes(filter_, log),
    )


def _row(vocabulary: Any, one: Id) -> int:
    return int(vocabulary.find([one])[0])


def _encoded(fitted: Fitted, user: Id) -> Float[np.ndarray, " k"]:
    row = _row(fitted.known["user"].vocabulary, user)
    points = fitted.known["user"].points[row] if row >= 0 else resolve(fitted, "user", [{}]).points[0]
    found: np.ndarray = points.cpu().numpy()
    return found


def _anchor(fitted: Fitted, points: Float[Tensor, "1 k"]) -> Anchor:
    space = fitted.model.space
    where = space.location(points)[0].double().cpu().numpy()
    if isinstance(space, GaussianSpace):
        return Anchor(where, space.scale(points)[0].double().cpu().numpy() ** 2)
    return Anchor(where)


def _point(fitted: Fitted, belief: Belief, filter_: InterestFilter) -> Float[np.ndarray, " k"]:
    """A belief as a point of the space: its mean in the box, and in a space of Gaussians its deviation too."""
    space = fitted.model.space
    mean = point(belief, filter_.dynamics).astype(np.float32)
    if not isinstance(space, GaussianSpace):
        return mean
    share = (np.sqrt(belief.variance) - space.sigma_min) / (space.sigma_max - space.sigma_min)
    spread = space.low + (space.high - space.low) * np.clip(share, 0.0, 1.0)
    return np.concatenate([mean, spread.astype(np.float32)])


def _asked(fitted: Fitted, user: Id, where: Float[np.ndarray, " k"]) -> Asked:
    """A user as one who stands at a point."""
    row = _row(fitted.known["user"].vocabulary, user)
    points = torch.as_tensor(where, device=fitted.device)[None]
    keys = pl.Series(fitted.key("user"), [user])
    if row < 0:
        return Asked(points, np.array([-1]), keys, fitted.encoder.encode_user_rows([{}]))
    return Asked(points, np.array([row]), keys, None)


def _radius(belief: Belief, filter_: InterestFilter) -> float:
    return float(credible_radius(belief, _LEVEL, filter_.neck.norm))


def _interests(fitted: Fitted, moved: Moved, filter_: InterestFilter) -> pl.DataFrame:
    """A row an interest, with the items nearest to it."""
    several, rows = moved.interests, []
    for m in range(len(several.likes)):
        belief = several.belief(m)
        where = torch.as_tensor(_point(fitted, belief, filter_), device=fitted.device)[None]
        found = nearest(fitted, where, "item", _NEAREST)
        names = found[:, 1] if found.columns[1] not in ("distance", "probability") else found[:, 0]
        rows.append((float(several.weight[m]), float(several.likes[m]), _radius(belief, filter_),
                     [str(name) for name in names]))  # fmt: skip
    return pl.DataFrame(rows, schema=_INTERESTS, orient="row")


def _trajectory(filter_: InterestFilter, user: Id, log: Sequence[Logged]) -> pl.DataFrame:
    """The way from the encoder's point, looking back from now; by likes, as dislikes have no smoother."""
    seen = [(one.event, where) for one in log if (where := filter_.item(one.event.item)) is not None]
    if not seen:
        return pl.DataFrame(schema=_TRAJECTORY)
    order = np.argsort([event.time for event, _ in seen], kind="stable")  # the log is in order of offsets
    events = [seen[place][0] for place in order]
    anchor, items = filter_.anchor(user), np.stack([seen[place][1] for place in order])
    found = _smoothed(filter_, anchor, events, items)
    radius = credible_radius(Belief(found.mean, found.variance, 0.0), _LEVEL, filter_.neck.norm)
    apart = np.abs(found.mean - anchor.point)
    norm = filter_.neck.norm
    moved = apart.max(1) if math.isinf(norm) else (apart**norm).mean(1) ** (1 / norm)
    return pl.DataFrame(
        {
            "time": pl.from_epoch(pl.Series([int(event.time * 1e6) for event in events]), "us"),
            "item": [str(event.item) for event in events],
            "label": [event.label for event in events],
            "moved": moved,
            "radius": radius,
        },
        schema=_TRAJECTORY,
    )


def _smoothed(
    filter_: InterestFilter, anchor: Anchor, events: Sequence[Event], items: Float64[np.ndarray, "t k"]
) -> Trajectory:
    time = np.array([event.time / DAY for event in events])
    dynamics, like = filter_.dynamics, filter_.dynamics.like
    seen = np.array([event.label == 1 and like > 0 for event in events])
    if like > 0:  # a like of weight w is one of w times the precision
        dynamics = replace(dynamics, observation=(np.asarray(dynamics.observation) / like).tolist())
    return smooth(anchor.point, time, items, dynamics, seen=seen, start=filter_.begin(anchor, time[0]).belief)


def _notes(filter_: InterestFilter, log: Sequence[Logged]) -> tuple[str, ...]:
    strange = sum(filter_.item(one.event.item) is None for one in log)
    if not strange:
        return ()
    return (f"{strange:,} of the events are of items that the model does not know: they moved nothing.",)
