"""One connection, used by one thread at a time, made when it is first needed."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """A connection, as far as this file knows it."""

    def close(self) -> None:
        """Let go of it."""
        ...


C = TypeVar("C", bound=Closable)

_LEFT: list[Closable] = []
"""Connections of a parent process: kept here, for closing one would tell the database that the parent had gone."""


class Link(Generic[C]):
    """A connection that is opened again after it was lost or closed, and left to its parent after a fork."""

    def __init__(self, connect: Callable[[], C]) -> None:
        self._connect, self._lock, self._owner = connect, threading.RLock(), os.getpid()
        self._connection: C | None = None

    @contextmanager
    def use(self) -> Iterator[C]:
        """The connection, for this thread alone."""
        self._leave()
        with self._lock:
            if self._connection is None:
                self._connection = self._connect()
            yield self._connection

    def drop(self) -> None:
        """Close the connection; the next use opens another one."""
        self._leave()
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                with suppress(Exception):  # it may be what is broken
                    connection.close()

    def _leave(self) -> None:
        """After a fork: neither the parent's connection nor its lock, which one of its threads may hold, is ours."""
        if self._owner != os.getpid():
            _LEFT.extend([self._connection] if self._connection is not None else [])
            self._connection, self._lock, self._owner = None, threading.RLock(), os.getpid()
