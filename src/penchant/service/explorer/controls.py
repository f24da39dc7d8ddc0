"""The features of a side as fields of a form: what there is to choose, how values are written, what is read back.

A form sends ``f.<column>`` for each feature, as often as it has values; ``none.<column>`` says of tags that there are
none of them, and ``d.<column>`` has the disliked ones of a past. Empty is missing.
"""

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl

from penchant.estimator.fitted import Fitted, SideName
from penchant.service.models import Loaded
from penchant.tables import Field
from penchant.tables.kinds import Binary, Category, Date, Id, Kind, Numeric, Tags, Text, Vector

__all__ = ["DISLIKED", "GIVEN", "NONE", "Control", "UnfitError", "controls_of", "number_of"]

GIVEN, NONE, DISLIKED = "f.", "none.", "d."
"""Before the name of a column in a form."""

FEW = {"category": 24, "tags": 40}
"""Up to so many values all of them are shown; of more, those that somebody searches for."""
_MARKS = 101
"""Places of a slider whose values do not lie evenly."""
_LONGEST, _MOST = 20_000, 1000
"""Characters of a text, values of a field."""


class UnfitError(Exception):
    """What was typed into a field cannot be its value.

    Arguments:
        code: of what is wrong; the page has the words.
        got: what was typed.
    """

    def __init__(self, code: str, got: str = "") -> None:
        super().__init__(code)
        self.code, self.got = code, got[:80]


@dataclass(frozen=True)
class Control:
    """One feature, to be filled in."""

    field: Field
    """Of the schema."""
    kind: Kind | None
    """As fitted; None: the past."""
    known: Callable[[Sequence[str]], np.ndarray] | None = None
    """Of a past: which ids are items."""

    @property
    def name(self) -> str:
        """The column."""
        return self.field.name

    @cached_property
    def labels(self) -> pl.Series:
        """The known values as text, the most frequent first; none of a kind that has none."""
        values = getattr(self.kind, "values", None)
        return pl.Series(dtype=pl.String) if values is None else values.series.cast(pl.String)

    @cached_property
    def split(self) -> str:
        """What stands between the tags in a text: a comma, unless a tag has one."""
        return "\n" if self.labels.str.contains(",", literal=True).any() else ","

    @property
    def choices(self) -> list[str]:
        """All values that can be chosen where these are few, in order; the most frequent ones else."""
        few = FEW.get(self.field.kind, 0)
        first = self.labels.head(few).to_list()
        return sorted(first, key=lambda one: (number_of(one) is None, number_of(one) or 0.0, one.casefold()))

    def containing(self, text: str, n: int) -> list[str]:
        """Known values with a text in them; those that begin with it first."""
        wanted = text.lower()
        found = self.labels.filter(self.labels.str.to_lowercase().str.contains(wanted, literal=True)).head(10 * n)
        return sorted(found.to_list(), key=lambda one: not one.lower().startswith(wanted))[:n]

    # ------------------------------------------------------------------ what a page is told

    def told(self) -> dict[str, Any]:
        """What the page needs to draw it."""
        shape = {"low": None, "high": None, "marks": None, "whole": False, "size": None} | self._shape()
        return {
            "name": self.name,
            "title": self.field.heading,
            "unit": self.field.unit,
            "kind": self._look,
            "choices": self._two if isinstance(self.kind, Binary) else [[one, one] for one in self.choices],
            "n": len(self.labels),
            "split": self.split if isinstance(self.kind, Tags) else None,
            **shape,
        }

    @property
    def _look(self) -> str:
        many = len(self.labels) > FEW.get(self.field.kind, math.inf)
        if isinstance(self.kind, Date) and self.kind.moment:
            return "moment"
        return f"many-{self.field.kind}" if many else self.field.kind

    @property
    def _two(self) -> list[list[str]]:
        kind = self.kind
        assert isinstance(kind, Binary)
        values = [one for one in (kind.zero, kind.one) if one is not None]
        yes_no = kind.type != "str" and values == ["0", "1"]
        return [["0", "no"], ["1", "yes"]] if yes_no else [[one, one] for one in values]

    def _shape(self) -> dict[str, Any]:
        kind = self.kind
        if isinstance(kind, Vector):
            return {"size": len(kind.low)}
        if not isinstance(kind, Numeric | Date) or not kind.scaler.knots:
            return {}
        if isinstance(kind, Date):
            ends = kind.decode(np.array([[0.0], [1.0]], dtype=np.float32)).to_list()
            return dict(zip(("low", "high"), (self.written(one)[0] for one in ends), strict=True))
        low, high, marks = kind.scaler.low, kind.scaler.high, None
        if kind.field.scale != "minmax" and not kind.scaler.constant:
            found = kind.scaler.backward(np.linspace(0, 1, _MARKS))
            marks = [float(f"{one:.6g}") for one in (np.rint(found) if kind.whole else found)]
        return {"low": low, "high": high, "marks": marks, "whole": kind.whole}

    # ------------------------------------------------------------------ values to text, and back

    def written(self, value: Any) -> list[str]:
        """A value as the form sends it: nothing where it is missing."""
        if value is None:
            return []
        match self.kind:
            case Numeric() | Vector():
                many = [value] if isinstance(self.kind, Numeric) else self._numbers_of(value)
                return [", ".join(_number(one) for one in many)]
            case Tags():
                parts = value.split(self.field.delimiter) if isinstance(value, str) and self.field.delimiter else value
                parts = [parts] if isinstance(parts, str) else parts
                return sorted({str(one).strip() for one in parts if one is not None} - {""})
            case Date():
                return [self._day(value)]
            case Binary():
                if isinstance(value, bool | float | int):
                    return [f"{float(value):.12g}"]
                text = str(value)
                return [{"true": "1", "false": "0"}.get(text.lower(), text) if self.kind.type == "bool" else text]
            case Text():
                return [_plain(str(value))]
            case None:
                return [one for one, liked in value if liked]
        return [str(value)]

    def _numbers_of(self, value: Any) -> list[Any]:
        if not isinstance(value, str):
            return list(value)
        return [float(one) for one in value.strip("[]() \t\n").split(self.field.delimiter or ",") if one.strip()]

    def _day(self, value: Any) -> str:
        assert isinstance(self.kind, Date)
        portrait = self.kind.encode(pl.Series([value])) if isinstance(value, str) else None
        if portrait is not None:
            value = self.kind.decode(np.asarray(portrait))[0]
        if isinstance(value, dt.datetime):
            if value.tzinfo is not None:
                value = value.astimezone(dt.UTC).replace(tzinfo=None)
            return value.isoformat(timespec="minutes") if self.kind.moment else value.date().isoformat()
        return "" if value is None else str(value.isoformat())

    def read(self, given: Sequence[str], *, none: bool = False, disliked: Sequence[str] = ()) -> Any:
        """What was typed or chosen, as a row has it; None: missing.

        Arguments:
            given: of ``f.``. none: was ``none.`` chosen? disliked: of ``d.``.

        Raises: UnfitError: it cannot be a value of this field.
        """
        kept = [one for one in given if one.strip()]
        if sum(map(len, (*kept, *disliked))) > _LONGEST:
            raise UnfitError("long", str(_LONGEST))
        match self.kind:
            case Tags():
                tags = [
                    one.strip()
                    for text in kept
                    for one in re.split(r"[\r\n]+" if self.split == "\n" else r"[,\r\n]+", text)
                ]
                return _bounded(tags) or ([] if none else None)
            case None:
                return self._past(kept, disliked)
        if not kept:
            return None
        text = kept[-1].strip()
        match self.kind:
            case Numeric():
                return self._number(text)
            case Vector():
                return self._vector(text)
            case Date():
                return self._date(text)
            case Text():
                return _plain(text)
            case Category() | Id() if len(text) > 512:
                raise UnfitError("long", "512")
            case Binary() if text not in [one for one, _ in self._two]:
                raise UnfitError("two", text)
        return text

    def _number(self, text: str) -> float | int:
        assert isinstance(self.kind, Numeric)
        value = number_of(text)
        if value is None:
            raise UnfitError("number", text)
        return int(value) if self.kind.whole and value == math.floor(value) else value

    def _vector(self, text: str) -> list[float]:
        assert isinstance(self.kind, Vector)
        found = [number_of(one) for one in re.split(r"[,;\s]+", text.strip("[]() \t\r\n")) if one]
        numbers = [one for one in found if one is not None]
        if len(numbers) != len(found) or len(numbers) != len(self.kind.low):
            raise UnfitError("vector", text)
        return numbers

    def _date(self, text: str) -> dt.date:
        assert isinstance(self.kind, Date)
        try:
            value: dt.date = dt.datetime.fromisoformat(text) if self.kind.moment else dt.date.fromisoformat(text[:10])
        except ValueError as error:
            raise UnfitError("moment" if self.kind.moment else "date", text) from error
        if isinstance(value, dt.datetime) and value.tzinfo is not None:
            return value.astimezone(dt.UTC).replace(tzinfo=None)
        return value

    def _past(self, liked: Sequence[str], disliked: Sequence[str]) -> list[tuple[str, bool]] | None:
        """Ids with liked or not, in the order in which they were given; the disliked ones first."""
        assert self.known is not None
        found = {sign: _bounded(one.strip() for text in texts for one in re.split(r"[\r\n]+", text))
                 for sign, texts in ((False, disliked), (True, liked))}  # fmt: skip
        every = [*found[False], *found[True]]
        if every and (strange := [one for one, row in zip(every, self.known(every), strict=True) if row < 0]):
            raise UnfitError("item", strange[0])
        return [(one, sign) for sign, ids in found.items() for one in ids] or None


def _bounded(values: Iterable[str]) -> list[str]:
    kept = list(dict.fromkeys(one for one in values if one))
    if len(kept) > _MOST:
        raise UnfitError("many", str(_MOST))
    return kept


def number_of(text: str) -> float | None:
    """A number as people type it: ``1994``, ``3.5``, ``3,5``, ``1,200``, ``1 200``; None: no finite number."""
    plain = re.sub(r"\s", "", text).replace("\N{MINUS SIGN}", "-")
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    try:
        value = float(plain.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _plain(text: str) -> str:
    """A text as it goes through a form, which changes the ends of lines."""
    return text.replace("\r\n", "\n").strip()


def _number(value: Any) -> str:
    number = float(value)
    return f"{number:.0f}" if number == math.floor(number) and abs(number) < 2.0**53 else f"{number:.9g}"


_CONTROLS: "WeakKeyDictionary[Any, dict[SideName, dict[str, Control]]]" = WeakKeyDictionary()


def controls_of(loaded: Loaded, side: SideName) -> dict[str, Control]:
    """The features of a side, by column, without its key; of users also their past. Made once a model."""
    kept = _CONTROLS.setdefault(loaded.model, {})
    if side not in kept:
        kept[side] = dict(_controls(loaded.fitted, side))
    return kept[side]


def _controls(fitted: Fitted, side: SideName) -> Iterator[tuple[str, Control]]:
    schema = fitted.schema
    key = schema.user_id if side == "user" else schema.item_id
    for kind in fitted.side_encoder(side).kinds:
        if kind.field.name != key:
            yield kind.field.name, Control(kind.field, kind)
    if side == "user" and schema.history is not None:
        find = fitted.known["item"].vocabulary.find
        yield schema.history.name, Control(schema.history, None, lambda ids: find(list(ids)))
