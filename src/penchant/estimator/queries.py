"""What a fitted model is asked: pairs, rankings, nearest ones. Functions of `Fitted` and the question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from penchant._spec import Features
from penchant.errors import ConfigError, DataError, Problem
from penchant.estimator.fitted import SIDES, Fitted, Follower, SideName
from penchant.estimator.leaning import lean
from penchant.portraits import in_words
from penchant.tables import Tables, check_where
from penchant.training import Batches, encode_all, pair_distances

__all__ = [
    "Asked",
    "Distances",
    "Ranking",
    "as_many",
    "described",
    "distances",
    "nearest",
    "nearest_each",
    "ranked",
    "recommend",
    "related",
    "resolve",
    "resolve_one",
    "row_of",
    "rows_where",
    "subject",
    "values_of",
]

_SAID = 4
"""Features by which one who is in no table is named."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The users or items a question is about, as points."""

    points: Float[Tensor, "q k"]
    rows: Int[np.ndarray, " q"]
    """Row numbers among the known ones; -1 for rows of features."""
    keys: pl.Series
    """Their keys, named as in the interactions; or "row", counted from 0, for rows of features."""
    features: Features | None
    """Their rows, encoded, where that was needed to place them."""

    @property
    def by_row(self) -> bool:
        """Were rows of features given, not ids?"""
        return self.keys.name == "row" and bool((self.rows < 0).all())

    def at(self, number: int) -> "Asked":
        """One of them alone, without features."""
        one = slice(number, number + 1)
        return Asked(self.points[one], self.rows[one], self.keys[one], None)


def resolve(fitted: Fitted, side: SideName, who: Any, context: Mapping[str, Any] | None = None) -> Asked:
    """Ids or rows of features, one or many, to points.

    Raises:
        UnknownIdError: an id in no table. DataError: a row that does not fit the schema.
    """
    many = as_many(who)
    of_rows = [isinstance(one, Mapping) for one in many]
    if any(of_rows) and not all(of_rows):
        raise ConfigError(f"{side}s: give ids, or rows of features, not both in one question")
    if many and all(of_rows):
        features = fitted.encoder.encode_user_rows(many) if side == "user" else fitted.encoder.item.encode_rows(many)
        rows = np.full(len(many), -1, dtype=np.int64)
        keys = pl.Series("row", range(len(many)), dtype=pl.Int64)
    else:
        if side == "user" and fitted.follower is not None:
            return _followed(fitted, fitted.follower, many, context)
        known = fitted.known[side]
        rows = known.vocabulary.rows(many)
        keys = known.vocabulary.ids.gather(rows).alias(fitted.key(side))
        if context is None:
            return Asked(fitted.points(side, rows), rows, keys, None)
        features = fitted.encoded_rows(side, rows)
    if side == "item":
        return Asked(encode_all(fitted.model, "item", features, fitted.device), rows, keys, features)
    situation = None if context is None else fitted.encoder.context.encode_rows([context] * len(many))
    return Asked(fitted.encode_users(features, situation), rows, keys, features)


def _followed(fitted: Fitted, follower: Follower, many: Sequence[Any], context: Mapping[str, Any] | None) -> Asked:
    """Users as their events moved them; who has events need not be in the table. In a situation, the encoder's point
    there is moved as far.

    Raises: UnknownIdError: an id in no table, without events.
    """
    known, moved = fitted.known["user"], follower.points(many)
    rows = known.vocabulary.find(many)
    known.vocabulary.rows([one for one, row in zip(many, rows, strict=True) if row < 0 and one not in moved])
    ids = known.vocabulary.ids
    keys = pl.Series(fitted.key("user"), list(many), dtype=ids.dtype, strict=False)
    table = pl.DataFrame({fitted.schema.user_id or "": keys}).join(
        known.frame, on=fitted.schema.user_id, how="left", maintain_order="left"
    )
    features = fitted.encoded("user", table.select(known.frame.columns), keys)
    still = encode_all(fitted.model, "user", features, fitted.device)
    shift = torch.zeros_like(still)
    for number, one in enumerate(many):
        if one in moved:
            shift[number] = torch.as_tensor(moved[one], device=fitted.device) - still[number]
    here = still
    if context is not None:
        here = fitted.encode_users(features, fitted.encoder.context.encode_rows([context] * len(many)))
    space = fitted.model.space
    return Asked((here + shift).clamp(space.low, space.high), rows, keys, features)


def as_many(who: Any) -> Sequence[Any]:
    """One id or row as the only one of several."""
    return [who] if isinstance(who, str | int | Mapping | np.integer) else list(who)


def resolve_one(fitted: Fitted, side: SideName, who: Any, question: str = "") -> Asked:
    """`resolve` for questions about exactly one.

    Raises:
        ConfigError: none, or several; ``question`` begins the message.
    """
    asked = resolve(fitted, side, who)
    if len(asked.rows) != 1:
        raise ConfigError(f"{question}one {side} expected, got {len(asked.rows)}")
    return asked


def row_of(who: Any) -> Mapping[str, Any]:
    """The row of features by which one who is in no table was given: alone, or the only one of several."""
    row: Mapping[str, Any] = who if isinstance(who, Mapping) else next(iter(who))
    return row


def values_of(fitted: Fitted, side: SideName, who: Any, asked: Asked) -> Mapping[str, Any]:
    """The values, by column, of the one who was found: of the table, or as given."""
    known = int(asked.rows[0])
    if known >= 0:
        return fitted.known[side].frame.row(known, named=True)
    return row_of(who) if asked.by_row else {}


class Distances(NamedTuple):
    """Of pairs, in order."""

    keys: pl.DataFrame
    """User and item."""
    base: Float[np.ndarray, " n"]
    """Without the cap."""
    shift: Float[np.ndarray, " n"]
    """By how much events have taught that the user's own threshold is above the model's."""


def distances(fitted: Fitted, pairs: Tables | pl.DataFrame) -> Distances:
    """How far apart pairs are; users with events where these have moved them."""
    tables = pairs if isinstance(pairs, Tables) else _known_pairs(fitted, pairs)
    batches = Batches(fitted.encoder.encode(tables), batch_size=1024, rng=0, device=fitted.device)
    keys = tables.interactions.select(tables.schema.user, tables.schema.item)
    base = pair_distances(fitted.model, batches).double().cpu().numpy()
    if fitted.follower is None:
        return Distances(keys, base, np.zeros(len(base)))
    ids = tables.user_ids.gather(batches.user.cpu().numpy()).to_list()
    users = list(dict.fromkeys(ids))
    shift = dict(zip(users, fitted.follower.shifts(users), strict=True))
    moved = fitted.follower.points(users)
    rows = np.flatnonzero([one in moved for one in ids])
    if len(rows):
        items = encode_all(fitted.model, "item", batches.items, fitted.device)[batches.item[rows]]
        here = torch.as_tensor(np.stack([moved[ids[row]] for row in rows]), device=fitted.device)
        base[rows] = fitted.model.space.base_distance(here, items).double().cpu().numpy()
    return Distances(keys, base, np.array([shift[one] for one in ids]))


def _known_pairs(fitted: Fitted, pairs: pl.DataFrame) -> Tables:
    schema = fitted.schema
    missing = [c for c in (schema.user, schema.item) if c not in pairs.columns]
    if missing:
        fix = f"Name the columns as in the interactions: {schema.user}, {schema.item}"
        raise DataError([Problem("pairs", "the column is not there", column, fix=fix) for column in missing])
    for side in SIDES:
        fitted.known[side].vocabulary.rows(pairs[fitted.key(side)])
    absent = [f.name for f in schema.side("context") if f.name not in pairs.columns]
    frame = pairs.with_columns(pl.lit(None).alias(name) for name in absent)
    return Tables(schema, fitted.known["user"].frame, fitted.known["item"].frame, frame)


class Ranking(NamedTuple):
    """The first items of some users, user by user, the best first."""

    asked: Asked
    """The users."""
    query: Int[np.ndarray, " n"]
    """Of each entry: whose it is, a position in ``asked``."""
    rank: Int[np.ndarray, " n"]
    """From 1."""
    item: Int[np.ndarray, " n"]
    """Row numbers of known items."""
    distance: Float[np.ndarray, " n"]
    """Base distances."""
    score: Float[np.ndarray, " n"]
    """P(liked)."""
    inside: Bool[np.ndarray, " n"]
    """Within the threshold?"""
    more: Mapping[str, Float[np.ndarray, " n"]]
    """By the attitude: how sure."""


def ranked(
    fitted: Fitted,
    users: Any,
    *,
    n: int,
    exclude_seen: bool,
    candidates: Sequence[Any] | None,
    where: str | None,
    context: Mapping[str, Any] | None,
    attitude: str = "mean",
) -> Ranking:
    """See `Penchant.recommend`."""
    if n < 1:
        raise ConfigError(f"n = {n}: at least 1 expected")
    asked = resolve(fitted, "user", users, context)
    chosen = None if candidates is None and where is None else _candidates(fitted, candidates, where)
    exclude = _seen_among(fitted, asked, chosen) if exclude_seen else None
    n = min(n, len(fitted.known["item"].points) if chosen is None else len(chosen))
    more: dict[str, Tensor] = {}
    if attitude == "mean":
        key, found = _nearest_of(fitted, asked.points, chosen, n, exclude)
        distance = key
    else:
        points = fitted.known["item"].points if chosen is None else fitted.points("item", chosen)
        leaning = lean(fitted.model.space, asked.points, points, n, attitude, exclude)
        key, found, distance, more = leaning.leaned, leaning.row, leaning.distance, {"deviation": leaning.deviation}
    reached = torch.isfinite(key).cpu().numpy()
    query, rank = np.nonzero(reached)
    base, ranked_by = (values.double().cpu().numpy()[reached] for values in (distance, key))
    row = found.cpu().numpy()[reached]
    shift = np.zeros(len(base))
    if fitted.follower is not None and not asked.by_row:
        shift = fitted.follower.shifts(asked.keys.to_list())[query]
    return Ranking(
        asked,
        query,
        rank + 1,
        row if chosen is None else chosen[row],
        base,
        fitted.calibration.probability(ranked_by - shift),
        base - shift <= fitted.calibration.threshold,
        {name: values.cpu().numpy()[reached] for name, values in more.items()},
    )


def recommend(fitted: Fitted, users: Any, **options: Any) -> pl.DataFrame:
    """`ranked` as a table; see `Penchant.recommend`."""
    found = ranked(fitted, users, **options)
    frame = pl.DataFrame([found.asked.keys.gather(found.query), pl.Series("rank", found.rank, dtype=pl.Int64)])
    return frame.hstack(described(fitted, "item", found.item)).with_columns(
        score=found.score, distance=found.distance, inside=found.inside, **found.more
    )


def _nearest_of(
    fitted: Fitted,
    users: Float[Tensor, "q k"],
    chosen: Int[np.ndarray, " c"] | None,
    n: int,
    exclude: list[Tensor] | None,
) -> tuple[Float[Tensor, "q _n"], Int[Tensor, "q _n"]]:
    """The nearest ones of all known items, or of some, by their positions among these."""
    if chosen is None:
        return fitted.topk("item", users, n, exclude)
    return fitted.model.space.topk(users, fitted.points("item", chosen), n, exclude=exclude)


def _candidates(fitted: Fitted, candidates: Sequence[Any] | None, where: str | None) -> Int[np.ndarray, " c"]:
    known = fitted.known["item"]
    rows = np.arange(len(known.frame)) if candidates is None else np.unique(known.vocabulary.rows(list(candidates)))
    return rows if where is None else rows[rows_where(fitted, "item", rows, where)]


def rows_where(fitted: Fitted, side: SideName, rows: Int[np.ndarray, " c"], where: str) -> Bool[np.ndarray, " c"]:
    """Which of these known rows fulfil an SQL condition on their table's columns.

    Raises: DataError: a condition that cannot be asked of the table, or is more than a comparison (`check_where`).
    """
    frame = fitted.known[side].frame
    check_where(where, frame.columns)
    try:
        kept = frame[rows].select(pl.sql_expr(where)).to_series()
        if kept.dtype != pl.Boolean or len(kept) != len(rows):
            raise pl.exceptions.InvalidOperationError("the condition does not give true or false for each row")
    except pl.exceptions.PolarsError as error:
        said = f"where = {where!r}: {str(error).splitlines()[0]}"
        raise DataError([Problem(f"{side}s", said, fix=f"Columns: {', '.join(frame.columns)}")]) from error
    return kept.fill_null(False).to_numpy()


def _seen_among(fitted: Fitted, asked: Asked, chosen: Int[np.ndarray, " c"] | None) -> list[Tensor] | None:
    """For each user, the positions in ``chosen`` of items of the training rows, or of the past that a row brings; None:
    nobody has any."""
    by_user, items = fitted.seen["user"].to_numpy(), fitted.seen["item"].to_numpy()  # in order of users
    first, last = (np.searchsorted(by_user, asked.rows, side=side) for side in ("left", "right"))
    found = [items[a:b] for a, b in zip(first, last, strict=True)]
    past = None if asked.features is None else asked.features.history
    if past is not None:
        own, offsets = np.asarray(past.items), np.asarray(past.offsets)
        for j in np.flatnonzero(asked.rows < 0):
            found[j] = own[offsets[j] : offsets[j + 1]]
    if fitted.follower is not None and not asked.by_row:
        for number, user in enumerate(asked.keys.to_list()):
            met = fitted.known["item"].vocabulary.find(fitted.follower.items(user))
            found[number] = np.union1d(found[number], met[met >= 0])
    if not any(map(len, found)):
        return None
    if chosen is not None:
        position = np.full(len(fitted.known["item"].frame), -1, dtype=np.int64)
        position[chosen] = np.arange(len(chosen))
        found = [place[place >= 0] for place in (position[rows] for rows in found)]
    return [torch.tensor(rows, dtype=torch.int64, device=fitted.device) for rows in found]


def described(fitted: Fitted, side: SideName, rows: Int[np.ndarray, " n"]) -> pl.DataFrame:
    """Key, and name where there is one, of known rows."""
    known, name = fitted.known[side], fitted.name_column(side)
    columns = [known.vocabulary.ids.gather(rows).alias(fitted.key(side))]
    if name is not None and name in known.frame.columns:
        columns.append(known.frame[name].gather(rows))
    return pl.DataFrame(columns)


def related(fitted: Fitted, *, user: Any, item: Any, to: SideName, n: int) -> pl.DataFrame:
    """See `Penchant.related`."""
    if (user is None) == (item is None):
        raise ConfigError("related: give exactly one of user and item")
    if to not in ("user", "item"):
        raise ConfigError(f"related: to = {to!r}: 'user' or 'item' expected")
    if n < 1:
        raise ConfigError(f"n = {n}: at least 1 expected")
    side: SideName = "item" if user is None else "user"
    if (side, to) != ("user", "item"):
        fitted.model.space.require_metric("related")
    asked = resolve_one(fitted, side, item if user is None else user, "related: ")
    itself = side == to
    found = nearest(fitted, asked.points, to, n, leave_out=asked.rows[itself & (asked.rows >= 0)])
    return found.drop("probability") if itself else found


def nearest(
    fitted: Fitted, point: Float[Tensor, "1 k"], to: SideName, n: int, leave_out: Int[np.ndarray, " _"] | None = None
) -> pl.DataFrame:
    """The ``n`` known rows of ``to`` nearest to a point: key, name where there is one, distance, probability."""
    exclude = None if leave_out is None else [torch.as_tensor(leave_out, device=fitted.device)]
    return nearest_each(fitted, point, to, n, exclude)[0]


def nearest_each(
    fitted: Fitted, points: Float[Tensor, "q k"], to: SideName, n: int, exclude: list[Tensor] | None = None
) -> list[pl.DataFrame]:
    """`nearest` of each point."""
    distance, found = fitted.topk(to, points, min(n, len(fitted.known[to].points)), exclude)
    reached = torch.isfinite(distance).cpu().numpy()
    base = distance.double().cpu().numpy()[reached]
    probability = fitted.calibration.probability(base)
    frame = described(fitted, to, found.cpu().numpy()[reached]).hstack(
        [pl.Series("distance", base), pl.Series("probability", probability)]
    )
    ends = [0, *np.cumsum(reached.sum(1)).tolist()]
    return [frame[a:b] for a, b in pairwise(ends)]


def subject(fitted: Fitted, side: SideName, who: Any, asked: Asked) -> str:
    """Whom a question is about, in words."""
    if asked.rows[0] < 0 and not asked.by_row:
        return f"user {asked.keys[0]}"
    if asked.rows[0] < 0:
        said = [f"{name} {in_words(value)}" for name, value in row_of(who).items() if value is not None]
        a = "an item" if side == "item" else "a user"
        return f"{a} with {', '.join(said[:_SAID])}" if said else f"any {side}"
    key, *rest = described(fitted, side, asked.rows).row(0)
    name = rest[0] if rest and rest[0] is not None else key
    return str(name) if side == "item" else f"user {name}"
