"""A form as it was sent, read field by field: the values, what is wrong with some, what is odd about others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl

from penchant.errors import DataError
from penchant.estimator.fitted import Fitted, SideName
from penchant.service.explorer.controls import DISLIKED, GIVEN, NONE, Control, UnfitError, controls_of
from penchant.service.explorer.visiting import Visit
from penchant.service.models import Loaded
from penchant.service.problems import Refused
from penchant.tables.kinds import Binary, Category, Date, Numeric, Tags

__all__ = ["Filled", "Pairs", "average_of", "pairs_of", "query_of", "start_of"]

Pairs = Sequence[tuple[str, str]]
"""Names and values of a form, in order."""

_FIELDS = 4000
"""Names and values of a form at most."""


async def pairs_of(visit: Visit) -> Pairs:
    """What the form says: of the query, or of the body where it was sent as one.

    Raises: Refused: 422, no form.
    """
    if visit.request.method != "POST":
        return visit.request.query_params.multi_items()
    try:
        return parse_qsl((await visit.request.body()).decode(), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError as error:
        raise Refused(422, "A form expected.") from error


@dataclass
class Filled:
    """The fields of a side, filled in.

    Arguments:
        controls: of the side.
        start: column to value before anything was typed.
        pairs: of the form; fields that are not in it keep the value of the start.
    """

    controls: Mapping[str, Control]
    start: Mapping[str, Any]
    pairs: Pairs
    values: dict[str, Any] = field(init=False, default_factory=dict)
    """Column to value: of the fields that can be read."""
    problems: dict[str, dict[str, str]] = field(init=False, default_factory=dict)
    """Column to what is wrong: {"code", "got"}."""

    def __post_init__(self) -> None:
        self._given: dict[str, list[str]] = {}
        for key, text in self.pairs:
            self._given.setdefault(key, []).append(text)
        for name, control in self.controls.items():
            self.values[name] = self.start.get(name)
            given, none, disliked = (self._of(prefix, name) for prefix in (GIVEN, NONE, DISLIKED))
            if given is None and none is None and disliked is None:
                continue
            try:
                self.values[name] = control.read(given or (), none=bool(none), disliked=disliked or ())
            except UnfitError as error:
                self.problems[name] = {"code": error.code, "got": error.got}

    def _of(self, prefix: str, name: str) -> list[str] | None:
        return self._given.get(prefix + name)

    @property
    def changes(self) -> dict[str, Any]:
        """Column to value where it is another than at the start."""
        before, now = self.written(self.start), self.written(self.values)
        return {name: value for name, value in self.values.items() if now[name] != before[name]}

    def written(self, values: Mapping[str, Any]) -> dict[str, tuple[list[str], list[str], bool]]:
        """Column to what the form sends of it: of ``f.``, of ``d.``, and is it known to be none?"""
        found = {}
        for name, control in self.controls.items():
            value = values.get(name)
            disliked = [one for one, liked in value or () if not liked] if control.kind is None else []
            none = isinstance(control.kind, Tags) and value is not None and not control.written(value)
            found[name] = (control.written(value), disliked, none)
        return found

    def row(self) -> dict[str, Any]:
        """What is not missing, as the model takes it."""
        return {name: self.taken(name) for name, value in self.values.items() if value is not None}

    def taken(self, name: str) -> Any:
        """A value as the model takes it."""
        value = self.values[name]
        if self.controls[name].kind is not None or value is None:
            return value
        return [{"item": one, "liked": liked} for one, liked in value]

    def check(self, fitted: Fitted, side: SideName) -> None:
        """Put the model's own objections beside the fields, should there be any that the fields did not see."""
        names = [name for name in self.controls if self.controls[name].kind is not None]
        try:
            fitted.side_encoder(side).encode_rows([{name: self.values[name] for name in names}])
        except DataError as error:
            for problem in error.problems:
                if (name := problem.column or "") in self.controls:
                    self.problems.setdefault(name, {"code": "other", "got": problem.message})
                    self.values[name] = None

    def told(self, fitted: Fitted, side: SideName) -> list[dict[str, Any]]:
        """The fields for a page: how they are drawn, what is in them, what is said of it."""
        before, now, odd = self.written(self.start), self.written(self.values), self._odd(fitted, side)
        found = []
        for number, (name, control) in enumerate(self.controls.items()):
            value, disliked, none = now[name]
            problem = self.problems.get(name)
            typed = (self._of(GIVEN, name) or [""])[-1:]
            found.append(
                {
                    **control.told(),
                    "at": f"f{number}",
                    "value": value if problem is None else typed,
                    "disliked": disliked,
                    "none": none,
                    "start": before[name][0],
                    "start_disliked": before[name][1],
                    "start_none": before[name][2],
                    "changed": problem is None and now[name] != before[name],
                    "problem": problem,
                    "odd": odd.get(name),
                }
            )
        return found

    def _odd(self, fitted: Fitted, side: SideName) -> dict[str, str]:
        """Column to unseen or clipped, where a value is not such as the model learned from."""
        encoder, found = fitted.side_encoder(side), {}
        for kind in encoder.kinds:
            value = self.values.get(kind.field.name)
            if value is None:
                continue
            counts = kind.counts(pl.Series(kind.field.name, [value], strict=False))
            if counts.unseen:
                found[kind.field.name] = "unseen"
            elif counts.clipped and isinstance(kind, Numeric | Date):  # of texts and vectors some axis often is
                found[kind.field.name] = "clipped"
        return found


def query_of(filled: Filled) -> list[tuple[str, str]]:
    """The form as a query that says no more than it has to: what differs from the start."""
    now, found = filled.written(filled.values), []
    for name in filled.changes:
        value, disliked, none = now[name]
        found += [(GIVEN + name, one) for one in (value or [""])]
        found += [(DISLIKED + name, one) for one in disliked] + [(NONE + name, "1")] * none
    return found


# ---------------------------------------------------------------------- where a form begins


def start_of(loaded: Loaded, side: SideName, who: str | None) -> dict[str, Any]:
    """The values of one who is known, those of an average one, or none: column to value, as `Filled` has them."""
    fitted = loaded.fitted
    if who is None:
        return average_of(loaded, side)
    row = int(fitted.known[side].vocabulary.find([who])[0])
    if row < 0:
        return {}
    values = fitted.known[side].frame.row(row, named=True)
    found = {name: values[name] for name, control in controls_of(loaded, side).items() if control.kind is not None}
    past = _past_of(loaded, row) if side == "user" else None
    if fitted.schema.history is not None and past is not None:
        found[fitted.schema.history.name] = past
    return found


def _past_of(loaded: Loaded, row: int) -> list[tuple[str, bool]] | None:
    """The past of a known user as a form has it: ids with liked or not, the disliked ones first, in order of time."""
    fitted = loaded.fitted
    past = fitted.encoded_rows("user", np.array([row])).history
    if past is None or not len(past.items):
        return None
    order = np.argsort(np.asarray(past.place), kind="stable")
    ids = fitted.known["item"].vocabulary.ids.gather(np.asarray(past.items)[order]).cast(pl.String).to_list()
    signs = (np.asarray(past.liked)[order] > 0.5).tolist()
    return sorted(zip(ids, signs, strict=True), key=lambda one: one[1])


_AVERAGES: "WeakKeyDictionary[Any, dict[SideName, dict[str, Any]]]" = WeakKeyDictionary()


def average_of(loaded: Loaded, side: SideName) -> dict[str, Any]:
    """Somebody in the middle: the median of numbers and days, the most frequent of two or several values, the tags that
    at least half have, or else the most frequent one. Texts, ids and the past are missing."""
    kept = _AVERAGES.setdefault(loaded.model, {})
    if side not in kept:
        frame = loaded.fitted.known[side].frame
        kept[side] = {name: _middle(control, frame[name]) for name, control in controls_of(loaded, side).items()
                      if control.kind is not None}  # fmt: skip
    return kept[side]


def _middle(control: Control, column: pl.Series) -> Any:
    kind, there = control.kind, column.drop_nulls()
    if not len(there):
        return None
    match kind:
        case Numeric():
            middle = float(there.cast(pl.Float64).median() or 0.0)  # type: ignore[arg-type]
            return round(middle) if kind.whole else middle
        case Binary() | Category():
            return there.cast(pl.String).value_counts(sort=True)[there.name][0]
        case Date():
            half = np.nanmedian(np.asarray(kind.encode(there)), axis=0)
            return kind.decode(half.astype(np.float32)[None])[0]
        case Tags():
            shares = np.nanmean(kind.portrait(kind.encode(column)), axis=0)
            most = np.arange(len(shares)) == 0  # tags are in order of their counts
            return kind.decode(((shares >= 0.5) | most & (shares < 0.5).all()).astype(np.float32)[None])[0].to_list()
    return None
