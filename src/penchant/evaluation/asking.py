"""Asking a fitted model for rankings: in blocks of users, so that memory stays bounded whatever their number.

Whom to ask about, what they are known by, which items compete, and which are no answer is a `Question`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float64

from penchant._random import generator
from penchant.errors import ConfigError
from penchant.evaluation.lists import Lists, lists_from_frames
from penchant.evaluation.task import Task
from penchant.recommender import Recommender
from penchant.tables import Tables

__all__ = ["Question", "ask", "why_not"]

_ROWS = 2_000_000
"""Recommended rows that are held at a time."""
_MOST_USERS = 4096


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """What a model is judged by. Raises: ConfigError: negatives below 1."""

    test: Tables
    """Labelled interactions; the likes are to be found."""
    train: Tables | None = None
    """What was learned from, where a figure asks for that."""
    given: Tables | None = None
    """What is told of users when they are asked about: they are asked as rows of features with this past, not by id."""
    known: pl.DataFrame | None = None
    """Pairs (user, item key) that are no answer, beside those of the training rows."""
    candidates: pl.Series | None = None
    """Ids of the items that compete, all likes of ``test`` among them; None: all."""
    negatives: int | None = None
    """None: every item competes (full ranking). A number: only so many of them, drawn at random for each user, compete
    with the likes. Such figures are larger, and may order models otherwise: Krichene, Rendle, KDD 2020, doi
    10.1145/3394486.3403226."""
    rng: int = 0
    """Seed of that draw, which is the same for every model."""

    def __post_init__(self) -> None:
        if self.negatives is not None and self.negatives < 1:
            raise ConfigError(f"negatives = {self.negatives}: at least 1 expected, or None for a full ranking")

    @classmethod
    def of(cls, task: Task, *, negatives: int | None = None, rng: int = 0) -> "Question":
        """What a task asks."""
        return cls(
            test=task.test, train=task.train, given=task.given_of(task.test), known=task.known(),
            candidates=task.candidates(), negatives=negatives, rng=rng,
        )  # fmt: skip

    @property
    def catalogue(self) -> pl.Series:
        """Ids of the items that compete."""
        return self.test.item_ids if self.candidates is None else self.candidates

    @property
    def likes(self) -> pl.DataFrame:
        """The pairs that are to be found."""
        schema, rows = self.test.schema, self.test.interactions
        return rows.filter(rows[schema.label] == 1).select(schema.user, schema.item).unique(maintain_order=True)


def why_not(model: Recommender, given: Tables | None) -> str | None:
    """Why a model cannot be asked about users by their past alone; None: it can, or need not be.

    A model that ranks alike for everybody needs no past. Others have to fold one in: by the class attribute
    ``folds_in``, or, where they follow the schema (``schema_``), by its history field.
    """
    kind = type(model)
    if given is None or not kind.personal:
        return None
    if hasattr(kind, "schema_"):
        fix = "give [users.columns] a column of kind 'history'"
        return None if given.schema.history is not None else f"the schema has no history to fold a past into: {fix}"
    if getattr(kind, "folds_in", False):
        return None
    return f"{kind.__name__} knows users by their training rows only: a past cannot be folded in"


def ask(model: Recommender, question: Question, n: int) -> Iterator[Lists]:
    """The best ``n`` items of every user who likes something in the test, in blocks of users.

    Arguments:
        model: fitted.
        n: ranks.

    Raises:
        ConfigError: the model cannot be asked so (`why_not`).
    """
    if reason := why_not(model, question.given):
        raise ConfigError(reason)
    user = question.test.schema.user
    likes, size = question.likes, len(question.catalogue)
    counts = likes.select(user).unique(maintain_order=True).with_columns(known=0)
    if question.known is not None and question.known.height:
        known = question.known.group_by(user).len("known")
        counts = counts.drop("known").join(known, on=user, how="left", maintain_order="left")
    counts = counts.with_columns(pl.col("known").fill_null(0)).sort("known", maintain_order=True)
    wanted = min(n, size) if question.negatives is None else size
    start = 0
    while start < counts.height:  # users of short pasts first: a long one asks for more ranks in its whole block
        block = counts[start : start + max(1, min(_MOST_USERS, _ROWS // wanted))]
        asked = min(size, wanted + int(block["known"].max()))  # type: ignore[arg-type]
        block = block[: max(1, _ROWS // asked)]
        yield _lists(model, question, block[user], likes, asked, n)
        start += block.height


def _lists(
    model: Recommender, question: Question, users: pl.Series, likes: pl.DataFrame, asked: int, ranks: int
) -> Lists:
    """The lists of some users."""
    schema = question.test.schema
    found = _recommended(model, question, users, asked)
    keys = [schema.user, schema.item]
    if question.known is not None:
        known = question.known.cast({key: found.schema[key] for key in keys})
        found = found.join(known, on=keys, how="anti", maintain_order="left")
    some = likes.filter(likes[schema.user].is_in(users.implode()))
    if question.negatives is not None:
        found = _sampled(question, found, some)
    place = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(schema.user)
    found = found.with_columns(place.alias("rank")).filter(pl.col("rank") <= ranks)
    return lists_from_frames(
        found, some, user=schema.user, item=schema.item, ranks=ranks, catalogue=question.catalogue
    )  # fmt: skip


def _recommended(model: Recommender, question: Question, users: pl.Series, n: int) -> pl.DataFrame:
    """User and item keys, user after user, the best first."""
    schema = question.test.schema
    by_row = question.given is not None and type(model).personal
    whom = _rows(model, question, users) if by_row else users.to_list()
    items = None if question.candidates is None else question.candidates.to_list()
    found = model.recommend(whom, n=n, candidates=items)
    if by_row:
        found = found.with_columns(users.gather(found["row"]).alias(schema.user))
    return found.select(schema.user, schema.item)


def _rows(model: Recommender, question: Question, users: pl.Series) -> list[dict[str, Any]]:
    """Users as rows that bring their past along, with their features where the model takes some."""
    assert question.given is not None
    test, given = question.test, question.given.interactions
    schema = test.schema
    liked = pl.col(schema.label) == 1
    past = given.group_by(schema.user).agg(
        pl.col(schema.item).filter(liked).alias("liked"), pl.col(schema.item).filter(~liked).alias("disliked")
    )
    asked = pl.DataFrame({schema.user: users}).join(past, on=schema.user, how="left", maintain_order="left")
    pasts = [
        {sign: row[sign] or [] for sign in ("liked", "disliked")}
        for row in asked.select("liked", "disliked").to_dicts()
    ]
    history = schema.history if hasattr(type(model), "schema_") else None
    rows: list[dict[str, Any]] = [{history.name: one} for one in pasts] if history is not None else pasts
    if not type(model).serves_new_users:
        return rows
    names = [f.name for f in schema.side("user") if f.kind != "history" and f.name != schema.user_id]
    key = test.users.select(pl.col(schema.user_id or "").alias("\0key"), *names)
    features = pl.DataFrame({"\0key": users}).join(key, on="\0key", how="left", maintain_order="left").select(names)
    return [{**known, **row} for known, row in zip(features.to_dicts(), rows, strict=True)] if names else rows


def _sampled(question: Question, found: pl.DataFrame, likes: pl.DataFrame) -> pl.DataFrame:
    """Of whole lists the likes and ``negatives`` other items, drawn for each user alike for every model."""
    schema = question.test.schema
    user, item = schema.user, schema.item
    keys = {key: found.schema[key] for key in (user, item)}
    marked = found.join(
        likes.cast(keys).with_columns(liked=True), on=[user, item], how="left", maintain_order="left"  # type: ignore[arg-type]
    )  # fmt: skip
    place = marked[item].replace_strict(question.catalogue, pl.int_range(len(question.catalogue), eager=True))
    chance = _chance(question, found[user], place.to_numpy())
    other = pl.col("liked").is_null()
    marked = marked.with_columns(chance=pl.Series(chance))
    drawn = pl.when(other).then(pl.col("chance")).rank("ordinal").over(user) <= question.negatives
    return marked.filter(~other | drawn).select(user, item)


def _chance(question: Question, users: pl.Series, place: np.ndarray) -> Float64[np.ndarray, " n"]:
    """A number in [0, 1) for each pair, which depends on the seed, the user and the item only."""
    chance = np.empty(len(users))
    n = len(question.catalogue)
    for (one,), rows in pl.DataFrame({"user": users}).with_row_index().group_by("user"):
        index = rows["index"].to_numpy()
        chance[index] = generator(question.rng, "negatives", str(one)).random(n)[place[index]]
    return chance
