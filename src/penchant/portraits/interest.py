"""An interest point that moved with events, as a value: where it is, how sure that is, and how it came there."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl
from jaxtyping import Float
from rich.console import Group, RenderableType
from rich.text import Text

from penchant.portraits._line import svg_line
from penchant.portraits._shown import html_table, rich_table
from penchant.portraits.forms import InterestForm
from penchant.portraits.page import Shown

__all__ = ["Interest"]

_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDTH = 60
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Interest(Shown):
    """What a user's events say of the interest point."""

    form: ClassVar[type] = InterestForm

    subject: str
    """Whose."""
    point: Float[np.ndarray, " k"]
    """Where it is now."""
    radius: float
    """The point lies within this base distance of the true one with probability .9, if the dynamics hold."""
    moved: float
    """Base distance from the encoder's point."""
    events: int
    """How many events it rests on."""
    interests: pl.DataFrame
    """One row an interest, the heaviest first: weight, likes, radius, nearest (the items nearest to it)."""
    features: pl.DataFrame
    """What changed in the portrait, the largest change first: feature, value, before, after, change."""
    trajectory: pl.DataFrame
    """One row an event of a known item, by time: time, item, label, moved (base distance from the encoder's point,
    looking back from now), radius (.9)."""
    notes: tuple[str, ...] = ()
    """What a reader has to know."""

    @property
    def title(self) -> str:
        """A heading."""
        return f"the interest of {self.subject}"

    def sentences(self) -> Iterator[str]:
        """What happened, in words."""
        if not self.events:
            yield "No event yet: this is the encoder's point."
            return
        yield (
            f"{self.events:,} event{'s' * (self.events != 1)} moved the point by {self.moved:.3f}; "
            f"nine times in ten the true one lies within {self.radius:.3f}."
        )
        if self.interests.height > 1:
            shares = ", ".join(f"{weight:.0%}" for weight in self.interests["weight"].to_list())
            yield f"{self.interests.height} interests: {shares}."
        for row in self.features.head(4).iter_rows(named=True):
            if abs(row["change"]) >= 0.01:
                name = row["feature"] if row["feature"] == row["value"] else row["value"]
                yield f"{name}: {row['before']:.0%} → {row['after']:.0%}"
        yield from self.notes

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form."""
        return {
            "subject": self.subject,
            "says": list(self.sentences()),
            "point": self.point.tolist(),
            "radius": self.radius,
            "moved": self.moved,
            "events": self.events,
            "interests": self.interests.to_dicts(),
            "features": self.features.to_dicts(),
            "trajectory": self.trajectory.to_dicts(),
            "notes": list(self.notes),
        }

    def to_html(self) -> str:
        """One self-contained HTML fragment without a script: words, the trajectory drawn, interests, events."""
        said = "".join(f"<p>{html.escape(line)}</p>" for line in self.sentences())
        drawn = ""
        if self.trajectory.height > 1:
            drawn = svg_line(
                self.trajectory["moved"].to_numpy(), self.trajectory["radius"].to_numpy(),
                said="How far the point was from the encoder's, event by event, with the band that holds the true one "
                "nine times in ten.",
            )  # fmt: skip
        return (
            f"<section class='penchant-interest'><h3>{html.escape(self.title)}</h3>{said}{drawn}"
            f"{html_table(self._told())}{html_table(self.trajectory.tail(_SHOWN))}</section>"
        )

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = [Text(self.title, style="italic"), *(Text(line) for line in self.sentences())]
        if self.trajectory.height > 1:
            parts.append(Text(f"distance from the encoder's point, event by event: {self.sparkline()}"))
        if self.interests.height:
            parts.append(rich_table(self._told()))
        if self.trajectory.height:
            parts.append(rich_table(self.trajectory.tail(_SHOWN)))
        return Group(*parts)

    def sparkline(self) -> str:
        """The way from the encoder's point in a line of text; of many events every so many."""
        moved = self.trajectory["moved"].to_numpy()
        if len(moved) > _WIDTH:
            moved = moved[np.linspace(0, len(moved) - 1, _WIDTH).round().astype(int)]
        most = max(float(moved.max()), 1e-12)
        level = np.minimum((moved / most * len(_BLOCKS)).astype(int), len(_BLOCKS) - 1)
        return "".join(_BLOCKS[step] for step in level) + f" (up to {most:.3f})"

    def _told(self) -> pl.DataFrame:
        return self.interests.with_columns(pl.col("nearest").list.join(", "))
