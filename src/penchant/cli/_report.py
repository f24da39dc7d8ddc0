"""The demo's report: one HTML file with pictures, which opens without a network."""

import html
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
from plotly.offline import get_plotlyjs
from sklearn.decomposition import PCA

from penchant.estimator import Penchant
from penchant.evaluation import calibration_curve
from penchant.portraits import Portrait, html_page
from penchant.tables import Tables

__all__ = ["report"]

_ACCENT, _MARK, _SOFT = "#1f6f8b", "#b3261e", "#9fb0b7"
_COLOURS = ("#1f6f8b", "#b3261e", "#d08c1d", "#4f7f3b", "#6b4c9a", "#c2588a", "#2b4c7e", "#7a5c3e")
"""Of the commonest tags, readable on white and apart from one another."""
_MOST_USERS = 2_000
"""Users drawn on the map, evenly chosen."""


def report(
    model: Penchant,
    test: Tables,
    *,
    figures: pl.DataFrame,
    user: tuple[Any, Portrait],
    item: tuple[Any, Portrait],
    newcomer: Portrait,
    recommended: pl.DataFrame,
) -> str:
    """The page.

    Arguments:
        figures: a row a model: model, auc, user_auc, logloss.
        user, item: whose portraits are shown, with them.
        newcomer: the portrait of a user in no table.
        recommended: to that user.
    """
    said = model.predict(test)
    listed = _table(recommended.drop(model.schema_.user, model.schema_.item))
    label = test.interactions[test.schema.label].to_numpy()
    parts = [
        "<h1>penchant: what users like</h1>",
        f"<p>Trained on {model.users_.height:,} users and {model.items_.height:,} items of MovieLens-100K in "
        f"{model.history_.height} epochs; judged on {len(test):,} ratings it has not seen.</p>",
        "<h2>Will this user like that film?</h2>",
        f"<div class='columns'><div>{_table(figures)}"
        "<p class='soft'>auc: a liked pair ranks above a disliked one; user_auc: the same within each user, "
        "where popularity and regression know one order for all.</p></div>"
        + _figure(_bars(figures), "Area under the ROC curve of each model; longer is better.")
        + "</div><div class='columns'>"
        + _figure(
            _distances(said, label, model.threshold_), "Distance is preference: liked pairs lie inside the threshold."
        )
        + _figure(
            _calibration(said, label), "What was said and what came true; on the line, a probability is a frequency."
        )
        + _figure(_history(model.history_), "Validation AUC by epoch; the best epoch is kept.")
        + "</div>",
        f"<h2>What a user likes</h2><div class='columns'>{user[1].to_html()}"
        f"<section><h3>Recommended to user {html.escape(str(user[0]))}</h3>{listed}</section></div>",
        "<h2>A user who is in no table</h2>"
        f"<p>Nothing is known but a few features; nothing is retrained.</p>{newcomer.to_html()}",
        f"<h2>Whom a film is for</h2>{item[1].to_html()}",
        "<h2>One space</h2>",
        _figure(*_map(model)),
        f"<p class='soft'>rng {model.rng}, space of {model.space.dim} axes. MovieLens 100K: Harper, Konstan 2015, "
        "doi 10.1145/2827872.</p>",
    ]
    head = f"<script>{get_plotlyjs()}</script>"
    return html_page("penchant: what users like", "\n".join(parts), head=head)


def _table(frame: pl.DataFrame) -> str:
    head = "".join(f"<th scope='col'>{html.escape(name)}</th>" for name in frame.columns)
    rows = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in frame.iter_rows())
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return f"<td>{'yes' if value else 'no'}</td>"
    if isinstance(value, float):
        return f"<td class='number'>{value:.3f}</td>"
    return f"<td>{html.escape(str(value))}</td>"


def _figure(figure: go.Figure, caption: str) -> str:
    drawn = figure.to_html(
        full_html=False, include_plotlyjs=False, config={"displayModeBar": False, "responsive": True}
    )
    text = html.escape(caption)
    return f"<figure role='img' aria-label=\"{text}\">{drawn}<figcaption>{text}</figcaption></figure>"


def _layout(figure: go.Figure, height: int = 320, **options: Any) -> go.Figure:
    plain = {"gridcolor": "#e6ebed", "zeroline": False}
    figure.update_layout(
        template="simple_white",
        height=height,
        margin={"l": 50, "r": 10, "t": 10, "b": 45},
        font={"size": 13},
        **options,
    )
    figure.update_xaxes(**plain)
    figure.update_yaxes(**plain)
    return figure


def _bars(figures: pl.DataFrame) -> go.Figure:
    ordered = figures.sort("auc")
    colours = [_ACCENT if name == "penchant" else _SOFT for name in ordered["model"]]
    bars = go.Bar(
        x=ordered["auc"].to_list(), y=ordered["model"].to_list(), orientation="h", marker_color=colours,
        text=[f"{value:.3f}" for value in ordered["auc"]], textposition="auto",
    )  # fmt: skip
    drawn = _layout(go.Figure(bars), height=200, xaxis={"title": "AUC", "range": [0.5, 1]})
    drawn.update_layout(margin_l=140)
    return drawn


def _distances(said: pl.DataFrame, label: np.ndarray, threshold: float) -> go.Figure:
    drawn = go.Figure()
    bins = {"start": 0.0, "end": float(said["distance"].max() or 1.0) * 1.001, "size": threshold / 16}  # type: ignore[arg-type]
    for value, name, colour in ((1, "liked", _ACCENT), (0, "not liked", _MARK)):
        distance = said["distance"].to_numpy()[label == value]
        drawn.add_histogram(x=distance, name=name, marker_color=colour, opacity=0.6, histnorm="probability", xbins=bins)
    drawn.add_vline(
        x=threshold, line_dash="dash", line_color="#1c2a30", line_width=2, opacity=1, annotation_text="threshold"
    )
    legend = {"orientation": "h", "y": 1.12}
    return _layout(drawn, barmode="overlay", xaxis_title="distance", yaxis_title="share", legend=legend)


def _calibration(said: pl.DataFrame, label: np.ndarray) -> go.Figure:
    claimed, found, _ = calibration_curve(label, said["probability"].to_numpy())
    drawn = go.Figure(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": _SOFT, "dash": "dash"}))
    drawn.add_scatter(x=claimed, y=found, mode="lines+markers", marker_color=_ACCENT)
    return _layout(drawn, xaxis_title="probability said", yaxis_title="share liked", showlegend=False)


def _history(history: pl.DataFrame) -> go.Figure:
    drawn = go.Figure()
    if "valid" in history.columns:
        epochs = (history["epoch"] + 1).to_list()
        drawn.add_scatter(x=epochs, y=history["valid"].to_list(), mode="lines+markers", marker_color=_ACCENT)
    return _layout(drawn, xaxis_title="epoch", yaxis_title="validation AUC")


def _map(model: Penchant) -> tuple[go.Figure, str]:
    """Users and items on the two principal axes of the items' points."""
    items = model.items_
    keys = items[model.schema_.item_id or ""].to_list()
    points = model.encode("item", keys)
    users = model.users_[model.schema_.user_id or ""]
    some = users.gather_every(max(1, len(users) // _MOST_USERS)).to_list()
    axes = PCA(2, random_state=0).fit(points)
    share = float(axes.explained_variance_ratio_.sum())
    drawn = go.Figure()
    where = axes.transform(model.encode("user", some))
    drawn.add_scattergl(x=where[:, 0], y=where[:, 1], mode="markers", name="users", hoverinfo="skip",
                        marker={"size": 4, "color": _SOFT, "opacity": 0.35})  # fmt: skip
    where = axes.transform(points)
    names = items[model.schema_.item_name or model.schema_.item_id or ""].to_list()
    for name, colour, chosen in _groups(items):
        drawn.add_scattergl(x=where[chosen, 0], y=where[chosen, 1], mode="markers", name=name,
                            text=[str(names[row]) for row in chosen], hoverinfo="text+name",
                            marker={"size": 5, "color": colour, "opacity": 0.8})  # fmt: skip
    caption = (
        f"Users and items on two of {points.shape[1]} axes, which hold {share:.0%} of the items' variance: "
        "a picture only; relations are computed in the space."
    )
    hidden = {"showticklabels": False, "title": ""}
    return _layout(drawn, height=560, xaxis=hidden, yaxis=hidden), caption


def _groups(items: pl.DataFrame) -> list[tuple[str, str, np.ndarray]]:
    """Items by the first of their tags, the commonest ones coloured: name, colour, rows."""
    lists = [name for name, kind in items.schema.items() if isinstance(kind, pl.List)]
    if not lists:
        return [("items", _ACCENT, np.arange(items.height))]
    first = items[lists[0]].list.first().fill_null("none")
    commonest = first.value_counts(sort=True)[lists[0]].head(len(_COLOURS)).to_list()
    groups = [(str(name), colour, first == name) for name, colour in zip(commonest, _COLOURS, strict=False)]
    groups.insert(0, ("other", "#c9ced1", ~first.is_in(commonest)))
    return [(name, colour, np.flatnonzero(chosen.to_numpy())) for name, colour, chosen in groups]
