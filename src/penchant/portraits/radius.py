"""Radius by meaning: how far a portrait's ball reaches, said as a probability, a share of what is known, or a distance.

probability q   p − logit(q)/s                      whatever lies inside is liked with P ≥ q
core c          the ⌈c·n⌉-th of the n distances     the share c of the known rows that is nearest
distance        as given

p: threshold, s: slope of P(liked | d) = σ(s·(p − d)). The share of the known rows inside is stated always: where likes
are common, the threshold's own ball (q = ½) is most of the space, and says little.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64
from scipy.special import expit

from penchant.errors import ConfigError
from penchant.portraits._distances import distances_to
from penchant.spaces import BaseSpace

__all__ = ["Radius", "least_radius", "resolve_radius"]

_LEAST = 1e-4
"""Smallest radius, as a share of the diameter: points in single precision can still be told apart in such a ball."""
_HAIR = 1 + 2.0**-20
"""A core's radius is larger by this: the last digit of a distance differs with the rows beside it."""

Meaning = Literal["probability", "core", "distance"]


@dataclass(frozen=True, slots=True)
class Radius:
    """How far a ball reaches, and what that means."""

    distance: float
    """Base distance, above 0 and at most the diameter."""
    meaning: Meaning
    """What was asked for."""
    probability: float
    """P(liked) at the edge: inside it is this or more."""
    inside: float
    """Share of the known rows in the ball; 0 where none are known."""
    clipped: bool
    """Was more asked for than the whole space?"""
    words: str
    """All of that in sentences, for a note."""


def least_radius(space: BaseSpace) -> float:
    """The smallest radius of a ball in which points in single precision can be told apart."""
    return _LEAST * space.diameter


def resolve_radius(
    space: BaseSpace,
    centre: Float[np.ndarray, " k"],
    points: Float[np.ndarray, "n k"],
    *,
    threshold: float,
    slope: float,
    probability: float | None = None,
    core: float | None = None,
    distance: float | None = None,
    side: Literal["item", "user"] = "item",
) -> Radius:
    """The radius of a ball around ``centre``, from exactly one of ``probability``, ``core`` and ``distance``.

    Arguments:
        points: the known rows' points, which are counted.
        threshold, slope: of the calibration, P(liked | d) = σ(slope·(threshold − d)).
        probability: q in (0, 1), below what the centre itself reaches.
        core: share of the known rows in (0, 1].
        distance: a base distance > 0.
        side: what the points are, for the words.

    Raises:
        ConfigError: not exactly one meaning, one outside its range, or a probability that no ball reaches; it names
            the largest one that is reached. SpaceError: points of another dimension, or not finite.
    """
    if not (math.isfinite(threshold) and 0 < slope < math.inf):
        raise ConfigError(f"threshold = {threshold}, slope = {slope}: a finite distance and a slope above 0 expected")
    if sum(given is not None for given in (probability, core, distance)) != 1:
        raise ConfigError("radius: give exactly one of probability, core (a share) and distance")
    apart = distances_to(space, points, centre)
    least = least_radius(space)
    meaning: Meaning = "probability"
    if probability is not None:
        asked = _by_probability(probability, threshold, slope, least)
    elif core is not None:
        meaning, asked = "core", max(_by_core(core, apart, side) * _HAIR, least)
    else:
        meaning, asked = "distance", _given(distance, least)
    radius = min(asked, space.diameter)
    edge = float(expit(slope * (threshold - radius)))
    inside = float((apart <= radius).mean()) if len(apart) else 0.0
    words = _words(meaning, radius, edge if probability is None else probability, inside, asked, space.diameter, side)
    return Radius(radius, meaning, edge, inside, asked > space.diameter, words)


def _by_probability(q: float, threshold: float, slope: float, least: float) -> float:
    if not 0 < q < 1:
        raise ConfigError(f"probability = {q}: a number between 0 and 1 expected")
    radius = threshold - math.log(q / (1 - q)) / slope
    if radius < least:
        top = _rounded_down(float(expit(slope * (threshold - least))))
        raise ConfigError(
            f"probability = {q}: no ball is that sure, as even at its centre a like is not (threshold {threshold:.4g}, "
            f"slope {slope:.4g}). At most {top} is reached"
        )
    return radius


def _by_core(core: float, apart: Float64[np.ndarray, " n"], side: str) -> float:
    if not 0 < core <= 1:
        raise ConfigError(f"core = {core}: a share above 0, at most 1, expected")
    if not len(apart):
        raise ConfigError(f"core = {core}: no {side}s are known; give a probability or a distance")
    count = max(1, math.ceil(core * len(apart) * (1 - 1e-12)))  # .07 · 100 is a little more than 7
    return float(np.partition(apart, count - 1)[count - 1])


def _given(distance: float | None, least: float) -> float:
    if distance is None or not least <= distance < math.inf:
        raise ConfigError(f"distance = {distance}: a radius of at least {least:g} expected")
    return float(distance)


def _rounded_down(p: float) -> str:
    """As many digits as tell p from 0 and from 1, and two more; never above p."""
    tail = max(min(p, 1 - p), 1e-12)
    digits = 2 + math.ceil(-math.log10(tail))
    return f"{math.floor(p * 10**digits) / 10**digits:.{digits}f}".rstrip("0")


def _words(
    meaning: Meaning, radius: float, probability: float, inside: float, asked: float, diameter: float, side: str
) -> str:
    reason = {
        "probability": f"in it P(liked) is at least {probability:.3g}",
        "core": f"the core of the known {side}s; P(liked) at its edge is {probability:.2g}",
        "distance": f"as given; P(liked) at its edge is {probability:.2g}",
    }[meaning]
    known = f"It holds {_percent(inside)} of the known {side}s." if inside else f"It holds none of the known {side}s."
    clipped = f" (A radius of {asked:.3g} was meant; no two points are further apart than {diameter:g}.)"
    return f"The ball has radius {radius:.3f}: {reason}. {known}" + (clipped if asked > diameter else "")


def _percent(share: float) -> str:
    """A share that is neither said to be nothing nor all unless it is."""
    if 0 < share < 0.01:
        return f"{100 * share:.1g}%"
    return "over 99%" if 0.995 <= share < 1 else f"{share:.0%}"
