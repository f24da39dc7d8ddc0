"""How a portrait's shares come about: what the decoder says of the point, and the linear reading, held against likes.

    share = calibrate( π + a (decoded − π) + b (linear − π) )             π: the population's mean portrait vector

The weights a, b ≥ 0, the calibration and the intervals are fitted on held-out likes: once for subjects with a past,
once for new ones, of whom the decoder is asked without id and history.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import nnls

from penchant._spec import Layout
from penchant.portraits.intervals import PortraitIntervals, fit_intervals
from penchant.portraits.likes import LikedMeans, Likes, liked_means
from penchant.portraits.linear import LinearReading
from penchant.portraits.past import Past
from penchant.portraits.shares import ShareCalibration, fit_shares

__all__ = ["ENOUGH", "PROMISED", "Evidence", "Reading", "Stage", "fit_reading"]

ENOUGH = 5
"""Pairs from which on a subject counts as known."""
_UNFITTED = (0.0, 1.0)
"""Weights of decoder and linear reading where nothing is held out; of cold users the decoder knows little."""
_PULL = 2.0
"""Subjects that an unfitted weight counts as."""
PROMISED = (0.8, 0.9, 0.95)
"""Coverages that intervals are made for."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to read of n subjects."""

    decoded: Float[np.ndarray, "n width"]
    """What the decoder says of their points, in (0, 1)."""
    own: Float[np.ndarray, "n m"]
    """Their own portrait vectors; NaN where unknown."""
    past: Past
    """What they met so far."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One of two fits: of subjects with a past, and of new ones."""

    weights: tuple[float, float]
    """Of the decoder and of the linear reading, each ≥ 0."""
    shares: ShareCalibration
    """What is read, as frequencies."""
    intervals: PortraitIntervals | None
    """What single likes look like; None where nothing was held out."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What `fit_reading` learned of one side."""

    linear: LinearReading
    """What ridge regression says."""
    known: Stage
    """For subjects with a past of at least `ENOUGH` pairs."""
    new: Stage
    """For all others."""

    @property
    def population(self) -> Float[np.ndarray, " width"]:
        """π: mean portrait vector over the training likes."""
        return self.known.shares.population

    def raw(self, evidence: Evidence) -> Float[np.ndarray, "n width"]:
        """Decoder and linear reading mixed, in [0, 1], before calibration."""
        linear = self.linear.read(evidence.own, evidence.past)
        is_new = _new(evidence.past)
        weights = np.where(is_new[:, None], self.new.weights, self.known.weights)
        return _mixed(evidence.decoded, linear, self.population, weights)

    def shares(self, evidence: Evidence) -> Float[np.ndarray, "n width"]:
        """Calibrated shares in [0, 1]: of what such subjects like, so much has it."""
        return self.calibrated(evidence, self.raw(evidence))

    def calibrated(self, evidence: Evidence, raw: Float[np.ndarray, "n width"]) -> Float[np.ndarray, "n width"]:
        """`shares`, where `raw` is at hand."""
        shares = np.empty(raw.shape)
        for stage, rows in self.by_stage(evidence):
            shares[rows] = stage.shares.apply(raw[rows])
        return shares

    def ends(
        self, evidence: Evidence, shares: Float[np.ndarray, "n width"]
    ) -> tuple[Float[np.ndarray, "n width"], Float[np.ndarray, "n width"]]:
        """Ends of a 90 % interval for the true share of each, in [0, 1]."""
        low, high = np.empty(shares.shape), np.empty(shares.shape)
        for stage, rows in self.by_stage(evidence):
            low[rows], high[rows] = stage.shares.interval(shares[rows])
        return low, high

    def by_stage(self, evidence: Evidence) -> Iterator[tuple[Stage, Int[np.ndarray, " _"]]]:
        """The fits that count for any of the subjects, and for which ones: rows of the evidence."""
        is_new = _new(evidence.past)
        for stage, rows in ((self.known, np.flatnonzero(~is_new)), (self.new, np.flatnonzero(is_new))):
            if len(rows):
                yield stage, rows

    def state(self) -> dict[str, np.ndarray]:
        """As arrays."""
        found = _prefixed("linear", self.linear.state())
        for name, stage in (("known", self.known), ("new", self.new)):
            found[f"{name}.weights"] = np.array(stage.weights)
            found |= _prefixed(f"{name}.shares", stage.shares.state())
            if stage.intervals is not None:
                found |= _prefixed(f"{name}.intervals", stage.intervals.state())
        return found

    @classmethod
    def from_state(cls, layout: Layout, state: Mapping[str, np.ndarray]) -> "Reading":
        """The reading that gave this state, of a side with this layout."""
        stages = []
        for name in ("known", "new"):
            intervals = _part(state, f"{name}.intervals")
            a, b = np.asarray(state[f"{name}.weights"]).tolist()
            stages.append(
                Stage(
                    (a, b),
                    ShareCalibration.from_state(layout, _part(state, f"{name}.shares")),
                    PortraitIntervals.from_state(layout, intervals) if intervals else None,
                )
            )
        linear = LinearReading.from_state(_part(state, "linear"))
        return cls(linear, *stages)


def fit_reading(
    linear: LinearReading,
    evidence: Evidence,
    decoded_new: Float[np.ndarray, "n width"],
    *,
    values: Float[np.ndarray, "others width"],
    held_out: tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]] | None,
    population: Float[np.ndarray, " width"],
    layout: Layout,
    rng: int,
) -> Reading:
    """Fit weights, calibration and intervals.

    Arguments:
        linear: see `fit_linear`.
        evidence: of n subjects, as they are known.
        decoded_new: what the decoder says of the same subjects without their ids and histories.
        values: portrait vectors of the side that is described.
        held_out: later likes: rows of ``evidence`` and of ``values``; None: nothing is fitted.
        population: mean vector over the training likes.
        layout: of the side that is described.
        rng: parts the held-out subjects where intervals need two parts.
    """
    pi = population.astype(np.float64)
    subject, liked = held_out or (np.zeros(0, np.int64), np.zeros(0, np.int64))
    really = liked_means(Likes(evidence.decoded, values, subject, liked))
    stages = []
    for decoded, past, rows in (
        (evidence.decoded, evidence.past, ~_new(evidence.past)),
        (decoded_new, None, np.ones(len(evidence.own), bool)),
    ):
        read = linear.read(evidence.own, past)
        kept = rows[subject]
        weights = _weights(decoded, read, pi, really, rows)
        raw = _mixed(decoded, read, pi, np.broadcast_to(weights, (len(decoded), 2)))
        likes = Likes(raw, values, subject[kept], liked[kept])
        shares = fit_shares(likes, layout, population=pi)
        intervals = fit_intervals(likes, layout, levels=PROMISED, rng=rng) if kept.any() else None
        stages.append(Stage(weights, shares, intervals))
    return Reading(linear, *stages)


def _new(past: Past) -> Bool[np.ndarray, " n"]:
    return past.counts.sum(1) < ENOUGH


def _mixed(
    decoded: np.ndarray, linear: np.ndarray, pi: np.ndarray, weights: np.ndarray
) -> Float[np.ndarray, "n width"]:
    a, b = weights[:, :1], weights[:, 1:]
    return np.clip(pi + a * (decoded - pi) + b * (linear - pi), 0.0, 1.0)


def _weights(
    decoded: np.ndarray, linear: np.ndarray, pi: np.ndarray, really: LikedMeans, rows: Bool[np.ndarray, " n"]
) -> tuple[float, float]:
    """Non-negative least squares of held-out means on both readings, pulled a little to the unfitted weights."""
    if not decoded.size:
        return _UNFITTED
    weight = np.sqrt(really.weight) * rows[:, None]
    given = np.stack([((said - pi) * weight).ravel() for said in (decoded, linear)], axis=1)
    target = (np.nan_to_num(really.mean - pi) * weight).ravel()
    size = np.sqrt(_PULL * np.square(np.stack([decoded - pi, linear - pi])).mean() * len(pi)) + 1e-9
    a, b = nnls(np.vstack([given, size * np.eye(2)]), np.append(target, size * np.array(_UNFITTED)))[0]
    return float(a), float(b)


def _prefixed(name: str, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{name}/{key}": value for key, value in state.items()}


def _part(state: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(f"{name}/"): value for key, value in state.items() if key.startswith(f"{name}/")}
