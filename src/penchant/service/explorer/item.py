"""The item page: whom it is for, what is like it, who is near."""

from typing import Any

import numpy as np

from penchant.estimator.queries import resolve_one, subject
from penchant.service.explorer.audience import audience_of
from penchant.service.explorer.reading import REACHES, columns_of, named, past_of, reach_of
from penchant.service.explorer.registrar import Explorer, Values
from penchant.service.explorer.standing import FIRST
from penchant.service.explorer.visiting import Visit
from penchant.service.models import Loaded

__all__ = ["add_item"]

_PAST = 12


def add_item(explorer: Explorer) -> None:
    """The page of an item."""

    @explorer.page("/item", "item.html")
    async def item(visit: Visit) -> Values:
        who = await visit.id("item")
        loaded, reach = visit.loaded(who), reach_of(visit)
        asked = await visit.compute(lambda: resolve_one(loaded.fitted, "item", who))
        name = subject(loaded.fitted, "item", who, asked)
        return {
            "id": who,
            "pages": sorted(explorer.pages),
            "reach": reach,
            "reaches": REACHES,
            "first": FIRST,
            "facts": await visit.compute(lambda: facts_of(loaded, who)),
            "answer": await audience_of(visit, loaded, asked, name, reach=reach),
        }


def facts_of(loaded: Loaded, who: str) -> dict[str, Any]:
    """What the tables say of an item: name, columns, who met it."""
    row = int(loaded.fitted.known["item"].vocabulary.find([who])[0])
    past = past_of(loaded, "item", who, _PAST)
    return {
        "name": named(loaded, "item", np.array([row]))[0]["name"],
        "columns": columns_of(loaded, "item", who),
        "past": past,
    }
