"""One and the same before and after a change of features, cut to what the what-if page shows. Plain values."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from penchant.estimator.changing import as_changed, as_it_is
from penchant.estimator.fitted import Fitted, SideName, other_side
from penchant.estimator.queries import Asked, nearest_each, resolve_one, subject
from penchant.service.explorer.audience import near_of, portrait_at
from penchant.service.models import Loaded

__all__ = ["compared"]

_TOP = 10
_TOLD, _LEAST = 4, 0.005
"""So many changes are told in a sentence, and none that is smaller."""
_MOVED = 6
"""Bars beside those of the start: what changed most."""


def compared(
    loaded: Loaded, side: SideName, who: Any, row: Mapping[str, Any], change: Mapping[str, Any], *, reach: int
) -> dict[str, Any]:
    """A start and what becomes of it.

    Arguments:
        who: an id; None: the one of ``row``, who is in no table.
        row: the values at the start. change: column to other value.
        reach: of the ranges of what becomes of it, see `portrait_at`.

    Returns: ``name``; ``before`` and ``after``: portraits, or None; ``bars``: rows of `bar_rows` with ``before``, its
    share at the start, ``before_text`` and ``shown``; ``told``: the largest changes; ``top``: what is nearest now, with
    ``was``, its rank at the start; ``top_before``; ``left``: what is no more in it; ``moved``: how far, as a distance.
    """
    fitted = loaded.fitted
    was = resolve_one(fitted, side, row if who is None else who)
    own = row if who is None else as_it_is(fitted, side, who, was)
    now = as_changed(fitted, side, was, own, change) if change else was
    name = subject(fitted, side, row if who is None else who, was)
    before = portrait_at(loaded, side, was, name, reach=0 if change else reach)
    after = portrait_at(loaded, side, now, name, reach=reach) if change else before
    bars = [] if before is None or after is None else _beside(before, after)
    return {
        "name": name,
        "before": before,
        "after": after,
        "bars": bars,
        "told": _largest(bars),
        "moved": float(fitted.model.space.base_distance(was.points[0].double(), now.points[0].double())),
        **_top(fitted, side, was, now),
    }


def _beside(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Bars in the order of the start, so that they stay where they are while something moves."""
    rows, keep = before["bars"]["rows"], before["bars"]
    moved = {(one["feature"], one["value"]): one for one in after["bars"]["rows"]}
    found = []
    for place, old in enumerate(rows):
        new = moved[old["feature"], old["value"]]
        shown = place < keep["shown"] or place >= len(rows) - keep["last"]
        found.append({**new, "before": old["share"], "before_text": old["text"], "shown": shown, "added": False})
    others = sorted((one for one in found if not one["shown"]), key=lambda one: -abs(one["share"] - one["before"]))
    for one in others[:_MOVED]:
        one["added"] = one["shown"] = abs(one["share"] - one["before"]) >= 2 * _LEAST
    return found


def _largest(bars: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What changed most: feature, value, number, before and after (shares, or words of a number)."""
    kept = [one for one in bars if abs(one["share"] - one["before"]) >= _LEAST]
    kept.sort(key=lambda one: -abs(one["share"] - one["before"]))
    return [
        {
            "feature": one["feature"],
            "value": one["value"],
            "number": one["number"],
            "before": one["before_text"] if one["number"] else one["before"],
            "after": one["text"] if one["number"] else one["share"],
        }
        for one in kept
        if not one["number"] or one["before_text"] != one["text"]
    ][:_TOLD]


def _top(fitted: Fitted, side: SideName, was: Asked, now: Asked) -> dict[str, Any]:
    """What is nearest after the change and was before; what a user has met is left out."""
    of = other_side(side)
    met = torch.tensor(_met(fitted, was) if side == "user" else [], dtype=torch.int64, device=fitted.device)
    exclude: list[Tensor] | None = [met, met] if len(met) else None
    old, new = nearest_each(fitted, torch.cat([was.points, now.points]), of, _TOP, exclude)
    before, after = near_of(fitted, of, old), near_of(fitted, of, new)
    ranks = {one["id"]: rank for rank, one in enumerate(before, 1)}
    stays = {one["id"] for one in after}
    return {
        "top": [{**one, "rank": rank, "was": ranks.get(one["id"])} for rank, one in enumerate(after, 1)],
        "top_before": before,
        "left": [one for one in before if one["id"] not in stays],
    }


def _met(fitted: Fitted, asked: Asked) -> Int[np.ndarray, " n"]:
    """Row numbers of the items that a user has met: in the training rows, by events."""
    row = int(asked.rows[0])
    found = fitted.seen.filter(fitted.seen["user"] == row)["item"].to_numpy()
    if fitted.follower is None or asked.by_row:
        return found
    rows = fitted.known["item"].vocabulary.find(fitted.follower.items(asked.keys[0]))
    return np.union1d(found, rows[rows >= 0])
