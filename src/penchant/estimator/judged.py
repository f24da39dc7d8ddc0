"""What the held-out pairs said of a model, kept small: how many were liked and not liked, by distance.

A model file keeps the counts beside the held-out likes (`Fitted.likes`), so that any threshold can be judged later
without the rows: at a threshold t, with liked and not liked pairs counted up to it,

    recall(t) = liked up to t / all liked,    precision(t) = liked up to t / all up to t
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

from penchant.calibration import Calibration

__all__ = ["Judged", "judge", "judged_of"]

_BINS = 256
_PARTS = 10
_Z = 1.96
"""Of intervals that hold the true share nineteen times in twenty."""
_NAMES = ("judged_edge", "judged_liked", "judged_other")
"""Among the arrays of `Fitted.likes`."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Held-out pairs by distance."""

    edge: Float[np.ndarray, " edges"]
    """Ends of the bins, rising: from the least to the largest distance."""
    liked: Float[np.ndarray, " bins"]
    """Weight of the liked pairs in each bin, (edge, next edge]; the first holds its own edge too."""
    other: Float[np.ndarray, " bins"]
    """Weight of the others."""

    def arrays(self) -> dict[str, np.ndarray]:
        """As they are kept."""
        return dict(zip(_NAMES, (self.edge, self.liked, self.other), strict=True))

    def trade_off(self) -> dict[str, list[float]]:
        """For a threshold at each edge but the first: ``threshold``, ``recall``, ``precision``, ``shown`` (the share of
        all pairs up to it), each in [0, 1] but the first."""
        liked, every = self.liked.cumsum(), (self.liked + self.other).cumsum()
        return {
            "threshold": self.edge[1:].tolist(),
            "recall": (liked / max(liked[-1], 1e-12)).tolist(),
            "precision": np.divide(liked, every, out=np.ones_like(liked), where=every > 0).tolist(),
            "shown": (every / max(every[-1], 1e-12)).tolist(),
        }

    def calibration(self, calibration: Calibration, parts: int = _PARTS) -> list[dict[str, float]]:
        """What was said and what came true, in parts of about equal weight, the most probable first.

        Returns: of each part said (mean probability), found (share liked), low and high (Wilson's interval for it), n.
        """
        middle = (self.edge[1:] + self.edge[:-1]) / 2
        said, every = calibration.probability(middle), self.liked + self.other
        part = np.minimum((every.cumsum() - every / 2) / max(every.sum(), 1e-12) * parts, parts - 1).astype(np.int64)
        rows = []
        for number in np.unique(part[every > 0]):
            inside = (part == number) & (every > 0)
            n, liked = float(every[inside].sum()), float(self.liked[inside].sum())
            low, high = _wilson(liked / n, n)
            rows.append({
                "said": float((said * every)[inside].sum() / n), "found": liked / n, "low": low, "high": high, "n": n,
            })  # fmt: skip
        return rows

    def auc(self) -> float:
        """How often a liked pair is nearer than another one, ties counted half; to the width of the bins."""
        before = self.other.cumsum() - self.other
        behind = self.other.sum() - before - self.other / 2
        return float((self.liked * behind).sum() / max(self.liked.sum() * self.other.sum(), 1e-12))


def judge(
    distance: Float[np.ndarray, " n"], liked: Shaped[np.ndarray, " n"], weight: Float[np.ndarray, " n"] | None = None
) -> Judged | None:
    """Count held-out pairs by distance, in bins that hold about as many each; None where there are none.

    Arguments:
        liked: true, or 1, where a pair was liked.
        weight: of the pairs; None: 1.
    """
    if not len(distance):
        return None
    d, w = distance.astype(np.float64), np.ones(len(distance)) if weight is None else weight.astype(np.float64)
    edge = np.unique(np.quantile(d, np.linspace(0, 1, min(_BINS, len(d)) + 1)))
    if len(edge) == 1:
        edge = np.array([edge[0], edge[0] + 1e-9])
    place = np.clip(np.searchsorted(edge, d, side="left") - 1, 0, len(edge) - 2)
    yes = np.asarray(liked).astype(np.float64) > 0.5
    counts = (np.bincount(place, w * kept, len(edge) - 1) for kept in (yes, ~yes))
    return Judged(edge, *counts)


def judged_of(likes: Mapping[str, np.ndarray]) -> Judged | None:
    """What a model file kept; None of one that an earlier version wrote, or of a model without held-out rows."""
    if not all(name in likes for name in _NAMES):
        return None
    return Judged(*(np.asarray(likes[name], dtype=np.float64) for name in _NAMES))


def _wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's interval of a share among n. Source: Wilson 1927, doi 10.1080/01621459.1927.10502953."""
    square = _Z**2 / n
    middle = (share + square / 2) / (1 + square)
    reach = _Z / (1 + square) * float(np.sqrt(share * (1 - share) / n + square / (4 * n)))
    return max(0.0, middle - reach), min(1.0, middle + reach)
