"""Why a pair is liked or not, asked of the fitted model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from penchant._spec import Features, History
from penchant.errors import ConfigError
from penchant.estimator.fitted import Fitted
from penchant.estimator.queries import resolve, subject
from penchant.estimator.reading import encoded_rows
from penchant.portraits import Explanation, Pair, explain
from penchant.training import encode_all

__all__ = ["explain_pair"]


def explain_pair(fitted: Fitted, user: Any, item: Any, *, only: Sequence[str] | None, max_changes: int) -> Explanation:
    """See `Penchant.explain`."""
    who, what = resolve(fitted, "user", user), resolve(fitted, "item", item)
    for side, asked in (("user", who), ("item", what)):
        if len(asked.rows) != 1:
            raise ConfigError(f"explain: one {side} expected, got {len(asked.rows)}")
    encoder, known = fitted.encoder.item, fitted.known["item"]
    row: Mapping[str, Any] = known.frame.row(int(what.rows[0]), named=True) if what.rows[0] >= 0 else _one(item)

    def encode(rows: Sequence[Mapping[str, Any]]) -> Float[np.ndarray, "n k"]:
        return encode_all(fitted.model, "item", encoder.encode_rows(rows), fitted.device).cpu().numpy()

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
    features = who.features or encoded_rows(fitted, "user", who.rows)
    past = features.history
    names = [] if past is None else _names(fitted, past)

    def without(entries: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
        return _without(fitted, features, entries)

    return explain(
        pair,
        user=subject(fitted, "user", user, who),
        item=subject(fitted, "item", item, what),
        history=names,
        without=without if names else None,
        only=only,
        max_changes=max_changes,
    )


def _one(given: Any) -> Mapping[str, Any]:
    row: Mapping[str, Any] = given if isinstance(given, Mapping) else next(iter(given))
    return row


def _names(fitted: Fitted, past: History) -> list[tuple[Any, bool]]:
    """What people read of each earlier item, and whether it was liked."""
    known, name = fitted.known["item"], fitted.name_column("item")
    read = known.vocabulary.ids if name is None else known.frame[name]
    return [(read[int(i)], bool(y > 0.5)) for i, y in zip(past.items, past.liked, strict=True)]


def _without(fitted: Fitted, features: Features, entries: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
    """The user's points, each with one entry of the history left out."""
    past = features.history
    assert past is not None
    dense, codes = (np.repeat(part, len(entries), axis=0) for part in (features.dense, features.codes))
    kept = [np.delete(np.arange(len(past.items)), int(e)) for e in entries]
    places = np.concatenate([np.zeros(0, np.int64), *kept])
    offsets = np.concatenate([[0], np.cumsum([len(k) for k in kept])]).astype(np.int64)
    shorter = History(past.items[places], past.liked[places], past.weight[places], offsets)
    bags = tuple(
        type(b)(np.tile(b.values, len(entries)), np.arange(len(entries) + 1) * len(b.values)) for b in features.bags
    )
    return encode_all(fitted.model, "user", Features(dense, codes, bags, shorter), fitted.device).cpu().numpy()
