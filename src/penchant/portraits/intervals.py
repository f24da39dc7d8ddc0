"""Intervals of a portrait that hold really liked values: conformal, feature by feature, with users as the units.

For a liked item with vector v of a new user of whom g is decoded, and every coordinate or field by itself,

    P( s(v_j, g_j) ≤ q_j ) ≥ 1 − ε        q_j: `penchant.conformal.hierarchical_quantile` of the held-out likes' scores

numbers     s = distance of v's level from ½ on the curve Q(· | g)  ⇒  [Q(½ − q | g), Q(½ + q | g)]
yes or no   s = |v − g|                                             ⇒  {y : |y − g| ≤ q}: yes, no, or open
one of many s = Σ of the shares of the words that are likelier      ⇒  the likeliest words, until their shares exceed q

One score serves every ε, so the interval of a smaller ε holds that of a larger one. A promise is for values that are
known: a missing one, or a word that no training row has, is left out. What was decoded may be wrong: then intervals are
wide, and still keep the promise.

Source: the quantile: Lee, Barber, Willett 2023, arXiv 2306.06342; numbers: distributional conformal prediction,
Chernozhukov, Wüthrich, Zhu 2021, arXiv 1909.07889; yes or no: least ambiguous sets, Sadinle, Lei, Wasserman 2019, arXiv
1609.00451; one of many: adaptive sets without their randomisation, Romano, Sesia, Candès 2020, arXiv 2006.02544.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from penchant._random import generator
from penchant._spec import Block, Layout
from penchant.conformal import Coverage, coverage, hierarchical_quantile
from penchant.errors import ConfigError
from penchant.portraits._curves import TAILS, curve_score, curves_at, fit_curves, read_curves
from penchant.portraits.likes import Likes

__all__ = ["OPEN", "PortraitIntervals", "fit_intervals"]

_AT_ONCE = 64
"""Coordinates of a field whose pairs are held at a time."""
_SLACK = 1e-6
"""Added to every bound: what was decoded differs in its last digits between one row and many."""
OPEN = 0.5
"""A range wider than this says nothing."""


@dataclass(frozen=True, slots=True)
class PortraitIntervals:
    """What `fit_intervals` learned: how far a liked item's values lie from what is decoded."""

    layout: Layout
    """The fields of the side that is described."""
    levels: tuple[float, ...]
    """The coverages 1 − ε that are promised, rising."""
    radius: Float[np.ndarray, "levels width"]
    """Bound q of the score: in [0, ½] for numbers, [½, 1] for yes or no, [0, 1] for one of many (alike in a field)."""
    users: Int[np.ndarray, " width"]
    """Subjects that the bound rests on. Fewer than `penchant.conformal.users_needed`: the bound is the largest."""
    centre: Float[np.ndarray, "numbers groups"]
    """Of each number's curves, in the order of the layout: the decoded share at which each lies."""
    curve: Float[np.ndarray, "numbers groups tails"]
    """The curves: quantiles at `penchant.portraits._curves.TAILS`."""

    def intervals(
        self, shares: Float[np.ndarray, "n width"], level: float
    ) -> tuple[Float[np.ndarray, "n width"], Float[np.ndarray, "n width"]]:
        """Ends of the interval of each coordinate, in [0, 1]; a liked value lies in it with probability ``level``.

        A coordinate that is yes or no has [0, 0], [1, 1] or, open, [0, 1]. So has each word of one-of-many: [0, 0]
        outside the set, [1, 1] where it is the only one inside.

        Arguments:
            shares: (n) portrait vectors as decoded, not calibrated.
            level: one of ``levels``.

        Raises:
            ConfigError: another level, or vectors of another width.
        """
        radius, g = self._radius(level), self._checked(shares)
        low, high = np.zeros(g.shape), np.ones(g.shape)
        for j, centre, curve in zip(np.flatnonzero(_numbers(self.layout)), self.centre, self.curve, strict=True):
            reach, curves = min(0.5, float(radius[j]) + _SLACK), curves_at(g[:, j], centre, curve)
            low[:, j] = np.maximum(read_curves(curves, 0.5 - reach) - _SLACK, 0.0)
            high[:, j] = np.minimum(read_curves(curves, 0.5 + reach) + _SLACK, 1.0)
        for block, place in self.layout.places():
            q = radius[place] + _SLACK
            if block.likelihood == "binary":
                low[:, place], high[:, place] = g[:, place] > q, 1 - g[:, place] <= q
            elif block.likelihood == "categorical":
                inside = _likelier(g[:, place]) <= q
                high[:, place] = inside
                low[:, place] = inside & (inside.sum(1, keepdims=True) == 1)
        return low, high

    def sets(self, share: Float[np.ndarray, " width"], level: float) -> dict[str, tuple[int, ...]]:
        """For each field of one-of-many the words that are possible, the likeliest first.

        Words are given by their numbers within the field, as in `SideEncoder.labels`. There is always one at least.
        """
        return self.sets_within(share, self.intervals(share[None], level)[1][0])

    def sets_within(
        self, share: Float[np.ndarray, " width"], high: Float[np.ndarray, " width"]
    ) -> dict[str, tuple[int, ...]]:
        """`sets`, where the upper ends of the intervals are at hand."""
        inside, found = high > 0.5, {}
        for block, place in self.layout.places():
            if block.likelihood == "categorical":
                order = np.argsort(-share[place].astype(np.float64), kind="stable")
                found[block.name] = tuple(order[inside[place][order]].tolist())
        return found

    def verdicts(self, shares: Float[np.ndarray, "n width"], level: float) -> Shaped[np.ndarray, "n width"]:
        """Each coordinate in a word: "yes", "no", or "open" where both are possible.

        Of numbers "open" is said where the interval is wider than half of all there is, and else nothing, "".
        """
        return self.verdicts_within(*self.intervals(shares, level))

    def verdicts_within(
        self, low: Float[np.ndarray, "*n width"], high: Float[np.ndarray, "*n width"]
    ) -> Shaped[np.ndarray, "*n width"]:
        """`verdicts`, where the intervals are at hand."""
        numbers = _numbers(self.layout)
        said = np.where(low == 1, "yes", np.where(high == 0, "no", "open"))
        return np.where(numbers, np.where(high - low > OPEN, "open", ""), said)

    def coverage(self, likes: Likes, level: float) -> dict[str, Coverage]:
        """How often each field's promise is kept on other likes: users the fit has not seen.

        A field of several coordinates that are promised one by one (tags, vectors) is measured by their mean. Fields
        of which nothing is known there are left out.
        """
        found: dict[str, Coverage] = {}
        likes.check(self.layout)
        for block, place in self.layout.places():
            kept, known = np.zeros(len(likes.subject)), np.zeros(len(likes.subject))
            for part in _split(block, place):
                inside = self._inside(likes, level, block, part)
                kept += np.nansum(inside, axis=1)
                known += (~np.isnan(inside)).sum(1)
            if known.any():
                share = np.divide(kept, known, out=np.full(len(known), np.nan), where=known > 0)
                users = int(self.users[place].max())
                found[block.name] = coverage(share, likes.subject, promised=level, calibrated=users or None)
        return found

    def coordinate_coverage(self, likes: Likes, level: float) -> Float[np.ndarray, " width"]:
        """The same for each coordinate, as a mean over users; NaN where nothing is known. One-of-many: of the field."""
        found = np.full(self.layout.width, np.nan)
        likes.check(self.layout)
        for block, place in _parts(self.layout):
            inside = self._inside(likes, level, block, place)
            means = [_measured(column, likes.subject, level) for column in inside.T]
            found[place] = means  # one for all where the field is promised as one
        return found

    def state(self) -> dict[str, np.ndarray]:
        """All but the layout, as arrays."""
        return {
            "levels": np.array(self.levels),
            "radius": self.radius,
            "users": self.users,
            "centre": self.centre,
            "curve": self.curve,
        }

    @classmethod
    def from_state(cls, layout: Layout, state: Mapping[str, np.ndarray]) -> "PortraitIntervals":
        """The intervals that gave this state, of a side with this layout."""
        rest = (np.asarray(state[name]) for name in ("radius", "users", "centre", "curve"))
        return cls(layout, tuple(state["levels"].tolist()), *rest)

    def _inside(self, likes: Likes, level: float, block: Block, place: slice) -> Float[np.ndarray, "p c"]:
        """1 where a pair's value is inside, 0 where not, NaN where unknown, in these coordinates of a field."""
        of = (np.cumsum(_numbers(self.layout)) - 1)[place]
        curves = (self.centre[of], self.curve[of]) if block.likelihood == "square" else None
        score = _scores(block, place, likes, curves)
        bound = self._radius(level)[place][: score.shape[1]] + _SLACK
        return np.where(np.isnan(score), np.nan, score <= bound)

    def _radius(self, level: float) -> Float[np.ndarray, " width"]:
        for kept, radius in zip(self.levels, self.radius, strict=True):
            if abs(kept - level) < 1e-9:
                return radius
        raise ConfigError(f"level = {level}: one of {', '.join(map(str, self.levels))} expected, as they were fitted")

    def _checked(self, shares: Float[np.ndarray, "n width"]) -> Float[np.ndarray, "n width"]:
        if shares.shape[1] != self.layout.width:
            raise ConfigError(f"vectors of {self.layout.width} coordinates expected, got {shares.shape[1]}")
        return np.clip(shares.astype(np.float64), 0.0, 1.0)


def fit_intervals(
    likes: Likes,
    layout: Layout,
    *,
    levels: Sequence[float] = (0.8, 0.9, 0.95),
    shape: Likes | None = None,
    rng: int = 0,
) -> PortraitIntervals:
    """Learn intervals from held-out likes; the promise is for subjects exchangeable with theirs.

    Arguments:
        likes: held-out liked pairs.
        layout: the fields of the side that is described.
        levels: coverages 1 − ε to promise, in (0, 1).
        shape: liked pairs from which the curves of numbers are taken, such as those of training; never the held-out
            ones. They make intervals narrow, the promise does not depend on them. None: a third of the subjects of
            ``likes`` is set aside for that.
        rng: seed of that third.

    Raises:
        ConfigError: levels outside (0, 1), vectors that are not of the layout.
    """
    likes.check(layout)
    wanted = tuple(sorted({float(level) for level in levels}))
    if not wanted or not 0 < wanted[0] <= wanted[-1] < 1:
        raise ConfigError(f"levels = {tuple(levels)}: coverages between 0 and 1 expected")
    epsilon = [1 - level for level in wanted]
    rest = likes
    if shape is None:
        shape, rest = _parted(likes, rng)
    shape.check(layout)
    radius, users = np.ones((len(wanted), layout.width)), np.zeros(layout.width, dtype=np.int64)
    fitted = []
    for block, place in _parts(layout):
        held_out = rest if block.likelihood == "square" else likes
        curves = _fit_part(place, shape) if block.likelihood == "square" else None
        fitted += [curves] if curves else []
        score = _scores(block, place, held_out, curves)
        bounds = np.column_stack([hierarchical_quantile(s, held_out.subject, epsilon) for s in score.T])
        radius[:, place] = np.clip(bounds, *_RANGE[block.likelihood])
        users[place] = [np.count_nonzero(np.bincount(held_out.subject[~np.isnan(s)])) for s in score.T]
    centre = np.concatenate([c for c, _ in fitted]) if fitted else np.zeros((0, 1))
    curve = np.concatenate([c for _, c in fitted]) if fitted else np.zeros((0, 1, len(TAILS)))
    return PortraitIntervals(layout, wanted, radius, users, centre, curve)


_RANGE = {"square": (0.0, 0.5), "binary": (0.5, 1.0), "categorical": (0.0, 1.0)}
"""Bounds of the scores. Below ½ a yes or no would be neither where g is in the middle: there the likelier is said."""


def _parted(likes: Likes, rng: int) -> tuple[Likes, Likes]:
    subjects = generator(rng, "portraits", "intervals").permutation(np.unique(likes.subject))
    cut = len(subjects) // 3
    return likes.of(subjects[:cut]), likes.of(subjects[cut:])


def _parts(layout: Layout) -> Iterator[tuple[Block, slice]]:
    for block, place in layout.places():
        for part in _split(block, place):
            yield block, part


def _split(block: Block, place: slice) -> Iterator[slice]:
    """A field of one-of-many whole, others some coordinates at a time."""
    step = block.width if block.likelihood == "categorical" else _AT_ONCE
    for start in range(place.start, place.stop, step):
        yield slice(start, min(start + step, place.stop))


def _fit_part(place: slice, likes: Likes) -> tuple[np.ndarray, np.ndarray]:
    found = []
    for j in range(place.start, place.stop):
        g, v = _pairs(likes, slice(j, j + 1))
        known = ~np.isnan(v[:, 0])
        found.append(fit_curves(g[known, 0], v[known, 0], likes.subject[known]))
    return np.stack([centre for centre, _ in found]), np.stack([curve for _, curve in found])


def _pairs(likes: Likes, place: slice) -> tuple[Float[np.ndarray, "p c"], Float[np.ndarray, "p c"]]:
    decoded = np.clip(likes.decoded[:, place].astype(np.float64), 0.0, 1.0)
    return decoded[likes.subject], np.clip(likes.value[:, place].astype(np.float64), 0.0, 1.0)[likes.liked]


def _scores(
    block: Block, place: slice, likes: Likes, curves: tuple[np.ndarray, np.ndarray] | None
) -> Float[np.ndarray, "p c"]:
    """Scores of the pairs' values, NaN where unknown: a column a coordinate, or one for a field of one-of-many."""
    if block.likelihood == "categorical":
        before = _likelier(np.clip(likes.decoded[:, place].astype(np.float64), 0.0, 1.0))
        value = likes.value[:, place]
        unknown = np.isnan(value).any(1)
        word = np.where(unknown, 0, np.nan_to_num(value).argmax(1))
        score = before[likes.subject, word[likes.liked]]
        return np.where(unknown[likes.liked], np.nan, score)[:, None]
    decoded, value = _pairs(likes, place)
    if block.likelihood == "binary" or curves is None:
        return np.abs(value - decoded)
    columns = [curve_score(v, curves_at(g, *c)) for g, v, *c in zip(decoded.T, value.T, *curves, strict=True)]
    return np.column_stack(columns)


def _measured(inside: Float[np.ndarray, " p"], subject: Int[np.ndarray, " p"], level: float) -> float:
    return np.nan if np.isnan(inside).all() else coverage(inside, subject, promised=level).measured


def _likelier(shares: Float[np.ndarray, "n words"]) -> Float[np.ndarray, "n words"]:
    """Of each word, what the words before it have together, of all there is; of equal ones the first is before."""
    total = shares.sum(1, keepdims=True)
    part = np.divide(shares, total, out=np.full(shares.shape, 1 / shares.shape[1]), where=total > 0)
    order = np.argsort(-part, axis=1, kind="stable")
    ranked = np.take_along_axis(part, order, axis=1)
    before = np.empty_like(part)
    np.put_along_axis(before, order, np.cumsum(ranked, axis=1) - ranked, axis=1)
    return before


def _numbers(layout: Layout) -> Bool[np.ndarray, " width"]:
    found = [np.full(block.width, block.likelihood == "square") for block, _ in layout.places()]
    return np.concatenate(found) if found else np.zeros(0, dtype=bool)
