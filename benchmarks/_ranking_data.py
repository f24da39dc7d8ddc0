"""The cases of ``ranking.py`` as tables of likes alone.

SG-100K       MovieLens-100K, ratings of 4 and 5, users with at least 5 of them; users by their past, items by
              themselves, year and genres; whole users held out in 5 folds (the next fold is validation), 80 % of their
              likes given
CiteULike-t   who bookmarked which article; articles by themselves and their tags (on at least LEAST_TAGGED articles);
              CML's protocol: each user's likes dealt out 60/20/20

Sources: Harper, Konstan 2015, doi 10.1145/2827872; Wang, Chen, Li 2013 (IJCAI); Hsieh et al. 2017 (WWW).
"""

from dataclasses import replace
from pathlib import Path

import polars as pl

from penchant import Field, Schema, Tables, movielens_100k

__all__ = ["CITEULIKE", "LEAST_TAGGED", "PAST", "citeulike", "movielens_likes"]

CITEULIKE = Path(__file__).parents[2] / "shared" / "data" / "citeulike-t"
"""Where CiteULike-t is looked for."""
PAST = Field(name="past", side="user", kind="history")
LEAST_TAGGED = 100
"""Articles of a tag. With 5 there are 8,311 tags, of whose means over a past every step of penchant makes thousands."""
_LEAST_LIKES = 5


def movielens_likes() -> Tables:
    """SG-100K."""
    tables = movielens_100k(neutral="dislike")
    likes = tables.interactions.filter(pl.col("label") == 1).filter(pl.len().over("user_id") >= _LEAST_LIKES)
    items = tables.items.filter(pl.col("movie_id").is_in(likes["movie_id"].unique().implode()))
    users = tables.users.filter(pl.col("user_id").is_in(likes["user_id"].unique().implode()))
    own = tuple(field for field in tables.schema.fields if field.side == "item")
    schema = replace(tables.schema, fields=(PAST, *own))
    return Tables(schema, users, items, likes)


def citeulike(folder: Path = CITEULIKE, *, least: int = LEAST_TAGGED) -> Tables:
    """CiteULike-t; tags on at least ``least`` articles.

    Raises: FileNotFoundError: there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"CiteULike-t: {folder} is not there")
    likes = pl.read_parquet(folder / "interactions.parquet").select(
        pl.col("user").cast(pl.Int64), pl.col("item").cast(pl.Int64), label=pl.lit(1, dtype=pl.Int8)
    )
    tagged = pl.read_parquet(folder / "item_tags.parquet").with_columns(pl.col("item").cast(pl.Int64))
    tags = tagged.filter(pl.len().over("tag") >= least).group_by("item").agg(tags=pl.col("tag").cast(pl.String))
    items = pl.concat([likes.select("item"), tagged.select("item")]).unique().sort("item")  # some nobody bookmarked
    items = items.join(tags, on="item", how="left", maintain_order="left")
    items = items.with_columns(pl.col("tags").fill_null(pl.lit([], dtype=pl.List(pl.String))))
    schema = Schema(
        fields=(PAST, Field(name="item", side="item", kind="id"), Field(name="tags", side="item", kind="tags")),
        user="user", item="item", user_id="user", item_id="item",
    )  # fmt: skip
    return Tables(schema, likes.select("user").unique().sort("user"), items, likes)
