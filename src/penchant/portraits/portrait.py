"""The portrait: what a user would like, or whom an item is for, in words, numbers and pictures of bars."""

import html
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

import polars as pl
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from penchant.portraits.details import Details
from penchant.portraits.forms import PortraitForm
from penchant.portraits.intervals import OPEN
from penchant.portraits.page import Shown
from penchant.portraits.radius import Radius

__all__ = ["TERMS", "Portrait"]

TERMS = {"feature": pl.String, "term": pl.String} | dict.fromkeys(
    ("weight", "population", "difference", "lift"), pl.Float64
)
"""Columns of `Portrait.terms`."""

_BAR = 20
_TELLING = 0.02
"""Difference to everyone's share from which a sentence is worth it."""
_HEADS = ("feature", "value", "share", "90 %", "", "everyone", "lift")


@dataclass(frozen=True, slots=True)
class Portrait(Shown):
    """What a point of the space says when it is read with one side's decoder.

    A user read with the item decoder: what the user would like. An item read with the user decoder: its audience.
    """

    form: ClassVar[type] = PortraitForm

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
    ball: Radius
    """How far the portrait's ball reaches, what that means, and the share of the known rows of ``side`` inside."""
    likely: pl.DataFrame
    """What a really liked one looks like in nine of ten cases, field by field (conformal): feature, level, open, said.
    Without rows where nothing was held out."""
    details: Details | None = None
    """The distribution, the kinds of what is liked, whole rows that do not exist yet; None where not asked for."""
    notes: tuple[str, ...] = field(default=())
    """What a reader has to know before trusting it."""
    terms: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TERMS))
    """Of fields of free text the terms that weigh more than usual, the largest difference first: feature, term, weight
    (TF-IDF in [0, 1], as the field's axes tell it), population (the same over all likes), difference, lift."""

    sure: str = ""
    """How sure it is where the subject lies, in a sentence; nothing where points do not say (only Gaussians do)."""

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
            "says": list(self.sentences()),
            "ball": asdict(self.ball),
            "likely": self.likely.to_dicts(),
            "terms": self.terms.to_dicts(),
            "sure": self.sure,
            "details": None if self.details is None else self.details.to_dict(),
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
        sentences = "; ".join(self.sentences())
        said = "".join(
            f"<p>{html.escape(line)}</p>" for line in (_capital(sentences), self.sure, self.ball.words) if line
        )
        likely = "".join(f"<li>{html.escape(line)}</li>" for line in self._likely_lines())
        likely = f"<h4>{_LIKELY}</h4><ul>{likely}</ul>" if likely else ""
        terms = "".join(f"<li>{html.escape(line)}</li>" for line in self._term_lines())
        likely += f"<h4>{_TERMS}</h4><ul>{terms}</ul>" if terms else ""
        details = "" if self.details is None else self.details.to_html()
        return (
            f"<section class='penchant-portrait'><h3>{html.escape(self.title)}</h3>{said}"
            f"<ul>{typical}</ul><div style='overflow-x:auto'>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
            f"{likely}{details}<h4>{self._examples_heading()}</h4><ol>{examples}</ol>{notes}</section>"
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
        said = [Text(_capital(line)) for line in self.sentences()]
        likely = [Text(line) for line in self._likely_lines()]
        if likely:
            likely = [Text(_LIKELY, style="bold"), *likely]
        terms = [Text(line) for line in self._term_lines()]
        likely += [Text(_TERMS, style="bold"), *terms] if terms else []
        details = [] if self.details is None else [self.details]
        ends = [Text(line, style="dim") for line in (self.sure, self.ball.words) if line]
        last = (Text(self._examples_heading(), style="bold"), *lines, *ends, *notes)
        return Group(table, *said, Text("typical", style="bold"), typical, *likely, *details, *last)

    def sentences(self, most: int = 5) -> Iterator[str]:
        """What is most telling, in words: "likes support: 62 % of what would be liked (everyone's likes: 26 %)"."""
        of, who = (
            ("of what would be liked", "likes") if self.side == "item" else ("of those who would like it", "is for")
        )
        told = 0
        for row in self.features.iter_rows(named=True):  # the largest difference first
            if told == most or abs(row["difference"]) < _TELLING:
                return
            if row["lift"] is None and row["value"] == row["feature"]:
                typical, usual = (said.get(row["feature"], "–") for said in (self.typical, self.population))
                way = "higher" if row["difference"] > 0 else "lower"
                yield f"{row['feature']} is {way} than usual: {typical} (everyone's likes: {usual})"
            elif row["lift"] is not None and row["difference"] > 0:
                value = row["value"] if row["value"] != row["feature"] else f"{row['feature']}: yes"
                yield f"{who} {value}: {row['share']:.0%} {of} (everyone's likes: {row['population']:.0%})"
            else:
                continue
            told += 1

    def _likely_lines(self) -> Iterator[str]:
        for row in self.likely.filter(~pl.col("open")).iter_rows(named=True):
            yield f"{row['feature']}: {row['said']}"

    def _term_lines(self) -> Iterator[str]:
        for (feature,), rows in self.terms.group_by("feature", maintain_order=True):
            said = (f"{row['term']} ({row['lift']:.1f}×)" for row in rows.iter_rows(named=True))
            yield f"{feature}: {', '.join(said)}"

    def _shown(self, more: int = 8, less: int = 4) -> Iterator[dict[str, Any]]:
        """The most over- and the most under-represented rows, in falling order of the difference."""
        ordered = self.features.sort("difference", descending=True, maintain_order=True)
        if len(ordered) > more + less:
            ordered = pl.concat([ordered.head(more), ordered.tail(less)])
        for row in ordered.iter_rows(named=True):
            number = row["value"] == row["feature"]  # a field of one coordinate: its typical value says more
            yield {**row, "value": self.typical.get(row["feature"], row["value"])} if number else row

    def _examples_heading(self) -> str:
        return "liked by the most of them" if "liked_by" in self.examples.columns else "nearest real ones"

    def _example_lines(self) -> Iterator[str]:
        key, *rest = self.examples.columns
        shown = rest[0] if rest and rest[0] not in ("distance", "probability") else key
        for row in self.examples.iter_rows(named=True):
            name = row[shown] if row[shown] is not None else row[key]
            by = f"liked by {row['liked_by']:.0%}, least " if "liked_by" in row else ""
            yield f"{name}  ({by}P {row['probability']:.2f})"


_TERMS = "terms that weigh more than in everyone's likes"
_LIKELY = "nine of ten that are liked (field by field)"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


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
    share, population, low, high = (100 * row[name] for name in ("share", "population", "low", "high"))
    bar = (
        "<div style='position:relative;width:6em;height:.8em;background:var(--line,#ddd)' aria-hidden='true'>"
        f"<div style='width:{share:.0f}%;height:100%;background:#1f6f8b'></div>"
        f"<div style='position:absolute;left:{low:.0f}%;width:{max(1, high - low):.0f}%;top:.3em;height:.2em;"
        "background:#12333f;opacity:.6'></div>"
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
    return "<tr>" + "".join(f"<td style='white-space:nowrap'>{cell}</td>" for cell in cells) + "</tr>"
