"""Promises of a fitted model, measured on other users' likes: what was promised beside what was found."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import polars as pl
import torch

from penchant.conformal import Coverage, coverage, recall_threshold
from penchant.errors import ConfigError, DataError, Problem
from penchant.estimator.fitted import Fitted
from penchant.estimator.reading import evidence_of
from penchant.nets import as_arrays, as_tensors, take
from penchant.portraits import ENOUGH, PROMISED, Likes
from penchant.tables import Tables
from penchant.training import Batches, pair_distances

__all__ = ["guarantees"]


def guarantees(fitted: Fitted, tables: Tables, levels: Sequence[float]) -> pl.DataFrame:
    """See `Penchant.guarantees`."""
    wrong = [level for level in levels if level not in PROMISED]
    if wrong or not levels:
        raise ConfigError(f"levels = {tuple(levels)}: some of {', '.join(map(str, PROMISED))} expected")
    data = fitted.encoder.encode(tables)
    liked = data.label > 0.5
    if not liked.any():
        raise DataError([Problem("interactions", "no liked rows: nothing can be measured", fix="Give held-out likes")])
    user, item = data.user[liked], data.item[liked]
    batches = Batches(data, batch_size=1024, rng=0, device=fitted.device)
    distance = pair_distances(fitted.model, batches).double().cpu().numpy()[liked]
    rows = []
    for level in levels:
        held = recall_threshold(
            fitted.likes["distance"], fitted.likes["user"], 1 - level, diameter=fitted.model.space.diameter
        )
        found = coverage(distance <= held.distance, user, promised=level, calibrated=held.users or None)
        rows.append(_row("recall", "likes inside the ball", found, held.reason))
    subjects, subject = np.unique(user, return_inverse=True)
    known = fitted.known["user"].vocabulary.find(tables.user_ids)[subjects]
    features = as_arrays(take(as_tensors(data.users), torch.from_numpy(subjects)))
    points = fitted.encode("user", features)
    evidence = evidence_of(fitted, "user", points, fitted.encoder.user.portrait(features), known, features.history)
    reading, values = fitted.readings["item"], fitted.encoder.item.portrait(data.items)
    raw, is_new = reading.raw(evidence), evidence.past.counts.sum(1) < ENOUGH
    for who, stage, some in (("known users", reading.known, ~is_new), ("new users", reading.new, is_new)):
        kept = some[subject]
        if stage.intervals is None or not kept.any():
            continue
        likes = Likes(raw, values, subject[kept], item[kept])
        for level in levels:
            measured = stage.intervals.coverage(likes, level)
            rows += [_row(f"interval, {who}", name, found) for name, found in measured.items()]
    return pl.DataFrame(rows)


def _row(promise: str, of: str, found: Coverage, note: str = "") -> dict[str, object]:
    return {"promise": promise, "of": of, **asdict(found), "kept": found.kept, "note": note}
