"""The nearest points of queries: exact, in bounded memory, the same on every run.

Each block of the distance matrix is made roughly, and fast; all that its rounding could have kept out of the
n nearest goes on a shortlist, which is computed anew in float64 and ordered by (distance, row).
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant.errors import ConfigError
from penchant.spaces import _cross, _minkowski

__all__ = ["Excluded", "Measure", "by_norm", "flatten", "nearest", "wide"]

_BLOCK = 1 << 16
"""Points in a block, at most."""

_SPARE = 16
"""Rows on the shortlist beyond n, which nearly always reach past the rounding."""


class Measure(NamedTuple):
    """How far queries are from points: fast for all, exactly for a few."""

    rough: Callable[[Tensor, Tensor], tuple[Tensor, Tensor | None]]
    """Queries (q, k) and points (m, k) to values (q, m) that rise with the distance, and by how much (q, 1) two of them
    may be in the wrong order; None: by their rounding alone."""
    exact: Callable[[Tensor, Tensor], Tensor]
    """Queries (q, 1, k) and points (q, s, k), in float64, to base distances (q, s)."""
    norm: float | None = None
    """r, where the distance is d_r."""


def by_norm(r: float) -> Measure:
    """The measure of d_r."""
    return Measure(partial(_rough, r=r), partial(_minkowski.distance, r=r), r)


def _rough(queries: Tensor, block: Tensor, r: float) -> tuple[Tensor, Tensor | None]:
    if _cross.by_products(r):
        return _cross.powers(queries, block, r), 2 * _cross.error(queries, block, r)
    return _cross.direct(queries, block, r), None


class _Found(NamedTuple):
    """Rows by (distance, row); distances in float64, inf where excluded."""

    distance: Float[Tensor, "q n"]
    row: Int[Tensor, "q n"]


class Excluded(NamedTuple):
    """Pairs that do not count, by query."""

    query: Int[Tensor, " e"]
    row: Int[Tensor, " e"]
    start: list[int]
    """Where each query's pairs begin, and the end of all."""


def nearest(
    queries: Float[Tensor, "q k"],
    points: Float[Tensor, "m k"],
    n: int,
    measure: Measure,
    *,
    exclude: Sequence[Int[Tensor, " _"]] | None,
    chunk: int,
) -> tuple[Float[Tensor, "q _n"], Int[Tensor, "q _n"]]:
    """The n nearest points of each query; see `penchant.spaces.base.BaseSpace.topk`.

    Raises:
        ConfigError: n not in 1 … m, chunk below 1, ``exclude`` of another length than the queries, or with a row that
            is no point's.
    """
    if len(points) == 0 or len(queries) == 0:
        shape = (len(queries), 0 if len(points) == 0 else n)
        return queries.new_zeros(shape), torch.zeros(shape, dtype=torch.int64, device=queries.device)
    if not 1 <= n <= len(points):
        raise ConfigError(f"n = {n}: between 1 and the {len(points)} points expected")
    if chunk < 1:
        raise ConfigError(f"chunk = {chunk}: at least 1 expected")
    queries, points = _minkowski.single(queries), _minkowski.single(points)
    width = max(1, min(len(points), _BLOCK, chunk))
    step = max(1, chunk // width)
    excluded = None if exclude is None else flatten(exclude, len(queries), points)
    found: list[_Found] = []
    for start in range(0, len(queries), step):
        part = queries[start : start + step]
        best = _Found(wide(part.new_zeros(len(part), 0)), _no_rows(part))
        for first in range(0, len(points), width):
            block = points[first : first + width]
            mask = _mask(excluded, start, len(part), first, block)
            best = _merge(best, _search(part, block, n, measure, mask), first, n)
        found.append(best)
    distance, row = torch.cat([f.distance for f in found]), torch.cat([f.row for f in found])
    return distance.to(queries.dtype), row.masked_fill(distance.isinf(), -1)


def wide(x: Tensor) -> Tensor:
    """In float64, but for Apple's GPUs, which have none."""
    return x if x.device.type == "mps" else x.double()


def _no_rows(part: Tensor) -> Tensor:
    return torch.zeros(len(part), 0, dtype=torch.int64, device=part.device)


def _merge(best: _Found, more: _Found, first: int, n: int) -> _Found:
    """The n nearest of both; those found before have lower rows, so a stable sort settles ties by row."""
    distance = torch.cat([best.distance, more.distance], 1)
    row = torch.cat([best.row, more.row + first], 1)
    order = distance.sort(dim=1, stable=True).indices[:, :n]
    return _Found(distance.gather(1, order), row.gather(1, order))


def _search(queries: Tensor, block: Tensor, n: int, measure: Measure, mask: tuple[Tensor, Tensor] | None) -> _Found:
    """The n nearest of one block: rough values, a shortlist, its distances anew."""
    rough, slack = measure.rough(queries, block)
    if mask is not None:
        rough[mask] = math.inf
    rows = _shortlist(rough, slack, min(n, len(block)), queries.shape[1])
    exact = _exact(queries, block, rows, measure).masked_fill_(rough.gather(1, rows).isinf(), math.inf)
    order = exact.sort(dim=1, stable=True).indices[:, :n]
    return _Found(exact.gather(1, order), rows.gather(1, order))


def _shortlist(rough: Tensor, slack: Tensor | None, n: int, k: int) -> Tensor:
    """Rows, ascending, that surely hold the n nearest: all up to the nth rough value plus its rounding."""
    kept = min(rough.shape[1], n + _SPARE)
    values, rows = rough.topk(kept, largest=False)
    nth = values[:, n - 1 : n]
    if slack is None:  # computed directly: a relative error
        slack = nth * (4 * (k + 16) * torch.finfo(rough.dtype).eps)
    limit = nth + slack
    if kept < rough.shape[1] and bool((values[:, -1:] <= limit).logical_and(nth.isfinite()).any()):
        kept = int((rough <= limit).masked_fill_(nth.isinf(), False).sum(1).max())
        rows = rough.topk(max(kept, n), largest=False).indices
    return rows.sort(1).values


def _exact(queries: Tensor, block: Tensor, rows: Tensor, measure: Measure) -> Tensor:
    """Distances of each query to its shortlist, in float64, a few queries at a time."""
    step = max(1, _cross._AT_ONCE // max(1, rows.shape[1] * queries.shape[1]))
    parts = [
        measure.exact(wide(queries[i : i + step, None]), wide(block[rows[i : i + step]]))
        for i in range(0, len(queries), step)
    ]
    return torch.cat(parts)


def flatten(exclude: Sequence[Tensor], n_queries: int, points: Tensor) -> Excluded:
    """All excluded pairs in one tensor, checked."""
    if len(exclude) != n_queries:
        raise ConfigError(f"exclude: one list of rows for each of the {n_queries} queries expected, got {len(exclude)}")
    start = [0]
    for rows in exclude:
        start.append(start[-1] + len(rows))
    sizes = torch.tensor([len(rows) for rows in exclude])
    query = torch.arange(n_queries).repeat_interleave(sizes).to(points.device)
    row = torch.cat([torch.as_tensor(rows, dtype=torch.int64, device=points.device) for rows in exclude])
    if len(row) and (int(row.min()) < 0 or int(row.max()) >= len(points)):
        raise ConfigError(f"exclude: rows between 0 and {len(points) - 1} expected")
    return Excluded(query, row, start)


def _mask(
    excluded: Excluded | None, start: int, n_queries: int, first: int, block: Tensor
) -> tuple[Tensor, Tensor] | None:
    """Places of one block's rough values that do not count."""
    if excluded is None:
        return None
    pairs = slice(excluded.start[start], excluded.start[start + n_queries])
    query, row = excluded.query[pairs] - start, excluded.row[pairs] - first
    inside = (row >= 0) & (row < len(block))
    return query[inside], row[inside]
