"""What is needed to read portraits, fitted once after training and gathered anew for whoever is asked about."""

from dataclasses import replace

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from penchant._random import generator
from penchant._spec import Features, History
from penchant.estimator.fitted import SIDES, Fitted, SideName, other_side
from penchant.portraits import (
    Evidence,
    Likes,
    Others,
    Pairs,
    Past,
    Reading,
    fit_linear,
    fit_reading,
    liked_means,
    past_of,
)
from penchant.tables import Tables

__all__ = ["evidence_of", "fit_readings", "held_out_likes"]

_MOST_SUBJECTS = 20_000
"""Subjects that readings are fitted on at most."""


def fit_readings(fitted: Fitted, valid: Tables | None, rng: int) -> dict[SideName, Reading]:
    """A reading for each side that can be described: items by what users like, users by who likes an item."""
    held_out = None if valid is None else held_out_likes(fitted, valid)
    return {of: _fit(fitted, of, held_out, rng) for of in SIDES}


def held_out_likes(fitted: Fitted, tables: Tables) -> dict[SideName, Int[np.ndarray, " n"]]:
    """Liked pairs of known users and known items, as their row numbers."""
    liked = tables.interactions.filter(pl.col(tables.schema.label) == 1)
    rows = {side: fitted.known[side].vocabulary.find(liked[fitted.key(side)]) for side in SIDES}
    kept = (rows["user"] >= 0) & (rows["item"] >= 0)
    return {side: found[kept] for side, found in rows.items()}


def _fit(fitted: Fitted, of: SideName, held_out: dict[SideName, np.ndarray] | None, rng: int) -> Reading:
    about = other_side(of)
    seen = fitted.seen
    pairs = Pairs(seen[about].to_numpy(), seen[of].to_numpy(), seen["liked"].to_numpy().astype(np.float64))
    later = (np.zeros(0, np.int64),) * 2 if held_out is None else (held_out[about], held_out[of])
    subjects = _some(pairs.subject, later[0], rng)
    pairs = pairs.at(np.isin(pairs.subject, subjects))
    kept = np.isin(later[0], subjects)
    later = (later[0][kept], later[1][kept])
    named = np.unique(np.concatenate([pairs.other, later[1]]))
    others = _others(fitted, of, named)
    local = Pairs(np.searchsorted(subjects, pairs.subject), np.searchsorted(named, pairs.other), pairs.liked)
    tests = None
    if held_out is not None and len(later[0]):
        tests = (np.searchsorted(subjects, later[0]), np.searchsorted(named, later[1]))
    features = fitted.encoded_rows(about, subjects)
    own = fitted.side_encoder(about).portrait(features)
    population = fitted.population[of].astype(np.float64)
    means = None
    if tests is not None:
        flat = np.broadcast_to(population, (len(subjects), len(population)))
        means = liked_means(Likes(flat, others.vectors, *tests))
    linear = fit_linear(
        own, local.subject, local.other, local.liked, others=others, population=population, held_out=means, rng=rng
    )
    past = past_of(len(subjects), local.subject, local.other, local.liked, others, linear.means)
    points = fitted.points(about, subjects).cpu().numpy()
    return fit_reading(
        linear,
        Evidence(fitted.decode(of, points), own, past),
        fitted.decode(of, _as_new(fitted, about, features)),
        values=others.vectors,
        held_out=tests,
        population=population,
        layout=fitted.model.layout(of),
        rng=rng,
    )


def _some(subject: Int[np.ndarray, " n"], later: Int[np.ndarray, " m"], rng: int) -> Int[np.ndarray, " s"]:
    """All subjects, or as many as are looked at: first those with held-out likes, in random order."""
    every = np.union1d(subject, later)
    if len(every) <= _MOST_SUBJECTS:
        return every
    g = generator(rng, "readings")
    order = np.lexsort((g.random(len(every)), ~np.isin(every, later)))
    return np.sort(every[order[:_MOST_SUBJECTS]])


def _others(fitted: Fitted, of: SideName, rows: Int[np.ndarray, " n"]) -> Others:
    return Others(fitted.vectors(of, rows), fitted.points(of, rows).cpu().numpy())


def _as_new(fitted: Fitted, side: SideName, features: Features) -> Float[np.ndarray, "n k"]:
    """Points of the same rows without their ids and histories."""
    nameless = fitted.side_encoder(side).without_ids(replace(features, history=None))
    return fitted.encode(side, nameless)


# ---------------------------------------------------------------------- asking


def evidence_of(
    fitted: Fitted,
    about: SideName,
    points: Float[np.ndarray, "n k"],
    own: Float[np.ndarray, "n m"],
    rows: Int[np.ndarray, " n"],
    history: History | None = None,
) -> Evidence:
    """What there is to read of users or items.

    Arguments:
        about: their side.
        points, own: their points and own portrait vectors.
        rows: row numbers among the known ones; -1 for those who are in no table.
        history: what the latter bring along.
    """
    of = other_side(about)
    return Evidence(fitted.decode(of, points), own, _past(fitted, about, of, rows, history))


def _past(fitted: Fitted, about: SideName, of: SideName, rows: Int[np.ndarray, " n"], history: History | None) -> Past:
    met = _met(fitted, about, of, rows)
    subject, other = met["position"].to_numpy(), met[of].to_numpy()
    liked = met["liked"].to_numpy().astype(np.float64)
    if history is not None:
        items, signs, offsets = (np.asarray(part) for part in (history.items, history.liked, history.offsets))
        row = np.repeat(np.arange(len(rows)), np.diff(offsets))
        strangers = rows[row] < 0
        subject = np.concatenate([subject, row[strangers]])
        other = np.concatenate([other, items[strangers]])
        liked = np.concatenate([liked, signs[strangers].astype(np.float64)])
    named, place = np.unique(other, return_inverse=True)
    means = fitted.readings[of].linear.means
    return past_of(len(rows), subject, place, liked, _others(fitted, of, named), means)


def _met(fitted: Fitted, about: SideName, of: SideName, rows: Int[np.ndarray, " n"]) -> pl.DataFrame:
    """What known ones among ``rows`` met in the training rows: position in ``rows``, row of the other side, liked."""
    position = np.flatnonzero(rows >= 0)
    asked = pl.DataFrame({"position": position, about: rows[position]})
    if not len(asked):
        return pl.DataFrame(schema={"position": pl.Int64, of: pl.Int64, "liked": pl.Boolean})
    return asked.join(fitted.seen.select(about, of, "liked"), on=about, maintain_order="left_right")
