"""Questions gathered into batches, computed off the event loop, and refused before too many of them wait.

While one batch is computed the next one fills; where nothing is computed, questions wait for others while these keep
coming, ``gather_s`` at most. What was given up meanwhile (its deadline passed, its caller left) is not computed.
"""

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, Generic, NamedTuple, TypeVar

from penchant.service.problems import Refused

__all__ = ["QUESTIONS", "Batcher", "Desk", "done_each"]

Q = TypeVar("Q")
A = TypeVar("A")

_PAUSE = 1 / 4
"""Nobody else comes where nobody has come for this share of the time that is waited at most."""
_SMOOTH = 0.2
"""Weight of the newest batch in what the next is expected to take."""
_DISTURBED = 2.0
"""So many times longer may questions wait while something passing takes the processor, and `_AFTER_S` beyond."""
_AFTER_S = 1.0


QUESTIONS: ContextVar["list[list[int]] | None"] = ContextVar("QUESTIONS", default=None)
"""Of a request that is traced: for each of its questions, when it was asked, begun and done, in ns since 1970."""


class Desk:
    """The threads of a process and all that waits for them.

    Arguments:
        threads: that compute.
        patience_s: a question that would wait longer is refused; see `disturbed`.
    """

    def __init__(self, *, threads: int, patience_s: float) -> None:
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="penchant")
        self.threads, self._patience_s = threads, patience_s
        self._disturbances, self._calm_at = 0, 0.0
        self.batchers: list[Batcher[Any, Any]] = []
        self.waiting = 0
        """Questions that wait or are computed."""
        self.refused = 0
        """Questions refused so far."""

    @property
    def patience_s(self) -> float:
        """How long a question may wait now."""
        disturbed = self._disturbances or time.monotonic() < self._calm_at
        return self._patience_s * _DISTURBED if disturbed else self._patience_s

    @contextlib.contextmanager
    def disturbed(self) -> Iterator[None]:
        """While a model is loaded, say: that is over soon, and nobody is refused for it who would be answered else."""
        self._disturbances += 1
        try:
            yield
        finally:
            self._disturbances -= 1
            self._calm_at = time.monotonic() + _AFTER_S

    def expected_s(self) -> float:
        """How long a new question would wait, as far as is known."""
        return sum([one.expected_s for one in self.batchers if one.pending]) / self.threads

    def admit(self, batcher: "Batcher[Any, Any]", patience_s: float | None = None, coming: int = 0) -> None:
        """Let a question in, which may wait as long as the desk's patience, or its own.

        Arguments:
            coming: questions of its kind that were let in, and are not in line yet.

        Raises: Refused: 503 with Retry-After, where too much waits: more than the batcher's queue holds, or so much
            that the question would wait too long. What nobody of its kind waits for is always let in.
        """
        before = len(batcher.line) + coming
        if not before:
            return
        expected = self.expected_s() + batcher.further_s(coming) / self.threads
        if before >= batcher.queue or expected > (patience_s or self.patience_s):
            raise self.refusal(expected)

    def refusal(self, expected_s: float) -> Refused:
        """For a question that there is no room for; counted."""
        self.refused += 1
        after = str(max(1, math.ceil(expected_s)))
        return Refused(503, "Too many requests wait. Ask again a little later.", headers={"retry-after": after})

    def close(self) -> None:
        """Wait for what is computed, and end the threads."""
        self.pool.shutdown(wait=True, cancel_futures=True)


class _Waiting(NamedTuple):
    until: float
    """Time of the event loop's by which it should be answered."""
    question: Any
    answer: "asyncio.Future[Any]"
    times: list[int] | None = None
    """See `QUESTIONS`; None where nobody wants to know."""


class Batcher(Generic[Q, A]):
    """Questions of one kind.

    Arguments:
        compute: questions to answers, one for one, an error in the place of an answer that there is none of. Runs in a
            thread of the desk.
        most: questions of a batch.
        gather_s: how long the first question waits for others at most.
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
        self._batches = 0
        self.pending = 0
        """Questions that wait or are computed."""
        self._timer: asyncio.TimerHandle | None = None
        desk.batchers.append(self)

    @property
    def expected_s(self) -> float:
        """Seconds of work that is left, as far as is known."""
        return (self._batches + math.ceil(len(self.line) / self._most)) * self.batch_s

    def further_s(self, coming: int) -> float:
        """What a new question behind so many others would wait for beyond that; the batch that it would be in is no
        waiting."""
        line = len(self.line)
        return ((line + coming) // self._most - math.ceil(line / self._most)) * self.batch_s

    async def ask(self, question: Q, patience_s: float | None = None) -> A:
        """The answer; a question with patience of its own waits as long as that, where the desk's would refuse it.

        Raises: Refused: too many wait, or it has waited too long, as more was to do than was known. What the question
            itself raises.
        """
        self._desk.admit(self, patience_s)
        loop = asyncio.get_running_loop()
        until = loop.time() + (patience_s or self._desk.patience_s)
        waiting = _Waiting(until, question, loop.create_future(), _asked_now())
        self.line.append(waiting)
        self._count(1)
        if self._batches < self._desk.threads:
            if len(self.line) >= self._most:
                self._start(loop)
            elif self._timer is None:
                self._gather(loop)
        return await waiting.answer

    def _count(self, more: int) -> None:
        self.pending += more
        self._desk.waiting += more

    def _gather(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for others, as long as they keep coming."""
        until = loop.time() + self._gather_s

        def look(seen: int) -> None:
            now = len(self.line)
            if now > seen and loop.time() < until:
                self._timer = loop.call_later(self._gather_s * _PAUSE, look, now)
            else:
                self._start(loop)

        self._timer = loop.call_later(self._gather_s * _PAUSE, look, len(self.line))

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch: list[_Waiting] = []
        now = loop.time()
        while self.line and len(batch) < self._most:
            one = self.line.popleft()
            if one.answer.done():
                self._count(-1)
            elif one.until < now + self.batch_s and self.line:  # the last one is computed: somebody has to be answered
                self._count(-1)
                one.answer.set_exception(self._desk.refusal(self._desk.expected_s()))
            else:
                batch.append(one)
        if not batch:
            return
        self._batches += 1
        times = [one.times for one in batch if one.times is not None]
        done = loop.run_in_executor(self._desk.pool, self._run, [one.question for one in batch], times, loop.time)
        done.add_done_callback(lambda future: self._finish(loop, batch, future))

    def _run(
        self, questions: list[Q], times: list[list[int]], now: Callable[[], float]
    ) -> tuple[Sequence[A | BaseException], float]:
        began = now()
        _note(times)
        answers = self._compute(questions)
        _note(times)
        return answers, now() - began

    def _finish(self, loop: asyncio.AbstractEventLoop, batch: list[_Waiting], future: "asyncio.Future[Any]") -> None:
        self._count(-len(batch))
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
        if len(self.line) >= self._most:
            self._start(loop)
        elif self.line and self._timer is None:  # those who have just got answers may ask again at once
            self._gather(loop)


def _asked_now() -> list[int] | None:
    """The times of a question of a request that is traced, which begin."""
    questions = QUESTIONS.get()
    if questions is None:
        return None
    questions.append([time.time_ns()])
    return questions[-1]


def _note(times: list[list[int]]) -> None:
    for each in times:
        each.append(time.time_ns())


def done_each(work: Sequence[Callable[[], Any]]) -> list[Any]:
    """Pieces of work done one after another; the error of one in the place of its answer."""
    found: list[Any] = []
    for one in work:
        try:
            found.append(one())
        except Exception as error:
            found.append(error)
    return found


def _plain(error: BaseException) -> Exception:
    """An error that a future may hold; polars' panics and the like are no `Exception`."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    wrapped = RuntimeError(f"{type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped
