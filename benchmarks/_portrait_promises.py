"""Promises held against others' likes, and made-up items against the truth: the rest of a case of ``portraits.py``.

A promise is calibrated on held-out likes of some users and measured on held-out likes of others. Where validation and
test users are others anyway (cold users, coat) it is the model's own; elsewhere users are dealt out to two halves at
random, and the promise is made anew from the validation likes of one for the test likes of the other.
"""

import time
from dataclasses import replace

import numpy as np
import polars as pl
from _portrait_data import PortraitCase
from jaxtyping import Bool, Float, Int

from penchant import Penchant, Tables
from penchant.estimator.fitted import Fitted
from penchant.estimator.portraying import evidence
from penchant.estimator.promising import guarantees
from penchant.estimator.queries import resolve
from penchant.estimator.reading import fit_readings
from penchant.portraits import Likes
from penchant.portraits.intervals import PortraitIntervals
from penchant.tables.simulator import Truth

__all__ = ["LEVELS", "invented", "promised", "speed", "true_coverage"]

LEVELS = (0.8, 0.9, 0.95)
_MIDDLE = 0.9
_TRUE_USERS = 200
"""Simulated users whose truly liked items are held against their intervals."""


def promised(case: PortraitCase, model: Penchant, seed: int) -> dict[str, float]:
    """Measured recall and coverage at each level, the share of promises kept, and how much the intervals leave open.

    Returns: recall_80 …, coverage_80 … (the mean over the fields), promises_kept (within sampling error, of all levels
    and fields), width_90 (of numbers, a share of their range; where there are any), set_share_90 (of words, or of yes
    and no, the share that is left; where there are any).
    """
    fitted, held_out = _dealt(case, model, seed)
    found = guarantees(fitted, held_out, LEVELS)
    stage = "interval, new users" if case.cold else "interval, known users"
    recall, fields = (found.filter(pl.col("promise") == name) for name in ("recall", stage))
    figures: dict[str, float] = {}
    for level in LEVELS:
        here = (pl.col("promised") - level).abs() < 1e-9
        figures[f"recall_{100 * level:.0f}"] = recall.filter(here)["measured"].item()
        figures[f"coverage_{100 * level:.0f}"] = _mean(fields.filter(here)["measured"])
    figures["promises_kept"] = _mean(pl.concat([recall, fields])["kept"].cast(pl.Float64))
    users = held_out.interactions[held_out.schema.user].unique(maintain_order=True).to_list()
    return figures | _left_open(fitted, users, cold=case.cold)


def _dealt(case: PortraitCase, model: Penchant, seed: int) -> tuple[Fitted, Tables]:
    """The model with promises from some users' validation likes, and test rows of others."""
    key = case.train.schema.user
    valid, test = (part.interactions[key].unique(maintain_order=True) for part in (case.valid, case.test))
    if not valid.is_in(test.to_list()).any():
        return model._fitted, case.test
    everyone = case.train.user_ids.to_numpy()
    half = np.random.default_rng([seed, 1]).permutation(everyone)[: len(everyone) // 2].tolist()
    rows, others = case.valid.interactions, case.test.interactions
    some = case.valid.with_interactions(rows.filter(pl.col(key).is_in(half)))
    fitted = model._fitted
    numbers = fitted.known["user"].vocabulary.rows(half)
    kept = np.isin(fitted.likes["user"], numbers)
    likes = {name: values[kept] for name, values in fitted.likes.items() if len(values) == len(kept)}  # no counts
    again = replace(fitted, readings=fit_readings(fitted, some, seed), likes=likes)
    return again, case.test.with_interactions(others.filter(~pl.col(key).is_in(half)))


def _left_open(fitted: Fitted, users: list, *, cold: bool) -> dict[str, float]:
    raw, intervals = _read(fitted, users, cold=cold)
    low, high = intervals.intervals(raw, _MIDDLE)
    widths, shares = [], []
    for block, place in intervals.layout.places():
        if block.likelihood == "square":
            widths.append(float((high - low)[:, place].mean()))
        elif block.likelihood == "categorical":
            shares.append(float(high[:, place].mean()))
        else:
            shares.append(float(1 - (high == low)[:, place].mean() / 2))
    found = {"width_90": widths, "set_share_90": shares}
    return {name: float(np.mean(values)) for name, values in found.items() if values}


def _read(fitted: Fitted, users: list, *, cold: bool) -> tuple[Float[np.ndarray, "n width"], PortraitIntervals]:
    """What is said of users before calibration, and the intervals that count for them."""
    reading = fitted.readings["item"]
    intervals = (reading.new if cold else reading.known).intervals
    assert intervals is not None, "there are validation rows"
    return reading.raw(evidence(fitted, "user", resolve(fitted, "user", users))), intervals


# ---------------------------------------------------------------------- the truth


def true_coverage(model: Penchant, truth: Truth, seed: int) -> float:
    """Of items truly inside users' balls, the share of values inside the 90 % intervals; mean over fields."""
    g, fitted = np.random.default_rng([seed, 2]), model._fitted
    users = np.sort(g.choice(len(truth.user_points), min(_TRUE_USERS, len(truth.user_points)), replace=False))
    subject, liked = np.nonzero(np.stack([_inside(truth, u, truth.item_points) for u in users]))
    ids = fitted.known["user"].vocabulary.ids.gather(users).to_list()
    raw, intervals = _read(fitted, ids, cold=False)
    values = fitted.encoder.item.portrait(fitted.encoder.item.encode(model.items_))
    found = intervals.coverage(Likes(raw, values, subject, liked), _MIDDLE)
    return float(np.mean([one.measured for one in found.values()]))


def _inside(truth: Truth, user: int, points: Float[np.ndarray, "n dim"]) -> Bool[np.ndarray, " n"]:
    """Which places a user truly likes."""
    return (
        replace(truth, item_points=points).distance(np.full(len(points), user), np.arange(len(points))) <= truth.radius
    )


def _places(rows: pl.DataFrame) -> Float[np.ndarray, "n dim"]:
    """Where made-up items lie in the hidden space: their content is that place, read with an error."""
    return np.array(rows["content"].to_list(), dtype=np.float64)


def invented(model: Penchant, truth: Truth | None, users: Int[np.ndarray, " n"]) -> dict[str, float]:
    """Milliseconds of a portrait with details; where the truth is known also the share of made-up items truly liked."""
    liked, times = [], []
    for user, who in zip(users.tolist(), _ids(model, users), strict=True):
        began = time.perf_counter()
        details = model.portrait(who, details=True).details
        times.append(1000 * (time.perf_counter() - began))
        assert details is not None, "the space has a norm"
        if truth is not None and len(details.invented):
            liked += _inside(truth, user, _places(details.invented)).tolist()
    figures = {"ms_details": float(np.median(times))}
    return figures if truth is None else figures | {"examples_liked": float(np.mean(liked)) if liked else 0.0}


def speed(model: Penchant, users: Int[np.ndarray, " n"]) -> dict[str, float]:
    """Milliseconds of a typical portrait: one asked alone, and one of all in a table."""
    ids, alone = _ids(model, users), []
    for who in ids:
        began = time.perf_counter()
        model.portrait(who, details=False)
        alone.append(1000 * (time.perf_counter() - began))
    began = time.perf_counter()
    model.portraits(ids)
    return {"ms": float(np.median(alone)), "ms_in_table": 1000 * (time.perf_counter() - began) / len(ids)}


def _ids(model: Penchant, users: Int[np.ndarray, " n"]) -> list:
    return model._fitted.known["user"].vocabulary.ids.gather(users).to_list()


def _mean(column: pl.Series) -> float:
    return float(np.mean(column.to_numpy()))
