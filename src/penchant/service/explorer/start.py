"""The start page: what this model is, and where to go on."""

from typing import Any

import numpy as np

from penchant.service.explorer.reading import named
from penchant.service.explorer.registrar import Explorer, Values
from penchant.service.explorer.visiting import Visit
from penchant.service.models import Loaded

__all__ = ["add_start"]

_EXAMPLES = 6


def add_start(explorer: Explorer) -> None:
    """The page at ``/``."""

    @explorer.page("/", "start.html")
    async def start(visit: Visit) -> Values:
        loaded = visit.loaded()
        return {
            "pages": sorted(explorer.pages),
            "model": loaded.told(),
            "facts": await visit.compute(lambda: facts_of(loaded)),
            "users": await visit.compute(lambda: busiest(loaded, "user", _EXAMPLES)),
            "items": await visit.compute(lambda: busiest(loaded, "item", _EXAMPLES)),
        }


def facts_of(loaded: Loaded) -> dict[str, Any]:
    """How large the model's data are, and how good it was on the validation rows."""
    fitted = loaded.fitted
    valid = [row["valid"] for row in fitted.history if "valid" in row]
    ranking = loaded.model.loss.ranking
    return {
        "pairs": fitted.seen.height,
        "likes": int(fitted.seen["liked"].sum()),
        "measure": "ndcg" if ranking else "auc",
        "figure": max(valid, default=None),
        "held_out": len(fitted.likes["distance"]),
        "portraits": loaded.model._trained,
        "user_columns": [one.heading for one in fitted.schema.side("user")],
        "item_columns": [one.heading for one in fitted.schema.side("item")],
    }


def busiest(loaded: Loaded, side: Any, n: int) -> list[dict[str, Any]]:
    """Known ones with the most likes: id, name, likes; of a model without pairs the first of the table."""
    fitted = loaded.fitted
    liked = fitted.seen.filter("liked").group_by(side).len().sort("len", side, descending=[True, False]).head(n)
    rows = liked[side].to_numpy() if liked.height else np.arange(min(n, fitted.known[side].frame.height))
    counts = liked["len"].to_list() if liked.height else [0] * len(rows)
    return [{**one, "likes": likes} for one, likes in zip(named(loaded, side, rows), counts, strict=True)]
