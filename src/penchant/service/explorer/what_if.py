"""What-if: every feature of a user or an item to be moved, and the portrait, the ball and the top follow."""

from typing import Any, NamedTuple

from penchant.estimator.fitted import SideName
from penchant.service.explorer.comparing import compared
from penchant.service.explorer.controls import controls_of
from penchant.service.explorer.filled import Filled, Pairs, pairs_of, query_of, start_of
from penchant.service.explorer.reading import REACHES, reach_of
from penchant.service.explorer.registrar import Explorer, Values
from penchant.service.explorer.visiting import Visit
from penchant.service.models import Loaded
from penchant.service.problems import Refused

__all__ = ["add_what_if"]


class Subject(NamedTuple):
    """Whose features are moved."""

    side: SideName
    id: str | None
    """None: an average one."""
    loaded: Loaded


def add_what_if(explorer: Explorer) -> None:
    """The page, and what it asks while somebody moves something."""

    @explorer.page("/what-if", "what_if.html")
    async def what_if(visit: Visit) -> Values:
        return {**await moved(visit, more=True), "pages": sorted(explorer.pages)}

    @explorer.action("/what-if/answer", "what_if_answer.html", scope="read")
    async def answer(visit: Visit) -> Values:
        return {**await moved(visit, more=visit.text("more") == "1"), "pages": sorted(explorer.pages)}


async def moved(visit: Visit, *, more: bool) -> dict[str, Any]:
    """The form and its answer; with ``more`` also proved ranges."""
    pairs = await pairs_of(visit)
    about = await subject_of(visit, pairs)
    loaded, side, reach = about.loaded, about.side, reach_of(visit)

    def read() -> Filled:
        filled = Filled(controls_of(loaded, side), start_of(loaded, side, about.id), pairs)
        filled.check(loaded.fitted, side)
        return filled

    filled: Filled = await visit.compute(read)
    change = {name: filled.taken(name) for name in filled.changes}
    row = Filled(filled.controls, filled.start, ()).row()
    answer = await visit.compute(lambda: compared(loaded, side, about.id, row, change, reach=reach if more else 0))
    return {
        "side": side,
        "id": about.id,
        "fields": await visit.compute(lambda: filled.told(loaded.fitted, side)),
        "query": [*_whose(about), *(list(pair) for pair in query_of(filled))],
        "version": loaded.version,
        "changed": len(change),
        "reach": reach,
        "reaches": REACHES,
        "more": more,
        "answer": answer,
    }


def _whose(about: Subject) -> list[list[str]]:
    if about.id is None:
        return [["side", about.side]] if about.side == "item" else []
    return [["id" if about.side == "user" else "item", about.id]]


async def subject_of(visit: Visit, pairs: Pairs) -> Subject:
    """Whose features are moved: ``id`` names a user, ``item`` an item, ``who`` one of ``side``; none: an average one.

    Raises: Unknown: 404, with those that are spelled alike. Refused: 422, another side.
    """
    given = dict(reversed(list(pairs)))
    side: SideName = "item" if given.get("item") or given.get("side") == "item" else "user"
    if given.get("side", side) not in ("user", "item", ""):
        raise Refused(422, "side: user or item expected.")
    who = given.get("item") or given.get("id") or given.get("who") or None
    if who is None:
        return Subject(side, None, visit.serving.first)
    if len(who) > 512 or not await visit.is_known(side, who):
        raise await visit.unknown(side, who)
    return Subject(side, who, visit.loaded(who))
