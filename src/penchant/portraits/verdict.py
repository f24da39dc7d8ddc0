"""A decision that holds whatever else an item is like, as a value: "liked, whatever its year is (proved)"."""

import html
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from rich.console import Group, RenderableType
from rich.text import Text

from penchant.portraits.forms import VerdictForm
from penchant.portraits.page import Shown

__all__ = ["Example", "Verdict"]


@dataclass(frozen=True, slots=True)
class Example:
    """One of the items in question."""

    words: dict[str, str]
    """Its free fields, for people to read."""
    values: dict[str, Any]
    """The same, in the fields' own values; without ids."""
    distance: float
    """Base distance from the user."""
    probability: float
    """P(liked)."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form."""
        said = {"words": self.words, "values": self.values}
        return {**said, "distance": self.distance, "probability": self.probability}


@dataclass(frozen=True, slots=True)
class Verdict(Shown):
    """Would a user like every item with some fixed features, whatever its free ones are?"""

    form: ClassVar[type] = VerdictForm

    user: str
    """Who, in words."""
    item: str
    """The item that the fields come from which are neither fixed nor free, in words; empty: none."""
    fixed: dict[str, str]
    """What is known of the items, for people to read; a field that is in neither is missing."""
    free: dict[str, str]
    """What may be free, and in which range: "anything known" or the range that was given."""
    decision: Literal["liked", "not liked", "open"]
    """All of them are liked; none is; or it depends on the free fields, or that could not be settled."""
    proved: bool
    """Whether it is certain; of "open", that there are items of both kinds."""
    threshold: float
    """Distance up to which an item is liked."""
    lower: float
    """No such item is nearer than this (proved)."""
    upper: float
    """No such item is farther (proved)."""
    nearest: Example
    """The nearest that was found."""
    farthest: Example
    """The farthest that was found."""
    pieces: int
    """Pieces of the region that were bounded for it."""
    notes: tuple[str, ...] = field(default=())
    """What a reader has to know."""

    @property
    def title(self) -> str:
        """A heading."""
        return f"Would {self.user} like it, whatever the rest is?"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form."""
        return {
            "user": self.user,
            "item": self.item,
            "fixed": self.fixed,
            "free": self.free,
            "decision": self.decision,
            "proved": self.proved,
            "says": self.sentence(),
            "threshold": self.threshold,
            "lower": self.lower,
            "upper": self.upper,
            "nearest": self.nearest.to_dict(),
            "farthest": self.farthest.to_dict(),
            "pieces": self.pieces,
            "notes": list(self.notes),
        }

    def sentence(self) -> str:
        """The decision in a sentence."""
        what = ", ".join(f"{name} {words}" for name, words in self.fixed.items())
        like = f"item like {self.item}" if self.item else f"item with {what}" if what else "item"
        rest = ", ".join(self.free) or "the rest"
        if self.decision == "open":
            return f"It depends on {rest}." if self.proved else f"Not settled: whether it depends on {rest}."
        every = "every" if self.decision == "liked" else "no"
        return f"{self.user} would like {every} {like}, whatever {rest} may be (proved)."

    def _lines(self) -> list[str]:
        between = f"distances lie between {self.lower:.3f} and {self.upper:.3f}; liked is up to {self.threshold:.3f}"
        ends = [
            f"the {name} found: {_said(end.words)} (distance {end.distance:.3f}, P {end.probability:.2f})"
            for name, end in (("nearest", self.nearest), ("farthest", self.farthest))
        ]
        return [f"Proved: {between}.", *(line[:1].upper() + line[1:] for line in ends)]

    def to_html(self) -> str:
        """One self-contained HTML fragment without a script."""
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in self._lines())
        notes = "".join(f"<p><em>{html.escape(note)}</em></p>" for note in self.notes)
        return (
            f"<section class='penchant-verdict'><h3>{html.escape(self.title)}</h3>"
            f"<p><b>{html.escape(self.sentence())}</b></p><ul>{lines}</ul>{notes}</section>"
        )

    def __rich__(self) -> RenderableType:
        lines = [Text(line) for line in self._lines()]
        notes = [Text(note, style="italic") for note in self.notes]
        return Group(Text(self.title, style="italic"), Text(self.sentence(), style="bold"), *lines, *notes)


def _said(words: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in words.items()) or "nothing is free"
