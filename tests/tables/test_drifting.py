"""Drifting interests: the path has the moments it should, likes follow it, tables hold it."""

import dataclasses
import math

import numpy as np
import pytest
from polars.testing import assert_frame_equal

from penchant.errors import ConfigError
from penchant.tables._tables import Tables
from penchant.tables.drifting import drift


def paths(truth, n_users: int) -> tuple[np.ndarray, np.ndarray]:
    """Times (users, t) and points (users, t, k)."""
    order = np.lexsort((truth.time, truth.user))
    return truth.time[order].reshape(n_users, -1), truth.points[order].reshape(n_users, -1, truth.points.shape[1])


def test_a_random_walk_spreads_by_q_a_day() -> None:
    made = drift(n_users=400, per_user=20, process=1e-4, half_life=math.inf, home=0.1, dim=3).truth
    time, x = paths(made, 400)
    steps = (np.diff(x, axis=1) ** 2).mean(2) / np.diff(time, axis=1)
    assert steps.mean() == pytest.approx(1e-4, rel=0.05)
    assert (x[:, 0] == made.homes).all()


def test_the_pull_keeps_the_stationary_spread_and_halves_correlation() -> None:
    made = drift(n_users=3000, per_user=3, process=0.002, half_life=20.0, home=0.1, days=30.0).truth
    time, x = paths(made, 3000)
    away = x - made.homes[:, None]
    stationary = 0.002 * 20 / (2 * math.log(2))
    assert away.var(axis=(0, 2)) == pytest.approx([stationary] * 3, rel=0.06)
    left = 0.5 ** (np.diff(time[:, :2])[:, 0] / 20)
    assert (away[:, 0] * away[:, 1]).mean() == pytest.approx(stationary * left.mean(), rel=0.08)


def test_likes_follow_the_path() -> None:
    made = drift(n_users=200, per_user=100, norm=float("inf"), liked=0.3, slope=20.0).truth
    away = np.abs(made.points - made.item_points[made.item]).max(1)
    np.testing.assert_allclose(made.probability, 1 / (1 + np.exp(-20 * (made.threshold - away))))
    for low, high in ((0, 0.2), (0.2, 0.6), (0.6, 0.95)):
        some = (made.probability >= low) & (made.probability < high)
        assert made.liked[some].mean() == pytest.approx(made.probability[some].mean(), abs=0.03)
    assert made.liked.mean() == pytest.approx(0.3, abs=0.03)
    assert (np.diff(made.time) >= 0).all()
    assert np.abs(made.points).max() <= 1
    r, c, b = made.observation()
    assert (r > 0).all()
    assert (c > 0).all()
    assert (c < 1.1).all()
    assert (np.abs(b) < 0.1).all()


def test_jumps_come_as_often_as_wished() -> None:
    made = drift(n_users=500, per_user=30, process=0.0, half_life=math.inf, jumps=2.0).truth
    _, x = paths(made, 500)
    moved = (np.diff(x, axis=1) != 0).any(2).sum(1)
    assert moved.mean() == pytest.approx(2.0, abs=0.3)


def test_the_tables_hold_it_and_one_seed_gives_one_world() -> None:
    one, same, other = (drift(n_users=20, n_items=30, per_user=10, rng=rng) for rng in (1, 1, 2))
    tables = one.tables
    again = Tables.read(tables.schema, users=tables.users, items=tables.items, interactions=tables.interactions)
    assert again.warnings == ()
    assert tables.interactions["label"].to_list() == one.truth.liked.tolist()
    assert tables.interactions["user_id"].to_list() == [f"u{u}" for u in one.truth.user]
    np.testing.assert_allclose(tables.interactions["time"] / 86_400, one.truth.time, atol=1e-5)
    for table in ("users", "items", "interactions"):
        assert_frame_equal(getattr(one.tables, table), getattr(same.tables, table))
    for field in dataclasses.fields(one.truth):
        assert np.array_equal(getattr(one.truth, field.name), getattr(same.truth, field.name))
    assert one.truth.threshold != other.truth.threshold


def test_every_argument_out_of_range_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        drift(
            n_users=0, days=0.0, dim=1, norm=0.5, process=-1.0, half_life=0.0, prior=-1.0, home=-1.0, jumps=-1.0,
            liked=1.0, slope=0.0,
        )  # fmt: skip
    for name in ("n_users", "days", "dim", "norm", "process", "half_life", "prior", "home", "jumps", "liked", "slope"):
        assert name in str(caught.value)
