"""A server for tests starts, answers, survives being killed, and leaves nothing behind."""

from pathlib import Path

import pytest

from penchant.errors import ConfigError
from penchant.testing import servers


def test_a_server_lives_in_its_folder_and_survives_being_killed(postgres):
    import psycopg

    url = postgres.fresh()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (7)")
    postgres.kill()
    postgres.start()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]
    assert postgres.fresh() != url


def test_a_server_is_gone_afterwards(postgres):
    with servers.PostgresServer() as other:
        folder = other.data.parent
        assert folder.is_dir()
    assert not folder.exists()


def test_without_postgresql_it_says_so(monkeypatch):
    monkeypatch.setattr(servers, "find_postgres", lambda: None)
    with pytest.raises(ConfigError, match="not installed"):
        servers.PostgresServer()


def test_programs_are_found_or_not():
    found = servers.find_postgres()
    assert found is None or (Path(found) / "initdb").is_file()
