"""Why a user would (not) like an item: the distance by axes, what brings closer, the past, what would turn it.

    change of a field      Δ = d(e_u, f(item with another value)) − d(e_u, f(item))
    effect of its value    d(e_u, f(item)) − Σ_v P(v) d(e_u, f(item with v)),   P from the training rows
    effect of a past like  d(e_u, e_i) − d(e_u without it, e_i)
    counterfactual         the smallest valid change with the other decision

All of it is the model asked anew, nothing approximated; below 0 is closer.

Source: an effect against the distribution of the training rows: Štrumbelj, Kononenko 2014, Explaining prediction models
and individual predictions with feature contributions (here of one field at a time); counterfactuals: Wachter,
Mittelstadt, Russell 2017, arXiv 1711.00399.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from penchant.errors import ConfigError
from penchant.portraits._changes import FieldRange, field_ranges
from penchant.portraits._effects import AxisSplit, Without, axis_table, field_effects, history_effects, split_by_axis
from penchant.portraits._explanation import Counterfactual, Explanation, Search
from penchant.portraits._flip import Flip, find_flip
from penchant.portraits._pair import Pair
from penchant.portraits._question import Bound
from penchant.portraits._values import axis_of, reported, words
from penchant.tables.kinds import Id, Tags

__all__ = ["AxisSplit", "Counterfactual", "Explanation", "Pair", "Search", "counterfactual", "explain", "split_by_axis"]

_NO_AXES = "This space's distance is not made of axes: it is not split."


def explain(
    pair: Pair,
    *,
    user: str,
    item: str,
    history: Sequence[tuple[Any, bool]] = (),
    without: Without | None = None,
    only: Sequence[str] | None = None,
    max_changes: int = 3,
    bound: Bound | None = None,
) -> Explanation:
    """Explain the decision on a pair.

    Arguments:
        pair: the user's point, the item's row and the model.
        user, item: who and what, in words.
        history: the user's past, as names of items with whether they were liked.
        without: numbers of entries of ``history`` (n) to the user's points (n, k), each with that entry left out.
        only, max_changes, bound: see `counterfactual`.

    Raises:
        DataError: the row does not fit the fields. ConfigError: an option outside its range, or a history without
        ``without``.
    """
    ranges = field_ranges(pair.encoder, pair.frame, pair.row)
    allowed = _allowed(ranges, only, max_changes)
    row = {place.name: place.present for place in ranges}
    point, distance, effects, changes = field_effects(pair, ranges, row)
    flip, tried = find_flip(pair, allowed, row, distance, max_changes=max_changes, bound=bound)
    axes = axis_table(pair.centre, point, pair.space)
    return Explanation(
        user=user,
        item=item,
        distance=distance,
        threshold=pair.threshold,
        probability=_probability(pair, distance),
        axes=axes,
        effects=effects,
        changes=changes,
        history=history_effects(pair, point, distance, history, without),
        counterfactual=None if flip is None else _counterfactual(pair, ranges, flip),
        search=Search(tried.fields, max_changes, tried.nearest, tried.evaluations, tried.proved),
        notes=() if len(axes) else (_NO_AXES,),
    )


def counterfactual(
    pair: Pair, *, only: Sequence[str] | None = None, max_changes: int = 3, bound: Bound | None = None
) -> tuple[Counterfactual | None, Search]:
    """The smallest valid change of the item that turns the decision, and what was tried for it.

    Smallest: the fewest fields and tags, then the least cost (see `Counterfactual`), then the distance nearest to the
    threshold. Valid: numbers and dates between the least and the greatest training value, else values known from the
    training rows. Numbers are given back to the last digit that matters to the model. Vectors and texts never change.

    Arguments:
        only: the columns that may change; None: all but ids.
        max_changes: how many fields and tags may change together, at least 1.
        bound: columns to proved bounds of the item's base distance, whatever these fields are within their ranges while
            the others stay as they are. With it a search may be cut short, and more of its answers are proved.

    Returns:
        None where none was found; `Search` says whether it is proved that there is none.

    Raises:
        DataError: the row does not fit the fields. ConfigError: an option outside its range.
    """
    ranges = field_ranges(pair.encoder, pair.frame, pair.row)
    allowed = _allowed(ranges, only, max_changes)
    row = {place.name: place.present for place in ranges}
    now = float(pair.distances([row])[0])
    flip, tried = find_flip(pair, allowed, row, now, max_changes=max_changes, bound=bound)
    search = Search(tried.fields, max_changes, tried.nearest, tried.evaluations, tried.proved)
    return None if flip is None else _counterfactual(pair, ranges, flip), search


def _allowed(ranges: Sequence[FieldRange], only: Sequence[str] | None, max_changes: int) -> list[FieldRange]:
    if max_changes < 1:
        raise ConfigError(f"max_changes = {max_changes}: at least 1 expected")
    if only is None:
        return [place for place in ranges if not isinstance(place.kind, Id)]
    known = {place.name: place for place in ranges}
    strange = [name for name in only if name not in known]
    if strange:
        raise ConfigError(f"only: there is no field {strange[0]!r}; the item's fields are {', '.join(known)}")
    return [place for name, place in known.items() if name in only]


def _probability(pair: Pair, distance: float) -> float:
    return float(pair.probability(np.array([distance]))[0])


def _counterfactual(pair: Pair, ranges: Sequence[FieldRange], flip: Flip) -> Counterfactual:
    row: dict[str, Any] = {place.name: place.present for place in ranges}
    after = row
    for change in flip.changes:
        after = change.apply(after)
    changed = [place for place in ranges if any(change.field == place.name for change in flip.changes)]
    return Counterfactual(
        changes={
            place.name: (reported(place.kind, place.present), reported(place.kind, after[place.name]))
            for place in changed
        },
        words=tuple(_said(place, after[place.name]) for place in changed),
        distance=flip.distance,
        probability=_probability(pair, flip.distance),
        liked=flip.distance <= pair.threshold,
        size=len(flip.changes),
        cost=sum(change.cost for change in flip.changes),
        fewest=flip.fewest,
    )


def _said(place: FieldRange, value: Any) -> str:
    heading, present = place.kind.field.heading, place.present
    if not isinstance(place.kind, Tags):
        axis = axis_of(place.kind)
        after = words(place.kind, value) if axis is None else axis.words_beyond(value, present)
        return f"{heading}: {words(place.kind, present)} → {after}"
    before = present or []
    toggled = [f"+ {tag}" for tag in value if tag not in before] + [f"− {tag}" for tag in before if tag not in value]
    return f"{heading}: {' '.join(toggled)}"
