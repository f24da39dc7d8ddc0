"""Draft: the features of an item that does not exist yet, and at once whom it would be for."""

from typing import Any

from penchant.estimator.queries import resolve_one, subject
from penchant.service.explorer.audience import audience_of
from penchant.service.explorer.controls import controls_of
from penchant.service.explorer.filled import Filled, pairs_of, query_of
from penchant.service.explorer.reading import REACHES, reach_of
from penchant.service.explorer.registrar import Explorer, Values
from penchant.service.explorer.standing import FIRST
from penchant.service.explorer.visiting import Visit
from penchant.service.explorer.widening import widenings
from penchant.service.problems import Refused

__all__ = ["add_draft"]

_CHOICES = 20


def add_draft(explorer: Explorer) -> None:
    """The page, what it asks while somebody types, and the values of a field that match a text."""

    @explorer.page("/draft", "draft.html")
    async def draft(visit: Visit) -> Values:
        return {**await drafted(visit, await filled_of(visit), more=True), "pages": sorted(explorer.pages)}

    @explorer.action("/draft/answer", "draft_answer.html", scope="read")
    async def answer(visit: Visit) -> Values:
        more = visit.text("more") == "1"
        return {**await drafted(visit, await filled_of(visit), more=more), "pages": sorted(explorer.pages)}

    @explorer.twin("/choices")
    async def choices(visit: Visit) -> Values:
        side, name, text = visit.text("side", "item"), visit.text("field"), visit.text("q").strip()
        if side not in ("user", "item"):
            raise Refused(422, "side: user or item expected.")
        control = (await visit.compute(lambda: controls_of(visit.loaded(), side))).get(name)  # type: ignore[arg-type]
        if control is None:
            raise Refused(404, f"There is no field {name!r}.")
        return {"found": await visit.compute(lambda: control.containing(text, _CHOICES))}


async def filled_of(visit: Visit) -> Filled:
    """The form, read."""
    pairs, loaded = await pairs_of(visit), visit.serving.first

    def read() -> Filled:
        filled = Filled(controls_of(loaded, "item"), {}, pairs)
        filled.check(loaded.fitted, "item")
        return filled

    found: Filled = await visit.compute(read)
    return found


async def drafted(visit: Visit, filled: Filled, *, more: bool) -> dict[str, Any]:
    """The form and its answer.

    Arguments:
        more: also what takes as long again: ranges, and what would widen the audience.
    """
    loaded, row, reach = visit.serving.first, filled.row(), reach_of(visit)
    fitted = loaded.fitted
    asked = await visit.compute(lambda: resolve_one(fitted, "item", row))
    answer = await audience_of(visit, loaded, asked, subject(fitted, "item", row, asked), reach=reach if more else 0)
    return {
        "fields": await visit.compute(lambda: filled.told(fitted, "item")),
        "query": [list(pair) for pair in query_of(filled)],
        "version": loaded.version,
        "reach": reach,
        "reaches": REACHES,
        "first": FIRST,
        "more": more,
        "empty": not row,
        "answer": answer,
        "widening": await visit.compute(lambda: widenings(loaded, filled, row)) if more else None,
    }
