"""Several processes on one socket: watched, replaced when they die or hang, ended together.

    parent ──┬── fork server    has imported most of what workers need, and does nothing else
             │    ├── worker    serves; its event loop sends a beat each second
             │    └── worker
             └── the socket they share

A worker that was killed is replaced by a fork, in little more than its model takes to load. One that cannot start is
tried again, less and less often, while the others serve on; where none has ever served, the fault is not of the kind
that passes, and the parent ends with it. Workers whose parent is gone finish what has begun, and end.
"""

import contextlib
import logging
import multiprocessing
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from penchant.errors import PenchantError, StorageError
from penchant.service.settings import ServiceSettings

__all__ = ["Beat", "Workers"]

_METHOD: Literal["forkserver", "spawn"] = (
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
)
_LOOK_S = 0.2
"""How long the parent waits for something to happen before it looks again."""
_HUNG_S = 30.0
"""A worker whose event loop does not turn for so long, or for twice the time it may take to end, is killed."""
_PAUSE_S = 0.25
_LONGEST_S = 10.0
"""Before a worker that could not start is tried again: twice as long each time, up to this."""
_FAILED = 3
"""Exit code of a worker that could not start, and has said why."""

_log = logging.getLogger("penchant.service.workers")

Serve = Callable[[ServiceSettings, socket.socket, "Beat | None"], None]


class Beat:
    """A worker's end of the line to its parent."""

    def __init__(self, line: socket.socket) -> None:
        line.setblocking(False)
        self._line = line

    def __call__(self) -> bool:
        """Say that the event loop turns; is the parent still there?"""
        try:
            self._line.send(b".")
        except BlockingIOError:  # the parent has not listened for a while
            return True
        except OSError:
            return False
        return True


def _work(serve: Serve, settings: ServiceSettings, own: socket.socket, line: socket.socket) -> None:
    """What a worker does."""
    try:
        serve(settings, own, Beat(line))
    except PenchantError as error:
        _log.error("a worker cannot start: %s", error)
        sys.exit(_FAILED)


class _Worker:
    """A process, and its line to here."""

    def __init__(self, serve: Serve, settings: ServiceSettings, own: socket.socket) -> None:
        self.line, its = socket.socketpair()
        self.line.setblocking(False)
        with its:
            context: Any = multiprocessing.get_context(_METHOD)
            self.process: BaseProcess = context.Process(target=_work, args=(serve, settings, own, its))
            self.process.start()
        self.ready, self.heard = False, time.monotonic()

    def listen(self) -> bool:
        """Take the beats that have come; are they the first?"""
        before = self.ready
        with contextlib.suppress(BlockingIOError, ConnectionError):
            if self.line.recv(4096):
                self.ready, self.heard = True, time.monotonic()
        return self.ready and not before

    def hung(self, seconds: float) -> bool:
        """Has its event loop not turned for so long? One that has not begun may load a large model."""
        return self.ready and time.monotonic() - self.heard > seconds

    def close(self) -> None:
        """Let go of what is left of a process that has ended."""
        self.line.close()
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            from prometheus_client import multiprocess

            multiprocess.mark_process_dead(self.process.pid)  # what it counted stays, what it showed does not


class Workers:
    """The parent.

    Arguments:
        settings: `workers` of them.
        own: the bound socket.
        serve: what each does; ends at SIGTERM, and calls its `Beat` once a second.
        preload: modules that the fork server imports; none that starts threads.
    """

    def __init__(
        self, settings: ServiceSettings, own: socket.socket, serve: Serve, *, preload: tuple[str, ...] = ()
    ) -> None:
        self._settings, self._own, self._serve = settings, own, serve
        if _METHOD == "forkserver":
            multiprocessing.get_context(_METHOD).set_forkserver_preload(list(preload))
        self._workers: list[_Worker] = []
        self._ending = self._served = False
        self._failures, self._not_before = 0, 0.0

    def run(self) -> None:
        """Keep the workers going until SIGTERM or SIGINT.

        Raises: StorageError: none of them can start.
        """
        with self._told_to_end():
            try:
                while not self._ending:
                    self._fill()
                    self._wait()
                    self._look()
            finally:
                self._end()

    @contextlib.contextmanager
    def _told_to_end(self) -> Iterator[None]:
        def end(number: int, frame: Any) -> None:
            self._ending = True

        before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _fill(self) -> None:
        """Start what is missing."""
        while len(self._workers) < self._settings.workers and time.monotonic() >= self._not_before:
            worker = _Worker(self._serve, self._settings, self._own)
            self._workers.append(worker)
            _log.info("worker %d starts", worker.process.pid)

    def _wait(self) -> None:
        lines: list[Any] = [worker.line for worker in self._workers]
        select.select(lines, (), (), _LOOK_S)

    def _look(self) -> None:
        """Hear the beats; part with those that have ended."""
        for worker in list(self._workers):
            if worker.listen():
                self._served = True
                self._failures = 0
            if worker.hung(max(_HUNG_S, 2 * self._settings.drain_s)):  # one that ends beats no more
                _log.error("worker %d hangs and is killed", worker.process.pid)
                worker.process.kill()
                worker.process.join()
            if worker.process.exitcode is not None:
                self._part(worker)

    def _part(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.close()
        if self._ending:
            return
        _log.error("worker %d ended with %s", worker.process.pid, worker.process.exitcode)
        if not worker.ready:
            if not self._served:
                raise StorageError("the workers cannot start: what they have said says why")
            self._failures += 1
            self._not_before = time.monotonic() + min(_LONGEST_S, _PAUSE_S * 2**self._failures)

    def _end(self) -> None:
        """Let the workers finish what has begun, for as long as they may; then kill what is left."""
        self._ending = True
        for worker in self._workers:
            worker.process.terminate()
        end = time.monotonic() + self._settings.drain_s + 5
        for worker in self._workers:
            worker.process.join(max(0.0, end - time.monotonic()))
            if worker.process.exitcode is None:
                worker.process.kill()
                worker.process.join()
            worker.close()
        self._workers.clear()
