"""Questions gathered into batches, computed off the event loop, and refused before too many of them wait.

While one batch is computed the next one fills; where nothing is computed, the first question waits ``gather_s`` for
others. What was given up meanwhile (its deadline passed, its caller left) is not computed.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, NamedTuple, TypeVar

from penchant.service.problems import Refused

__all__ = ["Batcher", "Desk"]

Q = TypeVar("Q")
A = TypeVar("A")

_SMOOTH = 0.2
"""Weight of the newest batch in what the next is expected to take."""


class Desk:
    """The threads of a process and all that waits for them.

    Arguments:
        threads: that compute.
        patience_s: a question that would wait longer is refused.
    """

    def __init__(self, *, threads: int, patience_s: float) -> None:
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="penchant")
        self.threads, self.patience_s = threads, patience_s
        self.batchers: list[Batcher[Any, Any]] = []
        self.refused = 0
        """Questions refused so far."""

    def expected_s(self) -> float:
        """How long a new question would wait, as far as is known."""
        return sum(one.expected_s for one in self.batchers) / self.threads

    @property
    def waiting(self) -> int:
        """Questions that wait or are computed."""
        return sum(one.pending for one in self.batchers)

    def admit(self, batcher: "Batcher[Any, Any]") -> None:
        """Let a question in.

        Raises: Refused: 503 with Retry-After, where too much waits: more than the batcher's queue holds, or so much
            that the question would wait too long. What nobody of its kind waits for is always let in.
        """
        if not batcher.pending:
            return
        expected = self.expected_s()
        if len(batcher.line) >= batcher.queue or expected > self.patience_s:
            self.refused += 1
            after = str(max(1, math.ceil(expected)))
            raise Refused(503, "Too many requests wait. Ask again a little later.", headers={"retry-after": after})

    def close(self) -> None:
        """Wait for what is computed, and end the threads."""
        self.pool.shutdown(wait=True, cancel_futures=True)


class _Waiting(NamedTuple):
    question: Any
    answer: "asyncio.Future[Any]"


class Batcher(Generic[Q, A]):
    """Questions of one kind.

    Arguments:
        compute: questions to answers, one for one, an error in the place of an answer that there is none of. Runs in a
            thread of the desk.
        most: questions of a batch.
        gather_s: how long the first question waits for others.
        queue: questions that may wait.
    """

    def __init__(
        self,
        desk: Desk,
        compute: Callable[[Sequence[Q]], Sequence[A | BaseException]],
        *,
        most: int = 1,
        gather_s: float = 0.0,
        queue: int = 256,
    ) -> None:
        self._desk, self._compute, self._most, self._gather_s, self.queue = desk, compute, most, gather_s, queue
        self.line: deque[_Waiting] = deque()
        self.batch_s = 0.0
        """Seconds that a batch took lately."""
        self._computing = self._batches = 0
        self._timer: asyncio.TimerHandle | None = None
        desk.batchers.append(self)

    @property
    def pending(self) -> int:
        """Questions that wait or are computed."""
        return len(self.line) + self._computing

    @property
    def expected_s(self) -> float:
        """Seconds of work that is left, as far as is known."""
        return (self._batches + math.ceil(len(self.line) / self._most)) * self.batch_s

    async def ask(self, question: Q) -> A:
        """The answer.

        Raises: Refused: too many wait. What the question itself raises.
        """
        self._desk.admit(self)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(question, loop.create_future())
        self.line.append(waiting)
        if self._batches < self._desk.threads:
            if len(self.line) >= self._most:
                self._start(loop)
            elif self._timer is None:
                self._timer = loop.call_later(self._gather_s, self._start, loop)
        return await waiting.answer

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch: list[_Waiting] = []
        while self.line and len(batch) < self._most:
            one = self.line.popleft()
            if not one.answer.done():
                batch.append(one)
        if not batch:
            return
        self._computing += len(batch)
        self._batches += 1
        done = loop.run_in_executor(self._desk.pool, self._run, [one.question for one in batch], loop.time)
        done.add_done_callback(lambda future: self._finish(loop, batch, future))

    def _run(self, questions: list[Q], now: Callable[[], float]) -> tuple[Sequence[A | BaseException], float]:
        began = now()
        return self._compute(questions), now() - began

    def _finish(self, loop: asyncio.AbstractEventLoop, batch: list[_Waiting], future: "asyncio.Future[Any]") -> None:
        self._computing -= len(batch)
        self._batches -= 1
        error: BaseException | None = asyncio.CancelledError() if future.cancelled() else future.exception()
        if error is None:
            answers, took = future.result()
            self.batch_s += (_SMOOTH if self.batch_s else 1.0) * (took - self.batch_s)
        else:
            answers = [error] * len(batch)
        for one, answer in zip(batch, answers, strict=True):
            if one.answer.done():
                continue
            if isinstance(answer, asyncio.CancelledError):
                one.answer.cancel()
            elif isinstance(answer, BaseException):
                one.answer.set_exception(_plain(answer))
            else:
                one.answer.set_result(answer)
        if self.line and self._timer is None:
            self._start(loop)


def _plain(error: BaseException) -> Exception:
    """An error that a future may hold; polars' panics and the like are no `Exception`."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    wrapped = RuntimeError(f"{type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped
