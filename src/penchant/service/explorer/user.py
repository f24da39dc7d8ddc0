"""The user page: what somebody would like, what was recommended and why, how the interest moved, who is alike."""

from typing import Any

import numpy as np

from penchant.errors import ConfigError, SpaceError
from penchant.estimator.queries import resolve_one
from penchant.service.events import forget
from penchant.service.explorer.reading import (
    REACHES,
    bar_rows,
    columns_of,
    effects_of,
    named,
    past_of,
    proved_within,
    reach_of,
)
from penchant.service.explorer.registrar import Explorer, Values
from penchant.service.explorer.visiting import Visit
from penchant.service.messages import ExplainQuestion, PortraitQuestion, RecommendQuestion, RelatedQuestion
from penchant.service.models import Loaded
from penchant.service.problems import Refused

__all__ = ["add_user"]

_RECOMMENDED, _ALIKE, _PAST = 10, 8, 12
_CHANGED, _CHANGES = 0.01, 6
"""Changes of a portrait by events that are told: so large, so many."""


def add_user(explorer: Explorer) -> None:
    """The page of a user, and forgetting one."""

    @explorer.page("/user", "user.html")
    async def user(visit: Visit) -> Values:
        who = await visit.id("user")
        loaded, reach = visit.loaded(who), reach_of(visit)
        found = {  # one after another, so that callers of the API come in between
            "facts": await visit.compute(lambda: facts_of(loaded, who)),
            "portrait": await portrait_of(visit, who, reach),
            "recommended": await recommended_to(visit, who),
            "alike": await alike_to(visit, who),
            "why": await why(visit, who, visit.text("why")),
            "interest": await interest_of(visit, who),
        }
        return {
            "id": who,
            "reach": reach,
            "reaches": REACHES,
            "pages": sorted(explorer.pages),
            "may_forget": visit.service.store is not None and "admin" in visit.may,
            "threshold": loaded.fitted.calibration.threshold,
            **found,
        }

    @explorer.page("/forget", "forget.html", scope="admin")
    async def ask(visit: Visit) -> Values:
        return {"id": await visit.id("user"), "store": visit.service.store is not None, "done": None}

    @explorer.action("/forget", "forget.html", scope="admin")
    async def forgotten(visit: Visit) -> Values:
        store, who = visit.service.store, (await visit.form()).get("id", "")
        if store is None:
            raise Refused(409, "There is no store of events, so there is nothing to forget.")
        if not who:
            raise Refused(422, "id: give the id of a user.")
        done = await forget(visit.service, store, who, visit.request.state)
        return {"id": who, "store": True, "done": done}


async def portrait_of(visit: Visit, who: str, reach: int) -> dict[str, Any] | None:
    """The portrait with its bars and ranges; None where the space cannot be read."""
    try:
        answer = await visit.ask("read", PortraitQuestion(user=who, examples=0), who)
    except (ConfigError, SpaceError):
        return None
    portrait = answer["portrait"]
    loaded = visit.loaded(who)
    ranges = await visit.compute(
        lambda: proved_within(loaded.fitted, "user", resolve_one(loaded.fitted, "user", who), reach)
    )
    kept = {name: portrait[name] for name in ("typical", "population", "ball", "likely", "terms", "sure", "notes")}
    bars = bar_rows(portrait, ranges)
    return {**kept, "bars": bars, "ranges": ranges is not None, "trained": loaded.model._trained}


async def recommended_to(visit: Visit, who: str) -> list[dict[str, Any]]:
    """The nearest items that the user has not met."""
    answer = await visit.ask("recommend", RecommendQuestion(user=who, n=_RECOMMENDED), who)
    items: list[dict[str, Any]] = answer["items"]
    return items


async def alike_to(visit: Visit, who: str) -> list[dict[str, Any]] | None:
    """The nearest users; None where the space has no distance between users."""
    try:
        answer = await visit.ask("related", RelatedQuestion(user=who, to="user", n=_ALIKE), who)
    except (ConfigError, SpaceError):
        return None
    near: list[dict[str, Any]] = answer["related"]
    return near


async def why(visit: Visit, who: str, item: str) -> dict[str, Any] | None:
    """Why the user would like an item, or not; None where none was asked about."""
    if not item:
        return None
    if not await visit.is_known("item", item):
        return {"item": item, "known": False}
    answer = await visit.ask("explain", ExplainQuestion(user=who, item=item), who)
    told = answer["explanation"]
    kept = ("liked", "distance", "threshold", "probability", "counterfactual", "search", "notes")
    effects = effects_of(told, visit.loaded(who).fitted.schema.item_id)
    name = told["item"]
    return {"item": item, "known": True, "name": name, **{one: told[one] for one in kept}, **effects}


async def interest_of(visit: Visit, who: str) -> dict[str, Any] | None:
    """How events have moved the user; None without a store of events."""
    service, loaded = visit.service, visit.loaded(who)
    if service.store is None:
        return None
    answer = await service.ask_store(lambda: loaded.model.interest(who))
    told: dict[str, Any] = answer.to_dict()
    del told["point"], told["says"]
    told["features"] = [one for one in told["features"] if abs(one["change"]) >= _CHANGED][:_CHANGES]
    names = await visit.compute(lambda: names_of(loaded, [one["item"] for one in told["trajectory"]]))
    for one in told["trajectory"]:
        one["name"] = names.get(one["item"], one["item"])
    return told


def names_of(loaded: Loaded, items: list[str]) -> dict[str, str]:
    """Names of items by their ids; of those that the model knows."""
    rows = np.unique(loaded.fitted.known["item"].vocabulary.find(items)) if items else np.zeros(0, dtype=np.int64)
    return {one["id"]: one["name"] for one in named(loaded, "item", rows[rows >= 0])}


def facts_of(loaded: Loaded, who: str) -> dict[str, Any]:
    """What the tables say of a user: columns, likes."""
    row = int(loaded.fitted.known["user"].vocabulary.find([who])[0])
    name = who if row < 0 else named(loaded, "user", [row])[0]["name"]
    past = past_of(loaded, "user", who, _PAST)
    return {"known": row >= 0, "name": name, "columns": columns_of(loaded, "user", who), "past": past}
