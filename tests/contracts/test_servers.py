"""A server for tests starts, answers, survives being killed, and leaves nothing behind."""

import signal
import subprocess
import sys
import time
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


OWNER = """
import sys, time
from penchant.testing.servers import PostgresServer
with PostgresServer() as server:
    print(server.data, flush=True)
    time.sleep(600)
"""


def runs(pid):
    """Is there such a process? One that has ended and whom nobody has asked how has no words left."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_is_gone_when_its_owner_is_killed(postgres, number):
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:
        data = Path(owner.stdout.readline().strip())
        pid = int((data / "postmaster.pid").read_text().split()[0])
        owner.send_signal(number)
        owner.wait(20)
    end = time.monotonic() + 60
    while (data.parent.exists() or runs(pid)) and time.monotonic() < end:
        time.sleep(0.02)
    assert not data.parent.exists()
    assert not runs(pid)


def test_without_postgresql_it_says_so(monkeypatch):
    monkeypatch.setattr(servers, "find_postgres", lambda: None)
    with pytest.raises(ConfigError, match="not installed"):
        servers.PostgresServer()


def test_programs_are_found_or_not():
    found = servers.find_postgres()
    assert found is None or (Path(found) / "initdb").is_file()
