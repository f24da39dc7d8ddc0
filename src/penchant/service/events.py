"""Routes over the store of events: /v1/events, /v1/interest, /v1/users. They are there where a store is configured."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Path, Request, Response
from prometheus_client import Counter

from penchant.dynamics.events import Event, EventStore
from penchant.errors import (
    BusyStoreError,
    DataError,
    FullStoreError,
    OtherFormatError,
    StorageError,
    UnreachableStoreError,
)
from penchant.service._json import dump
from penchant.service._routing import router
from penchant.service.messages import EventBatch, Taken
from penchant.service.models import Loaded
from penchant.service.problems import Refused, problem_of
from penchant.service.questions import PROBLEMS, bound

if TYPE_CHECKING:
    from penchant.service.service import Service

__all__ = ["advance_all", "event_routes", "forget", "store_fails"]

_PAGE = 500
_FAILURES: Mapping[type[StorageError], str] = {
    BusyStoreError: "busy",
    UnreachableStoreError: "unreachable",
    FullStoreError: "full",
    OtherFormatError: "format",
}
_log = logging.getLogger("penchant.service")
_UserId = Path(min_length=1, max_length=512, description="The user's id.")


def advance_all(store: EventStore, loaded: Loaded) -> None:
    """Let a model follow a store, and bring the states of its space up to date with the log."""
    following = loaded.following(store)
    page: list[Any] = []
    for user in store.users():
        page.append(user)
        if len(page) == _PAGE:
            store.advance(page, following.filter.apply)
            page = []
    store.advance(page, following.filter.apply)


def event_routes(service: "Service", store: EventStore) -> list[APIRouter]:
    """The routes of events (scope events), interest (read) and forgetting (admin)."""
    options: dict[str, Any] = {"prefix": "/v1", "tags": ["events"], "responses": PROBLEMS}
    events, reading, forgetting = (router(service, scope, **options) for scope in ("events", "read", "admin"))

    @events.post("/events", response_model=Taken)
    async def add_events(batch: EventBatch, request: Request) -> Response:
        """Take events in: all of them are kept when this is answered, and their users have moved. An id that is sent
        again has no second effect."""
        bound("/events", len(batch.events), service.settings.rows_limit)
        given = [Event(**one.model_dump(exclude_none=True)) for one in batch.events]
        serving = service.models.serving
        try:
            done = await service.ask_store(lambda: _append(store, serving.first, serving.second, given))
        except DataError as error:
            raise _by_event(error) from error
        content = {"accepted": done.accepted, "duplicates": done.duplicates, "conflicts": done.conflicts}
        for name in content:
            service.metrics.events.labels(name).inc(done.accepted if name == "accepted" else len(content[name]))
        return _json(content)

    @reading.get("/interest/{user:path}", response_model=None)
    async def interest(request: Request, user: str = _UserId) -> Response:
        """Where a user's events have moved the interest point: how far, how surely, towards what."""
        serving = service.models.serving
        loaded = serving.of(serving.arm_of(user))
        answer = await service.ask_store(lambda: loaded.model.interest(user))
        return _json({"interest": answer.to_dict(), "model": {"version": loaded.version}})

    @forgetting.delete("/users/{user:path}", response_model=None)
    async def forget_user(request: Request, user: str = _UserId) -> Response:
        """Delete all events and states of a user, for good. What a model learned from them is in its files."""
        return _json(await forget(service, store, user, request.state))

    return [events, reading, forgetting]


async def forget(service: "Service", store: EventStore, user: str, state: Any) -> dict[str, int]:
    """Delete all events and states of a user and note it in the audit log, by the request's state.

    Returns: how many users, events and states there were.
    """
    serving = service.models.serving
    done = await service.ask_store(lambda: store.forget(serving.first.following(store).own(user)))
    facts = {"users": done.users, "events": done.events, "states": done.states}
    service.audit.note("forget user", key=state.key, request_id=state.request_id, outcome="done", **facts)
    return facts


def store_fails(error: StorageError, counts: Counter) -> Refused:
    """What is said of a store that fails: of what passes, when to ask again; where the store is stays in the log."""
    _log.error("the store of events: %s", error)
    kind = next((name for each, name in _FAILURES.items() if isinstance(error, each)), "other")
    counts.labels(kind).inc()
    if kind == "format":
        return Refused(503, "The store of events is in the format of another version: this service is to be replaced.")
    if kind == "other":
        return Refused(503, "The store of events cannot be used. Its operator finds the reason in the log.")
    return problem_of(error)


def _append(store: EventStore, first: Loaded, second: Loaded | None, events: list[Event]) -> Any:
    done = first.model.observe(events)
    if second is not None:
        following = second.following(store)
        store.advance({following.own(event.user) for event in events}, following.filter.apply)
    return done


def _by_event(error: DataError) -> Refused:
    """The problems of events, each by the event and its field."""
    errors = []
    for problem in error.problems:
        column = "" if problem.column is None else f"/{problem.column}"
        errors += [{"field": f"/events/{row}{column}", "message": problem.message} for row in problem.rows or (0,)]
    return Refused(422, str(error), errors=errors)


def _json(content: Any) -> Response:
    return Response(dump(content), media_type="application/json")
