"""Ridge regression to portraits: from what is known of a user to the mean of what the user likes.

In a warm case no like is target and input at once: each user's training rows are dealt out to nine folds, and the
likes of one fold are told from the rows of the others, so that inputs are nearly as rich as they will be. A row
counts as many likes as its target has. In a cold case demographics alone tell the mean of all training likes; a
user counts n/(n + half), as more of the same user's likes tell ever less of other users.

Source: Hoerl, Kennard 1970, doi 10.1080/00401706.1970.10488634.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from _portrait_arrays import PortraitArrays
from _portrait_inputs import Columns, Portraits, bag, demographics, folds, lift, past, profile, rows_of
from jaxtyping import Bool, Float64
from scipy.linalg import solve

__all__ = ["FOLDS", "Moments", "Rows", "cold_ridges", "item_ridges", "warm_ridges"]

FOLDS = 9
ALPHAS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0, 100000.0)
SHRINKS = (1.0, 3.0, 10.0, 30.0, 100.0)
BINS = (1, 3, 5, 8)
HALVES = (1.0, 5.0, 20.0, 100.0)
ITEM_ALPHAS = (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0)


class Rows(NamedTuple):
    """Examples of a regression."""

    x: Columns
    target: Portraits
    weight: Float64[np.ndarray, " rows"]


class Moments:
    """Weighted sums over examples that come in parts: all that ridge regression needs of them."""

    def __init__(self, parts: Iterable[Rows]) -> None:
        total = None
        for x, target, weight in parts:
            heavy = weight[:, None] * x
            found = (weight.sum(), weight @ x, weight @ target, heavy.T @ x, heavy.T @ target)
            total = found if total is None else tuple(a + b for a, b in zip(total, found, strict=True))
        if total is None or not total[0] > 0:
            raise ValueError("there is no example to learn from")
        n, x_sum, target_sum, gram, moment = total
        self.centre, self.level = x_sum / n, target_sum / n
        self.gram = gram - n * np.outer(self.centre, self.centre)
        self.moment = moment - n * np.outer(self.centre, self.level)

    def solve(self, penalty: float | Float64[np.ndarray, " columns"]) -> Callable[[Columns], Portraits]:
        """argmin over B and b of Σ w |y − xB − b|² + Σ_j penalty_j |B_j|²; the intercept b is free."""
        system = self.gram + np.diag(np.broadcast_to(penalty, len(self.gram)))
        b = solve(system, self.moment, assume_a="pos")
        return lambda x: (x - self.centre) @ b + self.level


def cold_ridges(data: PortraitArrays) -> Iterator[tuple[str, Portraits]]:
    """From demographics, with every setting: its name and what it says of all users."""
    means, count = past(data, data.train, liked=True)
    likes = np.bincount(data.train.user[data.train.liked], minlength=len(data.users))
    known = likes > 0
    target = lift(means, count, data.base, 0.0)[known]
    for bins, half in itertools.product(BINS, HALVES):
        x = demographics(data, bins)
        moments = Moments([Rows(x[known], target, (likes / (likes + half))[known])])
        for alpha in ALPHAS:
            yield f"bins={bins} half={half:g} α={alpha:g}", data.base + moments.solve(alpha)(x)


def warm_ridges(data: PortraitArrays, rng: int = 0) -> Iterator[tuple[str, Portraits]]:
    """From demographics and the profile of past likes and dislikes, with every setting."""
    parts = [*_parts(data, rng), *_parts(data, rng + 1000)]
    for shrink, bins in itertools.product(SHRINKS, BINS[::2]):
        fixed = demographics(data, bins)

        def inputs(rows: Bool[np.ndarray, " n"], fixed: Columns = fixed, shrink: float = shrink) -> Columns:
            return np.hstack([fixed, profile(data, rows_of(data.train, rows), shrink)])

        moments, x = Moments(_examples(data, parts, inputs)), inputs(np.ones(len(data.train.user), dtype=bool))
        for alpha in ALPHAS:
            yield f"s={shrink:g} bins={bins} α={alpha:g}", data.base + moments.solve(alpha)(x)


def item_ridges(data: PortraitArrays, rng: int = 0) -> Iterator[tuple[str, Portraits]]:
    """The same with a column for each item liked and not liked beside, which have a penalty of their own."""
    fixed = demographics(data, 5)

    def inputs(rows: Bool[np.ndarray, " n"]) -> Columns:
        pairs = rows_of(data.train, rows)
        return np.hstack([fixed, profile(data, pairs, 10.0), bag(data, pairs)])

    moments, x = Moments(_examples(data, _parts(data, rng), inputs)), inputs(np.ones(len(data.train.user), dtype=bool))
    narrow = x.shape[1] - 2 * len(data.items)
    for alpha, item_alpha in itertools.product((100.0, 1000.0, 10000.0), ITEM_ALPHAS):
        penalty = np.repeat([alpha, item_alpha], [narrow, 2 * len(data.items)])
        yield f"α={alpha:g} items {item_alpha:g}", data.base + moments.solve(penalty)(x)


def _parts(data: PortraitArrays, rng: int) -> list[Bool[np.ndarray, " n"]]:
    """The training rows of each fold."""
    fold = folds(data.train, len(data.users), FOLDS, np.random.default_rng(rng))
    return [fold == k for k in range(FOLDS)]


def _examples(
    data: PortraitArrays,
    parts: list[Bool[np.ndarray, " n"]],
    inputs: Callable[[Bool[np.ndarray, " n"]], Columns],
) -> Iterator[Rows]:
    """For each part, what the other rows say of a user, and the mean lift of the user's likes in the part."""
    for out in parts:
        means, count = past(data, rows_of(data.train, out), liked=True)
        likes = np.bincount(data.train.user[out & data.train.liked], minlength=len(data.users))
        kept = likes > 0
        weight = likes[kept] * (FOLDS / len(parts))
        yield Rows(inputs(~out)[kept], lift(means, count, data.base, 0.0)[kept], weight)
