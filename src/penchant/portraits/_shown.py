"""Values and small frames for people: the same words and cells in every answer."""

import html
from collections.abc import Mapping
from typing import Any

import polars as pl
from rich.table import Table
from rich.text import Text

__all__ = ["html_table", "in_words", "rich_table"]


_LONG = 80
"""Letters of a text that are shown where values are named."""


def in_words(value: Any) -> str:
    """A value as a row may hold it: lists with commas, a pair as a range, a past by its signs, None as "missing"; of a
    long text the beginning."""
    if isinstance(value, str):
        return value if len(value) <= _LONG else value[: _LONG - 1] + "…"
    if value is None:
        return "missing"
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {in_words(some)}" for name, some in value.items() if some)
    if isinstance(value, tuple) and len(value) == 2:
        return f"{value[0]} to {value[1]}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def html_table(frame: pl.DataFrame) -> str:
    """A frame as an HTML table that may be wider than the page; nothing of a frame without rows."""
    head = "".join(f"<th scope='col'>{html.escape(name)}</th>" for name in frame.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row) + "</tr>"
        for row in frame.iter_rows()
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<div style='overflow-x:auto'>{table}</div>" if rows else ""


def rich_table(frame: pl.DataFrame) -> Table:
    """A frame for the terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in frame.columns:
        table.add_column(Text(name), overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*(Text(_cell(value)) for value in row))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return f"{value:.2f}" if isinstance(value, float) else in_words(value)
