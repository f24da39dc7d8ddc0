"""A field's values as changed rows hold them, as numbers between two ends, and in words."""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float, Float64

from penchant._spec import FIRST, MISSING, Bag
from penchant.tables import SideEncoder
from penchant.tables.kinds import Binary, Category, Date, Id, Kind, Numeric, Tags
from penchant.tables.kinds.date import times_of
from penchant.tables.kinds.numeric import readable

__all__ = ["UNKNOWN", "Axis", "axis_of", "present_value", "reported", "unseen_value", "words"]

UNKNOWN = "unknown"
"""What people read where a value is missing."""

_DAY = 86_400.0
_PLAIN = 1e-3, 1e5
"""Ranges whose numbers people read digit by digit."""
_FIRST_DAY, _FIRST_MOMENT = dt.date(1970, 1, 1), dt.datetime(1970, 1, 1)


def present_value(kind: Kind, value: Any) -> Any:
    """The value of a row in the one form that all changed rows share, so that they fit into one column.

    It is encoded as the given one. Numbers are int or float, dates a date or a moment in UTC without a zone, tags a
    list of text; a known category or id is as in the training rows, an unseen one text; None is read as missing.

    Raises: DataError: a value of another kind.
    """
    row = {kind.field.name: value}
    features = SideEncoder((kind,)).encode_rows([row])
    if kind.form == "code":
        code = int(features.codes[0, 0])
        known = code >= FIRST and isinstance(kind, Category | Id)
        return None if code == MISSING else kind.values.series[code - FIRST] if known else str(value)  # type: ignore[attr-defined]
    if kind.form == "bag":
        return None if MISSING in features.bags[0].values else _tags(kind, value)
    if np.isnan(features.dense[0]).any() or value is None:
        return None
    if isinstance(kind, Binary):
        return kind.decode(features.dense)[0]
    axis = axis_of(kind)
    return value if axis is None else axis.value(axis.number(value))


def _tags(kind: Kind, value: Any) -> list[str]:
    """Tags as text, each once, as `Tags` reads them."""
    if isinstance(value, str):
        delimiter = kind.field.delimiter
        value = [value] if delimiter is None else value.split(delimiter)
    texts = (str(t).lower() if isinstance(t, bool | np.bool_) else str(t).strip() for t in value if t is not None)
    return list(dict.fromkeys(text for text in texts if text))


def unseen_value(kind: Kind) -> Any:
    """A value that no training row has, for kinds that tell such from missing ones."""
    text = "?"
    while _known(kind, value := [text] if isinstance(kind, Tags) else text):
        text += "?"
    return value


def _known(kind: Kind, value: Any) -> bool:
    encoded = kind.encode(pl.Series(kind.field.name, [value]))
    return bool(((encoded.values if isinstance(encoded, Bag) else encoded) >= FIRST).any())


def reported(kind: Kind, value: Any) -> Any:
    """The value as its owner would write it: tags that are whole numbers as such."""
    if not (isinstance(kind, Tags) and value is not None and kind.values.series.dtype == pl.Int64):
        return value
    numbers = pl.Series(value, dtype=pl.String).cast(pl.Int64, strict=False)
    return value if numbers.null_count() else numbers.to_list()


def words(kind: Kind, value: Any) -> str:
    """A value (see `present_value`) for people to read, with its unit."""
    if value is None:
        return UNKNOWN
    axis = axis_of(kind)
    if axis is not None:
        return axis.words(value)
    if isinstance(value, list) and isinstance(kind, Tags):
        return ", ".join(value) or "none"
    if kind.form == "dense":
        encoder = SideEncoder((kind,))
        return kind.words(encoder.portrait(encoder.encode_rows([{kind.field.name: value}]))[0])
    return str(value)


@dataclass(frozen=True, slots=True)
class Axis:
    """A field of numbers or dates as a line: a value is a number (days or seconds since 1970-01-01), a number a level
    in [0, 1]."""  # fmt: skip

    kind: Numeric | Date

    @property
    def whole(self) -> bool:
        """Whether there is nothing between two whole numbers: days, seconds, counts."""
        return self.kind.whole if isinstance(self.kind, Numeric) else True

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest training value."""
        return self.kind.scaler.low, self.kind.scaler.high

    @property
    def constant(self) -> bool:
        """Whether there is one value only, or none."""
        return self.kind.scaler.constant

    def levels(self, numbers: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """Numbers to [0, 1], clipped."""
        return self.kind.scaler.forward(numbers)

    def level(self, number: float) -> float:
        """One number to [0, 1]."""
        return float(self.levels(np.array([number]))[0])

    def at(self, levels: Float[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """Valid numbers at these levels."""
        numbers = self.kind.scaler.backward(levels)
        return np.clip(np.rint(numbers), *self.ends) if self.whole else numbers

    def column(self, column: pl.Series) -> Float64[np.ndarray, " n"]:
        """A column's numbers; NaN where missing."""
        if isinstance(self.kind, Numeric):
            return column.cast(pl.Float64, strict=False).to_numpy().astype(np.float64)
        times = times_of(column, self.kind.field.format)
        if times.dtype == pl.Date:
            days = times.cast(pl.Int32).cast(pl.Float64).to_numpy()
            return days * _DAY if self.kind.moment else days
        seconds = times.dt.epoch("us").cast(pl.Float64).to_numpy() / 1e6
        return seconds if self.kind.moment else np.floor(seconds / _DAY)

    def number(self, value: Any) -> float:
        """A value, as rows may hold it, to its number."""
        if isinstance(self.kind, Numeric):
            return float(value)
        if isinstance(value, np.datetime64):
            value = value.astype("datetime64[us]").item()
        return float(self.column(pl.Series(self.kind.field.name, [value]))[0])

    def value(self, number: float) -> int | float | dt.date | dt.datetime:
        """A number to its value."""
        if isinstance(self.kind, Numeric):
            return int(number) if self.kind.whole and number == math.floor(number) else number
        if self.kind.moment:
            return _FIRST_MOMENT + dt.timedelta(seconds=number)
        return _FIRST_DAY + dt.timedelta(days=number)

    def words(self, value: Any) -> str:
        """A value with its unit; moments to the second, in the zone of the training rows."""
        if isinstance(value, dt.datetime):
            zone = self.kind.zone if isinstance(self.kind, Date) else None
            series = pl.Series([value]).dt.replace_time_zone("UTC").dt.convert_time_zone(zone or "UTC")
            return str(series[0].replace(tzinfo=None).isoformat(" ", "seconds"))
        if isinstance(value, dt.date):
            return value.isoformat()
        low, high = self.ends
        text = str(value) if isinstance(value, int) else readable(float(value), high - low)
        return f"{text} {self.kind.field.unit}" if self.kind.field.unit else text

    def words_beyond(self, value: Any, before: Any) -> str:
        """The value that something was changed to: digits are cut so that the change is never told too small."""
        low, high = self.ends
        if not isinstance(value, float) or before is None or not _PLAIN[0] < high - low < _PLAIN[1]:
            return self.words(value)
        scale = 10.0 ** (4 - math.floor(math.log10(high - low)))
        cut = (math.ceil if value > before else math.floor)(value * scale) / scale
        unit = f" {self.kind.field.unit}" if self.kind.field.unit else ""
        return f"{min(max(cut, low), high):.10g}{unit}"


def axis_of(kind: Kind) -> Axis | None:
    """The line of a number or date; None for other kinds."""
    return Axis(kind) if isinstance(kind, Numeric | Date) else None
