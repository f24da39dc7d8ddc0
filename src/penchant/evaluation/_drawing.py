"""The plot of a report: a panel for each figure, a point with its interval for each model."""

import math

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from penchant.evaluation.judging import LOWER_IS_BETTER, is_judged

__all__ = ["drawn"]

_COLUMNS = 3
_ACCENT, _SOFT = "#1f6f8b", "#9fb0b7"


def drawn(figures: pl.DataFrame, models: list[str]) -> str:
    """A piece of HTML that needs plotly's script on the page.

    Arguments:
        figures: model, figure, value, low, high (`Report.to_frame`).
        models: from top to bottom.
    """
    names = figures["figure"].unique(maintain_order=True).to_list()
    if not names:
        return ""
    columns = min(_COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    figure = make_subplots(rows=rows, cols=columns, subplot_titles=[_title(name) for name in names])
    for number, name in enumerate(names):
        part = figures.filter(pl.col("figure") == name)
        figure.add_trace(_points(part, name), row=number // columns + 1, col=number % columns + 1)
    height = 70 + rows * (60 + 26 * len(models))
    figure.update_layout(
        template="simple_white", height=height, showlegend=False, margin={"l": 10, "r": 10, "t": 30, "b": 40}
    )
    figure.update_yaxes(categoryorder="array", categoryarray=models[::-1], automargin=True)
    return figure.to_html(full_html=False, include_plotlyjs=False, config={"displayModeBar": False, "responsive": True})


def _title(name: str) -> str:
    return f"{name} (less is better)" if name.partition("@")[0] in LOWER_IS_BETTER else name


def _points(part: pl.DataFrame, name: str) -> go.Scatter:
    """The best in the accent colour, where one is."""
    values = part["value"].to_list()
    best = None
    if is_judged(name):
        best = (min if name.partition("@")[0] in LOWER_IS_BETTER else max)(values)
    up, down = (part["high"] - part["value"]).fill_null(0.0), (part["value"] - part["low"]).fill_null(0.0)
    return go.Scatter(
        x=values,
        y=part["model"].to_list(),
        mode="markers",
        marker={"color": [_ACCENT if value == best else _SOFT for value in values], "size": 9},
        error_x={
            "type": "data", "symmetric": False, "array": up.to_list(), "arrayminus": down.to_list(), "color": _SOFT,
        },
        hovertemplate="%{y}: %{x:.4f}<extra></extra>",
    )  # fmt: skip
