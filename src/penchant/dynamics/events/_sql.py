"""Every statement of the stores, written once; a dialect spells the few words that differ. Values are always bound.

?               a value; `= ANY(?)` one of a list
KEY, REAL8 …    types in the tables
FOR UPDATE …    locks, where the database has them
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

FORMAT = 1
"""Of the tables; a reader refuses later ones."""

TABLES = (
    "CREATE TABLE IF NOT EXISTS penchant_meta (name TEXT PRIMARY KEY, value REAL8 NOT NULL)",
    "CREATE TABLE IF NOT EXISTS penchant_users (uid KEY, name TEXT NOT NULL UNIQUE)",
    """CREATE TABLE IF NOT EXISTS penchant_events (
        off KEY, id TEXT NOT NULL UNIQUE, uid BIGINT NOT NULL, item TEXT NOT NULL, label SMALLINT NOT NULL,
        kind TEXT NOT NULL, time REAL8 NOT NULL, weight REAL8 NOT NULL, context TEXT)""",
    "CREATE INDEX IF NOT EXISTS penchant_events_of_user ON penchant_events (uid, off)",
    """CREATE TABLE IF NOT EXISTS penchant_states (
        uid BIGINT NOT NULL, space TEXT NOT NULL, version BIGINT NOT NULL, time REAL8 NOT NULL, last BIGINT NOT NULL,
        seen BIGINT NOT NULL, data BYTES NOT NULL, PRIMARY KEY (uid, space))""",
    """CREATE TABLE IF NOT EXISTS penchant_snapshots (
        uid BIGINT NOT NULL, space TEXT NOT NULL, version BIGINT NOT NULL, time REAL8 NOT NULL, last BIGINT NOT NULL,
        base SMALLINT NOT NULL, data BYTES NOT NULL, PRIMARY KEY (uid, space, version))""",
)
"""Of a user's events, `seen` is the highest offset a state holds, `last` that of the latest in (time, offset).

A *base* is a snapshot that stands for events no longer in the log; its `last` is 0, all that is in the log is later.
"""

MIGRATIONS: Mapping[int, tuple[str, ...]] = {}
"""Format to the statements that lead to the next one."""

META = "SELECT name, value FROM penchant_meta"
FOUND = "SELECT value FROM penchant_meta WHERE name = 'format'"
BEGUN = "INSERT INTO penchant_meta (name, value) VALUES ('format', ?), ('horizon', -1.7e308) ON CONFLICT DO NOTHING"
PUT_FORMAT = "UPDATE penchant_meta SET value = ? WHERE name = 'format'"
RAISE_HORIZON = "UPDATE penchant_meta SET value = ? WHERE name = 'horizon' AND value < ?"
SIDE_BY_SIDE = "LOCK TABLE penchant_meta IN ROW SHARE MODE"
ALONE = "LOCK TABLE penchant_meta IN EXCLUSIVE MODE"
"""Batches run side by side; whoever raises the horizon waits for those under way, and the next ones wait for it."""
COUNTS = """SELECT (SELECT COUNT(*) FROM penchant_events), (SELECT COUNT(*) FROM penchant_users),
    (SELECT COALESCE(MAX(off), 0) FROM penchant_events)"""

# ---------------------------------------------------------------------- users

ADD_USER = "INSERT INTO penchant_users (name) VALUES (?) ON CONFLICT DO NOTHING"
UIDS = "SELECT uid, name FROM penchant_users WHERE name = ANY(?) ORDER BY uid"
LOCK = "SELECT uid, name FROM penchant_users WHERE name = ANY(?) ORDER BY uid FOR UPDATE"
LOCK_UIDS = "SELECT uid, name FROM penchant_users WHERE uid = ANY(?) ORDER BY uid FOR UPDATE"
USERS_PAGE = "SELECT uid, name FROM penchant_users WHERE uid > ? ORDER BY uid LIMIT ?"
DROP_USERS = "DELETE FROM penchant_users WHERE uid = ANY(?)"
WITH_EVENTS_BEFORE = "SELECT DISTINCT uid FROM penchant_events WHERE time < ? ORDER BY uid"
WITH_BASES_BEFORE = "SELECT DISTINCT uid FROM penchant_snapshots WHERE base = 1 AND time < ? ORDER BY uid"
WITH_EVENTS = "SELECT DISTINCT uid FROM penchant_events WHERE uid = ANY(?)"
WITH_BASES = "SELECT DISTINCT uid FROM penchant_snapshots WHERE uid = ANY(?) AND base = 1"

# ---------------------------------------------------------------------- events

_EVENT = "e.off, e.id, e.uid, e.item, e.label, e.kind, e.time, e.weight, e.context"
KNOWN = """SELECT e.off, e.id, u.name, e.item, e.label, e.kind, e.time, e.weight, e.context
    FROM penchant_events e JOIN penchant_users u ON u.uid = e.uid WHERE e.id = ANY(?)"""
ADD_EVENT = """INSERT INTO penchant_events (id, uid, item, label, kind, time, weight, context)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
OFFSETS = "SELECT id, off FROM penchant_events WHERE id = ANY(?)"
LATEST = "SELECT COALESCE(MAX(off), 0) FROM penchant_events"
PAGE = """SELECT e.off, e.id, u.name, e.item, e.label, e.kind, e.time, e.weight, e.context
    FROM penchant_events e JOIN penchant_users u ON u.uid = e.uid
    WHERE e.off > ? AND e.off <= ? ORDER BY e.off LIMIT ?"""
PAGE_OF_USER = """SELECT e.off, e.id, u.name, e.item, e.label, e.kind, e.time, e.weight, e.context
    FROM penchant_users u JOIN penchant_events e ON u.uid = e.uid
    WHERE e.off > ? AND e.off <= ? AND u.name = ? ORDER BY e.off LIMIT ?"""
PENDING = f"""SELECT {_EVENT} FROM penchant_events e LEFT JOIN penchant_states s ON s.uid = e.uid AND s.space = ?
    WHERE e.uid = ANY(?) AND e.off > COALESCE(s.seen, 0) ORDER BY e.uid, e.time, e.off"""
SINCE = f"""SELECT {_EVENT} FROM penchant_events e
    WHERE e.uid = ? AND (e.time > ? OR (e.time = ? AND e.off > ?)) ORDER BY e.time, e.off"""
BEFORE = f"SELECT {_EVENT} FROM penchant_events e WHERE e.uid = ? AND e.time < ? ORDER BY e.time, e.off"
DROP_BEFORE = "DELETE FROM penchant_events WHERE uid = ANY(?) AND time < ?"
DROP_EVENTS = "DELETE FROM penchant_events WHERE uid = ANY(?)"
ITEM_TYPES = "SELECT MIN(item), MAX(item) FROM penchant_events"
USER_TYPES = "SELECT MIN(name), MAX(name) FROM penchant_users"

# ---------------------------------------------------------------------- states and snapshots

_STATE = "uid, version, time, last, seen, data"
STATES_OF = f"SELECT {_STATE} FROM penchant_states WHERE uid = ANY(?) AND space = ?"
STATES = """SELECT u.name, s.version, s.time, s.data FROM penchant_states s JOIN penchant_users u ON u.uid = s.uid
    WHERE u.name = ANY(?) AND s.space = ?"""
PUT_STATE = """INSERT INTO penchant_states (uid, space, version, time, last, seen, data) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (uid, space) DO UPDATE SET version = excluded.version, time = excluded.time, last = excluded.last,
    seen = excluded.seen, data = excluded.data"""
DROP_STATES = "DELETE FROM penchant_states WHERE uid = ANY(?)"
DROP_STATES_OF = "DELETE FROM penchant_states WHERE uid = ANY(?) AND space = ?"
KEEP_STATES = "DELETE FROM penchant_states WHERE uid = ANY(?) AND NOT (space = ANY(?))"
RETIRE_STATES = "DELETE FROM penchant_states WHERE space = ?"

_SNAPSHOT = "uid, version, time, last, data"
BASES = f"SELECT {_SNAPSHOT} FROM penchant_snapshots WHERE uid = ANY(?) AND space = ? AND base = 1"
OTHER_BASES = """SELECT uid, space, version, time, data FROM penchant_snapshots
    WHERE uid = ANY(?) AND space <> ? AND base = 1 ORDER BY uid, version, space"""
SNAPSHOT_BEFORE = f"""SELECT {_SNAPSHOT} FROM penchant_snapshots WHERE uid = ? AND space = ? AND time <= ?
    ORDER BY version DESC LIMIT 1"""
PUT_SNAPSHOT = """INSERT INTO penchant_snapshots (uid, space, version, time, last, base, data)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (uid, space, version) DO NOTHING"""
DROP_LATER = "DELETE FROM penchant_snapshots WHERE uid = ? AND space = ? AND time > ? AND base = 0"
DROP_OLDER = "DELETE FROM penchant_snapshots WHERE uid = ? AND space = ? AND version <= ? AND base = 0"
DROP_UP_TO = "DELETE FROM penchant_snapshots WHERE uid = ? AND space = ? AND version <= ?"
DROP_SNAPSHOTS = "DELETE FROM penchant_snapshots WHERE uid = ANY(?)"
DROP_SNAPSHOTS_OF = "DELETE FROM penchant_snapshots WHERE uid = ANY(?) AND space = ? AND base = 0"
DROP_SNAPSHOTS_BEFORE = "DELETE FROM penchant_snapshots WHERE uid = ANY(?) AND (base = 0 OR time < ?)"
KEEP_SNAPSHOTS = "DELETE FROM penchant_snapshots WHERE uid = ANY(?) AND NOT (space = ANY(?))"
RETIRE_SNAPSHOTS = """DELETE FROM penchant_snapshots WHERE space = ? AND (base = 0 OR EXISTS (
    SELECT 1 FROM penchant_snapshots o WHERE o.uid = penchant_snapshots.uid AND o.space <> penchant_snapshots.space
    AND o.base = 1 AND o.version >= penchant_snapshots.version))"""
"""But for the only record of what was compacted, which no other space has taken over."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a database spells the statements above."""

    words: Mapping[str, str]
    """What to write for the words that differ, in the order in which they are replaced."""


SQLITE = Dialect(
    {
        "off KEY": "off INTEGER PRIMARY KEY AUTOINCREMENT",  # never a number twice, not even after a delete
        "uid KEY": "uid INTEGER PRIMARY KEY AUTOINCREMENT",
        "REAL8": "REAL",
        "BYTES": "BLOB",
        "= ANY(?)": "IN (SELECT value FROM json_each(?))",
        " FOR UPDATE": "",
        SIDE_BY_SIDE: "",  # one writer at a time as it is
        ALONE: "",
    }
)

POSTGRES = Dialect(
    {
        "off KEY": "off BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "uid KEY": "uid BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "TEXT": 'TEXT COLLATE "C"',
        "REAL8": "DOUBLE PRECISION",
        "BYTES": "BYTEA",
        "?": "%s",
    }
)


@cache
def _spelled(statement: str, words: tuple[tuple[str, str], ...]) -> str:
    for word, spelling in words:
        statement = statement.replace(word, spelling)
    return statement


def spell(statement: str, dialect: Dialect) -> str:
    """A statement of this file in a dialect."""
    return _spelled(statement, tuple(dialect.words.items()))
