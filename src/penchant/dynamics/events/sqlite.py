"""A store in one SQLite file: the default, for one machine. Write-ahead log, flushed to disk before a batch counts.

One writer at a time among all processes; readers wait for nobody. Sound on local disks only: network file systems
do not keep SQLite's locks.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from penchant.dynamics.events import _sql as sql
from penchant.dynamics.events._fold import Session
from penchant.dynamics.events._links import Link
from penchant.dynamics.events._log import SQLStore
from penchant.dynamics.events._rows import Row
from penchant.dynamics.events._tables import prepare
from penchant.dynamics.events.contract import StoreOptions
from penchant.errors import BusyStoreError, ConfigError, FullStoreError, StorageError

__all__ = ["SQLiteStore", "failure"]

T = TypeVar("T")

_HELD = BusyStoreError, "another writer holds it; nothing of this was stored: send it again"
_DENIED = StorageError, "it cannot be written: give this user the right to write the file and its folder"
_FULL = FullStoreError, "the disk is full; nothing of this was stored: make room and send it again"
_SAID: dict[int, tuple[type[StorageError], str]] = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR_WRITE: (FullStoreError, "the disk takes no more (a quota?); nothing of this was stored"),
    sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,
    sqlite3.SQLITE_BUSY: _HELD,
    sqlite3.SQLITE_LOCKED: _HELD,
    sqlite3.SQLITE_CORRUPT: (StorageError, "it is damaged: restore a backup, or export what can be read"),
    sqlite3.SQLITE_NOTADB: (StorageError, "it is no SQLite database: give another name"),
    sqlite3.SQLITE_CANTOPEN: (StorageError, "it cannot be opened: is the folder there, and may this user write in it?"),
    sqlite3.SQLITE_READONLY: _DENIED,
    sqlite3.SQLITE_PERM: _DENIED,
    sqlite3.SQLITE_IOERR: (StorageError, "the disk cannot be read or written; nothing of this was stored"),
}
"""By SQLite's extended code, or else by its last byte: what it is, and what is said."""

_SETTINGS = (
    "synchronous = FULL",  # a batch is on the disk when it is acknowledged
    "secure_delete = ON",  # what is deleted is overwritten
    "wal_autocheckpoint = 4000",  # pages; fewer and larger than SQLite's own: the slow batches are fewer
    "cache_size = -16000",  # KiB
)


class _Session:
    """Statements on a connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, *values: object) -> list[Row]:
        """Run one, and fetch its rows."""
        return self._connection.execute(sql.spell(statement, sql.SQLITE), _bound(values)).fetchall()

    def many(self, statement: str, rows: Sequence[Row]) -> int:
        """Run one for each row."""
        text = sql.spell(statement, sql.SQLITE)
        return self._connection.executemany(text, [_bound(row) for row in rows]).rowcount if rows else 0


def _bound(values: Sequence[Any]) -> list[Any]:
    """Lists as JSON, which SQLite takes apart."""
    return [json.dumps(value) if isinstance(value, list) else value for value in values]


class SQLiteStore(SQLStore):
    """Events and states in one file (and its two companions ``-wal`` and ``-shm``).

    Arguments:
        path: the file; made where it is not there.
        options: limits, snapshots and how long to wait for another writer.
        migrate: bring tables of an older format to this one.
        clock: this machine's time in seconds since 1970.

    Raises:
        StorageError: no such folder, not writable, damaged, or another program's database.
        OtherFormatError: of an older format, or (NewerFormatError) written by a later version of penchant.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        options: StoreOptions | None = None,
        migrate: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if str(path) in ("", ":memory:"):
            raise ConfigError("an event store keeps its events: give the name of a file")
        super().__init__(options or StoreOptions(), clock)
        self.path, self.name = Path(path), str(path)
        self._writer, self._reader = Link(self._connect), Link(self._connect)
        try:
            self._write(lambda session: prepare(session, self.name, migrate=migrate, tables=_others(session)))
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"SQLiteStore({str(self.path)!r})"

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self.path, timeout=self.options.timeout, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise self._error(error) from error
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise StorageError(f"{self.path}: this file system has no write-ahead log: give a file on a local disk")
            for setting in _SETTINGS:
                connection.execute(f"PRAGMA {setting}")
        except sqlite3.Error as error:
            connection.close()
            raise self._error(error) from error
        except StorageError:
            connection.close()
            raise
        return connection

    def _write(self, work: Callable[[Session], T]) -> T:
        with self._writer.use() as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                found = work(_Session(connection))
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._undo(connection)
                raise self._error(error) from error
            except BaseException:
                self._undo(connection)
                raise
            return found

    def _undo(self, connection: sqlite3.Connection) -> None:
        """Roll back; a connection that cannot is closed, which does the same."""
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        if connection.in_transaction:
            self._writer.drop()

    def _read(self, work: Callable[[Session], T]) -> T:
        with self._reader.use() as connection:
            try:
                return work(_Session(connection))
            except sqlite3.Error as error:
                raise self._error(error) from error

    def _acknowledged(self) -> int:
        ((latest,),) = self._read(lambda session: session.rows(sql.LATEST))
        return int(latest)

    def vacuum(self) -> None:
        """Rewrite the file, and empty the write-ahead log."""
        with self._writer.use() as connection:
            try:
                connection.execute("VACUUM")
                busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.Error as error:
                raise self._error(error) from error
        if busy:
            text = "a reader keeps its files from being rewritten, so that deleted bytes are in them still"
            raise BusyStoreError(f"{self.path}: {text}: call vacuum() again")

    def close(self) -> None:
        """Close the file; a later call opens it again."""
        self._reader.drop()
        self._writer.drop()

    def _error(self, error: sqlite3.Error) -> StorageError:
        return failure(error, self.name)


def failure(error: sqlite3.Error, name: str) -> StorageError:
    """What SQLite's error is here.

    Arguments:
        name: of the store.
    """
    code = getattr(error, "sqlite_errorcode", None)
    kind, said = StorageError, "the database refused"
    if isinstance(code, int):
        kind, said = _SAID.get(code) or _SAID.get(code & 0xFF) or (kind, said)
    return kind(f"{name}: {said} ({error})")


def _others(session: Session) -> list[Row]:
    """Tables that are there."""
    return session.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
