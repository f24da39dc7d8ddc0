"""The portrait of a group or a segment, as a value: what all of them would like, or what divides them."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float
from rich.console import Group as Lines
from rich.console import RenderableType
from rich.text import Text

from penchant.portraits.forms import GroupPortraitForm
from penchant.portraits.page import Shown
from penchant.portraits.portrait import Portrait

__all__ = ["GroupPortrait", "Part", "liked_more"]

_NAMED = 6
"""Members that are named, at most."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the two parts of a group without a common taste."""

    members: tuple[Any, ...]
    """Their keys."""
    reach: float
    """The largest distance of a member from the part's own centre."""
    left: float
    """How far from there everyone of the part still likes; below 0: they have nothing in common either."""
    tells: tuple[str, ...]
    """What they would like more than the other part, in words."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form."""
        said = {"members": list(self.members), "reach": self.reach}
        return {**said, "left": self.left, "tells": list(self.tells)}


@dataclass(frozen=True, slots=True)
class GroupPortrait(Shown):
    """What several have in common: members of a group, or all whom a condition selects."""

    form: ClassVar[type] = GroupPortraitForm

    name: str
    """Who they are, in words."""
    size: int
    """How many."""
    verdict: Literal["common taste", "no common taste", "none found"]
    """Is there a point that everyone likes? "none found": what was found and what is proved lie on both sides."""
    radius: float
    """What is within it of a member is liked by the member."""
    reach: float
    """The largest distance of a member from the group's centre."""
    left: float
    """How far from the centre everyone still likes, the radius of the group's ball. Below 0: nowhere."""
    served: float
    """Share of the members who like what lies at the centre."""
    portrait: Portrait
    """What they would like on the average; its examples are what the most members would like, with the share of them
    (liked_by) and the least probability among them."""
    parts: tuple[Part, ...]
    """Without a common taste: the two parts with the smallest balls, the larger first."""
    notes: tuple[str, ...] = field(default=())
    """What a reader has to know."""

    @property
    def title(self) -> str:
        """A heading."""
        return f"What {self.name} would like"

    def sentences(self) -> list[str]:
        """The verdict in words."""
        if self.verdict == "common taste":
            who = f"All {self.size} have a common taste" if self.size > 1 else "One alone"
            said = f"{who}: whatever is within {self.left:.3f} of their centre."
        elif self.verdict == "no common taste":
            said = f"No common taste (proved): nothing is within {self.radius:.3f} of all {self.size}."
        else:
            said = f"No common taste was found for all {self.size}; whether there is one was not settled."
        rest = [] if self.verdict == "common taste" else [f"What lies at their centre {self.served:.0%} of them like."]
        for number, part in enumerate(self.parts, 1):
            named = ", ".join(map(str, part.members[:_NAMED]))
            more = f" and {len(part.members) - _NAMED} more" if len(part.members) > _NAMED else ""
            common = "with a common taste" if part.left >= 0 else "who have none in common either"
            tells = f": {'; '.join(part.tells)}" if part.tells else ""
            rest.append(f"Part {number}, {len(part.members)} {common} ({named}{more}){tells}.")
        return [said, *rest]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form."""
        return {
            "name": self.name,
            "size": self.size,
            "verdict": self.verdict,
            "says": self.sentences(),
            "radius": self.radius,
            "reach": self.reach,
            "left": self.left,
            "served": self.served,
            "portrait": self.portrait.to_dict(),
            "parts": [part.to_dict() for part in self.parts],
            "notes": list(self.notes),
        }

    def to_html(self) -> str:
        """One self-contained HTML fragment without a script."""
        said = "".join(f"<p>{html.escape(line)}</p>" for line in self.sentences())
        notes = "".join(f"<p><em>{html.escape(note)}</em></p>" for note in self.notes)
        return f"<section class='penchant-group'>{said}{notes}{self.portrait.to_html()}</section>"

    def __rich__(self) -> RenderableType:
        said = [Text(line) for line in self.sentences()]
        return Lines(*said, *(Text(note, style="italic") for note in self.notes), self.portrait)


def liked_more(
    mine: Float[np.ndarray, " width"],
    theirs: Float[np.ndarray, " width"],
    labels: Sequence[tuple[str, str]],
    most: int = 3,
    least: float = 0.02,
) -> tuple[str, ...]:
    """What one part would like more than another, the largest difference first: "Drama: 60% against 35%"."""
    more = mine - theirs
    order = np.argsort(-more, kind="stable")[:most]
    return tuple(f"{labels[j][1]}: {mine[j]:.0%} against {theirs[j]:.0%}" for j in order if more[j] >= least)
