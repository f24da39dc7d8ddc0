import pytest

from penchant.dynamics.events import PostgresStore, SQLiteStore, StoreOptions, open_store
from penchant.errors import ConfigError, StorageError


def test_urls_open_their_kinds(tmp_path, monkeypatch):
    with open_store(f"sqlite:///{tmp_path}/a.db", options=StoreOptions(max_batch=3)) as store:
        assert isinstance(store, SQLiteStore)
        assert store.options.max_batch == 3
    monkeypatch.chdir(tmp_path)
    with open_store("sqlite:///b.db"):
        assert (tmp_path / "b.db").is_file()


@pytest.mark.parametrize("url", ["events.db", "mysql://x/y", "sqlite://events.db", "sqlite:///", "sqlite:///:memory:"])
def test_others_are_refused_with_what_is_expected(url):
    with pytest.raises(ConfigError, match=r"expected|file"):
        open_store(url)


def test_a_password_is_never_shown():
    pytest.importorskip("psycopg")
    with pytest.raises((StorageError, ConfigError)) as found:
        open_store("postgresql://anna:s3cret-word@127.0.0.1:1/nothing?connect_timeout=1")
    assert "s3cret" not in str(found.value)
    assert "127.0.0.1" in str(found.value)
    assert found.value.__cause__ is None


def test_a_postgres_store_says_which_it_is(store_url):
    pytest.importorskip("psycopg")
    with open_store(store_url("postgresql")) as store:
        assert isinstance(store, PostgresStore)
        assert "PostgresStore" in repr(store)
