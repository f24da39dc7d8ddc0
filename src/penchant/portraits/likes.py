"""Likes that a portrait is held against: what was said of a subject, and what the subject's likes really are."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from penchant._spec import Layout
from penchant.errors import ConfigError

__all__ = ["LikedMeans", "Likes", "liked_means", "worth"]

_HALF = 20.0


@dataclass(frozen=True, slots=True)
class Likes:
    """Liked pairs of one split of the data. A subject is a user who likes items, or an item that users like."""

    decoded: Float[np.ndarray, "subjects width"]
    """What the decoder of the other side says of each subject, in [0, 1]."""
    value: Float[np.ndarray, "rows width"]
    """Portrait vectors of the other side's rows, in [0, 1]; NaN where unknown."""
    subject: Int[np.ndarray, " pairs"]
    """Row of ``decoded`` of each pair."""
    liked: Int[np.ndarray, " pairs"]
    """Row of ``value`` of each pair."""

    def __post_init__(self) -> None:
        if self.decoded.shape[1:] != self.value.shape[1:] or len(self.subject) != len(self.liked):
            shapes = [list(a.shape) for a in (self.decoded, self.value, self.subject, self.liked)]
            raise ConfigError(f"likes: shapes [n, width], [m, width], [pairs] and [pairs] expected, got {shapes}")
        for name, rows, n in (("subject", self.subject, self.decoded), ("liked", self.liked, self.value)):
            if len(rows) and not 0 <= rows.min() <= rows.max() < len(n):
                raise ConfigError(f"likes.{name}: rows 0 to {len(n) - 1} expected, got {rows.min()} to {rows.max()}")

    def check(self, layout: Layout) -> None:
        """Raise ConfigError where the vectors are not of this layout."""
        if self.decoded.shape[1] != layout.width:
            raise ConfigError(f"likes: vectors of {layout.width} coordinates expected, got {self.decoded.shape[1]}")

    def of(self, subjects: Int[np.ndarray, " n"]) -> "Likes":
        """The pairs of these subjects."""
        kept = np.isin(self.subject, subjects)
        return Likes(self.decoded, self.value, self.subject[kept], self.liked[kept])


@dataclass(frozen=True, slots=True)
class LikedMeans:
    """What each subject really likes, coordinate by coordinate."""

    mean: Float[np.ndarray, "subjects width"]
    """Mean over the known values; NaN where there are none."""
    variance: Float[np.ndarray, "subjects width"]
    """Variance of one value within the subject, with n − 1; NaN where there are fewer than two."""
    count: Float[np.ndarray, "subjects width"]
    """How many values are known."""

    @property
    def weight(self) -> Float[np.ndarray, "subjects width"]:
        """What each mean is worth in a fit over subjects: see `worth`."""
        return worth(self.count)


def worth(count: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """n/(n + 20) for n likes of one subject: more of them tell ever less of other subjects."""
    return count / (count + _HALF)


def liked_means(likes: Likes) -> LikedMeans:
    """Means, variances and numbers of the liked rows' values, subject by subject.

    No array of pairs times coordinates is made: three are of subjects times coordinates.
    """
    shape = (len(likes.decoded), len(likes.value))
    pairs = csr_array((np.ones(len(likes.subject)), (likes.subject, likes.liked)), shape=shape)
    value = likes.value.astype(np.float64)
    known = ~np.isnan(value)
    value[~known] = 0.0
    count = pairs @ known.astype(np.float64)
    mean = np.divide(pairs @ value, count, out=np.full(count.shape, np.nan), where=count > 0)
    square = pairs @ value**2 - count * np.nan_to_num(mean) ** 2
    variance = np.divide(np.maximum(square, 0.0), count - 1, out=np.full(count.shape, np.nan), where=count > 1)
    return LikedMeans(mean, variance, count)
