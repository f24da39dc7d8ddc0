"""What filters are held against: one dense Gaussian over all moments and axes of a user, from its joint precision."""

import math
from typing import Any

import numpy as np

from penchant.dynamics.belief import Dynamics


def joint_precision(
    anchor: np.ndarray, time: np.ndarray, items: np.ndarray, seen: np.ndarray, d: Dynamics
) -> tuple[np.ndarray, np.ndarray]:
    """Λ (t·k, t·k) and h = Λ·mean of p(x_1 … x_t | likes seen): the quadratic forms of prior, steps and likes."""
    t, k = items.shape
    q, r, prior, c, b, s = (np.broadcast_to(np.asarray(getattr(d, f), float), (k,)) for f in _AXES)
    lam, h = np.zeros((t * k, t * k)), np.zeros(t * k)
    kappa = math.log(2) / d.half_life

    def add(rows: np.ndarray, target: np.ndarray, variance: np.ndarray) -> None:  # (rows @ x - target)² / variance
        lam[...] += rows.T @ (rows / variance[:, None])
        h[...] += rows.T @ (target / variance)

    def place(moment: int, factor: Any = 1.0) -> np.ndarray:
        rows = np.zeros((k, t * k))
        rows[:, moment * k : (moment + 1) * k] = np.diag(np.full(k, 1.0) * factor)
        return rows

    add(place(0), anchor, prior + s * bool(seen[0]))
    for m in range(1, t):
        lapse = time[m] - time[m - 1]
        left = math.exp(-kappa * lapse)
        spread = (1 - left**2) / (2 * kappa) if kappa else lapse
        add(place(m) - place(m - 1, left), (1 - left) * anchor, q * spread + s * bool(seen[m]))
    for m in np.flatnonzero(seen):
        add(place(m, c), items[m] - b, r)
    return lam, h


_AXES = ("process", "observation", "prior", "gain", "offset", "step")


def dense_posterior(*given: Any) -> tuple[np.ndarray, np.ndarray]:
    """Means and variances (t, k) of every moment, by one solve."""
    lam, h = joint_precision(*given)
    covariance = np.linalg.inv(lam)
    shape = given[2].shape
    return np.linalg.solve(lam, h).reshape(shape), np.diag(covariance).reshape(shape)


def some_history(rng: int, t: int = 7, k: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An anchor, rising times and items inside the box."""
    g = np.random.default_rng(rng)
    return g.uniform(-0.5, 0.5, k), np.cumsum(g.uniform(0.1, 20, t)), g.uniform(-1, 1, (t, k))


def some_dynamics(rng: int, k: int = 3, **changes: Any) -> Dynamics:
    """Constants per axis, drawn."""
    g = np.random.default_rng(1000 + rng)
    drawn = {
        "process": g.uniform(1e-4, 0.02, k),
        "observation": g.uniform(0.02, 0.3, k),
        "prior": g.uniform(0.02, 0.3, k),
        "half_life": float(g.uniform(2, 60)),
        "gain": g.uniform(0.5, 1.2, k),
        "offset": g.uniform(-0.1, 0.1, k),
        "step": g.uniform(0.0, 0.02, k) * g.integers(2),
    }
    return Dynamics(**drawn | changes)
