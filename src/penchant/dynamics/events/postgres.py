"""A store in PostgreSQL: for several workers, on one machine or many. Needs the extra ``postgres`` (psycopg 3).

Users are locked row by row, in one order: batches of different users run side by side. What was deleted is gone from
the tables' files; the server's own write-ahead log and backups are its administrator's to keep or drop.
"""

import importlib
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from penchant.dynamics.events import _sql as sql
from penchant.dynamics.events._fold import Session
from penchant.dynamics.events._links import Link
from penchant.dynamics.events._log import RacedError, SQLStore
from penchant.dynamics.events._rows import Row
from penchant.dynamics.events._tables import prepare
from penchant.dynamics.events.contract import StoreOptions
from penchant.errors import BusyStoreError, ConfigError, FullStoreError, StorageError, UnreachableStoreError

__all__ = ["PostgresStore"]

T = TypeVar("T")

_ATTEMPTS = 8
_LONGEST = 2**31 - 1  # milliseconds that lock_timeout takes
_HIDDEN = "postgresql://…"
_AGAIN = frozenset({"23505", "40001", "40P01"})  # an id added meanwhile, a serialization failure, a deadlock
_HELD = "another writer holds these users; nothing of this was stored: send it again"
_SAID: dict[str, tuple[type[StorageError], str]] = {
    "53100": (FullStoreError, "the server's disk is full; nothing of this was stored: make room and send it again"),
    "55P03": (BusyStoreError, _HELD),
    "40001": (BusyStoreError, _HELD),
    "40P01": (BusyStoreError, _HELD),
    "57014": (BusyStoreError, "the server gave it up; nothing of this was stored: send it again"),
    "53300": (BusyStoreError, "the server has no connection left: raise max_connections, or use fewer workers"),
    "25006": (UnreachableStoreError, "the server is read-only: give the primary's address"),
    "42501": (StorageError, "this user may not do that: it must own the tables"),
}
"""By SQLSTATE: what it is, and what is said."""
_KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
"""libpq's: a server whose machine is gone is noticed within half a minute."""
_TABLES = "penchant_meta", "penchant_users", "penchant_events", "penchant_states", "penchant_snapshots"
_MAKING = 7_302_116_054_419  # an advisory lock, held while tables are made
_QUIET = (  # ids of people are not to stay behind in the planner's statistics
    ("penchant_users", "name"),
    ("penchant_events", "id"),
    ("penchant_events", "item"),
    ("penchant_events", "context"),
)


class _Session:
    """Statements on a connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, statement: str, *values: object) -> list[Row]:
        """Run one, and fetch its rows."""
        cursor = self._connection.execute(sql.spell(statement, sql.POSTGRES), values or None)
        return cursor.fetchall() if cursor.description else []

    def many(self, statement: str, rows: Sequence[Row]) -> int:
        """Run one for each row, without waiting between them."""
        if not rows:
            return 0
        with self._connection.cursor() as cursor:
            cursor.executemany(sql.spell(statement, sql.POSTGRES), rows)
            return int(cursor.rowcount)


class PostgresStore(SQLStore):
    """Events and states in a PostgreSQL database, in tables whose names begin with ``penchant_``.

    Arguments:
        url: ``postgresql://user:password@host:port/database``; the password is never shown.
        options: limits, snapshots and how long to wait for another writer.
        migrate: bring tables of an older format to this one.
        clock: this machine's time in seconds since 1970.

    Raises:
        ConfigError: psycopg is not installed, or the URL cannot be read.
        UnreachableStoreError: the server cannot be reached.
        StorageError: it does not flush to disk.
        OtherFormatError: tables of an older format, or (NewerFormatError) of a later version of penchant.
    """

    def __init__(
        self,
        url: str,
        *,
        options: StoreOptions | None = None,
        migrate: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(options or StoreOptions(), clock)
        self._url, self.name = url, shown(url)
        self._driver = _psycopg()
        self._tired = 0.0, ""
        self._writer, self._reader = Link(self._connect), Link(self._connect)
        try:
            self._write(lambda session: self._prepare(session, migrate))
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"PostgresStore({self.name!r})"

    def _prepare(self, session: Session, migrate: bool) -> None:
        ((flushes,),) = session.rows("SELECT current_setting('fsync')")
        if flushes != "on":
            raise StorageError(f"{self.name}: the server does not flush to disk (fsync = {flushes}): set it to on")
        session.rows("SELECT pg_advisory_xact_lock(?)", _MAKING)
        there = "SELECT name FROM unnest(?::text[]) AS name WHERE to_regclass(name) IS NOT NULL"
        tables = session.rows(there, ["penchant_meta"])
        prepare(session, self.name, migrate=migrate, tables=tables)
        if not tables:
            for table, column in _QUIET:
                session.rows(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")

    def _connect(self) -> Any:
        """Connect. After an attempt that was in vain, for as long as it took, none is made: whoever asks meanwhile is
        told at once, and does not stand behind others who wait for the same."""
        driver, began = self._driver, time.monotonic()
        until, said = self._tired
        if began < until:
            raise UnreachableStoreError(said)
        patience = min(max(round(self.options.timeout), 2), 10)
        try:
            connection = driver.connect(
                self._url, connect_timeout=patience, application_name="penchant", autocommit=True, **_KEEPALIVE
            )
        except driver.ProgrammingError:
            raise ConfigError(f"{self.name}: this is no URL of a PostgreSQL database") from None
        except driver.Error as error:
            unreached = self._unreached(error)
            now = time.monotonic()
            self._tired = 2 * now - began, str(unreached)
            raise unreached from None
        wait = min(max(1000 * self.options.timeout, 1.0), _LONGEST)  # 0 would be for ever
        settings = ("synchronous_commit", "on"), ("lock_timeout", str(int(wait))), ("enable_seqscan", "off")
        try:
            for setting in settings:  # without statistics of ids, the planner is told to use its indexes
                connection.execute("SELECT set_config(%s, %s, false)", setting)
        except driver.Error as error:
            connection.close()
            raise self._unreached(error) from None
        return connection

    def _unreached(self, error: Exception) -> UnreachableStoreError:
        said = _without(str(error), self._url)
        return UnreachableStoreError(f"{self.name}: cannot be reached ({said}); nothing of this was stored")

    def _write(self, work: Callable[[Session], T]) -> T:
        for attempt in range(1, _ATTEMPTS + 1):
            committing = False
            with self._writer.use() as connection:
                try:
                    with connection.transaction():
                        found = work(_Session(connection))
                        committing = True
                    return found
                except RacedError:
                    if attempt == _ATTEMPTS:
                        raise BusyStoreError(f"{self.name}: {_HELD}") from None
                except self._driver.Error as error:
                    undone = error.sqlstate in _AGAIN or (self._lost(self._writer) and not committing)
                    if attempt == _ATTEMPTS or not undone:
                        raise self._error(error, self._writer) from error
                    if self._lost(self._writer):
                        self._writer.drop()
        raise AssertionError("the last attempt returns or raises")

    def _read(self, work: Callable[[Session], T]) -> T:
        for attempt in range(1, _ATTEMPTS + 1):
            with self._reader.use() as connection:
                try:
                    return work(_Session(connection))
                except self._driver.Error as error:
                    if attempt == _ATTEMPTS or not self._lost(self._reader):
                        raise self._error(error, self._reader) from error
                    self._reader.drop()
        raise AssertionError("the last attempt returns or raises")

    def _acknowledged(self) -> int:
        """Waits for the batches under way: theirs may be lower offsets than those already there."""

        def work(session: Session) -> int:
            session.rows("LOCK TABLE penchant_events IN SHARE MODE")
            ((latest,),) = session.rows(sql.LATEST)
            return int(latest)

        return self._write(work)

    def vacuum(self) -> None:
        """Rewrite the tables; they are locked meanwhile."""
        with self._writer.use() as connection:
            try:
                for table in _TABLES:
                    connection.execute(f"VACUUM (FULL) {table}")
                connection.execute("ANALYZE penchant_events, penchant_states, penchant_snapshots")
            except self._driver.Error as error:
                raise self._error(error, self._writer) from error

    def close(self) -> None:
        """Close the connections; a later call opens others."""
        self._reader.drop()
        self._writer.drop()

    def _error(self, error: Any, link: Link[Any]) -> StorageError:
        if self._lost(link):
            link.drop()
            text = "the connection was lost; whether this was stored is not known: send it again, which is safe"
            return UnreachableStoreError(f"{self.name}: {text}")
        kind, said = _SAID.get(error.sqlstate or "", (StorageError, "the database refused"))
        if kind is UnreachableStoreError:
            link.drop()  # the next connection may be to another server, as after a failover
        return kind(f"{self.name}: {said} ({error})")

    @staticmethod
    def _lost(link: Link[Any]) -> bool:
        with link.use() as connection:
            return bool(connection.broken or connection.closed)


def _psycopg() -> Any:
    try:
        return importlib.import_module("psycopg")
    except ImportError as error:
        raise ConfigError("PostgreSQL needs psycopg: pip install 'penchant[postgres]'") from error


def shown(url: str) -> str:
    """A URL without its password and its options, one of which may be a password; of one with a stray @, nothing."""
    try:
        parts = urlsplit(url)
        place = parts.hostname or "localhost"
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return _HIDDEN
    if url.count("@") > 1 or parts.netloc.count("@") != url.count("@"):
        return _HIDDEN  # a password with @, / or # in it: what looks like the host may be a part of it
    user = f"{parts.username}@" if parts.username else ""
    return f"postgresql://{user}{place}{port}{parts.path}"


def _without(text: str, url: str) -> str:
    """A message without the password, should it be in there."""
    if shown(url) == _HIDDEN:
        return "is the password written with %40 for @, %2F for / and %23 for #?"
    parts = urlsplit(url)
    options = [option.partition("=") for option in parts.query.split("&")]
    secrets = [value for name, _, value in options if name in ("password", "sslpassword")] + [parts.password]
    for secret in filter(None, secrets):
        text = text.replace(secret, "***").replace(unquote(secret), "***")
    return " ".join(text.split())
