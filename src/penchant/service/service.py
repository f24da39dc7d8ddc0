"""`Service`: the state of one process that serves, in one place."""

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from penchant.dynamics.events import open_store
from penchant.errors import ConfigError, PenchantError, StorageError
from penchant.estimator.fitted import SIDES
from penchant.service._json import dump
from penchant.service._memory import give_back
from penchant.service._rates import Rates
from penchant.service.answers import Asked, explain_one, group_one, predict_many, read_many, recommend_many, related_one
from penchant.service.atlas import Atlas, maps_folder
from penchant.service.audit import Audit
from penchant.service.batching import Batcher, Desk, done_each
from penchant.service.events import advance_all, store_fails
from penchant.service.keys import KeyFile
from penchant.service.metrics import Metrics
from penchant.service.models import Loaded, ModelRegistry, Serving
from penchant.service.settings import ServiceSettings
from penchant.service.shadow import compare
from penchant.service.tracing import Tracing

__all__ = ["Service"]

_FOLLOW_EVERY_S = 0.5
_GIVE_BACK_EVERY_S = 10.0
_STORE_PATIENCE_S = 2.0
_CATCH_UP_S = 10.0
"""After a switch: so long may other workers go on moving users in the earlier space alone."""
_PORTRAITS = 16
"""Portraits that are read together at most: more are not read faster, and wait for one another."""
_SHADOWS = 64
"""Comparisons that may wait; more are dropped, and counted."""

_KINDS = {
    "/v1/predict": "predict", "/v1/recommend": "recommend", "/v1/portrait": "read", "/v1/audience": "read",
    "/v1/explain": "explain", "/v1/related": "related", "/v1/group": "group",
}  # fmt: skip
"""What computes the answers of each route."""

_log = logging.getLogger("penchant.service")


class Service:
    """The models, the threads that ask them, the keys, the counts.

    Raises: PenchantError: a model, a file of keys or a store that cannot be used.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        if not settings.model:
            raise ConfigError("model: a model directory expected")
        self.settings = settings
        self.tracing = None if settings.otlp is None else Tracing(settings.otlp)
        self.metrics, self.rates = Metrics(), Rates()
        self.keys = None if settings.keys is None else KeyFile(Path(settings.keys))
        self.audit = Audit(None if settings.audit is None else Path(settings.audit))
        self.store = None if settings.store is None else open_store(settings.store)
        self._offset, self._catch_up_until = 0, 0.0
        self._settled = False
        self.desk = Desk(threads=settings.threads, patience_s=settings.patience_s)
        self.store_desk = Desk(threads=1, patience_s=_STORE_PATIENCE_S)
        self.models = ModelRegistry(
            Path(settings.model),
            second=None if settings.second is None else Path(settings.second),
            share=settings.share,
            shadow=settings.shadow,
            folder=None if settings.models is None else Path(settings.models),
            prepare=self._prepare,
            changed=self._changed,
            loading=self.desk.disturbed,
        )
        self.atlas = Atlas(maps_folder(settings))
        together: dict[str, Any] = {"most": settings.batch, "gather_s": settings.gather_ms / 1000}
        self.batchers: dict[str, Batcher[Asked, bytes]] = {
            name: Batcher(self.desk, compute, queue=settings.queue, **options)
            for name, compute, options in (
                ("recommend", self._counted(recommend_many), together),
                ("predict", predict_many, together),
                ("read", self._counted(read_many), {**together, "most": min(settings.batch, _PORTRAITS)}),
                ("explain", explain_one, {}),
                ("related", related_one, {}),
                ("group", group_one, {}),
            )
        }
        queue = settings.queue
        self._computing: Batcher[Callable[[], Any], Any] = Batcher(self.desk, done_each, queue=queue)
        self._storing: Batcher[Callable[[], Any], Any] = Batcher(self.store_desk, done_each, queue=queue)
        self.ready = True
        self._tasks: set[asyncio.Task[Any]] = set()

    def _prepare(self, loaded: Loaded) -> None:
        """Before a model is served, its users are where their events put them."""
        if self.store is not None:
            self._offset = self.store.facts().offset
            advance_all(self.store, loaded)

    def _changed(self, serving: Serving) -> None:
        self.metrics.show_serving(serving)
        self._catch_up_until = time.monotonic() + _CATCH_UP_S
        if self._settled:
            self.settle()

    def settle(self) -> None:
        """Keep what is in memory now out of Python's search for garbage: over the millions of objects of a model and
        its libraries that takes 200 ms, again and again, and all requests wait. For a process that does nothing else;
        after a switch of models it is done anew."""
        self._settled = True
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        gc.collect()  # of next to nothing: else Python waits for garbage a quarter as large as all that was frozen

    def _catch_up(self) -> None:
        """Bring users up to date of whom events came while a model was loaded."""
        if self.store is None or time.monotonic() > self._catch_up_until:
            return
        logged = list(self.store.events(after=self._offset))
        users = {event.user for _, event in logged}
        for loaded in (self.models.serving.first, self.models.serving.second) if users else ():
            if loaded is not None:
                self.store.advance(users, loaded.following(self.store).filter.apply)
        self._offset = max((offset for offset, _ in logged), default=self._offset)

    def _counted(self, compute: Any) -> Any:
        """A computation that also counts what is odd about the rows it was given."""

        def counted(asked: Sequence[Asked]) -> Any:
            answers = compute(asked)
            sound = [one for one, answer in zip(asked, answers, strict=True) if isinstance(answer, bytes)]
            for side in SIDES:
                rows = [(one.loaded, getattr(one.question, side, None)) for one in sound]
                self.metrics.note_rows(side, [(loaded, row) for loaded, row in rows if isinstance(row, dict)])
            return answers

        return counted

    def admit(self, path: str, coming: int = 0) -> None:
        """Refuse a request by its path alone, where too many questions of its kind wait, or are ``coming`` already.

        Raises: Refused: 503.
        """
        kind = _KINDS.get(path)
        if kind is not None:
            self.desk.admit(self.batchers[kind], coming=coming)

    async def compute(self, work: Callable[[], Any], patience_s: float | None = None) -> Any:
        """What some work gives, done off the event loop, in turn with the questions.

        Raises: Refused: too much waits, or the store cannot be reached. What the work raises.
        """
        try:
            return await self._computing.ask(work, patience_s)
        except StorageError as error:
            raise store_fails(error, self.metrics.store) from error

    async def ask_store(self, work: Callable[[], Any]) -> Any:
        """The same for work that waits for the store of events.

        Raises: Refused: 503, the store cannot be reached.
        """
        try:
            return await self._storing.ask(work)
        except StorageError as error:
            raise store_fails(error, self.metrics.store) from error

    async def ask(
        self,
        kind: str,
        question: Any,
        who: Any,
        key: str,
        state: Any,
        *,
        serving: Serving | None = None,
        patience_s: float | None = None,
    ) -> bytes:
        """The answer of the model that serves this user, as JSON.

        Arguments:
            kind: of ``batchers``.
            who: by whom the arm is chosen: the user, or whatever the question is about.
            key: whose question it is.
            state: of the request; takes the arm and the version, for the log.
            serving: what is asked, where several answers have to come from the same; None: what serves now.
            patience_s: how long the question may wait; None: the desk's patience.
        """
        serving = self.models.serving if serving is None else serving
        arm = serving.arm_of(_named(who, key)) if serving.second is not None else "first"
        loaded = serving.of(arm)
        state.arm, state.version = arm, loaded.version
        try:
            answer = await self.batchers[kind].ask(Asked(question, loaded, arm), patience_s)
        except StorageError as error:  # where users are is asked of the store
            raise store_fails(error, self.metrics.store) from error
        self.metrics.arms.labels(arm).inc()
        if serving.shadow and serving.second is not None and kind in ("recommend", "predict"):
            self._shadow(kind, question, serving, answer)
        return answer

    def _shadow(self, kind: str, question: Any, serving: Serving, answer: bytes) -> None:
        """Ask the second model too, after the answer was given, where there is room."""
        if len(self._tasks) >= _SHADOWS or serving.second is None:
            self.metrics.shadow.labels("dropped").inc()
            return
        asked = Asked(question, serving.second, "second")
        self.spawn(compare(self.batchers[kind], asked, answer, self.metrics.shadow))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the requests."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @contextlib.asynccontextmanager
    async def running(self) -> Any:
        """While the process serves: follow the models folder, give memory back; at the end refuse, finish, close."""
        loop = asyncio.get_running_loop()
        beside = [loop.create_task(self._follow()), loop.create_task(self._give_back())]
        try:
            yield
        finally:
            self.ready = False
            for task in (*beside, *self._tasks):
                task.cancel()
            await asyncio.gather(*beside, *self._tasks, return_exceptions=True)
            await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Finish what is computed; let go of threads and files."""
        self.atlas.close()
        self.desk.close()
        self.store_desk.close()
        if self.store is not None:
            self.store.close()
        self.audit.close()
        if self.tracing is not None:
            self.tracing.close()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_FOLLOW_EVERY_S)
            try:
                if await asyncio.to_thread(self.models.follow):
                    _log.info("follows the models folder", extra={"version": self.models.serving.first.version})
                await asyncio.to_thread(self._catch_up)
                await asyncio.to_thread(self.metrics.count_noted)
            except PenchantError as error:
                _log.error("cannot follow the models folder: %s", error)

    async def _give_back(self) -> None:
        """Keep what is free no longer than some seconds, in a process that does nothing else."""
        while True:
            await asyncio.sleep(_GIVE_BACK_EVERY_S)
            if self._settled:
                await asyncio.to_thread(give_back)


def _named(who: Any, key: str) -> str:
    return str(who) if isinstance(who, str | int) else f"{key}:{dump(who).decode()}"
