"""A PostgreSQL server of one's own, for tests and benchmarks: in a temporary folder, on a socket, gone afterwards.

Gone also where its owner was killed: a watcher holds the other end of a pipe, and stops the server when that closes.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Self
from urllib.parse import quote

from penchant.errors import ConfigError, StorageError

__all__ = ["PostgresServer", "find_postgres"]

_PATIENCE = 60.0
_USER = "penchant"
_WATCH = """
trap '' INT TERM HUP
read -r _
[ -d "$1" ] || exit 0
for _ in 1 2 3; do
    pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
    sleep 0.3
done
rm -rf "$1"
"""
"""What the watcher does once its owner is gone: stops the server, also one that is starting, and removes the folder."""


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's programs, the latest where there are several; None: not installed."""
    places = [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    places += sorted(versions, key=lambda place: float(place.parent.name), reverse=True)
    return next((place for place in places if (place / "initdb").is_file() and (place / "postgres").is_file()), None)


class PostgresServer:
    """Starts when entered, stops and is deleted when left; flushes to disk as a real one does.

    PostgreSQL refuses to run as root: there, it runs as the user ``postgres``, or else ``nobody``.

    Raises:
        ConfigError: PostgreSQL is not installed.
        StorageError: it does not start; with the end of its log.

    Example (where PostgreSQL is installed):
        with PostgresServer() as server, open_store(server.fresh()) as store: ...
    """

    def __init__(self) -> None:
        found = find_postgres()
        if found is None:
            raise ConfigError("PostgreSQL is not installed: initdb and postgres are needed")
        self._programs, self._names = found, count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="penchant-pg-"))
        self._as: tuple[str | None, str | None] = _other_user() if os.geteuid() == 0 else (None, None)
        try:
            if self._as[0] is not None:
                shutil.chown(self._folder, self._as[0], self._as[1])
            self._watch()
            self._initialise()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # stops at once; its files are not needed any more
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE)
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._watcher is not None:
            self._watcher.communicate()

    @property
    def data(self) -> Path:
        """Where the database's files lie."""
        return self._folder / "data"

    @property
    def url(self) -> str:
        """Of the server's first database."""
        return f"postgresql://{_USER}@/postgres?host={quote(str(self._folder), safe='')}"

    def fresh(self) -> str:
        """The URL of an empty place in the database; needs psycopg."""
        import psycopg
        from psycopg import sql

        name = f"place_{os.getpid()}_{next(self._names)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        return f"{self.url}&options=-csearch_path%3D{name}"

    def start(self) -> None:
        """Start it, again after `kill`; returns when it answers."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            self._process = self._launch()
            while self._process.poll() is None and time.monotonic() < end:
                if self._answers():
                    return
                time.sleep(0.02)
            time.sleep(0.1)  # what is left of a killed server holds its memory for a moment
        raise StorageError(f"PostgreSQL does not start:\n{self._log().read_text()[-2000:]}")

    def kill(self) -> None:
        """``kill -9`` of the server and all its processes: what a power cut leaves behind, but for the disk's cache."""
        if self._process is None:
            return
        children = _children(self._process.pid)
        self._process.kill()
        self._process.wait()
        self._process = None
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def _watch(self) -> None:
        user, group = self._as
        self._watcher = subprocess.Popen(
            ["sh", "-c", _WATCH, "watcher", str(self._folder)], stdin=subprocess.PIPE, cwd="/", start_new_session=True,
            user=user, group=group,
        )  # fmt: skip

    def _initialise(self) -> None:
        words = ["-D", str(self.data), "-U", _USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        user, group = self._as
        done = subprocess.run(
            [str(self._programs / "initdb"), *words], capture_output=True, text=True, check=False, cwd="/",
            user=user, group=group,
        )  # fmt: skip
        if done.returncode:
            raise StorageError(f"initdb failed:\n{done.stderr[-2000:]}")

    def _launch(self) -> "subprocess.Popen[bytes]":
        words = ["-D", str(self.data), "-k", str(self._folder), "-h", "", "-c", "max_wal_size=256MB"]
        user, group = self._as
        with self._log().open("ab") as log:
            return subprocess.Popen(
                [str(self._programs / "postgres"), *words], stdout=log, stderr=log, cwd="/", start_new_session=True,
                user=user, group=group,
            )  # fmt: skip

    def _answers(self) -> bool:
        words = ["-q", "-h", str(self._folder)]
        return subprocess.run([self._programs / "pg_isready", *words], check=False, cwd="/").returncode == 0

    def _log(self) -> Path:
        return self._folder / "log"


def _other_user() -> tuple[str, str]:
    import grp
    import pwd  # neither is there on Windows, where nobody is root

    found = {entry.pw_name: entry.pw_gid for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in found:
            return name, grp.getgrgid(found[name]).gr_name
    raise ConfigError("PostgreSQL does not run as root, and there is no user 'postgres' nor 'nobody'")


def _children(pid: int) -> list[int]:
    """Of a process, where Linux tells."""
    file = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [int(word) for word in file.read_text().split()]
    except OSError:
        return []
