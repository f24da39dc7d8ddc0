"""Simulated histories of interests that drift and jump, with the truth: for holding filters against it.

a user's point   dx = κ(home − x)dt + √q·dW,   now and then a jump to a new place;   kept in [-1, 1]^k
an impression    of a random item at a random time, liked with probability σ(τ(p − d_r(x_t, e)))
"""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float, Int
from scipy.special import expit

from penchant._random import generator
from penchant.tables import simulator
from penchant.tables._tables import Tables

__all__ = ["Drift", "DriftTruth", "drift"]


@dataclass(frozen=True)
class DriftTruth:
    """What impressions were drawn from, in their order (by time)."""

    homes: Float[np.ndarray, "users dim"]
    """Points that users are pulled to; features tell these."""
    item_points: Float[np.ndarray, "items dim"]
    """Points of the items."""
    points: Float[np.ndarray, "n dim"]
    """The user's point at each impression."""
    user: Int[np.ndarray, " n"]
    """Row of the user."""
    item: Int[np.ndarray, " n"]
    """Row of the item."""
    time: Float[np.ndarray, " n"]
    """Days from 0, rising."""
    liked: Float[np.ndarray, " n"]
    """1 liked, 0 not."""
    probability: Float[np.ndarray, " n"]
    """P(liked) at that moment."""
    threshold: float
    """p."""

    def observation(self) -> tuple[Float[np.ndarray, " dim"], Float[np.ndarray, " dim"], Float[np.ndarray, " dim"]]:
        """Variance, gain and offset of liked items' points around the true interest, per axis (least squares)."""
        rows = self.liked > 0
        x, e = self.points[rows], self.item_points[self.item[rows]]
        gain = ((x - x.mean(0)) * (e - e.mean(0))).mean(0) / x.var(0)
        offset = e.mean(0) - gain * x.mean(0)
        return (e - gain * x - offset).var(0), gain, offset


@dataclass(frozen=True)
class Drift:
    """Tables and the truth behind them."""

    tables: Tables
    """Users "u0", …; items "i0", …; interactions with label and time (seconds), in the order of the truth."""
    truth: DriftTruth
    """What they were drawn from."""


def drift(
    *,
    n_users: int = 200,
    n_items: int = 1000,
    per_user: int = 100,
    days: float = 100.0,
    dim: int = 4,
    norm: float = 2.0,
    process: float = 0.003,
    half_life: float = 30.0,
    prior: float | None = None,
    home: float = 0.3,
    jumps: float = 0.0,
    liked: float = 0.3,
    slope: float = 15.0,
    feature_noise: float = 0.05,
    rng: int = 0,
) -> Drift:
    """Draw users whose interests move, and impressions of fixed items with likes and dislikes.

    Arguments:
        n_users, n_items, per_user: sizes; every user sees ``per_user`` items drawn evenly, at even times.
        days: how long it lasts. dim: axes of the box, at least 2. norm: r of the distance.
        process: q ≥ 0, variance of the wandering a day and axis. half_life: days, of the pull home; inf: none.
        prior: variance of the first point around home; None: the stationary one, or without a pull 0.
        home: standard deviation of homes around the centre.
        jumps: expected number a user; each sets the point, and home, anew.
        liked: share of impressions liked, about; it sets the threshold. slope: τ.
        feature_noise: see `simulate`. rng: the seed.

    Raises:
        ConfigError: an argument outside its range.
    """
    _check(n_users, n_items, per_user, days, dim, norm, process, half_life, prior, home, jumps, liked, slope)
    g = generator(rng, "drift")
    homes = np.clip(home * g.standard_normal((n_users, dim)), -1, 1)
    items = g.uniform(-1, 1, (n_items, dim))
    times = np.sort(g.uniform(0, days, (n_users, per_user)), 1)
    paths = _paths(homes, times, process, half_life, prior, jumps / days, home, g)
    order = np.argsort(times, axis=None, kind="stable")
    user, time, points = order // per_user, times.reshape(-1)[order], paths.reshape(-1, dim)[order]
    item = g.integers(0, n_items, len(order))
    distance = simulator.Truth(points, items, 1.0, norm, 0.0).distance(np.arange(len(order)), item)
    threshold = float(np.quantile(distance, liked))
    probability = expit(slope * (threshold - distance))
    label = (g.random(len(order)) < probability).astype(np.float64)
    truth = DriftTruth(homes, items, points, user, item, time, label, probability, threshold)
    return Drift(_tables(truth, feature_noise, g), truth)


def _paths(
    homes: np.ndarray,
    times: np.ndarray,
    process: float,
    half_life: float,
    prior: float | None,
    hazard: float,
    home: float,
    g: np.random.Generator,
) -> Float[np.ndarray, "users t dim"]:
    """Exact steps of the process from one impression to the next; at jumps a new home is moved into."""
    rate, homes = math.log(2) / half_life, homes.copy()
    if prior is None:
        prior = process / (2 * rate) if rate else 0.0
    x = homes + math.sqrt(prior) * g.standard_normal(homes.shape)
    out, before = [], times[:, 0]
    for now in times.T:
        lapse = (now - before)[:, None]
        decay = np.exp(-rate * lapse)
        spread = -np.expm1(-2 * rate * lapse) / (2 * rate) if rate else lapse
        x = homes + decay * (x - homes) + np.sqrt(process * spread) * g.standard_normal(x.shape)
        jumped = g.random(len(x)) < -np.expm1(-hazard * lapse[:, 0])
        if jumped.any():
            homes[jumped] = np.clip(home * g.standard_normal((int(jumped.sum()), x.shape[1])), -1, 1)
            x[jumped] = homes[jumped]
        x = np.clip(x, -1, 1)
        out.append(x)
        before = now
    return np.stack(out, 1)


def _tables(truth: DriftTruth, feature_noise: float, g: np.random.Generator) -> Tables:
    interactions = pl.DataFrame(
        {
            "user_id": [f"u{u}" for u in truth.user],
            "item_id": [f"i{i}" for i in truth.item],
            "label": truth.liked.astype(np.int8),
            "time": np.round(86_400 * truth.time).astype(np.int64),
        }
    )
    users = simulator.user_rows(truth.homes, feature_noise, g)
    return Tables(simulator.SCHEMA, users, simulator.item_rows(truth.item_points, feature_noise, g), interactions)


def _check(
    n_users: int, n_items: int, per_user: int, days: float, dim: int, norm: float, process: float, half_life: float,
    prior: float | None, home: float, jumps: float, liked: float, slope: float,
) -> None:  # fmt: skip
    ranges = (
        ("n_users, n_items, per_user", min(n_users, n_items, per_user) >= 1, "at least 1"),
        ("days", 0 < days < math.inf, "above 0"),
        ("dim", dim >= 2, "at least 2"),
        ("norm", norm >= 1, "at least 1"),
        ("process", 0 <= process < math.inf, "at least 0"),
        ("half_life", half_life > 0, "above 0"),
        ("prior", prior is None or 0 <= prior < math.inf, "None or at least 0"),
        ("home", 0 <= home < math.inf, "at least 0"),
        ("jumps", 0 <= jumps < math.inf, "at least 0"),
        ("liked", 0 < liked < 1, "in (0, 1)"),
        ("slope", 0 < slope < math.inf, "above 0"),
    )
    simulator.refuse(ranges)
