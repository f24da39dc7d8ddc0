"""How true is a portrait? The figures of ``portraits.py``, a value a user.

A user's *lift* is the portrait less the average liked item ("base"): what sets this user apart. The portrait's
lift is held against the lift of what the user really likes ("truth", the mean vector of held-out likes or of
the items truly inside the ball). Coordinates of the truth that are NaN (no liked item has a value) count for
nothing. Evidence: `design/evidence.md`, section 4.
"""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

__all__ = ["Figures", "figures", "lift_correlation", "mean_vectors", "squared_error", "top_share"]

Portraits = Float[np.ndarray, "users width"]
Base = Float[np.ndarray, " width"]
PerUser = Float[np.ndarray, " users"]

TOP = 3
"""So many features with the largest lift are compared."""
_FLAT = 1e-9
"""A lift that varies less over coordinates (standard deviation) is the same everywhere."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The three figures, a value a user; NaN where a figure says nothing of a user."""

    correlation: PerUser
    """Pearson's correlation of the two lifts over coordinates, in [-1, 1]; see `lift_correlation`."""
    squared_error: PerUser
    """Mean squared difference of portrait and truth over coordinates; see `squared_error`."""
    top_3: PerUser
    """Share of the 3 features with the largest true lift that the portrait names, in [0, 1]; see `top_share`."""

    def __len__(self) -> int:
        return len(self.correlation)

    def means(self) -> dict[str, float]:
        """The mean over users of each figure, by its name; NaN values are left out."""
        return {f.name: float(np.nanmean(getattr(self, f.name))) for f in fields(self)}


def figures(portrait: Portraits, truth: Portraits, base: Base) -> Figures:
    """All three figures of the portraits of some users.

    Arguments:
        portrait: what is claimed of each user, finite, in [0, 1] or about so.
        truth: what each user really likes, NaN where that is unknown.
        base: the average liked item.

    Raises:
        ValueError: shapes that do not fit, no users, or a portrait that is not finite.
    """
    if portrait.shape != truth.shape or base.shape != truth.shape[1:] or not len(truth):
        shapes = [list(a.shape) for a in (portrait, truth, base)]
        raise ValueError(f"shapes [users, width] twice and [width] expected, users > 0, got {shapes}")
    if not (np.isfinite(portrait).all() and np.isfinite(base).all()):
        raise ValueError("a portrait and its base must be finite: fill what is unknown with the base")
    portrait, truth, base = (a.astype(np.float64) for a in (portrait, truth, base))
    return Figures(
        lift_correlation(portrait, truth, base),
        squared_error(portrait, truth),
        top_share(portrait, truth, base),
    )


def lift_correlation(portrait: Portraits, truth: Portraits, base: Base) -> PerUser:
    """corr_j(portrait_j − base_j, truth_j − base_j) over a user's known coordinates j.

    0 where the portrait's lift is the same everywhere (the population average: it says nothing of the user);
    NaN where the truth's is, or fewer than two coordinates are known.
    """
    known = ~np.isnan(truth)
    n = known.sum(1)
    said, true = (_centred(np.where(known, a - base, 0.0), known, n) for a in (portrait, truth))
    size_said, size_true = (np.sqrt((a**2).sum(1)) for a in (said, true))
    least = _FLAT * np.sqrt(n)
    says, holds = size_said > least, (size_true > least) & (n >= 2)
    found = np.divide((said * true).sum(1), size_said * size_true, out=np.zeros(len(n)), where=says & holds)
    return np.where(holds, np.clip(found, -1, 1), np.nan)


def squared_error(portrait: Portraits, truth: Portraits) -> PerUser:
    """Σ_j (portrait_j − truth_j)² / number of known coordinates; the lift's base falls out. NaN: none is known."""
    known = ~np.isnan(truth)
    n = known.sum(1)
    total = (np.where(known, portrait - truth, 0.0) ** 2).sum(1)
    return np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)


def top_share(portrait: Portraits, truth: Portraits, base: Base, k: int = TOP) -> PerUser:
    """|k features of largest claimed lift ∩ k of largest true lift| / k, expected over the order of equal lifts.

    So a portrait that says nothing gets what chance gets, k / width. NaN: fewer than k coordinates are known.
    """
    known = ~np.isnan(truth)
    said, true = (_among_first(np.where(known, np.nan_to_num(a) - base, -np.inf), k) for a in (portrait, truth))
    return np.where(known.sum(1) >= k, (said * true).sum(1) / k, np.nan)


def mean_vectors(
    vectors: Float[np.ndarray, "items width"],
    user: Int[np.ndarray, " pairs"],
    item: Int[np.ndarray, " pairs"],
    n_users: int,
) -> tuple[Portraits, Float[np.ndarray, "users width"]]:
    """The mean of each user's items' vectors over known values, and how many values each mean has.

    Arguments:
        vectors: of all items; NaN where unknown.
        user, item: the pairs that count, by rows.

    Returns: means, NaN where there is no value; counts.
    """
    pairs = csr_array((np.ones(len(user)), (user, item)), shape=(n_users, len(vectors)))
    known = ~np.isnan(vectors)
    count = pairs @ known.astype(np.float64)
    total = pairs @ np.where(known, vectors, 0.0).astype(np.float64)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0), count


def _centred(lift: Portraits, known: np.ndarray, n: np.ndarray) -> Portraits:
    return np.where(known, lift - (lift.sum(1) / np.maximum(n, 1))[:, None], 0.0)


def _among_first(value: Portraits, k: int) -> Portraits:
    """How surely each coordinate is among the k largest of its row: 1, 0, or between where equals share places."""
    if value.shape[1] < k:
        return np.zeros_like(value)
    edge = -np.partition(-value, k - 1, axis=1)[:, k - 1, None]
    above, level = value > edge, value == edge
    share = (k - above.sum(1, keepdims=True)) / level.sum(1, keepdims=True)
    return above + level * share
