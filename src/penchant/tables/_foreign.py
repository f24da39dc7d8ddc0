"""Frames of other libraries to polars: pandas, pyarrow, dictionaries of columns."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from penchant.errors import DataError, Problem
from penchant.tables._files import Read, chosen
from penchant.tables._objects import FAILURES, reason, series_of

__all__ = ["read_foreign"]


def read_foreign(source: Any, columns: list[str] | None, name: str) -> Read:
    """A frame as a polars frame; of ``columns`` those that are there (all for None). Others are not even looked at.

    Raises: DataError: no frame, columns of different length, a column twice, or what polars cannot hold.
    """
    if _of_pandas(source) and hasattr(source, "columns"):
        labels = [str(label) for label in source.columns]
        return _by_column(labels, [source.iloc[:, j] for j in range(len(labels))], columns, name)
    if isinstance(source, Mapping):
        return _by_column([str(label) for label in source], list(source.values()), columns, name)
    if not hasattr(source, "__arrow_c_stream__") or isinstance(source, pl.Series) or _of_pandas(source):
        kind = type(source).__name__
        fix = "Give a path, or a frame of polars, pandas or pyarrow"
        raise DataError([Problem(name, f"a table expected, got {kind}", fix=fix)])
    if hasattr(source, "column_names"):
        names = list(source.column_names)
        return _by_column(names, [source.column(j) for j in range(len(names))], columns, name)
    try:
        return chosen(pl.DataFrame(source).lazy(), columns)
    except FAILURES as error:
        raise DataError([Problem(name, f"cannot be read as a table ({reason(error)})")]) from error


def _by_column(labels: list[str], values: Sequence[Any], columns: list[str] | None, name: str) -> Read:
    """Column by column, so that one that cannot be held is named, and no other suffers from it."""
    wanted = labels if columns is None else [c for c in columns if c in labels]
    problems = [
        Problem(name, "the column is there twice", c, fix="Keep one") for c, n in Counter(labels).items() if n > 1
    ]
    problems = [p for p in problems if p.column in wanted]
    found: list[pl.Series] = []
    for c in dict.fromkeys(wanted):
        try:
            found.append(_series(c, values[labels.index(c)]))
        except FAILURES as error:
            problems.append(Problem(name, f"a column of values expected ({reason(error)})", c))
    lengths = {len(series): series.name for series in found}
    if len(lengths) > 1:
        got = " and ".join(f"{n:,} ({c!r})" for n, c in list(lengths.items())[:2])
        problems.append(Problem(name, f"columns of one length expected, got {got}"))
    if problems:
        raise DataError(problems)
    if found or not labels:
        return pl.DataFrame(found), labels
    return pl.DataFrame(height=len(values[0])), labels


def _series(name: str, values: Any) -> pl.Series:
    """A column; as Python objects where its values have no type in common."""
    if _of_pandas(values):
        try:
            return pl.Series(name, pl.from_pandas(values))  # pandas' NaN is its missing value
        except FAILURES:
            return series_of(name, [None if isinstance(v, float) and v != v else v for v in values])
    if isinstance(values, pl.Series):
        return series_of(name, values.to_list()) if values.dtype == pl.Object else values.alias(name)
    if hasattr(values, "to_pylist"):
        try:
            return pl.Series(name, values)
        except FAILURES:
            return series_of(name, values.to_pylist())
    if isinstance(values, np.ndarray) and values.dtype != object:
        return pl.Series(name, values)
    if isinstance(values, str | bytes | Mapping):
        raise TypeError(f"got {type(values).__name__}")
    return series_of(name, values)


def _of_pandas(source: Any) -> bool:
    return type(source).__module__.split(".")[0] == "pandas"
