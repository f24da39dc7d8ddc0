"""What SQLite alone can do wrong; the laws of every store are in tests/contracts/test_stores.py."""

import json
import os
import random
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import polars as pl
import pytest

from penchant.dynamics.events import Apply, Event, SQLiteStore, StoreOptions, _sql, open_store
from penchant.errors import ConfigError, DataError, NewerFormatError, StorageError
from penchant.testing.stores import chain

APPLY = chain()


def events(n, start=0, user="u"):
    return [Event(f"{user}{start + j}", user, j, j % 2, float(start + j)) for j in range(n)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.db"


def test_what_was_acknowledged_is_flushed(path):
    with SQLiteStore(path) as store, store._writer.use() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def bytes_beside(path):
    """All that lies in the store's folder."""
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def _filled(store):
    """Batches until one is refused: where that one begins, and what was said."""
    for start in range(10, 10**6, 500):
        try:
            store.append(events(500, start), apply=APPLY)
        except StorageError as error:
            return start, str(error)
    raise AssertionError("it never was full")


def test_a_full_disk_stores_nothing_of_a_batch_and_says_so(path):
    with SQLiteStore(path) as store:
        store.append(events(3), apply=APPLY)
        with store._writer.use() as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        start, said = _filled(store)
        assert "disk is full" in said
        kept = [event.id for _, event in store.events()]
        assert len(kept) % 500 == 3, "whole batches alone"
        with store._writer.use() as connection:
            connection.execute("PRAGMA max_page_count = 1000000")
        done = store.append(events(500, start), apply=APPLY)
        assert done.accepted == 500, "sent again, it is stored"


QUOTA = """
import os, resource, sys
from penchant.dynamics.events import Event, SQLiteStore
from penchant.errors import FullStoreError
from penchant.testing.stores import chain
store = SQLiteStore(sys.argv[1])
batch = lambda start: [Event(f"e{n}", "u", n, 1, float(n)) for n in range(start, start + 500)]
store.append(batch(0), apply=chain())
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(sys.argv[1] + "-wal") + 20_000, most))
start = 500
try:
    while True:
        store.append(batch(start), apply=chain())
        start += 500
except FullStoreError as error:
    print(error)
assert sum(1 for _ in store.events()) == start, "it reads, and holds whole batches"
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
assert store.append(batch(start), apply=chain()).accepted == 500
before = store.state("u", "chain")
store.replay(chain())
assert store.state("u", "chain") == before
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits here")
def test_a_file_that_may_not_grow_stores_nothing_of_a_batch_until_it_may(path):
    done = subprocess.run([sys.executable, "-c", QUOTA, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "nothing of this was stored" in done.stdout


def test_another_writer_is_waited_for_and_then_named(path):
    with SQLiteStore(path, options=StoreOptions(timeout=0.05)) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="another writer"):
            store.append(events(1))
        assert list(store.events()) == [], "readers wait for nobody"
        other.execute("ROLLBACK")
        other.close()
        assert store.append(events(1)).accepted == 1


def test_files_that_are_no_store(tmp_path):
    noise = tmp_path / "noise.db"
    noise.write_bytes(random.Random(0).randbytes(8192))
    with pytest.raises(StorageError, match="no SQLite database"):
        SQLiteStore(noise)
    with pytest.raises(StorageError, match="folder"):
        SQLiteStore(tmp_path / "nowhere" / "events.db")
    with pytest.raises(ConfigError):
        SQLiteStore(":memory:")
    another = tmp_path / "another.db"
    with sqlite3.connect(another) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StorageError):
        SQLiteStore(another)


def test_a_store_of_a_later_version_is_refused(path):
    SQLiteStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE penchant_meta SET value = 999 WHERE name = 'format'")
    connection.close()
    with pytest.raises(NewerFormatError):
        SQLiteStore(path)


def test_who_is_forgotten_is_in_no_byte_of_the_files(path):
    with SQLiteStore(path) as store:
        store.append(events(200, user="someone-secret") + events(50, user="other"), apply=APPLY)
        store.append([Event("c", "someone-secret", "x", 1, 5.0, context={"place": "home-of-someone-secret"})])
        assert b"someone-secret" in bytes_beside(path)
        assert store.forget("someone-secret").events == 201
        assert b"someone-secret" not in bytes_beside(path)
        assert store.facts().events == 50


@pytest.mark.parametrize("deed", ["compact", "purge"])
def test_what_is_compacted_or_purged_is_in_no_byte_of_the_files(path, deed):
    with SQLiteStore(path) as store:
        store.append([Event(f"old-{n}", "u", f"old-item-{n}", 1, float(n)) for n in range(300)], apply=APPLY)
        store.append(events(3, 500), apply=APPLY)
        assert getattr(store, deed)(400.0, APPLY) == 300
        assert b"old-" not in bytes_beside(path)
        assert store.facts().horizon == 400.0


def test_a_reader_that_keeps_the_files_is_named(path):
    with SQLiteStore(path, options=StoreOptions(timeout=0.05)) as store:
        store.append(events(3), apply=APPLY)
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        assert reader.execute("SELECT COUNT(*) FROM penchant_events").fetchone() == (3,)
        with pytest.raises(StorageError, match="vacuum"):
            store.forget("u")
        assert store.facts().events == 0, "deleted all the same"
        reader.execute("COMMIT")
        reader.close()
        store.vacuum()


@pytest.mark.parametrize("own", [True, False], ids=["a store each", "one store"])
def test_threads_lose_nothing(path, own):
    with SQLiteStore(path) as shared:
        write = partial(_written, shared, path if own else None)
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(write, range(4))) == 4 * 10 * 6
        users = list(shared.users())
        before = shared.states(users, APPLY.space)
        assert sum(state.version for state in before.values()) == 240
        shared.replay(APPLY)
        assert shared.states(users, APPLY.space) == before


def _written(shared, path, number):
    store = shared if path is None else SQLiteStore(path)
    accepted = 0
    for start in range(0, 50, 5):
        common = Event(f"shared-{number}-{start}", "shared", 1, 1, float(start))
        accepted += store.append([*events(5, start, f"own{number}"), common], apply=APPLY).accepted
    if path is not None:
        store.close()
    return accepted


FORKING = """
import os, sys
from penchant.dynamics.events import Event, SQLiteStore
store = SQLiteStore(sys.argv[1])
store.append([Event("parent", "u", 1, 1, 0.0)])
child = os.fork()
if child == 0:
    store.append([Event("child", "u", 1, 1, 1.0)])
    store.close()
    os._exit(0)
_, status = os.waitpid(child, 0)
store.append([Event("again", "u", 1, 1, 2.0)])
assert [e.id for _, e in store.events()] == ["parent", "child", "again"], "both are there"
sys.exit(status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_forked_process_has_connections_of_its_own(path):
    done = subprocess.run([sys.executable, "-c", FORKING, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_older_format_is_brought_to_this_one_when_asked(path, monkeypatch):
    with SQLiteStore(path) as store:
        store.append(events(3), apply=APPLY)
    monkeypatch.setattr(_sql, "FORMAT", 3)
    steps = {1: ("ALTER TABLE penchant_users ADD COLUMN note TEXT",), 2: ("UPDATE penchant_users SET note = 'new'",)}
    monkeypatch.setattr(_sql, "MIGRATIONS", steps)
    with pytest.raises(StorageError, match="migrate=True"):
        SQLiteStore(path)
    with open_store(f"sqlite:///{path}", migrate=True) as store:
        assert store.facts().format == 3
        assert store.facts().events == 3
    SQLiteStore(path).close()


def test_a_migration_that_fails_changes_nothing(path, monkeypatch):
    SQLiteStore(path).close()
    with monkeypatch.context() as patch:
        patch.setattr(_sql, "FORMAT", 2)
        patch.setattr(_sql, "MIGRATIONS", {1: ("ALTER TABLE penchant_users ADD COLUMN note TEXT", "nonsense")})
        with pytest.raises(StorageError):
            SQLiteStore(path, migrate=True)
    with SQLiteStore(path) as store:
        assert store.facts().format == 1


def test_a_damaged_file_is_named(path):
    with SQLiteStore(path) as store:
        store.append(events(2000))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 8192))
    with pytest.raises(StorageError, match="damaged"), SQLiteStore(path) as store:
        list(store.events())


def test_an_interrupted_batch_leaves_nothing(path):
    def interrupted(*_):
        raise KeyboardInterrupt

    with SQLiteStore(path) as store:
        with pytest.raises(KeyboardInterrupt):
            store.append(events(3), apply=Apply("s", interrupted))
        assert store.facts().events == 0
        assert store.append(events(3), apply=APPLY).accepted == 3


def test_a_filter_that_gives_no_bytes_is_named(path):
    with SQLiteStore(path) as store, pytest.raises(ConfigError, match="bytes expected"):
        store.append(events(1), apply=Apply("s", lambda *_: "text"))


def test_times_that_cannot_be_compacted_to(path):
    with SQLiteStore(path, clock=lambda: 100.0) as store:
        for before in (101.0, float("nan"), float("-inf")):
            with pytest.raises(ConfigError, match="has passed"):
                store.compact(before, APPLY)
        with pytest.raises(ConfigError, match="filter"):
            store.compact(1.0)
        with pytest.raises(ConfigError, match="one space"):
            store.purge(1.0, APPLY, APPLY)


def test_a_clock_that_jumps_refuses_or_takes_what_its_time_says(path):
    now = [1000.0]
    with SQLiteStore(path, clock=lambda: now[0]) as store:
        now[0] = 10.0  # back
        with pytest.raises(DataError, match="in the future"):
            store.append([Event("e", "u", 1, 1, 999.0)])
        now[0] = 1e9  # far ahead
        assert store.append([Event("e", "u", 1, 1, 999.0)]).accepted == 1


def test_exports_that_no_column_can_hold(path, tmp_path):
    with SQLiteStore(path) as store:
        store.export(tmp_path / "empty.parquet")
        assert pl.read_parquet(tmp_path / "empty.parquet").shape == (0, 5)
        store.append([Event("a", "u", 1, 1, 0.0), Event("b", "u", "1", 1, 0.0)])
        with pytest.raises(DataError, match="mixed"):
            store.export(tmp_path / "mixed.parquet")
    with SQLiteStore(tmp_path / "empty.db") as store, pytest.raises(StorageError, match="cannot be written"):
        store.export(tmp_path / "nowhere" / "events.parquet")
    assert not (tmp_path / "mixed.parquet").exists()


def test_contexts_come_back_as_they_were(path):
    context = {"place": "café", "n": 3, "x": 0.1, "yes": True, "nothing": None}
    with SQLiteStore(path) as store:
        store.append([Event("e", "u", "i", 1, 0.0, context=context)])
        assert json.dumps(next(store.events()).event.context, sort_keys=True) == json.dumps(context, sort_keys=True)
