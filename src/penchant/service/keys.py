"""API keys: a file of records that hold a hash, never the key itself.

A key is ``<id>.<secret>``; the secret has 256 random bits, so that its SHA-256 cannot be turned back by guessing and no
slow hash is needed. The id finds the record; the hashes are compared in constant time. The file is read again when it
has changed, so that keys are added, rotated and revoked while serving.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from penchant._config import build, plain
from penchant.errors import ConfigError, StorageError
from penchant.storage import write_atomic

__all__ = ["SCOPES", "KeyFile", "KeyRecord"]

SCOPES = ("read", "events", "admin")
"""What a key may do: ask questions; send events; change what is served, and forget users."""

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LOOK_EVERY_S = 1.0
_NOBODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """One key, without its secret.

    Raises: ConfigError: an id, scope, rate, hash or date that is none.
    """

    id: str
    """Names the key, in logs too: lower-case letters, digits, hyphens."""
    sha256: str
    """Of the secret, in hexadecimal."""
    scopes: tuple[str, ...]
    """Of `SCOPES`."""
    rate: float | None = None
    """Requests a second; None: the service's own rate."""
    expires: str | None = None
    """ISO 8601, with a zone or in UTC; None: never."""
    created: str | None = None
    """ISO 8601."""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ConfigError(f"key {self.id!r}: an id of lower-case letters, digits and hyphens expected")
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise ConfigError(f"key {self.id}: a SHA-256 in hexadecimal expected")
        unknown = [scope for scope in self.scopes if scope not in SCOPES]
        if unknown or not self.scopes:
            raise ConfigError(f"key {self.id}: scopes {unknown}: some of {', '.join(SCOPES)} expected")
        if self.rate is not None and not 0 < self.rate < float("inf"):
            raise ConfigError(f"key {self.id}: rate = {self.rate}: above 0 expected")
        if self.expires is not None:
            self._until()

    def expired(self, now: float) -> bool:
        """Is it too old at this time (seconds since 1970)?"""
        return self.expires is not None and now >= self._until()

    def _until(self) -> float:
        try:
            when = datetime.fromisoformat(self.expires or "")
        except ValueError as error:
            raise ConfigError(f"key {self.id}: expires = {self.expires!r}: a date of ISO 8601 expected") from error
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


class KeyFile:
    """The records of a file, and who a key belongs to.

    Raises: StorageError: a file that cannot be read, or holds no records.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path, self._clock = path, clock
        self._records: dict[str, KeyRecord] = {}
        self._seen: tuple[int, int, int] | None = None
        self._looked = -_LOOK_EVERY_S
        self.reload()

    @classmethod
    def create(cls, path: Path) -> "KeyFile":
        """The file at this place, made without records where there is none."""
        if not path.exists():
            _write(path, ())
        return cls(path)

    @property
    def records(self) -> tuple[KeyRecord, ...]:
        """All records, by id."""
        return tuple(self._records[name] for name in sorted(self._records))

    def reload(self) -> None:
        """Read the file again.

        Raises: StorageError: as of the class; the records are as they were.
        """
        try:
            state, text = _state(self.path), self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StorageError(f"{self.path}: keys cannot be read ({error})") from error
        self._records, self._seen = _parsed(text, self.path), state

    def find(self, key: str) -> KeyRecord | None:
        """The record of a key; None where it is unknown, revoked, altered or expired."""
        self._look()
        name, _, secret = key.partition(".")
        record = self._records.get(name)
        given = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
        same = hmac.compare_digest(given, _NOBODY if record is None else record.sha256)
        return record if record is not None and same and secret and not record.expired(self._clock()) else None

    def add(
        self, name: str, scopes: Sequence[str], *, rate: float | None = None, expires: str | None = None
    ) -> tuple[KeyRecord, str]:
        """A new key: its record, which is kept, and the key, which is shown this once.

        Raises: ConfigError: an id that is taken or none, an unknown scope.
        """
        if name in self._records:
            raise ConfigError(f"key {name!r} is there: revoke it first, or give another id")
        secret = secrets.token_urlsafe(32)
        record = KeyRecord(
            id=name, sha256=hashlib.sha256(secret.encode()).hexdigest(), scopes=tuple(scopes), rate=rate,
            expires=expires, created=datetime.now(UTC).isoformat(timespec="seconds"),
        )  # fmt: skip
        self._put((*self._records.values(), record))
        return record, f"{name}.{secret}"

    def revoke(self, name: str) -> None:
        """Take a key away.

        Raises: ConfigError: there is none of that id.
        """
        if name not in self._records:
            raise ConfigError(f"there is no key {name!r}: one of {', '.join(sorted(self._records)) or 'none'} expected")
        self._put(record for record in self._records.values() if record.id != name)

    def _put(self, records: Iterable[KeyRecord]) -> None:
        _write(self.path, records)
        self.reload()

    def _look(self) -> None:
        """Read the file again where it has changed, at most once a second; a broken one leaves the records alone."""
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S:
            return
        self._looked = now
        try:
            if _state(self.path) != self._seen:
                self.reload()
        except (OSError, StorageError):
            return


def _state(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _write(path: Path, records: Iterable[KeyRecord]) -> None:
    text = json.dumps({"keys": [plain(record) for record in records]}, indent=1)
    write_atomic(path, (text + "\n").encode())
    os.chmod(path, 0o600)


def _parsed(text: str, path: Path) -> dict[str, KeyRecord]:
    try:
        listed: list[dict[str, Any]] = json.loads(text)["keys"]
        records = [build(KeyRecord, one, str(path)) for one in listed]
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{path}: no file of keys ({error})") from error
    return {record.id: record for record in records}
