"""Where the parts of a chart are: numbers to places in a drawing. ``templates/charts.html`` draws them as SVG.

A drawing's x goes right from 0 to ``width``, its y down from 0 to ``height``; places have one digit after the point.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["area", "ceiling", "evenly", "every", "longest", "path", "place", "shares", "span", "ticks"]

_MOST = 400
"""Points that a line is drawn through; of more, every so many."""


def place(value: float, low: float, high: float, size: float) -> float:
    """Where a value lies on an axis from ``low`` to ``high`` that is ``size`` long; outside values at its ends."""
    share = (value - low) / (high - low) if high > low else 0.5
    return round(size * min(1.0, max(0.0, share)), 2)


def span(low: float, high: float, least: float = 0.4) -> tuple[float, float]:
    """Start and width in hundredths of an interval in [0, 1]; narrow ones are wide enough to be seen."""
    start, end = (100 * min(1.0, max(0.0, end)) for end in (low, high))
    width = max(least, end - start)
    return round(min(start, 100 - width), 2), round(width, 2)


def longest(rows: Iterable[Mapping[str, Any]]) -> float:
    """Where the axis of bars ends: at the next tenth beyond all that they show, and at 1 at most."""
    names = ("value", "population", "high", "found_high")
    most = max((float(row[name]) for row in rows for name in names if row.get(name) is not None), default=1.0)
    return min(1.0, math.ceil(most * 10 - 1e-9) / 10) or 1.0


def ceiling(line: Sequence[float], band: Sequence[float], times: float = 3.0) -> float:
    """Where the axis of a line from 0 with a band above it ends: at its top, unless the line would be flat."""
    return max(min(max(band), times * max(line)), 1e-9)


def every(n: int, most: int = _MOST) -> list[int]:
    """At most so many of n numbers from 0, evenly chosen, both ends among them."""
    if n <= most:
        return list(range(n))
    return [round(step * (n - 1) / (most - 1)) for step in range(most)]


def evenly(n: int) -> list[float]:
    """n numbers from 0 to 1; a single one is in the middle."""
    return [0.5] if n == 1 else [number / (n - 1) for number in range(n)]


def shares(values: Sequence[float], box: tuple[float, float]) -> list[float]:
    """How far along from the low to the high end of ``box`` values are, in [0, 1]."""
    return [place(value, *box, 1000.0) / 1000 for value in values]


def path(
    x: Sequence[float], y: Sequence[float], box: tuple[float, float], width: float, height: float, left: float = 0.0
) -> str:
    """The points of a line through (x, y), for SVG's ``points``.

    Arguments:
        x: rising from 0 to 1, or anything in [0, 1].
        box: lowest and highest y that the drawing shows.
        left: how far right the line's part of the drawing begins.
    """
    low, high = box
    return " ".join(f"{left + width * x[i]:.1f},{height - place(y[i], low, high, height):.1f}" for i in every(len(x)))


def area(
    x: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    box: tuple[float, float],
    width: float,
    height: float,
) -> str:
    """The points of a band between two lines."""
    back = list(range(len(x)))[::-1]
    there = path(x, high, box, width, height)
    return f"{there} {path([x[i] for i in back], [low[i] for i in back], box, width, height)}".strip()


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers in [low, high], about so many: steps of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    raw = (high - low) / max(1, about)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * one for one in (1, 2, 5, 10) if power * one >= raw * (1 - 1e-9))
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, digits) for number in range(first, math.floor(high / step + 1e-9) + 1)]
