"""The page of the map. The picture is ``/v1/map``, balls are ``/v1/map/place``; what only the page asks is here: how
far the drawing is, and what a selection has in common."""

import asyncio
from typing import Any

from pydantic import ValidationError

from penchant.estimator.fitted import SideName, other_side
from penchant.service._json import parse
from penchant.service.explorer.reading import bar_rows, named_row
from penchant.service.explorer.registrar import Explorer, Values
from penchant.service.explorer.visiting import Visit
from penchant.service.messages import GroupQuestion
from penchant.service.models import Loaded
from penchant.service.problems import Refused
from penchant.service.questions import bound

__all__ = ["add_map"]

_EXAMPLES = 5
_WAIT_S = 0.5


def add_map(explorer: Explorer) -> None:
    """The page, how far its map is, and the group; all of the model that the map is of, the first."""

    @explorer.page("/map", "map.html")
    async def picture(visit: Visit) -> Values:
        side = "user" if visit.text("user") else "item"
        return {"chosen": {"side": side, "id": visit.text(side)}, "heading": ""}

    @explorer.twin("/map/state")
    async def state(visit: Visit) -> Values:
        atlas, loaded = visit.service.atlas, visit.serving.first
        try:
            await asyncio.to_thread(atlas.find, loaded, _WAIT_S)
        except Refused as refused:  # no error of the page, which asks again
            if refused.status_code == 503:
                return {"ready": False, **refused.more}
            raise
        return {"ready": True}

    @explorer.action("/map/group", "map_group.html", scope="read")
    async def group(visit: Visit) -> Values:
        question, loaded = await _question(visit), visit.serving.first
        bound("/members", len(question.members or ()), visit.service.settings.rows_limit)
        return {"group": await visit.compute(lambda: group_of(loaded, question))}


async def _question(visit: Visit) -> GroupQuestion:
    """The body as a question of the API.

    Raises: Refused: 422. NotJsonError: no JSON.
    """
    try:
        return GroupQuestion.model_validate(parse(await visit.request.body()))
    except ValidationError as error:
        raise Refused(422, "A question as of POST /v1/group expected.") from error


def group_of(loaded: Loaded, question: GroupQuestion) -> dict[str, Any]:
    """What a selection has in common, cut to what its panel shows."""
    members = None if question.members is None else [str(one) for one in dict.fromkeys(question.members)]
    told = loaded.model.group(members, where=question.where, side=question.side, examples=_EXAMPLES).to_dict()
    portrait = told["portrait"]
    kept = {name: told[name] for name in ("size", "verdict", "served", "notes")}
    of = other_side(question.side)
    examples = [_example(loaded, of, one) for one in portrait["examples"]]
    return {**kept, "side": question.side, "bars": bar_rows(portrait, None), "examples": examples}


def _example(loaded: Loaded, side: SideName, one: dict[str, Any]) -> dict[str, Any]:
    return {**named_row(loaded.fitted, side, one), "liked_by": one["liked_by"]}
