"""What stands behind a typical portrait: the distribution, kinds of liked things, whole ones that do not exist yet."""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int64
from rich.console import Group, RenderableType
from rich.text import Text

from penchant.errors import ConfigError
from penchant.portraits._distances import distances_to
from penchant.portraits._shown import html_table, rich_table
from penchant.portraits.distribution import Decode, Encode, ReadRows, ball_distribution, prior_distribution
from penchant.portraits.examples import Examples, new_examples
from penchant.portraits.modes import Mode, find_modes
from penchant.spaces import Ball, UniformSpace
from penchant.tables import SideEncoder

__all__ = ["Details", "find_details"]

Source = Literal["prior", "ball"]
NameRows = Callable[[Int64[np.ndarray, " e"]], Sequence[Any]]
"""Numbers of known rows to what people read of each."""

_COMPARED = 20_000
"""Known rows, the nearest, with which made-up ones are compared at most: is it new?"""
_SHOWN = 8
_INVENTED = "would be liked, and does not exist yet"
_NONE_LIKED = "No made-up {} would be liked with P of at least ½; of the likeliest it is {:.2f}."


@dataclass(frozen=True, slots=True)
class Details:
    """What is liked, as a distribution and not as one point."""

    distribution: pl.DataFrame
    """One row a coordinate: feature, value, mean, q05 … q95, open (a range from 5 to 95 % that says nothing), said."""
    modes: pl.DataFrame
    """One row a kind of liked rows, the largest first: name, share, typical (field to words), nearest (real ones)."""
    invented: pl.DataFrame
    """Whole rows that do not exist yet and would be liked (P ≥ ½), the likeliest first: the fields' own values and
    units, then probability and distance."""
    source: Source
    """Known rows by how likely each is liked (prior), or points of the ball that came back (ball)."""
    returned: float
    """Share of the ball's points that are like rows; 1 for known rows."""
    effective: float
    """How many equally likely rows the shares and ranges rest on."""
    notes: tuple[str, ...]
    """What a reader has to know."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form."""
        return {
            "distribution": self.distribution.to_dicts(),
            "modes": self.modes.to_dicts(),
            "invented": self.invented.to_dicts(),
            "source": self.source,
            "returned": self.returned,
            "effective": self.effective,
            "notes": list(self.notes),
        }

    def lines(self) -> list[tuple[str, list[str]]]:
        """Headings, each with what is said under it."""
        kinds = [
            f"{row['share']:.0%}  {row['name']}  (such as {', '.join(map(str, row['nearest']))})"
            for row in self.modes.iter_rows(named=True)
            if len(self.modes) > 1
        ]
        one = pl.col("value") == pl.col("feature")  # axes of vectors and texts say nothing one by one
        ranges = self.distribution.filter(one & pl.col("said").str.contains(" ")).head(_SHOWN)
        spread = [f"{row['feature']}: {row['said']}" for row in ranges.iter_rows(named=True)]
        said = [("kinds of what is liked", kinds), ("ranges, from 5 to 95 %", spread)]
        return [(heading, lines) for heading, lines in said if lines]

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = []
        for heading, lines in self.lines():
            parts += [Text(heading, style="bold"), *(Text(f"  {line}") for line in lines)]
        if len(self.invented):
            parts += [Text(_INVENTED, style="bold"), rich_table(self.invented)]
        return Group(*parts, *(Text(note, style="italic") for note in self.notes))

    def to_html(self) -> str:
        """An HTML fragment without a script."""
        said = "".join(
            f"<h4>{html.escape(heading)}</h4><ul>{''.join(f'<li>{html.escape(line)}</li>' for line in lines)}</ul>"
            for heading, lines in self.lines()
        )
        table = html_table(self.invented)
        made = f"<h4>{_INVENTED}</h4>{table}" if table else ""
        notes = "".join(f"<p><em>{html.escape(note)}</em></p>" for note in self.notes)
        return said + made + notes


def find_details(
    space: UniformSpace,
    centre: Float[np.ndarray, " k"],
    points: Float[np.ndarray, "n k"],
    read: ReadRows,
    *,
    decode: Decode,
    encode: Encode,
    encoder: SideEncoder,
    names: NameRows,
    population: Float[np.ndarray, " width"],
    threshold: float,
    slope: float,
    radius: float | None,
    side: Literal["item", "user"],
    source: Source = "prior",
    count: int = 5,
    rng: int = 0,
) -> Details:
    """The distribution, its modes, and rows made up from it.

    Arguments:
        centre: the interest point; points, read, names: of the known rows of ``side``.
        decode, encode: as of `ball_distribution`.
        population: mean portrait vector over everyone's likes.
        threshold, slope: of the calibration; radius: of the ball, None: P(liked) alone decides.
        source: known rows × P(liked), or points of the ball that are like rows (then a radius is needed).
        count: made-up rows; rng: seed of all draws.

    Raises: ConfigError: another source.
    """
    if source not in ("prior", "ball"):
        raise ConfigError(f"source = {source!r}: 'prior' or 'ball' expected")
    if source == "ball":
        ball = Ball(space, torch.from_numpy(np.ascontiguousarray(centre)), threshold if radius is None else radius)
        found = ball_distribution(ball, decode=decode, encode=encode, encoder=encoder, rng=rng)
    else:
        found = prior_distribution(
            space, centre, points, read, threshold=threshold, slope=slope, radius=radius, rng=rng
        )
    if not len(points) or not encoder.layout.width:
        return Details(found.table(encoder), _modes_frame((), names), pl.DataFrame(), source, found.returned,
                       found.effective, found.notes)  # fmt: skip
    modes = find_modes(space, found.points, found.vectors, found.weight, encoder=encoder, population=population,
                       known=points, rng=rng)  # fmt: skip
    compared = _nearest_rows(space, centre, points)
    made = new_examples(
        space, centre, points[compared], decode=decode, encode=encode, encoder=encoder, known=read(compared),
        threshold=threshold, slope=slope, radius=radius, count=count, side=side, rng=rng,
    )  # fmt: skip
    invented, said = _liked_ones(made, side)
    return Details(
        distribution=found.table(encoder),
        modes=_modes_frame(modes, names),
        invented=invented,
        source=source,
        returned=found.returned,
        effective=found.effective,
        notes=(*found.notes, *said),
    )


def _liked_ones(made: Examples, side: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The made-up rows that would be liked, and what there is to say of them."""
    liked = made.probability >= 0.5
    none = () if liked.any() or not len(liked) else (_NONE_LIKED.format(side, made.probability.max()),)
    return made.frame().filter(pl.Series(liked, dtype=pl.Boolean)), (*made.notes, *none)


def _modes_frame(modes: Sequence[Mode], names: NameRows) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "name": [mode.name for mode in modes],
            "share": [mode.share for mode in modes],
            "typical": [mode.typical for mode in modes],
            "nearest": [[str(name) for name in names(mode.examples)] for mode in modes],
        },
        schema_overrides={"name": pl.String, "share": pl.Float64, "nearest": pl.List(pl.String)},
    )


def _nearest_rows(
    space: UniformSpace, centre: Float[np.ndarray, " k"], points: Float[np.ndarray, "n k"]
) -> Int64[np.ndarray, " m"]:
    """The known rows that made-up ones start from and are compared with: all, or the nearest."""
    if len(points) <= _COMPARED:
        return np.arange(len(points))
    return np.sort(np.argpartition(distances_to(space, points, centre), _COMPARED)[:_COMPARED])
