"""What subjects liked and disliked so far, as sums: of the others' portrait vectors, of their points, of their number.

A subject is a user with the items met so far, or an item with the users it met: *others* are the opposite side.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array

from penchant.portraits._weights import weighted_mean

__all__ = ["Others", "Pairs", "Past", "past_of"]


class Pairs(NamedTuple):
    """Subjects and what they met, by row numbers."""

    subject: Int[np.ndarray, " pairs"]
    """Who."""
    other: Int[np.ndarray, " pairs"]
    """What, or whom."""
    liked: Float[np.ndarray, " pairs"]
    """1 or 0."""

    def at(self, rows: Bool[np.ndarray, " pairs"]) -> "Pairs":
        """Some of the pairs."""
        return Pairs(self.subject[rows], self.other[rows], self.liked[rows])


@dataclass(frozen=True, slots=True)
class Others:
    """Rows of the side that is described."""

    vectors: Float[np.ndarray, "others width"]
    """Their portrait vectors in [0, 1]; NaN where unknown."""
    points: Float[np.ndarray, "others k"]
    """Their points in the space."""

    def mean(self, rows: Int[np.ndarray, " pairs"]) -> Float[np.ndarray, " c"]:
        """Mean vector and mean point over some rows, each as often as it is named; 0 where nothing is known."""
        both = self._both()
        return np.nan_to_num(weighted_mean(both, np.bincount(rows, minlength=len(both)).astype(np.float64)))

    def centred(self, mean: Float[np.ndarray, " c"]) -> Float[np.ndarray, "others c"]:
        """Vectors and points side by side, less a mean; 0 where unknown."""
        return np.nan_to_num(self._both() - mean)

    def _both(self) -> Float[np.ndarray, "others c"]:
        return np.concatenate([self.vectors, self.points], axis=1, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Past:
    """Sums over what each of n subjects met, liked and disliked apart."""

    liked: Float[np.ndarray, "n c"]
    """Over the liked others, of vector and point less the mean of all likes."""
    disliked: Float[np.ndarray, "n c"]
    """Over the disliked others, less the mean of all dislikes."""
    counts: Float[np.ndarray, "n 2"]
    """How many were liked, how many disliked."""

    def __len__(self) -> int:
        return len(self.counts)


def past_of(
    n: int,
    subject: Int[np.ndarray, " pairs"],
    other: Int[np.ndarray, " pairs"],
    liked: Float[np.ndarray, " pairs"],
    others: Others,
    means: Float[np.ndarray, "2 c"],
) -> Past:
    """The past of subjects 0 … n-1.

    Arguments:
        subject, other: of each pair; rows of ``others``.
        liked: 1 or 0.
        means: `Others.mean` of all likes, and of all dislikes.
    """
    sums, counts = [], []
    for sign, mean in zip((1, 0), means, strict=True):
        values = others.centred(mean)
        rows = (liked > 0.5) == sign
        shape = (n, len(values))
        met = csr_array((np.ones(int(rows.sum())), (subject[rows], other[rows])), shape=shape)
        sums.append(met @ values)
        counts.append(np.bincount(subject[rows], minlength=n).astype(np.float64))
    return Past(sums[0], sums[1], np.column_stack(counts))
