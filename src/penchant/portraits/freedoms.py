"""Free fields, as people name them, to regions of encoded items."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float64

from penchant._spec import FIRST, Bag, Features
from penchant.errors import ConfigError
from penchant.portraits._values import Axis, axis_of
from penchant.portraits.bounds.regions import Freedom, OneOf, Region, SetOf, Within, anything
from penchant.tables import SideEncoder
from penchant.tables.kinds import Kind, Tags

__all__ = ["Free", "free_region", "known_values"]

Free = Sequence[str] | Mapping[str, Any]
"""Columns that may be anything known; or columns to what they may be: numbers and dates (from, to), else values."""

_EACH = 2048
"""Whole numbers that are looked at one by one; of more, everything between counts too."""


def free_region(encoder: SideEncoder, row: Features, free: Free) -> Region:
    """All items that agree with a row in every field that is not free.

    Anything known: each value of the training rows (any set of their tags), numbers and dates between the least and the
    greatest of them; neither missing nor unseen ones.

    Arguments:
        row: one encoded row; what it says of free fields does not count.
        free: see `Free`; None as what a column may be: anything known.

    Raises:
        ConfigError: no such column, or a value that no training row has.
    """
    wanted = dict(free) if isinstance(free, Mapping) else dict.fromkeys(free)
    kinds = {kind.field.name: kind for kind in encoder.kinds}
    strange = [name for name in wanted if name not in kinds]
    if strange:
        raise ConfigError(f"free: there is no column {strange[0]!r}: one of {', '.join(kinds)} expected")
    found: dict[str, Freedom] = {}
    for name, allowed in wanted.items():
        axis = axis_of(kinds[name])
        if axis is not None:
            found[name] = _between(axis, *_ends(axis, allowed))
        else:
            found[name] = anything(kinds[name].block()) if allowed is None else _among(kinds[name], allowed)
    return Region(row, found)


def known_values(encoder: SideEncoder, row: Features, names: Sequence[str]) -> bool:
    """Whether a row has known values in all these columns, so that the region where they are free holds it."""
    dense = code = bag = 0
    for block in encoder.layout.blocks:
        if block.form == "dense":
            known = not np.isnan(np.asarray(row.dense)[0, dense : dense + block.size]).any()
            dense += block.size
        elif block.form == "code":
            known = int(row.codes[0, code]) >= FIRST
            code += 1
        else:
            known = bool((np.asarray(row.bags[bag].values) >= FIRST).all())
            bag += 1
        if block.name in names and not known:
            return False
    return True


def _ends(axis: Axis, allowed: Any) -> tuple[float, float]:
    """From which to which number, within the training values."""
    if allowed is None:
        return axis.ends
    name = axis.kind.field.name
    if not isinstance(allowed, list | tuple) or len(allowed) != 2:
        raise ConfigError(f"free: {name} = {allowed!r}: (from, to) expected")
    try:
        low, high = (axis.number(value) for value in allowed)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"free: {name} = {allowed!r}: two values of {axis.kind.field.kind} expected") from error
    if math.isnan(low) or math.isnan(high):
        raise ConfigError(f"free: {name} = {allowed!r}: two values of {axis.kind.field.kind} expected")
    first, last = max(low, axis.ends[0]), min(high, axis.ends[1])
    if not first <= last:
        known = " to ".join(axis.words(axis.value(end)) for end in axis.ends)
        raise ConfigError(f"free: {name} = {allowed!r}: no training value lies there, they go from {known}")
    return first, last


def _between(axis: Axis, low: float, high: float) -> Freedom:
    if axis.whole and high - low < _EACH:
        return OneOf(tuple(_encoded(axis, np.arange(math.ceil(low), math.floor(high) + 1, dtype=np.float64))))
    first, last = _encoded(axis, np.array([low, high]))
    return Within(first, last)


def _encoded(axis: Axis, numbers: Float64[np.ndarray, " n"]) -> list[float]:
    """Levels in single precision, as rows are encoded."""
    return [float(level) for level in axis.levels(numbers).astype(np.float32)]


def _among(kind: Kind, allowed: Any) -> Freedom:
    name = kind.field.name
    values = list(allowed) if isinstance(allowed, list | tuple | set) else [allowed]
    if not values:
        raise ConfigError(f"free: {name} = {allowed!r}: a list of values expected")
    if kind.block().form == "dense" and kind.block().size > 1:
        raise ConfigError(f"free: {name}: a {kind.field.kind} is free as a whole: give its name alone")
    cells = [[value] for value in values] if isinstance(kind, Tags) else values
    encoded = kind.encode(pl.Series(name, cells, strict=False))
    numbers = np.asarray(encoded.values if isinstance(encoded, Bag) else encoded).ravel()
    known = ~np.isnan(numbers) if kind.form == "dense" else numbers >= FIRST
    strange = [value for value, is_known in zip(values, known, strict=False) if not is_known]
    if strange or len(known) != len(values):
        raise ConfigError(f"free: {name}: no training row has {(strange or values)[0]!r}")
    found = dict.fromkeys(numbers.tolist())
    return SetOf(tuple(found)) if isinstance(kind, Tags) else OneOf(tuple(found))
