"""The protocol AutoInt-100K (and ML-1M), as `Tables` for penchant and as plain arrays for its peers.

Ratings of 3 are dropped, above is liked, below is not; rows in their original order are dealt out 80/10/10 by
NumPy's ``RandomState(2019).permutation``; fields: gender, age, occupation, zip, genres, release year,
timestamp, and in the variant with ids the user and the film. Everything is fitted on training rows. Source:
Song et al. 2019, arXiv 1810.11921, section 5.1.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float32, Int64

from penchant import Field, Schema, Tables, movielens_100k

__all__ = ["CASES_1M", "CASES_100K", "Arrays", "Split", "arrays", "load", "split"]

CASES_100K = ("AutoInt-100K fields", "AutoInt-100K ids")
CASES_1M = ("ML-1M fields", "ML-1M ids")

_ROWS = {"AutoInt-100K": 72_855, "ML-1M": 739_012}
"""Rows of the protocols: another number means other data."""
_CODES = ("gender", "occupation", "zip_code")
_IDS = ("user_id", "movie_id")
_NUMBERS = ("age", "year", "timestamp")


@dataclass(frozen=True, slots=True)
class Split:
    """One case, dealt out."""

    case: str
    train: Tables
    valid: Tables
    test: Tables


@dataclass(frozen=True, slots=True)
class Arrays:
    """One case for models of any library: a row an interaction; training rows, then validation, then test."""

    codes: dict[str, Int64[np.ndarray, " n"]]
    """Categories: 0 for values that no training row has, then 1, 2, …"""
    sizes: dict[str, int]
    """Number of codes of each category, 0 included."""
    numbers: dict[str, Float32[np.ndarray, " n"]]
    """Numbers, scaled to [0, 1] on the training rows; NaN where missing."""
    genres: Int64[np.ndarray, "n most"]
    """Genres of the film from 1, padded with 0."""
    n_genres: int
    """Number of genres."""
    label: Float32[np.ndarray, " n"]
    """1 liked, 0 not."""
    ends: tuple[int, int]
    """Where the training rows end, and where the validation rows end."""

    @property
    def parts(self) -> tuple[slice, slice, slice]:
        """Training, validation and test rows."""
        first, second = self.ends
        return slice(0, first), slice(first, second), slice(second, len(self.label))


def load(case: str, ml_1m: Path | None = None) -> Tables:
    """All rows of a case, in the original order.

    Raises:
        ValueError: no such case, ML-1M without its folder, or another number of rows than the protocol's.
    """
    if case not in (*CASES_100K, *CASES_1M):
        raise ValueError(f"case {case!r}: one of {', '.join((*CASES_100K, *CASES_1M))} expected")
    name, variant = case.rsplit(" ", 1)
    if name == "AutoInt-100K":
        tables = movielens_100k(ids=variant == "ids", time_as_context=True)
    elif ml_1m is None:
        raise ValueError(f"case {case!r}: give the folder of ML-1M with --ml-1m")
    else:
        tables = _movielens_1m(ml_1m, ids=variant == "ids")
    if len(tables) != _ROWS[name]:
        raise ValueError(
            f"{name}: {_ROWS[name]:,} rows expected, got {len(tables):,}: these are not the protocol's data"
        )
    return tables


def split(case: str, tables: Tables) -> Split:
    """Deal the rows out: 80/10/10 by ``RandomState(2019).permutation``."""
    n = len(tables)
    order = np.random.RandomState(2019).permutation(n)
    parts = np.split(order, [int(0.8 * n), int(0.9 * n)])
    train, valid, test = (tables.with_interactions(tables.interactions[rows]) for rows in parts)
    return Split(case, train, valid, test)


def arrays(given: Split) -> Arrays:
    """The same rows and fields as plain arrays."""
    parts = [tables.interactions for tables in (given.train, given.valid, given.test)]
    first, second = parts[0].height, parts[0].height + parts[1].height
    rows = (
        pl.concat(parts)
        .join(given.train.users, on="user_id", how="left", maintain_order="left")
        .join(given.train.items, on="movie_id", how="left", maintain_order="left")
    )
    names = (*_CODES, *_IDS) if given.case.endswith(" ids") else _CODES
    coded = {name: _codes(rows[name], first) for name in names}
    genres, n_genres = _genres(rows["genres"])
    return Arrays(
        codes={name: codes for name, (codes, _) in coded.items()},
        sizes={name: size for name, (_, size) in coded.items()},
        numbers={name: _scaled(rows[name], first) for name in _NUMBERS},
        genres=genres,
        n_genres=n_genres,
        label=rows["label"].cast(pl.Float32).to_numpy(),
        ends=(first, second),
    )


@cache
def prepared(case: str, ml_1m: Path | None = None) -> tuple[Split, Arrays]:
    """Both forms of a case; made once a process."""
    dealt = split(case, load(case, ml_1m))
    return dealt, arrays(dealt)


def _codes(column: pl.Series, n_train: int) -> tuple[Int64[np.ndarray, " n"], int]:
    known = column[:n_train].unique().sort()
    codes = column.replace_strict(known, np.arange(1, len(known) + 1), default=0, return_dtype=pl.Int64)
    return codes.to_numpy(), len(known) + 1


def _scaled(column: pl.Series, n_train: int) -> Float32[np.ndarray, " n"]:
    values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    low, high = np.nanmin(values[:n_train]), np.nanmax(values[:n_train])
    return np.clip((values - low) / (high - low), 0, 1).astype(np.float32)


def _genres(column: pl.Series) -> tuple[Int64[np.ndarray, "n most"], int]:
    names = column.explode().drop_nulls().unique().sort()
    code = {name: number for number, name in enumerate(names, start=1)}
    lists = column.to_list()
    codes = np.zeros((len(lists), max(map(len, lists))), dtype=np.int64)
    for row, genres in enumerate(lists):
        codes[row, : len(genres)] = [code[genre] for genre in genres]
    return codes, len(names)


# ---------------------------------------------------------------------- ML-1M


def _movielens_1m(folder: Path, *, ids: bool) -> Tables:
    """ratings.dat, users.dat, movies.dat as GroupLens gives them ('::' between columns, latin-1)."""
    ratings = _table(folder / "ratings.dat", ["user_id", "movie_id", "rating", "timestamp"])
    users = _table(folder / "users.dat", ["user_id", "gender", "age", "occupation", "zip_code"])
    films = _table(folder / "movies.dat", ["movie_id", "title", "genres"])
    whole = pl.Int64
    liked = (pl.col("rating") > 3).cast(pl.Int8).alias("label")
    ratings = ratings.with_columns(pl.all().cast(whole)).filter(pl.col("rating") != 3).with_columns(liked)
    users = users.with_columns(pl.col("user_id", "age").cast(whole))
    films = films.with_columns(
        pl.col("movie_id").cast(whole),
        pl.col("genres").str.split("|"),
        pl.col("title").str.extract(r"\((\d{4})\)\s*$").cast(whole).alias("year"),
    )
    return Tables.read(_schema(ids), users=users, items=films, interactions=ratings)


def _table(path: Path, columns: list[str]) -> pl.DataFrame:
    rows = [line.split("::") for line in path.read_text("latin-1").splitlines() if line]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def _schema(ids: bool) -> Schema:
    fields = [
        Field(name="age", side="user", kind="numeric", unit="years"),
        Field(name="gender", side="user", kind="binary"),
        Field(name="occupation", side="user", kind="category"),
        Field(name="zip_code", side="user", kind="id"),
        Field(name="year", side="item", kind="numeric"),
        Field(name="genres", side="item", kind="tags"),
        Field(name="timestamp", side="context", kind="numeric"),
    ]
    if ids:
        fields += [
            Field(name="user_id", side="user", kind="id"),
            Field(name="movie_id", side="item", kind="id"),
        ]
    return Schema(fields=tuple(fields), user_id="user_id", item_id="movie_id", item_name="title", time="timestamp")
