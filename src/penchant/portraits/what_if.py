"""What-if, as a value: two portraits of one and the same, before and after a change of features."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl
from rich.console import Group, RenderableType
from rich.text import Text

from penchant.portraits._shown import html_table, in_words, rich_table
from penchant.portraits.forms import WhatIfForm
from penchant.portraits.page import Shown
from penchant.portraits.portrait import Portrait

__all__ = ["WhatIf", "moved_features"]

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class WhatIf(Shown):
    """How a portrait, its core and what is on top move when features change."""

    form: ClassVar[type] = WhatIfForm

    subject: str
    """Whose features."""
    changes: dict[str, tuple[Any, Any]]
    """Column to the value it has and the one it would have."""
    before: Portrait
    """As it is."""
    after: Portrait
    """As it would be."""
    moved: float
    """Base distance from the point as it is to the point as it would be."""
    features: pl.DataFrame
    """One row a coordinate, the largest change first: feature, value, before, after, change."""
    top: pl.DataFrame
    """What is on top before or after: key, name where there is one, rank_before, rank_after, probability_before,
    probability_after; the new order first."""
    core: float
    """Size of the core: a share of the known rows, the nearest."""
    kept: float
    """Share of the core that stays in it."""

    @property
    def title(self) -> str:
        """A heading."""
        return f"{self.subject}, with {self._changed()}"

    def _changed(self) -> str:
        return ", ".join(f"{name} {in_words(old)} → {in_words(new)}" for name, (old, new) in self.changes.items())

    def sentences(self) -> Iterator[str]:
        """What happens, in words."""
        yield f"The point moves by {self.moved:.3f}; {self.kept:.0%} of the core (the nearest {self.core:.0%}) stay."
        for row in self.features.head(4).iter_rows(named=True):
            if abs(row["change"]) >= 0.01:
                name = row["feature"] if row["feature"] == row["value"] else row["value"]
                yield f"{name}: {row['before']:.0%} → {row['after']:.0%}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form."""
        return {
            "subject": self.subject,
            "changes": {name: {"from": old, "to": new} for name, (old, new) in self.changes.items()},
            "says": list(self.sentences()),
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "moved": self.moved,
            "features": self.features.to_dicts(),
            "top": self.top.to_dicts(),
            "core": self.core,
            "kept": self.kept,
        }

    def to_html(self) -> str:
        """One self-contained HTML fragment without a script: both portraits side by side, and how the top moves."""
        said = "".join(f"<p>{html.escape(line)}</p>" for line in self.sentences())
        return (
            f"<section class='penchant-what-if'><h3>{html.escape(self.title)}</h3>{said}"
            f"{html_table(self.top)}"
            f"<div class='columns'><div><h4>as it is</h4>{self.before.to_html()}</div>"
            f"<div><h4>as it would be</h4>{self.after.to_html()}</div></div></section>"
        )

    def __rich__(self) -> RenderableType:
        return Group(
            Text(self.title, style="italic"),
            *(Text(line) for line in self.sentences()),
            rich_table(self.top.head(2 * _SHOWN)),
        )


def moved_features(before: Portrait, after: Portrait) -> pl.DataFrame:
    """The coordinates of two portraits side by side, the largest change first."""
    keys = ["feature", "value"]
    joined = before.features.select(*keys, before="share").join(
        after.features.select(*keys, after="share"), on=keys, maintain_order="left"
    )
    found = joined.with_columns(change=pl.col("after") - pl.col("before"))
    return found.sort(pl.col("change").abs(), descending=True, maintain_order=True)
