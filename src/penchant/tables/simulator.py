"""Simulated tables whose truth is known: for holding models, thresholds and portraits against it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from jaxtyping import Float, Int
from scipy.stats import rankdata

from penchant._random import generator
from penchant.errors import ConfigError
from penchant.tables._tables import Tables
from penchant.tables.schema import Field, Schema

__all__ = ["Simulation", "Truth", "simulate"]

ROLES = ("tank", "healer", "scout", "mage", "smith", "bard")
LANGUAGES = ("en", "zh", "de", "fr", "ja")
TOPICS = ("guide", "lore", "patch", "esports", "humour", "build", "news", "art")
_EPOCH = date(2024, 1, 1)
_FAR = 5.0
"""Noisy places end here, so that every date and length can be told."""


@dataclass(frozen=True)
class Truth:
    """The hidden space: a user likes the items inside a ball around the user's point; labels then flip at random."""

    user_points: Float[np.ndarray, "users dim"]
    """Hidden points of the users in [-1, 1]^dim."""
    item_points: Float[np.ndarray, "items dim"]
    """Hidden points of the items."""
    radius: float
    """Of every user's ball, a normalised Minkowski distance."""
    norm: float
    """r of that distance."""
    noise: float
    """Probability that a label is flipped."""

    def distance(self, users: Int[np.ndarray, " n"], items: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """True distance of pairs, by row numbers."""
        size = np.abs(self.user_points[users] - self.item_points[items])
        if np.isinf(self.norm):
            return size.max(1)
        return np.power(np.power(size, self.norm).mean(1), 1 / self.norm)

    def probability(self, users: Int[np.ndarray, " n"], items: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """P(label = 1) of pairs: 1 − noise inside the ball, noise outside."""
        return np.where(self.distance(users, items) <= self.radius, 1 - self.noise, self.noise)

    def _pairs(self, tables: Tables) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        pairs = tables.interactions
        rows = (pairs[c].str.slice(1).cast(pl.Int64).to_numpy() for c in ("user_id", "item_id"))
        return *rows, pairs["label"].to_numpy().astype(np.float64)  # type: ignore[return-value]

    def auc(self, tables: Tables) -> float:
        """AUC of the true probability on these interactions: what no model is expected to beat; NaN for one label."""
        users, items, label = self._pairs(tables)
        ranks = rankdata(self.probability(users, items))
        liked = label > 0.5
        n1, n0 = int(liked.sum()), int((~liked).sum())
        if not n1 * n0:
            return float("nan")
        return float((ranks[liked].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))

    def accuracy(self, tables: Tables) -> float:
        """Share of labels that the true decision, inside the ball or not, gets right."""
        users, items, label = self._pairs(tables)
        return float(((self.distance(users, items) <= self.radius) == (label > 0.5)).mean())


@dataclass(frozen=True)
class Simulation:
    """Tables and the truth behind them."""

    tables: Tables
    """Users "u0", "u1", …; items "i0", …; interactions with labels."""
    truth: Truth
    """What they were drawn from."""


def simulate(
    *,
    n_users: int = 500,
    n_items: int = 400,
    n_interactions: int = 20_000,
    dim: int = 4,
    norm: float = 2.0,
    liked: float = 0.4,
    noise: float = 0.05,
    feature_noise: float = 0.05,
    missing: float = 0.0,
    rng: int = 0,
) -> Simulation:
    """Users with interest balls in a hidden space, items with mixed features, labels from the balls with noise.

    Every feature is a noisy function of the hidden point, and together they determine it: an encoder can recover the
    space for users and items it has never seen.

    Arguments:
        n_users, n_items, n_interactions: sizes; pairs are drawn evenly, each at most once.
        dim: axes of the hidden box [-1, 1]^dim, at least 2.
        norm: r of the true distance, ≥ 1 or inf.
        liked: share of all pairs inside a ball, in (0, 1); it sets the radius.
        noise: probability that a label is flipped, in [0, ½).
        feature_noise: standard deviation of the noise on features, in units of the hidden box.
        missing: share of feature values left out, in [0, 1).
        rng: the seed.

    Raises:
        ConfigError: an argument outside its range.
    """
    _check(n_users, n_items, n_interactions, dim, norm, liked, noise, feature_noise, missing)
    g = generator(rng, "simulate")
    user_points, item_points = g.uniform(-1, 1, (n_users, dim)), g.uniform(-1, 1, (n_items, dim))
    truth = Truth(user_points, item_points, 1.0, float(norm), noise)
    some = g.integers(0, [[n_users], [n_items]], (2, 50_000))
    truth = Truth(user_points, item_points, float(np.quantile(truth.distance(*some), liked)), float(norm), noise)
    cells = g.choice(n_users * n_items, n_interactions, replace=False)
    users, items = cells // n_items, cells % n_items
    label = (g.random(n_interactions) < truth.probability(users, items)).astype(np.int8)
    interactions = pl.DataFrame(
        {"user_id": [f"u{u}" for u in users], "item_id": [f"i{i}" for i in items], "label": label,
         "time": np.arange(n_interactions, dtype=np.int64)}
    )  # fmt: skip
    tables = Tables(
        SCHEMA,
        _left_out(user_rows(user_points, feature_noise, g), missing, g),
        _left_out(item_rows(item_points, feature_noise, g), missing, g),
        interactions,
    )
    return Simulation(tables, truth)


def _check(
    n_users: int,
    n_items: int,
    n_interactions: int,
    dim: int,
    norm: float,
    liked: float,
    noise: float,
    spread: float,
    missing: float,
) -> None:
    ranges = (
        ("n_users, n_items", min(n_users, n_items) >= 1, "at least 1"),
        (
            "n_interactions",
            1 <= n_interactions <= n_users * n_items,
            f"1 … {n_users * n_items}, the number of pairs",
        ),
        ("dim", dim >= 2, "at least 2"),
        ("norm", norm >= 1, "at least 1"),
        ("liked", 0 < liked < 1, "in (0, 1)"),
        ("noise", 0 <= noise < 0.5, "in [0, ½)"),
        ("feature_noise", spread >= 0, "at least 0"),
        ("missing", 0 <= missing < 1, "in [0, 1)"),
    )
    refuse(ranges)


def refuse(ranges: Iterable[tuple[str, bool, str]]) -> None:
    """Name every argument that is not right, and what was expected.

    Raises:
        ConfigError: of all of them.
    """
    problems = [f"{name}: {expected} expected" for name, right, expected in ranges if not right]
    if problems:
        raise ConfigError("; ".join(problems))


SCHEMA = Schema(
    fields=(
        Field(name="user_id", side="user", kind="id"),
        Field(name="age", side="user", kind="numeric", unit="years"),
        Field(name="member", side="user", kind="binary"),
        Field(name="role", side="user", kind="category"),
        Field(name="joined", side="user", kind="date"),
        Field(name="taste", side="user", kind="vector"),
        Field(name="item_id", side="item", kind="id"),
        Field(name="length", side="item", kind="numeric", unit="words"),
        Field(name="video", side="item", kind="binary"),
        Field(name="lang", side="item", kind="category"),
        Field(name="topics", side="item", kind="tags"),
        Field(name="published", side="item", kind="date"),
        Field(name="content", side="item", kind="vector"),
    ),
    user_id="user_id",
    item_id="item_id",
    time="time",
)


def _noisy(points: np.ndarray, spread: float, g: np.random.Generator) -> np.ndarray:
    return np.clip(points + spread * g.standard_normal(points.shape), -_FAR, _FAR)


def _words(points: np.ndarray, words: tuple[str, ...], g: np.random.Generator) -> list[str]:
    """The word whose place in the first two axes is nearest."""
    angle = 2 * np.pi * np.arange(len(words)) / len(words)
    places = 0.6 * np.column_stack([np.cos(angle), np.sin(angle)])
    nearest = np.linalg.norm(points[:, None, :2] - places, axis=2).argmin(1)
    return [words[j] for j in nearest]


def _dates(x: np.ndarray) -> list[date]:
    return [_EPOCH + timedelta(days=int(day)) for day in np.round(365 * (x + 1))]


def user_rows(points: np.ndarray, spread: float, g: np.random.Generator) -> pl.DataFrame:
    """Users "u0", … with noisy features of their points."""
    x = _noisy(points, spread, g)
    return pl.DataFrame(
        {
            "user_id": [f"u{j}" for j in range(len(x))],
            "age": np.round(18 + 21 * (x[:, 0] + 1)).astype(np.int64),
            "member": x[:, 1] > 0,
            "role": _words(x, ROLES, g),
            "joined": _dates(x[:, -1]),
            "taste": _noisy(points, spread, g).tolist(),
        }
    )


def item_rows(points: np.ndarray, spread: float, g: np.random.Generator) -> pl.DataFrame:
    """Items "i0", … with noisy features of their points."""
    x = _noisy(points, spread, g)
    directions = g.standard_normal((points.shape[1], len(TOPICS)))
    on = x @ (directions / np.linalg.norm(directions, axis=0)) > 0.4
    return pl.DataFrame(
        {
            "item_id": [f"i{j}" for j in range(len(x))],
            "length": np.round(200 * np.exp(1.2 * (x[:, 0] + 1))).astype(np.int64),
            "video": x[:, 1] > 0.3,
            "lang": _words(x, LANGUAGES, g),
            "topics": [[t for t, yes in zip(TOPICS, row, strict=True) if yes] for row in on],
            "published": _dates(x[:, -1]),
            "content": _noisy(points, spread, g).tolist(),
        },
        schema_overrides={"topics": pl.List(pl.String)},
    )


def _left_out(frame: pl.DataFrame, share: float, g: np.random.Generator) -> pl.DataFrame:
    if not share:
        return frame
    _, *features = frame.columns
    gone = {c: pl.Series(g.random(frame.height) < share) for c in features}
    return frame.with_columns(pl.when(~gone[c]).then(pl.col(c)).alias(c) for c in features)
