"""Points in three groups, and users and items with features that tell the groups apart."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from penchant.maps import MapSide
from penchant.spaces import Space
from penchant.tables import Field, SideEncoder

FIELDS = (
    Field(name="topic", side="item", kind="category"),
    Field(name="tags", side="item", kind="tags"),
    Field(name="length", side="item", kind="numeric", unit="words"),
    Field(name="out", side="item", kind="date"),
    Field(name="free", side="item", kind="binary"),
)
PEOPLE = (
    Field(name="age", side="user", kind="numeric", title="length"),
    Field(name="role", side="user", kind="category"),
)


class Steps:
    """Counts what is told."""

    total = done = 0
    finished = False

    def start(self, total, title):
        self.total = total

    def step(self, n=1, **figures):
        self.done += n

    def finish(self):
        self.finished = True


@pytest.fixture
def steps() -> Steps:
    """A progress."""
    return Steps()


@pytest.fixture(scope="session")
def space() -> Space:
    return Space(dim=8, cap=0.6)


@pytest.fixture(scope="session")
def groups() -> tuple[np.ndarray, np.ndarray]:
    """180 points of three groups, and the group of each."""
    generator = np.random.default_rng(1)
    centre = generator.uniform(-0.7, 0.7, (3, 8))
    group = np.arange(180) % 3
    points = np.clip(centre[group] + 0.08 * generator.standard_normal((180, 8)), -1, 1)
    return points.astype(np.float32), group


def side_of(side: Any, frame: pl.DataFrame, points: np.ndarray, fields: Any = None, ids: Any = None) -> MapSide:
    encoder = SideEncoder.fit(fields or (FIELDS if side == "item" else PEOPLE), frame)
    keys = tuple(f"{side}{n}" for n in range(len(frame))) if ids is None else tuple(ids)
    numbers = {"likes": (np.arange(len(frame), dtype=np.float64), "")}
    return MapSide(side, keys, (None,) * len(frame), frame, encoder, points, numbers)


@pytest.fixture(scope="session")
def sides(groups) -> tuple[MapSide, MapSide]:
    """120 items whose topic and length are their group's, and 60 users whose role is."""
    points, group = groups
    of_items, of_users = group[:120], group[120:]
    items = pl.DataFrame(
        {
            "topic": np.array(["guides", "news", "games"])[of_items],
            "tags": [["all", f"t{g}"] for g in of_items],
            "length": np.array([100, 5000, 40000])[of_items] + np.arange(120),
            "out": pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 4, 29), eager=True),
            "free": of_items == 0,
        }
    )
    users = pl.DataFrame({"age": np.arange(60), "role": np.array(["support", "sales", "x"])[of_users]})
    return side_of("item", items, points[:120]), side_of("user", users, points[120:])


@pytest.fixture(scope="session")
def make_side():
    """A side of a map from a frame."""
    return side_of
