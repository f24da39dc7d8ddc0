"""Values of Python, NumPy and others as columns."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

__all__ = ["FAILURES", "plain", "reason", "series_of"]

FAILURES = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    pa.ArrowException,
    OSError,
    TypeError,
    ValueError,
    OverflowError,
)
"""What polars and pyarrow raise where values cannot be read."""

_ATOMS = frozenset({str, int, float, bool, type(None)})
_NOTHING = frozenset({"NAType", "NaTType"})
"""pandas' signs for a missing value, by name: pandas need not be there."""


def reason(error: BaseException) -> str:
    """The first line of an error, without its full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(". ") if lines else type(error).__name__


def plain(value: Any) -> Any:
    """NumPy values, arrays, series, tuples, sets and pandas' missing values as plain Python ones."""
    if type(value) in _ATOMS:
        return value
    if isinstance(value, np.datetime64):
        return value.astype("datetime64[us]").item()  # finer ones would become whole numbers
    if type(value).__name__ in _NOTHING:
        return None
    if isinstance(value, pl.Series | tuple | set | frozenset | range):
        return list(value)
    return value.tolist() if hasattr(value, "tolist") else value


def series_of(name: str, values: Iterable[Any]) -> pl.Series:
    """The values with the type they have in common; as Python objects where they have none."""
    cells = [plain(value) for value in values]
    types = {type(cell) for cell in cells if cell is not None}
    if types == {int, float}:
        cells = [None if cell is None else float(cell) for cell in cells]
    try:
        return pl.Series(name, cells, strict=True)
    except FAILURES:
        return pl.Series(name, cells, dtype=pl.Object)
