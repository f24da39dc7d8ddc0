"""Days and moments."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.tables.kinds import Counts, Date
from penchant.tables.kinds.date import times_of
from penchant.tables.schema import Field
from penchant.testing import check_kind


def field(**options) -> Field:
    return Field(name="x", side="item", kind="date", **options)


@given(st.lists(st.none() | st.dates(), max_size=12))
@settings(deadline=None, max_examples=50)
def test_any_day_comes_back_exactly(values) -> None:
    column = pl.Series("x", values, dtype=pl.Date)
    check_kind(Date, field(), column)
    kind = Date.fit(field(), column)
    assert kind.decode(kind.encode(column)).equals(column)
    text = pl.Series("x", [None if v is None else v.isoformat() for v in values], dtype=pl.String)
    assert kind.decode(kind.encode(text)).equals(column)


@given(st.lists(st.none() | st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)), min_size=1, max_size=12))
@settings(deadline=None, max_examples=50)
def test_moments_come_back_within_the_precision(values) -> None:
    column = pl.Series("x", values, dtype=pl.Datetime("us"))
    check_kind(Date, field(), column)
    kind = Date.fit(field(), column)
    for x, y in zip(values, kind.decode(kind.encode(column)), strict=True):
        assert (x is None) == (y is None)
        span = kind.scaler.high - kind.scaler.low
        assert x is None or abs((x - y).total_seconds()) <= 1e-7 * span + 1e-5


def test_before_1970_and_outside_the_range() -> None:
    kind = Date.fit(field(), pl.Series("x", [dt.date(1950, 1, 1), dt.date(1950, 1, 11)]))
    new = pl.Series("x", [dt.date(1949, 1, 1), dt.date(1950, 1, 6), dt.date(2024, 1, 1), None])
    assert kind.encode(new)[:, 0].tolist() == pytest.approx([0, 0.5, 1, np.nan], nan_ok=True)
    assert kind.counts(new) == Counts(1, 0, 2)
    assert [kind.words(row) for row in kind.encode(new)] == [
        "1950-01-01",
        "1950-01-06",
        "1950-01-11",
        "unknown",
    ]


def test_the_forms_of_iso_text() -> None:
    text = ["2024-05-01", "2024-05-01 12:30", "2024-05-01T12:30:15Z", "2024-05-01T12:30:15.5+08:00", None]
    kind = Date.fit(field(), pl.Series("x", text))
    assert Date.problems(kind.field, pl.Series("x", text), "t") == []
    assert kind.moment
    back = kind.decode(kind.encode(pl.Series("x", text))).dt.round("1s").to_list()
    assert back == [
        dt.datetime(2024, 5, 1),
        dt.datetime(2024, 5, 1, 12, 30),
        dt.datetime(2024, 5, 1, 12, 30, 15),
        dt.datetime(2024, 5, 1, 4, 30, 16),
        None,
    ] or back[3] == dt.datetime(2024, 5, 1, 4, 30, 15)


def test_a_format() -> None:
    kind = Date.fit(field(format="%d.%m.%Y"), pl.Series("x", ["01.05.2024", "11.05.2024"]))
    assert not kind.moment
    assert kind.encode(pl.Series("x", [" 06.05.2024"]))[0, 0] == pytest.approx(0.5)
    kind = Date.fit(field(format="%Y%m%d %H"), pl.Series("x", ["20240501 00", "20240501 12"]))
    assert kind.words(np.array([0.5], dtype=np.float32)) == "2024-05-01 06:00"


@pytest.mark.parametrize(
    ("format", "text", "read"),
    [
        ("%Y", "1995", "1995-01-01"),
        ("%Y-%m", "1995-07", "1995-07-01"),
        ("%d-%b-%Y", "09-Aug-1969", "1969-08-09"),
        ("%Y年%m月%d日", "2024年05月01日", "2024-05-01"),
        ("%Y-%m-%d %H:%M%z", "2024-05-01 02:00+0800", "2024-04-30 18:00"),
        ("%s", "86400", "1970-01-02 00:00"),
    ],
)
def test_formats(format, text, read) -> None:
    column = pl.Series("x", [text, None])
    assert Date.problems(field(format=format), column, "t") == []
    kind = Date.fit(field(format=format), column)
    assert [kind.words(row) for row in kind.encode(column)] == [read, "unknown"]


def test_a_format_that_is_none() -> None:
    (problem,) = Date.problems(field(format="%Y-%m-%d %Q"), pl.Series("x", ["2024-05-01"]), "t")
    assert "%Q" in str(problem)


@given(
    st.lists(st.datetimes(min_value=dt.datetime(1000, 1, 1)), min_size=1, max_size=5),
    st.sampled_from(["{:%Y-%m-%dT%H:%M:%S.%fZ}", "{:%Y-%m-%d %H:%M:%S}", "{:%Y-%m-%dT%H:%M:%SZ}"]),
)
@settings(deadline=None, max_examples=50)
def test_moments_written_alike_are_read_as_one_by_one(moments, form) -> None:
    texts = [form.format(moment) for moment in moments]
    alike, mixed = times_of(pl.Series(texts), None), times_of(pl.Series([*texts, "2024-05-01T10:00+02:00"]), None)
    assert alike.to_list() == mixed[:-1].to_list()
    assert not alike.has_nulls()


@pytest.mark.parametrize("unit", ["ms", "us"])
def test_the_first_and_the_last_moment(unit) -> None:
    ends = pl.Series("x", [dt.datetime.min, dt.datetime(9999, 12, 31, 23, 59, 59)], dtype=pl.Datetime(unit))
    for column in (ends, ends.cast(pl.Date)):
        assert Date.problems(field(), column, "t") == []
        kind = Date.fit(field(), column)
        assert [kind.words(row)[:10] for row in kind.encode(column)] == ["0001-01-01", "9999-12-31"]


def test_days_and_moments_understand_each_other() -> None:
    days = Date.fit(field(), pl.Series("x", [dt.date(2024, 1, 1), dt.date(2024, 1, 3)]))
    assert days.encode(pl.Series("x", [dt.datetime(2024, 1, 2, 23)]))[0, 0] == pytest.approx(0.5)
    moments = Date.fit(field(), pl.Series("x", [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 3)]))
    assert moments.encode(pl.Series("x", [dt.date(2024, 1, 2)]))[0, 0] == pytest.approx(0.5)


def test_a_time_zone_is_kept() -> None:
    utc = pl.Series("x", [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 3)])
    kind = Date.fit(field(), utc.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Shanghai"))
    assert kind.encode(pl.Series("x", [dt.datetime(2024, 1, 2)]))[0, 0] == pytest.approx(0.5)
    assert kind.words(np.array([0.0], dtype=np.float32)) == "2024-01-01 08:00"


@pytest.mark.parametrize(
    ("column", "options", "said"),
    [
        (pl.Series("x", ["2024-05-01", "2024-13-01", None]), {}, "1 row (1): a date as ISO 8601"),
        (pl.Series("x", ["gestern"]), {}, "got 'gestern'"),
        (
            pl.Series("x", ["01.05.2024", "2024-05-01"]),
            {"format": "%d.%m.%Y"},
            "1 row (1): a date as %d.%m.%Y expected",
        ),
        (pl.Series("x", [1714521600]), {}, "a date expected, got Int64. Set kind = 'numeric', or cast"),
        (pl.Series("x", [[1]]), {}, "a date expected, got List(Int64). Cast the column to a date"),
        (pl.Series("x", [0, 10**9, None]).cast(pl.Date), {}, "1 row (1): a date of the years 1 to 9999 expected"),
        (pl.Series("x", [-(2**63), 0]).cast(pl.Datetime("ms")), {}, "1 row (0): a date of the years 1 to 9999"),
        (pl.Series("x", [dt.date(2024, 1, 1), 3], dtype=pl.Object), {}, "1 row (1): a date expected, got 3"),
    ],
)
def test_what_is_no_date_is_named(column, options, said) -> None:
    (problem,) = Date.problems(field(**options), column, "items")
    assert said in str(problem)
