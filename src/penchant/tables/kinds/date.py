"""Days and moments: a birthday, a release date, the time of a click."""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float32, Float64

from penchant._spec import Block
from penchant.errors import Problem
from penchant.tables._field import Field
from penchant.tables.kinds._base import UNKNOWN, Counts, Encoded, Kind, cells, first, is_text, odd_objects
from penchant.tables.kinds._scale import Scaler

__all__ = ["Date", "times_of"]

_DAY = 86_400.0
_FIRST_DAY, _LAST_DAY = (float((day - dt.date(1970, 1, 1)).days) for day in (dt.date.min, dt.date.max))
_ISO_DAY = r"^\d{4}-\d{2}-\d{2}$"
_USUAL = {
    r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$": "%Y-%m-%dT%H:%M:%S%.fZ",
    r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d+)?$": "%Y-%m-%d %H:%M:%S%.f",
}
_WHOLE_CODES = ("%s", "%c", "%+")
_MINUTE_CODES = ("%M", "%T", "%R", "%r", "%X", *_WHOLE_CODES)
_MOMENT_CODES = ("%H", "%k", "%I", "%l", *_MINUTE_CODES)
_DAY_CODES = ("%j", "%D", "%x", "%F", "%v", *_WHOLE_CODES)
_LEFT_OPEN = {
    ("%m", "%b", "%B", "%h", *_DAY_CODES): (" 01", " %m"),
    ("%d", "%e", *_DAY_CODES): (" 01", " %d"),
}


@dataclass(frozen=True)
class Date(Kind):
    """A day, or a moment in UTC, scaled to [0, 1] between the first and the last of the training rows.

    Days are exact over 40,000 years; a moment is exact to about range / 10⁷ (a minute in twenty years).
    Text is ISO 8601 (``2024-05-01``, ``2024-05-01T12:30:00+08:00``) or as the field's format says.
    """

    form = "dense"

    scaler: Scaler
    """The fitted range: days since 1970-01-01, or seconds for moments."""
    moment: bool
    """Whether the training rows told the time of day."""
    zone: str | None
    """The time zone of the column, to which moments are decoded."""

    @classmethod
    def fit(cls, field: Field, column: pl.Series) -> "Date":
        """Learn the range."""
        times = times_of(column, field.format)
        moment = times.dtype != pl.Date
        zone = column.dtype.time_zone if isinstance(column.dtype, pl.Datetime) else None
        numbers = _epoch(times, moment)
        return cls(field, Scaler.fit(numbers[np.isfinite(numbers)]), moment, zone)

    def extended(self, column: pl.Series) -> "Date":
        """The same; where no row had a value before, as if fitted now."""
        return self if self.scaler.knots else Date.fit(self.field, column)

    @classmethod
    def problems(cls, field: Field, column: pl.Series, table: str) -> list[Problem]:
        """Cells that are no date."""
        dtype = column.dtype
        form = "ISO 8601 (2024-05-01)" if field.format is None else field.format
        if dtype == pl.Object:
            return odd_objects(table, column, (dt.date, str), "a date", "Give dates, or text in all rows")
        if dtype == pl.Null:
            return []
        if dtype in (pl.Date, pl.Datetime):
            return cells(table, column, _beyond(column), "a date of the years 1 to 9999 expected", "Correct it")
        present = column.is_not_null().to_numpy()
        if not is_text(column):
            kind = "Set kind = 'numeric', or cast" if dtype.is_numeric() else "Cast"
            fix = f"{kind} the column to a date"
            return cells(table, column, present, f"a date expected, got {dtype}", fix)
        try:
            times = times_of(column, field.format)
            wrong = present & (times.is_null().to_numpy() | _beyond(times))
        except pl.exceptions.ComputeError as error:
            reason = str(error).splitlines()[0]
            message = f"the format {field.format!r} cannot be used: {reason}"
            return [Problem(table, message, column=column.name, fix="Correct the format")]
        got = first(column, wrong)
        message = f"a date as {form} expected, got {got}"
        return cells(table, column, wrong, message, "Set format = '%d.%m.%Y' (or what it is)")

    def block(self) -> Block:
        """One number."""
        return Block(self.field.name, "dense", 1, 1, "square")

    def encode(self, column: pl.Series) -> Encoded:
        """(n, 1) in [0, 1]; NaN where missing."""
        return self.scaler.forward(self._numbers(column)).astype(np.float32)[:, None]

    def placed(self, days: Float64[np.ndarray, " n"]) -> Float32[np.ndarray, "n 1"]:
        """Days since 1970-01-01, NaN where missing, as networks read them."""
        return self.scaler.forward(days * _DAY if self.moment else days).astype(np.float32)[:, None]

    def counts(self, column: pl.Series) -> Counts:
        """Missing rows, and rows before or after the fitted range."""
        numbers = self._numbers(column)
        return Counts(int(np.isnan(numbers).sum()), 0, int(self.scaler.outside(numbers).sum()))

    def portrait(self, encoded: Encoded) -> Float32[np.ndarray, "n width"]:
        """The number itself."""
        assert isinstance(encoded, np.ndarray)
        return encoded

    def labels(self) -> tuple[str, ...]:
        """The field's heading."""
        return (self.field.heading,)

    def decode(self, portrait: Float32[np.ndarray, "n width"]) -> pl.Series:
        """Days, or moments (to the microsecond; in the column's zone, if it had one)."""
        numbers = self.scaler.backward(portrait[:, 0])
        if not self.moment:
            days = pl.Series(self.field.name, np.rint(numbers), nan_to_null=True)
            return days.cast(pl.Int32).cast(pl.Date)
        micros = pl.Series(self.field.name, np.rint(numbers * 1e6), nan_to_null=True).cast(pl.Int64)
        moments = micros.cast(pl.Datetime("us"))
        if self.zone is None:
            return moments
        return moments.dt.replace_time_zone("UTC").dt.convert_time_zone(self.zone)

    def words(self, value: Float32[np.ndarray, " width"]) -> str:
        """The day as 2024-05-01; a moment to the minute."""
        if math.isnan(value[0]):
            return UNKNOWN
        time = self.decode(value[None])[0]
        if time is None:
            return UNKNOWN
        return time.replace(tzinfo=None).isoformat(" ", "minutes") if self.moment else time.isoformat()

    def state(self) -> dict[str, Any]:
        """The range and what it counts."""
        return {**self.scaler.state(), "moment": self.moment, "zone": self.zone}

    @classmethod
    def from_state(cls, field: Field, state: dict[str, Any]) -> "Date":
        """The kind that gave this state."""
        return cls(field, Scaler.from_state("minmax", state), bool(state["moment"]), state["zone"])

    def _numbers(self, column: pl.Series) -> Float64[np.ndarray, " n"]:
        return _epoch(times_of(column, self.field.format), self.moment)


def _epoch(times: pl.Series, moment: bool) -> Float64[np.ndarray, " n"]:
    """Days (a moment's day begins at midnight UTC), or seconds, since 1970-01-01; NaN where null."""
    if times.dtype == pl.Date:
        days = times.cast(pl.Int32).cast(pl.Float64).to_numpy()
        return days * _DAY if moment else days
    seconds = times.dt.epoch("us").cast(pl.Float64).to_numpy() / 1e6
    return seconds if moment else np.floor(seconds / _DAY)


def _beyond(times: pl.Series) -> Bool[np.ndarray, " n"]:
    """Dates of a year that Python cannot name."""
    days = times.to_physical().cast(pl.Float64).to_numpy()
    if isinstance(times.dtype, pl.Datetime):
        days = days / (_DAY * {"ms": 1e3, "us": 1e6, "ns": 1e9}[times.dtype.time_unit])
    with np.errstate(invalid="ignore"):
        return (days < _FIRST_DAY) | (days >= _LAST_DAY + 1)


def times_of(column: pl.Series, format: str | None) -> pl.Series:
    """The column as Date or Datetime; text that is neither becomes null."""
    dtype = column.dtype
    if dtype == pl.Object:
        objects = [None if o is None else o.isoformat() if isinstance(o, dt.date) else str(o) for o in column.to_list()]
        return times_of(pl.Series(column.name, objects, dtype=pl.String), format)
    if dtype == pl.Null:
        return column.cast(pl.Date)
    if not is_text(column):
        return column
    text = column.cast(pl.String).str.strip_chars()
    if format is None:
        return _iso(text)
    return _formatted(text, format)


def _formatted(text: pl.Series, format: str) -> pl.Series:
    """Text after a format. What the format leaves open (the day of "%Y-%m") is the first there is."""
    for codes, (part, code) in _LEFT_OPEN.items():
        if not any(known in format for known in codes):
            text, format = text + part, format + code
    if not any(code in format for code in _MOMENT_CODES):
        return text.str.to_date(format, strict=False)
    if not any(code in format for code in _MINUTE_CODES):
        text, format = text + " 00", format + " %M"
    times = text.str.to_datetime(format, strict=False, time_unit="us")
    zoned = isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone is not None
    return times.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zoned else times


def _iso(text: pl.Series) -> pl.Series:
    """ISO 8601 days, or moments where any cell tells the time; without an offset they are UTC."""
    if text.str.contains(_ISO_DAY).all():
        return text.str.to_date("%Y-%m-%d", strict=False)
    for usual, format in _USUAL.items():  # three times as fast as mending each cell
        if text.str.contains(usual).all():
            return text.str.to_datetime(format, strict=False, time_unit="us")
    full = (
        text.str.replace(_ISO_DAY, "${0}T00:00:00")
        .str.replace(r"^(\S+)[ T](\d{2}:\d{2})", "${1}T${2}")
        .str.replace(r"[zZ]$", "+00:00")
        .str.replace(r"T(\d{2}:\d{2})([+-]|$)", "T${1}:00${2}")
        .str.replace(r"^([^T]+T[^+-]+)$", "${1}+00:00")
    )
    moments = full.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", strict=False, time_unit="us")
    return moments.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
