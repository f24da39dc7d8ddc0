"""The portrait: what a user would like, or whom an item is for, in words, numbers and pictures of bars."""

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from penchant.portraits.intervals import OPEN
from penchant.portraits.page import Shown

__all__ = ["Portrait"]

_BAR = 20
_HEADS = ("feature", "value", "share", "90 %", "", "everyone", "lift")
_HEADS = ("feature", "value", "share", "90 %", "", "everyone", "lift")


@dataclass(frozen=True, slots=True)
class Portrait(Shown):
    """What a point of the space says when it is read with one side's decoder.

    A user read with the item decoder: what the user would like. An item read with the user decoder: its audience.
    """

    subject: str
    """Whose portrait it is: an id or a name."""
    side: Literal["item", "user"]
    """What is described: liked items, or the users who like."""
    features: pl.DataFrame
    """One row a coordinate, the most telling first: feature, value, share (of what is liked, or the level in [0, 1]),
    low and high (ends of a 90 % interval for this one's true share; 0 and 1 where nothing is known of it), population
    (the same over all likes), difference (share − population), lift (their ratio; null for numbers)."""
    typical: dict[str, str]
    """The most typical value of each feature, in words and units."""
    population: dict[str, str]
    """The same for all likes of everyone."""
    examples: pl.DataFrame
    """Real rows nearest to the point: key, name where there is one, distance, probability of a like."""
    radius: float
    """Radius of the ball: within it P(liked) is at least ½."""
    inside: float
    """Share of the known rows of ``side`` that lie inside the ball."""
    notes: tuple[str, ...] = field(default=())
    """What a reader has to know before trusting it."""

    def top(self, n: int = 5) -> pl.DataFrame:
        """The ``n`` values that are most over-represented against the population."""
        return self.features.sort("difference", descending=True, maintain_order=True).head(n)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form."""
        return {
            "subject": self.subject,
            "side": self.side,
            "typical": self.typical,
            "population": self.population,
            "features": self.features.to_dicts(),
            "examples": self.examples.to_dicts(),
            "radius": self.radius,
            "inside": self.inside,
            "notes": list(self.notes),
        }

    @property
    def title(self) -> str:
        """A heading."""
        return f"What {self.subject} would like" if self.side == "item" else f"Who would like {self.subject}"

    def to_html(self) -> str:
        """One self-contained HTML fragment: a table of bars, the typical values, the examples; no script."""
        head = "".join(f"<th scope='col'>{h}</th>" for h in _HEADS)
        rows = "".join(_html_row(row) for row in self._shown())
        typical = "".join(
            f"<li><b>{html.escape(name)}</b>: {html.escape(value)}"
            f" <small>(everyone: {html.escape(self.population.get(name, '–'))})</small></li>"
            for name, value in self.typical.items()
        )
        examples = "".join(f"<li>{html.escape(line)}</li>" for line in self._example_lines())
        notes = "".join(f"<p><em>{html.escape(note)}</em></p>" for note in self.notes)
        return (
            f"<section class='penchant-portrait'><h3>{html.escape(self.title)}</h3><p>{html.escape(self._ball())}</p>"
            f"<ul>{typical}</ul><div style='overflow-x:auto'>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
            f"<p>Nearest real ones:</p><ol>{examples}</ol>{notes}</section>"
        )

    def __rich__(self) -> RenderableType:
        table = Table(
            title=Text(self.title, style="italic"),
            title_justify="left",
            box=None,
            pad_edge=False,
            header_style="bold",
        )
        for name in _HEADS:
            table.add_column(name, justify="right" if name in ("share", "everyone", "lift") else "left")
        for row in self._shown():
            table.add_row(
                Text(row["feature"]),
                Text(row["value"]),
                f"{row['share']:.2f}",
                _between(row),
                _bar(row),
                f"{row['population']:.2f}",
                _lift(row),
            )
        typical = Text("; ".join(f"{k}: {v}" for k, v in self.typical.items()))
        lines = [Text(line) for line in self._example_lines()]
        notes = [Text(note, style="italic") for note in self.notes]
        return Group(table, Text("typical", style="bold"), typical, Text("nearest real ones", style="bold"), *lines,
                     Text(self._ball(), style="dim"), *notes)  # fmt: skip

    def _ball(self) -> str:
        return f"The ball of radius {self.radius:.3f} holds {self.inside:.0%} of the known {self.side}s."

    def _shown(self, more: int = 8, less: int = 4) -> Iterator[dict[str, Any]]:
        """The most over- and the most under-represented rows, in falling order of the difference."""
        ordered = self.features.sort("difference", descending=True, maintain_order=True)
        if len(ordered) > more + less:
            ordered = pl.concat([ordered.head(more), ordered.tail(less)])
        for row in ordered.iter_rows(named=True):
            number = row["value"] == row["feature"]  # a field of one coordinate: its typical value says more
            yield {**row, "value": self.typical.get(row["feature"], row["value"])} if number else row

    def _example_lines(self) -> Iterator[str]:
        key, *rest = self.examples.columns
        shown = rest[0] if rest and rest[0] not in ("distance", "probability") else key
        for row in self.examples.iter_rows(named=True):
            yield f"{row[shown] if row[shown] is not None else row[key]}  (P {row['probability']:.2f})"


def _lift(row: dict[str, Any]) -> str:
    return f"{row['difference']:+.2f}" if row["lift"] is None else f"{row['lift']:.1f}×"


def _between(row: dict[str, Any]) -> str:
    """The interval; a range wider than a half is open."""
    return "open" if row["high"] - row["low"] > OPEN else f"{row['low']:.2f}–{row['high']:.2f}"


def _bar(row: dict[str, Any]) -> Text:
    """A bar of the share, with a mark where everyone is."""
    filled = round(_BAR * min(1.0, max(0.0, row["share"])))
    mark = min(_BAR - 1, round(_BAR * min(1.0, max(0.0, row["population"]))))
    cells = ["█"] * filled + ["·"] * (_BAR - filled)
    cells[mark] = "│"
    return Text("".join(cells), style="cyan")


def _html_row(row: dict[str, Any]) -> str:
    share, population = 100 * row["share"], 100 * row["population"]
    bar = (
        "<div style='position:relative;width:6em;height:.8em;background:var(--line,#ddd)' aria-hidden='true'>"
        f"<div style='width:{share:.0f}%;height:100%;background:#1f6f8b'></div>"
        f"<div style='position:absolute;left:{min(99, population):.0f}%;top:-2px;width:2px;height:1.1em;"
        "background:#b3261e'></div>"
        "</div>"
    )
    cells = (
        html.escape(row["feature"]),
        html.escape(row["value"]),
        f"{row['share']:.2f}",
        _between(row),
        bar,
        f"{row['population']:.2f}",
        _lift(row),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
