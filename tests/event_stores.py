"""Fixtures for tests that need an event store: SQLite in a folder of the test, PostgreSQL from a server of our own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penchant.testing.servers import PostgresServer, find_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server; without PostgreSQL a skip, or a failure where PENCHANT_REQUIRE_POSTGRES=1 (as in CI)."""
    if find_postgres() is None:
        if os.environ.get("PENCHANT_REQUIRE_POSTGRES") == "1":
            pytest.fail("PENCHANT_REQUIRE_POSTGRES=1, and PostgreSQL is not installed (apt-get install postgresql)")
        pytest.skip("PostgreSQL is not installed")
    with PostgresServer() as server:
        yield server


@pytest.fixture
def store_url(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Gives the URL of an empty store of a kind, "sqlite" or "postgresql"; the server starts when it is needed."""

    def url(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / 'events.db'}"
        return request.getfixturevalue("postgres").fresh()

    return url
