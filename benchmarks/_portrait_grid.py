"""The case ``sensitivity`` of ``portraits.py``: the portrait term's weight δ and the axes k, and a picture of both.

Each cell is one training on MovieLens-100K, warm: AUC, and the correlation of the portrait (decoded alone, and as the
product gives it) with held-out likes.
"""

import html
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from _portrait_arrays import arrays
from _portrait_measures import lift_correlation
from _portrait_models import case_of, trained
from _portrait_variants import VARIANTS

__all__ = ["DELTAS", "DIMS", "Line", "cell", "chart", "picture"]

DELTAS = (0.0, 1.0, 3.0, 10.0, 30.0)
DIMS = (16, 32, 64)
_CASE = "ml-100k warm"
_COLOURS = ("#1f6f8b", "#b3261e", "#7a5c00")
_WIDE, _HIGH, _LEFT, _RIGHT, _TOP, _BOTTOM = 380, 240, 48, 56, 34, 36


def cell(delta: float, dim: int, seed: int, quick: bool = False) -> dict[str, float]:
    """Figures of one training."""
    case, model = case_of(_CASE, seed, quick), trained(_CASE, seed, quick, delta=delta, dim=dim)
    data = arrays(case, model._fitted.encoder)
    found = {"auc": model.score(case.test)}
    for name, read in (("decoded", VARIANTS["decoded point"]), ("portrait", VARIANTS["penchant"])):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without the portrait term it says so, which is what is measured here
            said = read(model, data.test.users, seed)
        found[f"correlation, {name}"] = float(np.nanmean(lift_correlation(said, data.test.portrait, data.base)))
    return found


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    name: str
    values: Sequence[float]
    """One for each place on the axis below."""


def picture(figures: Mapping[tuple[float, int], Mapping[str, float]]) -> str:
    """The grid as three charts side by side, one file of SVG; readable on light and on dark ground."""
    metrics = list(next(iter(figures.values())))
    deltas, dims = sorted({d for d, _ in figures}), sorted({k for _, k in figures})
    parts = []
    for number, metric in enumerate(metrics):
        lines = [Line(f"k = {k}", [figures[d, k][metric] for d in deltas]) for k in dims]
        shown = chart(metric, [f"{d:g}" for d in deltas], "δ", lines)
        parts.append(f"<g transform='translate({number * _WIDE} 0)'>{shown}</g>")
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {len(metrics) * _WIDE} {_HIGH}' role='img' "
        "font-family='system-ui, sans-serif' font-size='12' fill='#777'>"
        "<title>AUC and truth of portraits by the portrait term's weight δ and the axes k</title>"
        f"{''.join(parts)}</svg>\n"
    )


def chart(title: str, places: Sequence[str], below: str, lines: Sequence[Line]) -> str:
    """Lines over places that are evenly spaced, as a group of SVG."""
    every = [value for line in lines for value in line.values]
    least, most = min(every), max(every)
    room = max(most - least, 1e-6)
    bottom, right = _HIGH - _BOTTOM, _WIDE - _RIGHT

    def x(j: int) -> float:
        return _LEFT + (right - _LEFT) * j / max(1, len(places) - 1)

    def y(value: float) -> float:
        return bottom - (bottom - _TOP) * (value - least) / room

    drawn = [f"<text x='{_LEFT}' y='18' font-weight='bold'>{html.escape(title)}</text>"]
    for value in (least, (least + most) / 2, most):
        drawn.append(f"<line x1='{_LEFT}' x2='{right}' y1='{y(value):.1f}' y2='{y(value):.1f}' stroke='#7775'/>")
        drawn.append(f"<text x='{_LEFT - 6}' y='{y(value) + 4:.1f}' text-anchor='end'>{value:.3f}</text>")
    for j, place in enumerate(places):
        drawn.append(f"<text x='{x(j):.1f}' y='{bottom + 16}' text-anchor='middle'>{html.escape(place)}</text>")
    drawn.append(f"<text x='{right + 6}' y='{bottom + 16}'>{html.escape(below)}</text>")
    ends: list[float] = []
    for line, colour in zip(lines, _COLOURS, strict=False):
        points = " ".join(f"{x(j):.1f},{y(value):.1f}" for j, value in enumerate(line.values))
        drawn.append(f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='2'/>")
        place = y(line.values[-1]) + 4
        while any(abs(place - other) < 13 for other in ends):  # names do not cover one another
            place += 13
        ends.append(place)
        drawn.append(f"<text x='{right + 6}' y='{place:.1f}' fill='{colour}'>{html.escape(line.name)}</text>")
    return "".join(drawn)
