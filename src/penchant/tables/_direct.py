"""Cells of Python's own types to what networks read, without a table between: a hundred times as fast for one row.

Only what is beyond doubt is encoded here, the same as a column of it would be; for all else the answer is None, and the
column says what it is, or what is wrong with it.
"""

import datetime as dt
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from penchant._spec import MISSING, UNSEEN
from penchant.tables.kinds import Kind
from penchant.tables.kinds._base import Encoded
from penchant.tables.kinds._values import Values
from penchant.tables.kinds.binary import Binary
from penchant.tables.kinds.category import Category
from penchant.tables.kinds.date import Date
from penchant.tables.kinds.id import Id
from penchant.tables.kinds.numeric import Numeric
from penchant.tables.kinds.vector import Vector

__all__ = ["encoded_cells"]

_EXACT = 1 << 53
_MANY = 1 << 16
"""Values beyond so many are not laid out for this."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EPOCH = dt.date(1970, 1, 1).toordinal()
_NONE = type(None)


def encoded_cells(kind: Kind, cells: Sequence[Any]) -> Encoded | None:
    """`Kind.encode` of a column of these cells (None: missing); None where the column has to be asked."""
    types = set(map(type, cells))
    match kind:
        case Numeric() if types <= {int, float, _NONE}:
            numbers = _numbers(cells)
            return None if numbers is None else kind.scaled(numbers)
        case Date() if types <= {str, _NONE} and kind.field.format is None:
            days = _days(cells)
            return None if days is None else kind.placed(days)
        case Binary() if types <= {bool, _NONE} and (kind.type, kind.zero, kind.one) == ("bool", "0", "1"):
            return np.array([math.nan if cell is None else cell for cell in cells], dtype=np.float32)[:, None]
        case Category() | Id():
            return _codes(kind.values, cells, types)
        case Vector() if types <= {list, _NONE} and kind.low:
            matrix = _matrix(cells, len(kind.low))
            return None if matrix is None else kind.placed(matrix)
    return None


def _numbers(cells: Sequence[Any]) -> Float64[np.ndarray, " n"] | None:
    """Finite numbers, NaN where missing."""
    if any(cell is not None and not -_EXACT <= cell <= _EXACT for cell in cells):
        return None
    return np.array([math.nan if cell is None else cell for cell in cells], dtype=np.float64)


def _days(cells: Sequence[Any]) -> Float64[np.ndarray, " n"] | None:
    """Days since 1970 of days in ISO 8601, NaN where missing."""
    days = np.full(len(cells), math.nan)
    for number, cell in enumerate(cells):
        if cell is None:
            continue
        if _DAY.fullmatch(cell) is None:
            return None
        try:
            days[number] = dt.date.fromisoformat(cell).toordinal() - _EPOCH
        except ValueError:
            return None
    return days


def _codes(values: Values, cells: Sequence[Any], types: set[type]) -> Int64[np.ndarray, " n"] | None:
    """Codes of values of the known ones' type."""
    if not 0 < len(values) <= _MANY or not types <= {values.python_type, _NONE}:
        return None
    known = values.code_of
    codes = [MISSING if cell is None else known.get(cell, UNSEEN) for cell in cells]
    strange = [cell for cell, code in zip(cells, codes, strict=True) if code == UNSEEN]
    return np.array(codes, dtype=np.int64) if all(map(_is_sound, strange)) else None


def _is_sound(cell: Any) -> bool:
    """Can a column hold it?"""
    return cell.isascii() if isinstance(cell, str) else -_EXACT <= cell <= _EXACT


def _matrix(cells: Sequence[Any], size: int) -> Float64[np.ndarray, "n size"] | None:
    """Vectors of finite numbers, NaN where missing."""
    empty = [math.nan] * size
    for cell in cells:
        if cell is None:
            continue
        if len(cell) != size or not set(map(type, cell)) <= {int, float}:
            return None
        if not all(-_EXACT <= number <= _EXACT for number in cell):
            return None
    return np.array([empty if cell is None else cell for cell in cells], dtype=np.float64).reshape(-1, size)
