"""Copies of a store in SQLite, made while it is used, and put back. PostgreSQL has tools of its own for that."""

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from penchant.dynamics.events.contract import StoreFacts
from penchant.dynamics.events.sqlite import SQLiteStore, failure
from penchant.errors import ConfigError, StorageError
from penchant.storage import flush_folder

__all__ = ["backup", "restore"]

_COMPANIONS = ("-wal", "-shm")


def backup(url: str, path: str | Path) -> StoreFacts:
    """Copy a store as it is now into a file, also while others write; returns what the copy holds.

    Written beside, checked, flushed and renamed: an older file at ``path`` is replaced whole, or not at all.

    Raises:
        ConfigError: no store in SQLite.
        StorageError: there is no such store, it is damaged, or the copy cannot be written.
    """
    source = _file(url, "pg_dump --format=custom --file=events.dump")
    return _copied(source, Path(path))


def restore(path: str | Path, url: str) -> StoreFacts:
    """Put a store back from a copy of `backup`; returns what it holds. Nothing may be using it.

    Raises:
        ConfigError: no store in SQLite; or there is one already, which would be lost.
        StorageError: the copy is no store, is damaged or of another format; no store is there then.
    """
    place = _file(url, "pg_restore --clean --if-exists --dbname=DATABASE events.dump")
    for file in (place, *_beside(place)):
        if file.exists():
            raise ConfigError(f"{file} is there and would be lost: move it away first")
    return _copied(Path(path), place)


def _file(url: str, instead: str) -> Path:
    scheme, _, rest = url.partition("://")
    if scheme in ("postgresql", "postgres"):
        raise ConfigError(f"a store in PostgreSQL is copied and put back by its own tools: {instead}")
    if scheme != "sqlite" or not rest.startswith("/"):
        raise ConfigError("the store: sqlite:///FILE expected")
    return Path(rest[1:])


def _beside(place: Path) -> list[Path]:
    return [Path(f"{place}{end}") for end in _COMPANIONS]


def _copied(source: Path, target: Path) -> StoreFacts:
    if not source.is_file():
        raise StorageError(f"{source}: there is no such file")
    new = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    try:
        _copy(source, new)
        with SQLiteStore(new) as store:
            facts = store.facts()
        with closing(sqlite3.connect(new)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # a file that can be read without others beside it
        os.replace(new, target)
        flush_folder(target.parent)
    except sqlite3.Error as error:
        raise failure(error, f"{source}, copied to {target}") from error
    except OSError as error:
        raise StorageError(f"{target}: cannot be written ({error.strerror})") from error
    finally:
        for file in (new, *_beside(new)):
            file.unlink(missing_ok=True)
    return facts


def _copy(source: Path, target: Path) -> None:
    """All pages as of one moment, through SQLite: a file that is copied while it is written is torn."""
    there = f"{source.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(there, uri=True)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
        (said,) = other.execute("PRAGMA quick_check").fetchone()
    if said != "ok":
        raise StorageError(f"{source} is damaged ({said}): take an older copy")
