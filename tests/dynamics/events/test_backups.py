"""Copies are whole while others write, are held against damage, and never replace a store."""

import sqlite3
import threading

import pytest

from penchant.dynamics.events import SQLiteStore, backup, restore
from penchant.dynamics.events.contract import Event
from penchant.errors import ConfigError, NewerFormatError, StorageError
from penchant.testing.stores import chain

APPLY = chain()


def events(n, start=0):
    return [Event(f"e{start + j}", f"u{j % 7}", j, j % 2, float(start + j)) for j in range(n)]


@pytest.fixture
def url(tmp_path):
    where = tmp_path / "events.db"
    with SQLiteStore(where) as store:
        store.append(events(500), apply=APPLY)
    return f"sqlite:///{where}"


def test_a_copy_holds_what_the_store_held(url, tmp_path):
    copy, back = tmp_path / "copy.db", tmp_path / "back.db"
    copy.write_text("an older copy")
    assert backup(url, copy).events == 500
    assert restore(copy, f"sqlite:///{back}").events == 500
    with SQLiteStore(tmp_path / "events.db") as store, SQLiteStore(back) as other:
        assert list(other.events()) == list(store.events())
        users = list(store.users())
        assert other.states(users, APPLY.space) == store.states(users, APPLY.space)
        assert other.append([*events(500)[-1:], *events(2, 500)], apply=APPLY).duplicates == ("e499",)
    assert {file.name for file in tmp_path.iterdir()} == {"events.db", "copy.db", "back.db"}


def test_a_copy_made_while_others_write_has_whole_batches(url, tmp_path):
    ended = threading.Event()

    def write():
        with SQLiteStore(tmp_path / "events.db") as store:
            start = 500
            while not ended.is_set():
                store.append(events(50, start), apply=APPLY)
                start += 50

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(4):
            copy = tmp_path / f"copy{number}.db"
            assert backup(url, copy).events % 50 == 0
            with SQLiteStore(copy) as store:
                states = store.states(list(store.users()), APPLY.space)
                store.replay(APPLY)
                assert store.states(list(store.users()), APPLY.space) == states
    finally:
        ended.set()
        writer.join()


def test_a_store_that_is_there_is_not_replaced(url, tmp_path):
    backup(url, tmp_path / "copy.db")
    with pytest.raises(ConfigError, match="would be lost"):
        restore(tmp_path / "copy.db", url)
    (tmp_path / "new.db-wal").write_bytes(b"left behind")
    with pytest.raises(ConfigError, match="would be lost"):
        restore(tmp_path / "copy.db", f"sqlite:///{tmp_path / 'new.db'}")


def test_copies_that_are_none(url, tmp_path):
    target = f"sqlite:///{tmp_path / 'new.db'}"
    copy = tmp_path / "copy.db"
    backup(url, copy)
    with pytest.raises(StorageError, match="no such file"):
        restore(tmp_path / "nowhere.db", target)
    with sqlite3.connect(copy) as connection:
        connection.execute("UPDATE penchant_meta SET value = 999 WHERE name = 'format'")
    connection.close()
    with pytest.raises(NewerFormatError):
        restore(copy, target)
    with copy.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 20_000)
    with pytest.raises(StorageError, match="damaged"):
        restore(copy, target)
    copy.write_bytes(b"no database at all" * 300)
    with pytest.raises(StorageError, match="no SQLite database"):
        restore(copy, target)
    assert not (tmp_path / "new.db").exists()
    with pytest.raises(StorageError):
        backup(url, tmp_path / "nowhere" / "copy.db")
    assert {file.name for file in tmp_path.iterdir()} == {"events.db", "copy.db"}


@pytest.mark.parametrize(("url", "said"), [("postgresql://db/x", "pg_dump"), ("events.db", "sqlite:///FILE")])
def test_stores_that_are_not_in_a_file(url, said, tmp_path):
    with pytest.raises(ConfigError, match=said):
        backup(url, tmp_path / "copy.db")
