"""Shares that mean frequencies: what is decoded, held against what held-out subjects really like.

    s_j = π_j + a_j + b_j (g_j − π_j)              π: the population's mean portrait vector, g: what is decoded

*62 %* then says that of what such subjects like 62 % has it. The true share of one subject still differs from s_j:

    Var(true share | g) = ρ_j s_j (1 − s_j)        ρ: dispersion, 0: all alike, 1: nothing is known of one subject

Slopes b, shifts a and dispersions ρ of single coordinates are uncertain, of rare ones very. Each is pulled to what all
have in common, the more the less is known of it, by as much as the coordinates really differ (random-effects
meta-analysis). The words of one-of-many have one slope, so their shares still sum to 1.

Source: pulling: DerSimonian, Laird, Controlled Clinical Trials 7 (1986); ρ by moments: Kleinman, JASA 68 (1973);
Beta-distributed shares: Williams, Biometrics 31 (1975).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import betaincinv

from penchant._spec import Layout
from penchant.errors import ConfigError
from penchant.portraits.likes import LikedMeans, Likes, liked_means

__all__ = ["ShareCalibration", "fit_shares"]

_FEWEST = 20
"""Subjects with likes below which nothing is fitted."""
_ROUNDS = 3
_SURE = 0.1
"""A straight line does not make a share certain: it keeps this part of the way that what is decoded, and the
population, keep from 0 and from 1."""
_SMALL = 1e-6


@dataclass(frozen=True, slots=True)
class ShareCalibration:
    """What `fit_shares` learned."""

    layout: Layout
    """The fields of the side that is described."""
    population: Float[np.ndarray, " width"]
    """π: mean portrait vector over all likes, in [0, 1]."""
    slope: Float[np.ndarray, " width"]
    """b ≥ 0: how much of a decoded difference is real. 1: all of it."""
    shift: Float[np.ndarray, " width"]
    """a: what held-out subjects like more than the population, whatever is decoded."""
    dispersion: Float[np.ndarray, " width"]
    """ρ in (0, 1]: how much subjects of whom the same is decoded differ. 1: unknown."""
    subjects: int
    """Held-out subjects it rests on; 0: nothing was fitted, shares are as decoded."""

    def apply(self, decoded: Float[np.ndarray, "n width"]) -> Float[np.ndarray, "n width"]:
        """Calibrated shares in [0, 1] of portrait vectors as decoded; the words of a field of one-of-many sum to 1.

        Raises:
            ConfigError: vectors of another width.
        """
        g = _shares_of(decoded, self.layout)
        shares = self.population + self.shift + self.slope * (g - self.population)
        low = _SURE * np.minimum(g, self.population)
        high = 1 - _SURE * (1 - np.maximum(g, self.population))
        return _summing_to_one(np.clip(shares, low, high), self.layout)

    def deviation(self, shares: Float[np.ndarray, "n width"]) -> Float[np.ndarray, "n width"]:
        """Standard deviation of one subject's true share around calibrated ones: √(ρ s (1 − s)), in [0, ½]."""
        s = np.clip(shares.astype(np.float64), 0.0, 1.0)
        return np.sqrt(self.dispersion * s * (1 - s))

    def interval(
        self, shares: Float[np.ndarray, "n width"], level: float = 0.9
    ) -> tuple[Float[np.ndarray, "n width"], Float[np.ndarray, "n width"]]:
        """Ends in [0, 1] of an interval for one subject's true share; over the population's, for the lift.

        The middle ``level`` of the Beta distribution with mean s and dispersion ρ, as the plain s ± z·deviation would
        leave [0, 1] and is lopsided for rare values. An estimate: the true share of a subject is never seen, so
        unlike `PortraitIntervals` it rests on the form of that distribution. Where ρ is unknown: [0, 1].

        Arguments:
            shares: (n) calibrated, as from `apply`.
            level: in (0, 1).

        Raises:
            ConfigError: another level.
        """
        if not 0 < level < 1:
            raise ConfigError(f"level = {level}: a share between 0 and 1 expected")
        s = np.clip(shares.astype(np.float64), 0.0, 1.0)
        inner = np.clip(s, _SMALL, 1 - _SMALL)
        unknown = self.dispersion >= 1
        of_all = np.where(unknown, 1.0, (1 - self.dispersion) / self.dispersion)
        low, high = (betaincinv(inner * of_all, (1 - inner) * of_all, q) for q in ((1 - level) / 2, (1 + level) / 2))
        # far in a tail of a lopsided distribution the mean can lie outside: it is shown, so it is inside
        low, high = np.minimum(low, s), np.maximum(high, s)
        return np.where(unknown, 0.0, low), np.where(unknown, 1.0, high)

    def state(self) -> dict[str, np.ndarray]:
        """All but the layout, as arrays."""
        return {
            "population": self.population,
            "slope": self.slope,
            "shift": self.shift,
            "dispersion": self.dispersion,
            "subjects": np.array(self.subjects),
        }

    @classmethod
    def from_state(cls, layout: Layout, state: Mapping[str, np.ndarray]) -> "ShareCalibration":
        """The calibration that gave this state, of a side with this layout."""
        population, slope, shift, dispersion = (
            np.asarray(state[name]) for name in ("population", "slope", "shift", "dispersion")
        )
        return cls(layout, population, slope, shift, dispersion, int(state["subjects"]))


def fit_shares(likes: Likes, layout: Layout, *, population: Float[np.ndarray, " width"]) -> ShareCalibration:
    """Learn from held-out likes what decoded vectors mean.

    Each subject counts by the independent likes that its own are worth, n / (1 + (n − 1) ρ). With fewer than 20
    subjects nothing is fitted and nothing said of their spread; spread also needs subjects with two likes or more.

    Arguments:
        likes: held-out liked pairs.
        layout: the fields of the side that is described.
        population: π, the mean portrait vector over the likes of training, in [0, 1].

    Raises:
        ConfigError: vectors that are not of the layout.
    """
    likes.check(layout)
    if len(population) != layout.width:
        raise ConfigError(f"population: {layout.width} coordinates expected, got {len(population)}")
    pi = population.astype(np.float64)
    same = ShareCalibration(layout, pi, np.ones(len(pi)), np.zeros(len(pi)), np.ones(len(pi)), 0)
    really = liked_means(likes)
    rows = (really.count > 0).any(1)
    if rows.sum() < _FEWEST:
        return same
    really = LikedMeans(really.mean[rows], really.variance[rows], really.count[rows])
    g = _shares_of(likes.decoded[rows], layout)
    found, shares = same, (g + pi) / 2
    rho: Float[np.ndarray, " width"] = np.full(len(pi), 0.05)
    for _ in range(_ROUNDS):
        rho = _dispersion(really, shares, rho)
        slope, shift = _lines(really, g - pi, pi, shares, rho, layout)
        found = ShareCalibration(layout, pi, slope, shift, rho, int(rows.sum()))
        shares = found.apply(g)
    return found


def _dispersion(
    really: LikedMeans, shares: Float[np.ndarray, "n width"], before: Float[np.ndarray, " width"]
) -> Float[np.ndarray, " width"]:
    """ρ of each coordinate by moments: the mean of (m − s)² − variance/n over subjects, by that of s (1 − s).

    (m − s)² − variance/n is the mean of (v − s)(v' − s) over the pairs of different likes of one subject: without bias
    for the square of its true share's distance from s, whatever the distribution of its likes.
    """
    repeated = really.count > 1
    n = np.where(repeated, really.count, 2.0)
    q = np.maximum(shares * (1 - shares), _SMALL)
    known = repeated.sum(0)
    lost = np.where(known > 2, known / np.maximum(known - 2, 1), 1.0)  # two numbers were fitted to these subjects
    excess = np.where(repeated, lost * (really.mean - shares) ** 2 - really.variance / n, 0.0)
    each = before + (1 - before) / n
    weight = repeated / each
    total = np.maximum((weight * q).sum(0), _SMALL**2)
    estimate = (weight * excess).sum(0) / total
    # fourth moments of Beta-binomial shares, roughly: rare values come in few subjects. One ρ for all: with each one's
    # own, small estimates would seem the sure ones
    rho = float(before.mean())
    expected = (q * (rho + (1 - rho) / n)) ** 2 * (2 + (1 / n + 6 * rho) / q)
    variance = (weight**2 * expected).sum(0) / total**2
    variance = np.where(known > 2, variance, np.inf)
    return np.clip(_pulled(estimate, variance, default=1.0), 1e-4, 1.0)


def _lines(
    really: LikedMeans,
    x: Float[np.ndarray, "n width"],
    pi: Float[np.ndarray, " width"],
    shares: Float[np.ndarray, "n width"],
    rho: Float[np.ndarray, " width"],
    layout: Layout,
) -> tuple[Float[np.ndarray, " width"], Float[np.ndarray, " width"]]:
    """Slope and shift of each coordinate, by weighted least squares of m − π on g − π, pulled."""
    known = really.count > 0
    n = np.maximum(really.count, 1.0)
    each = rho + (1 - rho) / n
    weight = known / each
    noise = np.maximum(shares * (1 - shares), _SMALL) * each  # Var(m | s)
    y = np.where(known, really.mean, pi) - pi
    total = np.maximum(weight.sum(0), _SMALL)
    x_mean, y_mean = (weight * x).sum(0) / total, (weight * y).sum(0) / total
    wx = weight * (x - x_mean)
    sums = ((wx * y).sum(0), (wx * x).sum(0), (wx**2 * noise).sum(0))
    product, square, spread = (_over_words(part, layout) for part in sums)
    informed = square > _SMALL**2
    slope = np.divide(product, square, out=np.ones_like(square), where=informed)
    variance = np.divide(spread, square**2, out=np.full_like(square, np.inf), where=informed)
    units = _over_words(np.ones_like(square), layout) ** -1.0
    slope = np.maximum(_pulled(slope, variance, default=1.0, weight=units), 0.0)
    unit = np.sqrt(np.maximum(pi * (1 - pi), _SMALL))
    error = np.where(known.any(0), (weight**2 * noise).sum(0) / total**2, np.inf)
    return slope, unit * _pulled((y_mean - slope * x_mean) / unit, error / unit**2, centre=0.0, default=0.0)


def _pulled(
    estimate: Float[np.ndarray, " c"],
    variance: Float[np.ndarray, " c"],
    *,
    default: float,
    centre: float | None = None,
    weight: Float[np.ndarray, " c"] | None = None,
) -> Float[np.ndarray, " c"]:
    """Estimates drawn to their common mean, or to ``centre``, by what sampling error makes of their differences.

    With τ² the variance between the true values (DerSimonian and Laird's): c + (e − c)·τ²/(τ² + variance). ``weight``
    is below 1 for estimates that several coordinates have in common. Nothing known at all: ``default``.
    """
    known = np.isfinite(variance)
    count = known * (np.ones_like(estimate) if weight is None else weight)
    precision = count / np.maximum(np.where(known, variance, 1.0), 1e-12)
    total = float(precision.sum())
    if total == 0:
        return np.full_like(estimate, default)
    e = np.where(known, estimate, 0.0)
    middle = float((precision * e).sum()) / total if centre is None else centre
    freedom = float(count.sum()) - (centre is None)
    squares = np.divide(precision**2, count, out=np.zeros_like(precision), where=count > 0)
    scale = total - (float(squares.sum()) / total if centre is None else 0.0)
    if freedom <= 1e-9 or scale <= 1e-9 * total:
        return np.where(known, e, middle) if centre is None else np.full_like(estimate, middle)
    between = max(0.0, (float((precision * (e - middle) ** 2).sum()) - freedom) / scale)
    keep = np.where(known, between / (between + np.where(known, variance, 1.0)), 0.0) if between > 0 else 0.0
    return middle + keep * (e - middle)


def _shares_of(decoded: Float[np.ndarray, "n width"], layout: Layout) -> Float[np.ndarray, "n width"]:
    if decoded.shape[1] != layout.width:
        raise ConfigError(f"vectors of {layout.width} coordinates expected, got {decoded.shape[1]}")
    return _summing_to_one(np.clip(decoded.astype(np.float64), 0.0, 1.0), layout)


def _summing_to_one(shares: Float[np.ndarray, "n width"], layout: Layout) -> Float[np.ndarray, "n width"]:
    """Words of one-of-many as shares of one whole; alike where all are 0."""
    shares = shares.copy()
    for block, place in layout.places():
        if block.likelihood == "categorical":
            total = shares[:, place].sum(1, keepdims=True)
            even = np.full((len(shares), block.width), 1 / block.width)
            shares[:, place] = np.divide(shares[:, place], total, out=even, where=total > 0)
    return shares


def _over_words(values: Float[np.ndarray, " width"], layout: Layout) -> Float[np.ndarray, " width"]:
    """Sums over the words of one-of-many, given to each word."""
    values = values.copy()
    for block, place in layout.places():
        if block.likelihood == "categorical":
            values[place] = values[place].sum()
    return values
