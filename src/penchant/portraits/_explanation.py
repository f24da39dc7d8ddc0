"""The explanation as a value: why a user would (not) like an item, in words, numbers and bars."""

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import polars as pl
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from penchant.portraits.forms import ExplanationForm
from penchant.portraits.page import Shown

__all__ = ["Counterfactual", "Explanation", "Search"]

_BAR = 10
"""Characters of each half of a bar."""
_LEAST = 5e-4
"""Effects smaller than this are not named: they would read as 0."""


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The smallest valid change of the item that turns the decision."""

    changes: dict[str, tuple[Any, Any]]
    """Column to the value it has and the value it would have."""
    words: tuple[str, ...]
    """The same for people to read: "year: 1995 → 1970", "genres: + Drama − Horror"."""
    distance: float
    """Base distance after the change, beyond the threshold by 1e-6 at least."""
    probability: float
    """P(liked) after it."""
    liked: bool
    """The decision after it."""
    size: int
    """How many fields and tags change."""
    cost: float
    """Steps of numbers in [0, 1], and 1 for each other field, or tag, that changes."""
    fewest: bool
    """Whether it is proved that fewer changes cannot do it."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form."""
        return {
            "changes": {name: {"from": old, "to": new} for name, (old, new) in self.changes.items()},
            "words": list(self.words),
            "distance": self.distance,
            "probability": self.probability,
            "liked": self.liked,
            "size": self.size,
            "cost": self.cost,
            "fewest": self.fewest,
        }


@dataclass(frozen=True, slots=True)
class Search:
    """What was tried to turn the decision."""

    fields: tuple[str, ...]
    """Columns that could change."""
    max_changes: int
    """Fields and tags that could change together."""
    nearest: float
    """The base distance nearest to the other side of the threshold that was reached."""
    evaluations: int
    """Changed items that the model was asked about."""
    proved: bool
    """Where nothing was found: whether it is proved that there is nothing."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form."""
        return {
            "fields": list(self.fields),
            "max_changes": self.max_changes,
            "nearest": self.nearest,
            "evaluations": self.evaluations,
            "proved": self.proved,
        }


@dataclass(frozen=True, slots=True)
class Explanation(Shown):
    """Why a user would like an item, or would not. An effect below 0 brings it closer, one above 0 pushes it away."""

    form: ClassVar[type] = ExplanationForm

    user: str
    """Who, in words."""
    item: str
    """What, in words."""
    distance: float
    """Base distance of the item to the user."""
    threshold: float
    """Distance up to which it counts as liked."""
    probability: float
    """P(liked)."""
    axes: pl.DataFrame
    """One row an axis, the largest part of the distance first: axis, user, item, difference (item − user), contribution
    (they add to 1), binding (sup norm: the axes that are the distance). Without rows where it is not made of axes."""
    effects: pl.DataFrame
    """One row a field, and one a tag that the item has, the largest effect first: field (column), feature (heading),
    tag, value (in words), effect (distance as it is − average), average (distance with the field as in the training
    rows, its values weighted by how frequent they are; ids, vectors and texts: left out), left_out (change of the
    distance without it), best, best_change, worst, worst_change (the values that bring it closest and farthest, by how
    much)."""
    changes: pl.DataFrame
    """One row a change of one field: field, feature, how (missing: left out; unseen: a value no training row has;
    value: set to it; added, removed: a tag), value, share of the training rows that have it (null: none is told),
    distance, change of the distance, probability, liked."""
    history: pl.DataFrame
    """One row a past like or dislike, the largest effect first: item, liked, effect (distance as it is − without it),
    change (the other way round), distance (without it)."""
    counterfactual: Counterfactual | None
    """The smallest change that turns the decision; None where none was found."""
    search: Search
    """What was tried for it."""
    notes: tuple[str, ...] = field(default=())
    """What a reader has to know."""

    @property
    def liked(self) -> bool:
        """The decision: distance ≤ threshold."""
        return self.distance <= self.threshold

    @property
    def title(self) -> str:
        """A heading."""
        return f"Why {self.user} would {'' if self.liked else 'not '}like {self.item}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form."""
        return {
            "user": self.user,
            "item": self.item,
            "liked": self.liked,
            "distance": self.distance,
            "threshold": self.threshold,
            "probability": self.probability,
            "axes": self.axes.to_dicts(),
            "effects": self.effects.to_dicts(),
            "changes": self.changes.to_dicts(),
            "history": self.history.to_dicts(),
            "counterfactual": None if self.counterfactual is None else self.counterfactual.to_dict(),
            "search": self.search.to_dict(),
            "notes": list(self.notes),
        }

    def to_html(self) -> str:
        """One self-contained HTML fragment: sentences, and bars of the effects with their numbers; no script."""
        head = "".join(f"<th scope='col'>{h}</th>" for h in ("feature", "value", "effect", "closer | away", "left out"))
        shown = self._shown()
        largest = max((abs(row["effect"]) for row in shown), default=0.0)
        rows = "".join(_html_row(row, largest) for row in shown)
        said = "".join(f"<p>{html.escape(line)}</p>" for line in self.sentences())
        notes = "".join(f"<p><em>{html.escape(note)}</em></p>" for note in self.notes)
        return (
            f"<section class='penchant-explanation'><h3>{html.escape(self.title)}</h3>{said}"
            f"<div style='overflow-x:auto'><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
            f"{notes}</section>"
        )

    def __rich__(self) -> RenderableType:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("feature", "value", "effect", "closer | away", "left out"):
            table.add_column(name, justify="right" if name in ("effect", "left out") else "left")
        shown = self._shown()
        largest = max((abs(row["effect"]) for row in shown), default=0.0)
        for row in shown:
            cells = (Text(row["feature"]), Text(row["value"]), f"{row['effect']:+.3f}", _bar(row["effect"], largest))
            table.add_row(*cells, f"{row['left_out']:+.3f}")
        lines = [Text(line) for line in self.sentences()]
        notes = [Text(note, style="italic") for note in self.notes]
        return Group(Text(self.title, style="italic"), *lines, table, *notes)

    def sentences(self) -> Iterator[str]:
        """The explanation in a few sentences."""
        said = "Liked" if self.liked else "Not liked"
        yield f"{said}: distance {self.distance:.3f} of at most {self.threshold:.3f}, P {self.probability:.2f}."
        effects = [(f"{row['feature']} {row['value']}", row["effect"]) for row in self._shown()]
        yield from _sides("The item is", effects)
        past = [
            (f"{'' if row['liked'] else 'the dislike of '}{row['item']}", row["effect"])
            for row in self.history.iter_rows(named=True)
        ]
        yield from _sides("By the past, it is", past)
        if binding := self._binding():
            yield binding
        yield self._turned()

    def _binding(self) -> str:
        bound = self.axes.filter(pl.col("binding"))["axis"].to_list()
        if not bound:
            return ""
        return f"The distance is that along axis {', '.join(map(str, bound))}."

    def _turned(self) -> str:
        found, tried = self.counterfactual, self.search
        if found is not None:
            other = "be liked" if found.liked else "not be liked"
            proof = " Fewer changes cannot do it (proved)." if found.fewest and found.size > 1 else ""
            after = f"(distance {found.distance:.3f}, P {found.probability:.2f})"
            return f"It would {other} with {'; '.join(found.words)} {after}.{proof}"
        limits = f"at most {tried.max_changes} of {', '.join(tried.fields)}" if tried.fields else "nothing may change"
        if tried.proved:
            return f"No change turns this (proved): {limits}."
        return f"No change was found that turns this: {limits}; {tried.evaluations:,} changed items were tried."

    def _shown(self, most: int = 12) -> list[dict[str, Any]]:
        """Rows of the effects that people see: tags one by one in place of their field; closest first."""
        told_by_tags = pl.col("tag").is_null() & pl.col("field").is_in(
            self.effects.filter(pl.col("tag").is_not_null())["field"].unique().implode()
        )
        rows = self.effects.filter(~told_by_tags).head(most)
        return rows.sort("effect", maintain_order=True).to_dicts()


def _sides(subject: str, effects: list[tuple[str, float]], most: int = 4) -> Iterator[str]:
    """What brings closer and what pushes away, the largest first."""
    for what, sign in (("brought closer by", -1), ("pushed away by", 1)):
        named = sorted((e for e in effects if sign * e[1] >= _LEAST), key=lambda e: -abs(e[1]))[:most]
        if named:
            yield f"{subject} {what} " + ", ".join(f"{name} ({effect:+.3f})" for name, effect in named) + "."


def _bar(effect: float, largest: float) -> Text:
    """A bar to the left (closer) or to the right (away) of a middle line."""
    filled = round(_BAR * abs(effect) / largest) if largest else 0
    left, right = (filled, 0) if effect < 0 else (0, filled)
    return Text(" " * (_BAR - left) + "█" * left + "│" + "█" * right, style="cyan" if effect < 0 else "red")


def _html_row(row: dict[str, Any], largest: float) -> str:
    width = 50 * abs(row["effect"]) / largest if largest else 0.0
    start, colour = (50 - width, "#1f6f8b") if row["effect"] < 0 else (50.0, "#b3261e")
    bar = (
        "<div style='position:relative;width:10em;height:.8em;background:var(--line,#ddd)' aria-hidden='true'>"
        f"<div style='position:absolute;left:{start:.1f}%;width:{width:.1f}%;height:100%;background:{colour}'></div>"
        "<div style='position:absolute;left:50%;top:-2px;width:1px;height:1.1em;background:currentColor'></div></div>"
    )
    cells = (
        html.escape(row["feature"]),
        html.escape(row["value"]),
        f"{row['effect']:+.3f}",
        bar,
        f"{row['left_out']:+.3f}",
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
