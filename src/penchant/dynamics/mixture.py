"""Several interests of one user: up to M weighted beliefs, born when none explains a like, merged when close.

A like of e at time t is shared among the interests and a new one, as in a Chinese restaurant:

    share of interest m ∝ n_m·N(e; c·m_m + b, c²P_m + r),   of a new one ∝ α·N(e; c·a + b, c²P_0 + r)

n_m: likes that it has explained, forgotten with a half-life; a: the encoder's point; P_0: the prior. If the new one's
share is the largest it is born; else each interest is updated with its share of the like. Interests closer than a
Mahalanobis distance are merged (moments kept); above M, the closest two are. Deterministic.

`Dynamics.like` is not in it: below one that power keeps the one point of a user from running to the middle, while
interests are to say which kinds of likes there are. With likes of a tenth a new interest stays at its base and is
merged at once: of two tastes .3 to either side of the middle, each .2 wide, one was found, in 3, 16 and 64 axes.

Source: Aldous 1985; Blackman 2004 (soft association, merging by moments). Differs: the encoder's point is the base.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from penchant.dynamics.belief import Belief, Dynamics, begin
from penchant.dynamics.kalman import log_likelihood, predict, update_like
from penchant.errors import ConfigError

__all__ = ["Interests", "InterestsOptions", "begin_interests", "observe_interests", "predict_interests"]

_LEAST_SHARE = 1e-3
"""Smaller shares of a like move nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InterestsOptions:
    """When interests are born, merged and forgotten.

    Raises: ConfigError: a field outside its range.
    """

    most: int = 4
    """M ≥ 1."""
    birth: float = 0.1
    """α > 0: likes that a new interest counts for before its first."""
    merge: float = 1.5
    """Mahalanobis distance (root mean square over axes) below which two are one; 0: never but above M."""
    half_life: float = math.inf
    """Days in which the likes an interest has explained count half."""
    least: float = 0.02
    """Weight below which an interest is dropped."""

    def __post_init__(self) -> None:
        right = self.most >= 1 and self.birth > 0 and self.merge >= 0 and self.half_life > 0 and 0 <= self.least < 0.5
        if not right:
            raise ConfigError(
                f"{self}: most >= 1, birth and half_life above 0, merge >= 0 and least in [0, ½) expected"
            )


class Interests(NamedTuple):
    """Beliefs over the points of several interests of one user, the heaviest first."""

    likes: Float[np.ndarray, " m"]
    """n_m: likes each has explained, faded."""
    mean: Float[np.ndarray, "m k"]
    """Expected points."""
    variance: Float[np.ndarray, "m k"]
    """Per axis."""
    anchor: Float[np.ndarray, "m k"]
    """What each is pulled to: the encoder's point, or the place of its birth."""
    time: float
    """Days."""

    @property
    def weight(self) -> Float[np.ndarray, " m"]:
        """Shares of the likes, summing to 1."""
        weight: np.ndarray = self.likes / self.likes.sum()
        return weight

    def belief(self, m: int) -> Belief:
        """One interest."""
        return Belief(self.mean[m], self.variance[m], self.time)


def begin_interests(
    anchor: Float[np.ndarray, " k"],
    dynamics: Dynamics,
    time: float,
    variance: Float[np.ndarray, " k"] | None = None,
    *,
    likes: float = 1.0,
) -> Interests:
    """One interest, at the encoder's point.

    Arguments:
        likes: > 0, how many the encoder's point counts for.
    """
    mean, variance, time = begin(anchor, dynamics, time, variance)
    return Interests(np.array([likes]), mean[None], variance[None], anchor[None], time)


def predict_interests(interests: Interests, time: float, dynamics: Dynamics, options: InterestsOptions) -> Interests:
    """The interests at a later time: wandered, pulled, faded. An earlier time moves nothing."""
    later = predict(Belief(interests.mean, interests.variance, interests.time), time, interests.anchor, dynamics)
    faded = 0.5 ** ((later.time - interests.time) / options.half_life)
    return interests._replace(likes=interests.likes * faded, mean=later.mean, variance=later.variance, time=later.time)


def observe_interests(
    interests: Interests,
    time: float,
    item: Float[np.ndarray, " k"],
    anchor: Float[np.ndarray, " k"],
    dynamics: Dynamics,
    options: InterestsOptions = InterestsOptions(),
    weight: float = 1.0,
) -> Interests:
    """The interests after a like of the item at this point.

    Arguments:
        anchor: the encoder's point now: where new interests are born around.
        weight: > 0; a like of weight w counts as w likes would, in places and in shares.
    """
    now = predict_interests(interests, time, dynamics, options)
    fresh = _stepped(begin(anchor, dynamics, now.time), dynamics)
    share = _shares(now, fresh, item, dynamics, options)
    born = share.argmax() == len(share) - 1
    grown = _born(now, update_like(fresh, item, dynamics, weight), weight) if born else None
    return _tidied(_moved(now, item, share[:-1], dynamics, weight) if grown is None else grown, options)


def _shares(
    now: Interests, fresh: Belief, item: np.ndarray, dynamics: Dynamics, options: InterestsOptions
) -> np.ndarray:
    """Of every interest, and of a new one; in logarithms, as densities of many axes are tiny."""
    old = np.log(np.maximum(now.likes, np.finfo(float).tiny)) + log_likelihood(
        _stepped(Belief(now.mean, now.variance, now.time), dynamics), item, dynamics
    )
    new = math.log(options.birth) + log_likelihood(fresh, item, dynamics)
    log = np.append(old, new)
    share: np.ndarray = np.exp(log - log.max())
    return share / share.sum()


def _stepped(belief: Belief, dynamics: Dynamics, likes: Any = 1.0) -> Belief:
    """With the variance that so many likes add."""
    return belief._replace(variance=belief.variance + likes * dynamics.terms(belief.mean).step)


def _moved(now: Interests, item: np.ndarray, share: np.ndarray, dynamics: Dynamics, weight: float) -> Interests:
    share = share / share.sum()
    share = np.where(share < _LEAST_SHARE, 0.0, share)
    power = weight * np.maximum(share, _LEAST_SHARE)
    before = _stepped(Belief(now.mean, now.variance, now.time), dynamics, share[:, None])
    updated = update_like(before, item[None], dynamics, power)
    touched = (share > 0)[:, None]
    return now._replace(
        likes=now.likes + weight * share,
        mean=np.where(touched, updated.mean, now.mean),
        variance=np.where(touched, updated.variance, now.variance),
    )


def _born(now: Interests, new: Belief, likes: float) -> Interests:
    return Interests(
        np.append(now.likes, likes),
        np.vstack([now.mean, new.mean]),
        np.vstack([now.variance, new.variance]),
        np.vstack([now.anchor, new.mean]),
        now.time,
    )


def _tidied(interests: Interests, options: InterestsOptions) -> Interests:
    """Without the forgotten, the close ones merged, at most M, the heaviest first (equal ones by age)."""
    keep = interests.weight >= options.least
    keep[interests.weight.argmax()] = True
    interests = _rows(interests, np.flatnonzero(keep))
    while len(interests.likes) > 1:
        gap, first, second = _closest(interests)
        if gap >= options.merge and len(interests.likes) <= options.most:
            break
        interests = _merged(interests, first, second)
    return _rows(interests, np.argsort(-interests.likes, kind="stable"))


def _rows(interests: Interests, rows: np.ndarray) -> Interests:
    likes, mean, variance, anchor, time = interests
    return Interests(likes[rows], mean[rows], variance[rows], anchor[rows], time)


def _closest(interests: Interests) -> tuple[float, int, int]:
    """The least Mahalanobis distance of two interests, and which two."""
    difference = interests.mean[:, None] - interests.mean
    gap = np.sqrt((difference**2 / (interests.variance[:, None] + interests.variance)).mean(-1))
    gap[np.tril_indices(len(gap))] = np.inf
    first, second = divmod(int(gap.argmin()), len(gap))
    return float(gap[first, second]), first, second


def _merged(interests: Interests, first: int, second: int) -> Interests:
    """One Gaussian with the mean and variance of the two; anchored where the heavier one is."""
    pair = [first, second]
    likes = interests.likes[pair]
    share = (likes / likes.sum())[:, None]
    mean = (share * interests.mean[pair]).sum(0)
    variance = (share * (interests.variance[pair] + (interests.mean[pair] - mean) ** 2)).sum(0)
    out = _rows(interests, np.arange(len(interests.likes)))  # a copy
    out.likes[first], out.mean[first], out.variance[first] = likes.sum(), mean, variance
    out.anchor[first] = interests.anchor[pair[int(likes.argmax())]]
    return _rows(out, np.delete(np.arange(len(out.likes)), second))
