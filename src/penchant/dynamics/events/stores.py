"""Stores by their URL."""

from penchant.dynamics.events.contract import EventStore, StoreOptions
from penchant.dynamics.events.postgres import PostgresStore
from penchant.dynamics.events.sqlite import SQLiteStore
from penchant.errors import ConfigError

__all__ = ["KINDS", "open_store"]

KINDS: dict[str, type[EventStore]] = {"sqlite": SQLiteStore, "postgresql": PostgresStore}
"""By the scheme of the URL."""


def open_store(url: str, *, options: StoreOptions | None = None, migrate: bool = False) -> EventStore:
    """Open a store, and make its tables where there are none.

    Arguments:
        url: ``sqlite:///events.db`` (from here), ``sqlite:////var/lib/events.db`` (from the root), or
            ``postgresql://user:password@host:port/database``.
        options: limits, snapshots and how long to wait for another writer.
        migrate: bring a store of an older format to this one.

    Raises:
        ConfigError: no such kind of store; a driver that is not installed.
        StorageError: it cannot be opened; see the stores.
        NewerFormatError: written by a later version of penchant.

    Example:
        >>> import tempfile, pathlib
        >>> from penchant.dynamics.events.contract import Event
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with open_store(f"sqlite:///{pathlib.Path(folder) / 'events.db'}") as store:
        ...         event = Event("e1", user=7, item="tea", label=1, time=0.0)
        ...         first, again = store.append([event]), store.append([event])
        >>> first.accepted, again.accepted, again.duplicates
        (1, 0, ('e1',))
    """
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and separator and rest.startswith("/"):
        return SQLiteStore(rest[1:], options=options, migrate=migrate)
    if scheme in ("postgresql", "postgres") and separator:
        return PostgresStore(url, options=options, migrate=migrate)
    expected = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
    raise ConfigError(f"{scheme if separator else 'a name without ://'} is no kind of store: {expected} expected")
