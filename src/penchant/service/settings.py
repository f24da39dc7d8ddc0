"""What an operator can set, and which of several settings wins: flags, then the environment, then a file."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from penchant._config import build, plain
from penchant.errors import ConfigError

__all__ = ["PREFIX", "ServiceSettings", "read_settings"]

PREFIX = "PENCHANT_"
"""Of environment variables: ``PENCHANT_PORT`` is ``port``."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """How the service runs.

    Raises: ConfigError: a value outside its range, or an address that others reach without keys.
    """

    model: str = ""
    """The model directory that is served."""
    second: str | None = None
    """A second model directory, which answers a share of the traffic or is compared in the shadow."""
    share: float = 0.0
    """Share of users whom the second model answers, in [0, 1]; who they are stays the same."""
    shadow: bool = False
    """The second model is asked too and compared; its answers are counted and not given."""
    models: str | None = None
    """Folder of model directories that may be switched to while serving; without it the model stays as it is."""
    maps: str | None = None
    """Folder where drawn maps are kept; without it .maps in the models folder, or penchant's cache."""
    store: str | None = None
    """Where events and interest points are kept: sqlite:///events.db or postgresql://…"""
    host: str = "127.0.0.1"
    """Address to listen on; any other than loopback asks for keys."""
    port: int = 8000
    """Port to listen on; 0 takes a free one."""
    workers: int = 1
    """Processes, each with its own copy of the model."""
    threads: int = 1
    """Threads of a process that compute; the event loop has its own."""
    keys: str | None = None
    """File of API keys, as `penchant keys` writes it; without it everyone on this machine may do everything."""
    audit: str | None = None
    """File to which administrators' actions are appended, a JSON line each; without it they are in the log."""
    batch: int = 64
    """Questions that are computed together at most."""
    gather_ms: float = 8.0
    """How long a question waits for others, at most, while these keep coming."""
    queue: int = 256
    """Questions of a kind that may wait; the next is refused with 503."""
    patience_s: float = 0.2
    """A question that would wait longer than this is refused with 503 at once."""
    deadline_s: float = 10.0
    """A request that is not answered by then gets 504 (or 408, where its body had not come)."""
    drain_s: float = 20.0
    """How long requests may still take once the process was told to end."""
    body_limit: int = 1 << 20
    """Bytes of a request body at most."""
    n_limit: int = 1000
    """The most that ``n`` may ask for, and how many examples a portrait may have."""
    rows_limit: int = 1000
    """Pairs, events or candidates of one request at most."""
    rate: float | None = None
    """Requests a second that a key may make where its record says nothing; None: any number."""
    cors: tuple[str, ...] = ()
    """Origins whose pages may ask from a browser; none by default."""
    open_metrics: bool = False
    """/metrics answers anyone who reaches the port, not loopback and keys alone."""
    explorer: bool = True
    """Pages for people at /: users, items, the map, the model; they ask for a key where there are keys."""
    otlp: str | None = None
    """Where spans are sent: the URL of an OpenTelemetry collector (OTLP over HTTP); none are made without it."""
    log_level: str = "info"
    """debug, info, warning or error."""

    def __post_init__(self) -> None:
        positive: tuple[str, ...] = ("workers", "threads", "batch", "queue", "n_limit", "rows_limit", "body_limit")
        positive += ("patience_s", "deadline_s", "drain_s")
        for name in positive:
            if not 0 < getattr(self, name) < float("inf"):
                raise ConfigError(f"{name} = {getattr(self, name)}: above 0 expected")
        if not 0 <= self.gather_ms <= 1000:
            raise ConfigError(f"gather_ms = {self.gather_ms}: between 0 and 1000 expected")
        if not 0 <= self.share <= 1:
            raise ConfigError(f"share = {self.share}: between 0 and 1 expected")
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"port = {self.port}: between 0 and 65535 expected")
        if self.rate is not None and not 0 < self.rate < float("inf"):
            raise ConfigError(f"rate = {self.rate}: above 0 expected, or nothing for any number")
        if self.log_level not in _LEVELS:
            raise ConfigError(f"log_level = {self.log_level!r}: one of {', '.join(_LEVELS)} expected")
        if self.otlp is not None and not self.otlp.startswith(("http://", "https://")):
            raise ConfigError("otlp: http://host:4318 or https://… expected")
        if (self.share or self.shadow) and self.second is None:
            raise ConfigError("share and shadow need a second model: give second")
        self._check_exposed()

    def _check_exposed(self) -> None:
        """Others may reach the service only with keys."""
        if self.keys is None and not self.loopback:
            raise ConfigError(
                f"host = {self.host!r} is reached by others, and there are no keys: make one with "
                "`penchant keys add` and give --keys, or listen on 127.0.0.1"
            )
        if "*" in self.cors:
            raise ConfigError("cors = '*': name the origins, https://example.org")

    @property
    def loopback(self) -> bool:
        """Is it reached from this machine alone?"""
        return self.host in _LOOPBACK

    def shown(self) -> dict[str, Any]:
        """The settings as plain values, without passwords."""
        values: dict[str, Any] = plain(self)
        for name in ("store", "otlp"):
            if values[name] is not None:
                values[name] = without_password(values[name])
        return values


def without_password(url: str) -> str:
    """A URL whose user and password are left out."""
    scheme, there, rest = url.partition("://")
    return f"{scheme}://…@{rest.rpartition('@')[2]}" if there and "@" in rest else url


def read_settings(
    flags: Mapping[str, Any], environ: Mapping[str, str] | None = None, file: Path | None = None
) -> ServiceSettings:
    """The settings of a process: a flag wins over the environment, that over the file, that over the default.

    Arguments:
        flags: by name; None where it was not given.
        environ: the process's own where it is None; variables are called `PREFIX` + the name in capitals.
        file: TOML, with the names at the top.

    Raises:
        ConfigError: a file that cannot be read, an unknown name or a wrong value.
    """
    given: dict[str, Any] = {}
    if file is not None:
        try:
            given |= tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"--config {file}: cannot be read as TOML ({error})") from error
    given |= _from_environment(os.environ if environ is None else environ)
    given |= {name: value for name, value in flags.items() if value is not None}
    return build(ServiceSettings, given, "settings")


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Variables of ours that are set and not empty; lists have commas."""
    found: dict[str, Any] = {}
    for field in fields(ServiceSettings):
        text = environ.get(f"{PREFIX}{field.name.upper()}")
        if text:
            found[field.name] = tuple(one.strip() for one in text.split(",")) if field.name == "cors" else text
    return found
