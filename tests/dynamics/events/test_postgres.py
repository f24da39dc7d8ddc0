"""What PostgreSQL alone can do wrong; the laws of every store are in tests/contracts/test_stores.py."""

import sys
import threading
import time
from dataclasses import replace

import pytest

from penchant.dynamics.events import Event, PostgresStore, StoreOptions
from penchant.dynamics.events.postgres import shown
from penchant.errors import ConfigError, NewerFormatError, StorageError
from penchant.testing.servers import PostgresServer
from penchant.testing.stores import chain

psycopg = pytest.importorskip("psycopg")
APPLY = chain()


def events(n, start=0, user="u"):
    return [Event(f"{user}{start + j}", user, j, j % 2, float(start + j)) for j in range(n)]


def test_writers_of_other_users_and_of_the_same_ones_lose_nothing(store_url):
    url = store_url("postgresql")
    PostgresStore(url).close()
    failed = []

    def write(number):
        try:
            with PostgresStore(url) as store:
                for start in range(0, 60, 5):
                    both = [
                        *events(5, start, f"own{number}"),
                        Event(f"s{number}-{start}", "shared", 1, 1, float(start)),
                    ]
                    store.append(both, apply=APPLY)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with PostgresStore(url) as store:
        assert store.facts().events == 4 * 12 * 6
        users = ["shared", *(f"own{number}" for number in range(4))]
        before = store.states(users, APPLY.space)
        store.replay(APPLY)
        assert store.states(users, APPLY.space) == before


def test_a_lost_server_is_said_and_the_next_call_connects_again(postgres):
    with PostgresServer() as server:
        store = PostgresStore(server.fresh())
        store.append(events(3), apply=APPLY)
        server.kill()
        with pytest.raises(StorageError):
            store.append(events(3, 10), apply=APPLY)
        server.start()
        done = store.append(events(3, 10), apply=APPLY)
        assert done.accepted + len(done.duplicates) == 3
        assert store.facts().events == 6
        store.close()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://anna:s3cret@db:5433/shop", "postgresql://anna@db:5433/shop"),
        ("postgres://db/shop?password=s3cret", "postgresql://db/shop"),
        ("postgresql:///shop", "postgresql://localhost/shop"),
        ("postgresql://anna:s3@cret@db/shop", "postgresql://…"),
        ("postgresql://anna:12/s3cret@db/shop", "postgresql://…"),
        ("postgresql://anna:12#s3cret@db/shop", "postgresql://…"),
        ("postgresql://anna:s3:cret", "postgresql://…"),
    ],
)
def test_names_hold_no_password(url, name):
    assert shown(url) == name


@pytest.mark.parametrize(
    "url",
    ["postgresql://anna:s3%40cret@db/x", "postgresql://anna:s3@cret@db/x", "postgresql://anna@db/x?password=s3%40cret"],
)
def test_what_the_driver_says_is_told_without_the_password(url, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("no host 'cret@db'; tried s3@cret, s3%40cret")

    monkeypatch.setattr(psycopg, "connect", refuse)
    with pytest.raises(StorageError, match="cannot be reached") as found:
        PostgresStore(url)
    assert "s3@cret" not in str(found.value)
    assert "s3%40cret" not in str(found.value)
    assert "cret@db" not in str(found.value) or url.count("@") == 1
    assert found.value.__suppress_context__


def test_a_url_that_is_none_and_a_driver_that_is_missing_are_said(monkeypatch):
    with pytest.raises(ConfigError, match="no URL"):
        PostgresStore("postgresql://localhost/x?nonsense=1")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"penchant\[postgres\]"):
        PostgresStore("postgresql://localhost/x")


@pytest.fixture
def store(store_url):
    with PostgresStore(store_url("postgresql"), options=StoreOptions(timeout=0.05)) as found:
        found.append(events(3), apply=APPLY)
        yield found


@pytest.fixture
def aside(store):
    """A connection of another program to the same tables."""
    with psycopg.connect(store._url, autocommit=True) as connection:
        yield connection


def cut_off(connection):
    connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'penchant'")


def test_an_idle_connection_that_was_lost_is_made_again_unseen(store, aside):
    before = store.states(["u"], APPLY.space)
    cut_off(aside)
    assert store.states(["u"], APPLY.space) == before
    assert store.append(events(3, 3), apply=APPLY).accepted == 3
    cut_off(aside)
    assert [event.id for _, event in store.events()] == [f"u{n}" for n in range(6)]


def test_a_connection_lost_in_a_transaction_undoes_it_and_it_runs_again(store, aside):
    calls = []

    def step(user, data, some):
        calls.append(len(some))
        if len(calls) == 1:
            cut_off(aside)
        return APPLY.step(user, data, some)

    done = store.append(events(2, 3), apply=replace(APPLY, step=step))
    assert (done.accepted, done.duplicates, calls) == (2, (), [2, 2])
    after = store.states(["u"], APPLY.space)
    store.replay(APPLY)
    assert store.states(["u"], APPLY.space) == after == done.states


def test_of_a_connection_lost_while_it_commits_it_says_that_nothing_is_known(store, aside):
    aside.execute("""CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$""")
    aside.execute("""CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON penchant_events
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut()""")
    with pytest.raises(StorageError, match="not known: send it again"):
        store.append(events(2, 3), apply=APPLY)
    aside.execute("DROP TRIGGER cut ON penchant_events")
    assert store.append(events(2, 3), apply=APPLY).accepted == 2


@pytest.mark.parametrize("seconds", [0.05, 0.0])
def test_another_writer_is_waited_for_so_long_and_then_named(store, aside, seconds):
    with PostgresStore(store._url, options=StoreOptions(timeout=seconds)) as hurried, aside.transaction():
        aside.execute("SELECT * FROM penchant_users FOR UPDATE")
        with pytest.raises(StorageError, match="another writer"):
            hurried.append(events(1, 9), apply=APPLY)
        assert hurried.append(events(1, 9, "another")).accepted == 1, "other users are not held"
    assert store.append(events(1, 9), apply=APPLY).accepted == 1


@pytest.mark.parametrize(("version", "error"), [(999, NewerFormatError), (0, StorageError)])
def test_tables_of_another_format_are_refused(store, aside, version, error):
    aside.execute("UPDATE penchant_meta SET value = %s WHERE name = 'format'", [version])
    with pytest.raises(error, match=f"format {version}"):
        PostgresStore(store._url)


def test_a_server_that_does_not_flush_is_refused(store, aside):
    def set_to(value):
        aside.execute(f"ALTER SYSTEM SET fsync = {value}")
        aside.execute("SELECT pg_reload_conf()")
        while aside.execute("SELECT current_setting('fsync')").fetchone() != (value,):
            time.sleep(0.01)

    set_to("off")
    try:
        with pytest.raises(StorageError, match="flush"):
            PostgresStore(store._url)
    finally:
        set_to("on")


def test_who_is_forgotten_is_in_no_byte_of_the_servers_files_but_its_log_of_writes(store, aside, postgres):
    def found():
        aside.execute("CHECKPOINT")
        files = (file for file in postgres.data.rglob("*") if file.is_file() and "pg_wal" not in file.parts)
        return any(b"someone-secret" in file.read_bytes() for file in files)

    store.append(events(300, user="someone-secret"), apply=APPLY)
    store.append([Event("c", 1, "tea", 1, 5.0, context={"with": "someone-secret"})], apply=APPLY)
    aside.execute("ANALYZE")
    assert found()
    assert store.forget("someone-secret", 1).events == 301
    assert not found()
    assert store.facts().events == 3


def test_ids_that_no_text_can_be_are_of_nobody(store):
    for name in ("a\0b", "\ud800"):
        assert store.states([name], APPLY.space) == {}
        assert list(store.events(name)) == []
        assert store.forget(name).users == 0
