"""Numbers: ranges, clipping, there and back."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.tables.kinds import Counts, Numeric
from penchant.tables.schema import Field
from penchant.testing import check_kind

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def field(**options) -> Field:
    return Field(name="x", side="user", kind="numeric", **options)


@given(st.lists(st.none() | FINITE, max_size=30), st.sampled_from(["minmax", "log", "quantile"]))
@settings(deadline=None, max_examples=50)
def test_any_numbers_go_there_and_back(values, scale) -> None:
    column = pl.Series("x", values, dtype=pl.Float64)
    kind = Numeric.fit(field(scale=scale), column)
    encoded = kind.encode(column)
    assert np.nanmin(encoded, initial=0) >= 0
    assert np.nanmax(encoded, initial=1) <= 1
    assert (np.isnan(encoded[:, 0]) == column.is_null().to_numpy()).all()
    assert kind.counts(column) == (column.null_count(), 0, 0)
    if scale == "minmax":
        back = kind.decode(encoded)
        half = kind.scaler.high / 2 - kind.scaler.low / 2
        for x, y in zip(values, back, strict=True):
            assert (x is None) == (y is None)
            assert x is None or abs(x / 2 - y / 2) <= 1e-7 * half + 5e-324


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=30))
@settings(deadline=None, max_examples=50)
def test_whole_numbers_come_back_exactly(values) -> None:
    column = pl.Series("x", values)
    check_kind(Numeric, field(), column)
    kind = Numeric.fit(field(), column)
    assert kind.decode(kind.encode(column)).to_list() == values


@given(st.lists(FINITE, min_size=2, max_size=30, unique=True), st.sampled_from(["minmax", "log", "quantile"]))
@settings(deadline=None, max_examples=50)
def test_order_is_kept(values, scale) -> None:
    kind = Numeric.fit(field(scale=scale), pl.Series("x", values))
    encoded = kind.encode(pl.Series("x", sorted(values)))[:, 0]
    assert (np.diff(encoded) >= 0).all()
    assert (encoded[0], encoded[-1]) == (0, 1)


@pytest.mark.parametrize("scale", ["minmax", "log", "quantile"])
@pytest.mark.parametrize("values", [[-1.7e308, 0.0, 1.7e308], [3.4e307, -1.45e308], [0.0, 1.7976931348623157e308]])
def test_ranges_beyond_all_floats(scale, values) -> None:
    """Neither a warning nor an infinity, and the ends are the ends."""
    kind = Numeric.fit(field(scale=scale), pl.Series("x", values))
    encoded = kind.encode(pl.Series("x", sorted(values)))[:, 0]
    assert (encoded[0], encoded[-1]) == (0, 1)
    back = kind.decode(np.linspace(0, 1, 101, dtype=np.float32)[:, None]).to_numpy()
    assert np.isfinite(back).all()
    assert (np.diff(back / 4) >= 0).all()
    assert back[[0, -1]] == pytest.approx([min(values), max(values)], rel=1e-12)


def test_the_scales_by_hand() -> None:
    column = pl.Series("x", [0.0, 9.0, 99.0])
    assert Numeric.fit(field(), column).encode(column)[:, 0] == pytest.approx([0, 9 / 99, 1])
    assert Numeric.fit(field(scale="log"), column).encode(column)[:, 0] == pytest.approx([0, 0.5, 1])
    assert Numeric.fit(field(scale="quantile"), column).encode(column)[:, 0] == pytest.approx([0, 0.5, 1], abs=1e-2)


def test_quantiles_spread_evenly() -> None:
    values = np.random.default_rng(0).lognormal(sigma=3, size=10_000)
    kind = Numeric.fit(field(scale="quantile"), pl.Series("x", values))
    assert len(kind.scaler.knots) <= 256
    histogram = np.histogram(kind.encode(pl.Series("x", values))[:, 0], bins=10, range=(0, 1))[0]
    assert histogram.min() > 900
    assert histogram.max() < 1100
    back = kind.decode(kind.encode(pl.Series("x", values))).to_numpy()
    assert np.median(np.abs(back / values - 1)) < 1e-4


def test_outside_the_range_is_clipped_and_counted() -> None:
    kind = Numeric.fit(field(), pl.Series("x", [10, 20]))
    new = pl.Series("x", [5, 15, 30, None])
    assert kind.encode(new)[:, 0].tolist() == pytest.approx([0, 0.5, 1, np.nan], nan_ok=True)
    assert kind.counts(new) == Counts(1, 0, 2)
    assert kind.decode(kind.encode(new)).to_list() == [10, 15, 20, None]


def test_a_constant_is_in_the_middle() -> None:
    kind = Numeric.fit(field(), pl.Series("x", [7, 7, None]))
    assert kind.encode(pl.Series("x", [7, 8, None]))[:, 0].tolist() == pytest.approx([0.5, 0.5, np.nan], nan_ok=True)
    assert kind.counts(pl.Series("x", [7, 8])).clipped == 1
    assert kind.decode(np.array([[0.1], [0.9]], dtype=np.float32)).to_list() == [7, 7]


def test_nothing_to_fit() -> None:
    kind = Numeric.fit(field(), pl.Series("x", [None, None]))
    assert kind.encode(pl.Series("x", [1.0, None]))[:, 0].tolist() == pytest.approx([0.5, np.nan], nan_ok=True)
    assert kind.decode(np.array([[0.5]], dtype=np.float32)).to_list() == [None]


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt64, pl.Int64, pl.Float32, pl.Boolean, pl.Decimal(10, 2)])
def test_types_of_numbers(dtype) -> None:
    column = pl.Series("x", [0, 1, None, 1]).cast(dtype)
    assert Numeric.problems(field(), column, "t") == []
    assert Numeric.fit(field(), column).encode(column)[:, 0].tolist() == pytest.approx([0, 1, np.nan, 1], nan_ok=True)


def test_words() -> None:
    kind = Numeric.fit(field(unit="years"), pl.Series("x", [0, 100]))
    assert kind.words(np.array([0.243], dtype=np.float32)) == "24 years"
    assert kind.words(np.array([np.nan], dtype=np.float32)) == "unknown"
    kind = Numeric.fit(field(title="price"), pl.Series("x", [0.0, 10.0]))
    assert kind.words(np.array([0.25], dtype=np.float32)) == "2.5"
    assert kind.labels() == ("price",)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (
            pl.Series("x", [1.0, float("nan"), None, float("inf")]),
            r"2 rows \(1, 3\): a finite number expected, got nan",
        ),
        (pl.Series("x", ["1", "a", None]), r"1 row \(1\): a number expected, got 'a'"),
        (pl.Series("x", ["1", "2.5"]), r"got text '1'. Cast the column"),
        (pl.Series("x", [[1.0]]), r"got List"),
        (pl.Series("x", [0]).cast(pl.Date), r"Set kind = 'date'"),
        (pl.Series("x", [0]).cast(pl.Duration), r"got Duration\(.*Cast it to numbers"),
        (
            pl.Series("x", [1, "a", None, [2]], dtype=pl.Object),
            r"2 rows \(1, 3\): a number expected, got 'a'",
        ),
    ],
)
def test_what_is_no_number_is_named(column, said) -> None:
    (problem,) = Numeric.problems(field(), column, "users.csv")
    assert str(problem).startswith("users.csv: column 'x', ")
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(str(problem))


def test_sound_columns_have_no_problem() -> None:
    for column in (pl.Series("x", [], dtype=pl.Float64), pl.Series("x", [None]), pl.Series("x", [1, None])):
        assert Numeric.problems(field(), column, "t") == []
