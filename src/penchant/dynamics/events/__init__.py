"""Events and interest states, kept: SQLite by default, PostgreSQL for several workers.

A batch that was acknowledged is on disk; sent again, it has no second effect; a state is always the fold of its
user's events, bit for bit.
"""

from penchant.dynamics.events.backups import backup, restore
from penchant.dynamics.events.contract import (
    Appended,
    Apply,
    Event,
    EventStore,
    Forgotten,
    Id,
    Logged,
    State,
    StoreFacts,
    StoreOptions,
)
from penchant.dynamics.events.packing import pack, unpack
from penchant.dynamics.events.postgres import PostgresStore
from penchant.dynamics.events.sqlite import SQLiteStore
from penchant.dynamics.events.stores import KINDS, open_store

__all__ = [
    "KINDS",
    "Appended",
    "Apply",
    "Event",
    "EventStore",
    "Forgotten",
    "Id",
    "Logged",
    "PostgresStore",
    "SQLiteStore",
    "State",
    "StoreFacts",
    "StoreOptions",
    "backup",
    "open_store",
    "pack",
    "restore",
    "unpack",
]
