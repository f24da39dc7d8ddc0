"""MovieLens-100K as sequences: every rating an event, in time order; each user's last event is to be found.

The last but one is the validation; what is before is learned from. Ratings of one second keep the order of the file.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64

from penchant import Field, Tables, movielens_100k
from penchant.evaluation import hit_rate, ndcg
from penchant.recommender import Recommender

__all__ = ["PAST", "RANKS", "LastOut", "by_user", "last_out", "shown"]

PAST = "past"
RANKS = 10


@dataclass(frozen=True, eq=False)
class LastOut:
    """Every user's events in order, by row of the catalogue from 0."""

    train: Tables
    """All but the last two of each."""
    valid: Tables
    """The last but one of each."""
    sequences: tuple[Int64[np.ndarray, " _"], ...]
    """All of them."""
    items: pl.Series
    """Ids of the catalogue."""

    def asked(self, *, test: bool) -> tuple[list[list[int]], Int64[np.ndarray, " n"]]:
        """What is known of each user (ids in order), and the row of the event that is to be found."""
        end = -1 if test else -2
        known = [self.items.gather(sequence[:end]).to_list() for sequence in self.sequences]
        return known, np.array([sequence[end] for sequence in self.sequences])

    @property
    def learned(self) -> tuple[Int64[np.ndarray, " _"], ...]:
        """The training part of each."""
        return tuple(sequence[:-2] for sequence in self.sequences)


@cache
def last_out() -> LastOut:
    """The case ``ml-100k last-out``."""
    tables = movielens_100k(neutral="dislike")
    schema = tables.schema
    user, time = schema.user, schema.time or ""
    events = tables.interactions.with_columns(label=pl.lit(1, dtype=pl.Int8)).sort(user, time, maintain_order=True)
    own = tuple(field for field in schema.fields if field.side == "item")
    history = Field(name=PAST, side="user", kind="history")
    tables = Tables(replace(schema, fields=(history, *own)), tables.users, tables.items, events)
    left = pl.len().over(user) - pl.int_range(pl.len()).over(user)
    parts = (tables.with_interactions(events.filter(chosen)) for chosen in (left > 2, left == 2))
    items = tables.item_ids
    place = dict(zip(items.to_list(), range(len(items)), strict=True))
    lists = events.group_by(user, maintain_order=True).agg(schema.item)[schema.item].to_list()
    return LastOut(*parts, tuple(np.array([place[one] for one in own]) for own in lists), items)


def by_user(model: Recommender, data: LastOut, *, test: bool) -> dict[str, Float64[np.ndarray, " n"]]:
    """HR@10 and NDCG@10 of each user, of a model that is told their events; what was met before does not compete."""
    known, wanted = data.asked(test=test)
    field = PAST if hasattr(type(model), "schema_") else "liked"
    found = model.recommend([{field: ids} for ids in known], n=RANKS)
    ranked = np.full((len(known), RANKS), -1)
    place = found[data.train.schema.item].replace_strict(data.items, np.arange(len(data.items)), return_dtype=pl.Int64)
    ranked[found["row"].to_numpy(), found["rank"].to_numpy() - 1] = place.to_numpy()
    is_hit, one = ranked == wanted[:, None], np.ones(len(known), dtype=np.int64)
    return {"hr@10": hit_rate(is_hit, one, RANKS), "ndcg@10": ndcg(is_hit, one, RANKS)}


def shown(model: Recommender, data: LastOut, *, test: bool) -> dict[str, float]:
    """The means over users."""
    return {name: float(values.mean()) for name, values in by_user(model, data, test=test).items()}
