"""Search by id or name, and suggestions while somebody types."""

from penchant.estimator.fitted import SIDES
from penchant.pages.rendering import url
from penchant.service.explorer.registrar import Explorer, Moved, Values
from penchant.service.explorer.visiting import Visit

__all__ = ["add_search"]

_SHOWN = 20


def add_search(explorer: Explorer) -> None:
    """The page of what was found, and the suggestions."""

    @explorer.page("/search", "search.html")
    async def search(visit: Visit) -> Values | Moved:
        text = visit.text("q").strip()
        finder = await visit.finder(visit.loaded())
        exact = await visit.compute(lambda: finder.exact(text)) if text else []
        if len(exact) == 1:
            return Moved(url(f"/{exact[0]['side']}", id=exact[0]["id"]))
        found = await visit.compute(lambda: {side: finder.containing(text, side, _SHOWN) for side in SIDES})
        users, items = (_first(exact, found[side], side) if text else [] for side in SIDES)
        return {"q": text, "users": users, "items": items}

    @explorer.twin("/suggest")
    async def suggest(visit: Visit) -> Values:
        text = visit.text("q").strip()
        finder = await visit.finder(visit.loaded())
        return {"found": await visit.compute(lambda: finder.suggested(text)) if text else []}


def _first(exact: list[Values], found: list[Values], side: str) -> list[Values]:
    """Exact ones first, each once."""
    ahead = [one for one in exact if one["side"] == side]
    return [*ahead, *(one for one in found if one not in ahead)][:_SHOWN]
