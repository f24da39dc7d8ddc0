"""Why a pair is liked or not, asked of the fitted model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from penchant._spec import Features, History
from penchant.estimator.certifying import bound_of
from penchant.estimator.fitted import Fitted
from penchant.estimator.queries import resolve_one, subject, values_of
from penchant.nets import as_tensors, take
from penchant.portraits import Explanation, Pair, explain

__all__ = ["explain_pair"]


def explain_pair(fitted: Fitted, user: Any, item: Any, *, only: Sequence[str] | None, max_changes: int) -> Explanation:
    """See `Penchant.explain`."""
    fitted.model.space.require_metric("explain")
    who = resolve_one(fitted, "user", user, "explain: ")
    what = resolve_one(fitted, "item", item, "explain: ")
    encoder, known = fitted.encoder.item, fitted.known["item"]
    row = values_of(fitted, "item", item, what)

    def encode(rows: Sequence[Mapping[str, Any]]) -> Float[np.ndarray, "n k"]:
        return fitted.encode("item", encoder.encode_rows(rows))

    pair = Pair(
        row={field.name: row.get(field.name) for field in encoder.fields},
        encoder=encoder,
        frame=known.frame,
        encode=encode,
        centre=who.points[0].cpu().numpy(),
        space=fitted.model.space,
        threshold=fitted.calibration.threshold,
        probability=fitted.calibration.probability,
    )
    features = who.features or fitted.encoded_rows("user", who.rows)
    past = features.history
    names = [] if past is None else _names(fitted, past)

    def without(entries: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
        points = _without(fitted, features, entries)
        if fitted.follower is None:
            return points
        moved = who.points.cpu().numpy() - fitted.encode("user", features)  # events have moved the user as far
        return np.clip(points + moved, fitted.model.space.low, fitted.model.space.high)

    return explain(
        pair,
        user=subject(fitted, "user", user, who),
        item=subject(fitted, "item", item, what),
        history=names,
        without=without if names else None,
        only=only,
        max_changes=max_changes,
        bound=bound_of(fitted, who.points[0], encoder.encode_rows([pair.row])),
    )


def _names(fitted: Fitted, past: History) -> list[tuple[Any, bool]]:
    """What people read of each earlier item, and whether it was liked."""
    names = fitted.names("item", np.asarray(past.items)).to_list()
    return [(name, bool(liked > 0.5)) for name, liked in zip(names, past.liked, strict=True)]


def _without(fitted: Fitted, features: Features, entries: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
    """The user's points, each with one entry of the history left out."""
    n = len(entries)
    many = take(as_tensors(features, fitted.device), torch.zeros(n, dtype=torch.int64, device=fitted.device))
    past = many.history
    assert past is not None
    each = len(past.items) // n
    kept = torch.ones(n * each, dtype=torch.bool, device=fitted.device)
    kept[torch.arange(n, device=fitted.device) * each + torch.as_tensor(entries, device=fitted.device)] = False
    offsets = torch.arange(n + 1, device=fitted.device) * (each - 1)
    shorter = past.with_entries(lambda part: part[kept], offsets)
    return fitted.encode("user", replace(many, history=shorter))
