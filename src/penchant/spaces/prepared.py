"""Points that are searched again and again: what a search needs of them is made once."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from penchant.spaces import _cross
from penchant.spaces._nearest import Excluded, Measure, flatten, wide
from penchant.spaces._sketch import GROUP, Bounds, Lifted, Sketch, lift, make_sketch

__all__ = ["PreparedPoints"]

_LEAST = 1 << 12
"""Fewer points are searched as fast without a sketch."""
_AXES = (4, 8, 12, 16, 24, 32, 48, 64)
"""Axes of a sketch: the number that costs least is taken."""
_ENTRY_NS, _PAIR_NS = 0.04, 400.0
"""What an entry of the product costs, and a distance that is computed anew, on a core of 2024; only for that choice."""
_PROBES, _PROBED = 32, 20
"""Points by which it is made, and how many nearest ones they are asked for."""
_HAIR = 1 + 1e-6
"""Distances in single precision are larger than they are at most by this."""
_AT_ONCE = 64
"""Queries of one product."""
_GROUPS = 12
"""Groups of which the first distances are taken, at least."""
_SPARE = 12
"""Points beyond n of which the first distances are computed."""
_PAIRS, _ROUGH_PAIRS = 512, 1024
"""Distances computed at a time, in double and in single precision."""
_ROUNDED = 16
"""A distance in single precision errs by a few roundings of each coordinate's part, relatively: far less than this."""
_MOST = 1 / 16
"""Where more of the points than this come into question, all are gone through."""

Found = tuple[Float[Tensor, "q _n"], Int[Tensor, "q _n"]]


class _Gone(NamedTuple):
    """Pairs of a query and a row that do not count."""

    keys: Int[Tensor, " e"]
    """query · points + row."""
    points: int
    """How many there are."""
    most: int
    """Of one query."""

    @classmethod
    def of(cls, excluded: Excluded | None, start: int, count: int, points: int) -> "_Gone":
        """Those of some queries, numbered from 0."""
        if excluded is None:
            return cls(torch.zeros(0, dtype=torch.int64), points, 0)
        ends = excluded.start[start : start + count + 1]
        pairs = slice(ends[0], ends[-1])
        keys = (excluded.query[pairs] - start) * points + excluded.row[pairs]
        return cls(keys, points, max(b - a for a, b in pairwise(ends)))

    def has(self, query: Int[Tensor, "*#p"], row: Int[Tensor, "*#p"]) -> Bool[Tensor, "*p"]:
        """Which pairs are among them."""
        return torch.isin(query * self.points + row, self.keys)


class PreparedPoints:
    """Known points of a space, ready to be searched; made by `penchant.spaces.base.BaseSpace.prepared`.

    Where the distance is a norm with r = 2, 4, 6 or 8, the points are some thousands, and most of their spread is on
    few axes, `topk` looks at few of them; else it is `BaseSpace.topk`. Its results are the same in any case.

    Arguments:
        points: m of them; changed later, they are found where they were.
        searched: their coordinates as the measure takes them.
        measure: how far points are from one another.
        scan: `BaseSpace.topk`.
        place: points to such coordinates.
        probes: queries as they may come, to choose by; None: some of the points.
    """

    def __init__(
        self,
        points: Float[Tensor, "m k"],
        searched: Float[Tensor, "m c"],
        measure: Measure,
        scan: Callable[..., Found],
        place: Callable[[Tensor], Tensor],
        probes: Float[Tensor, "p k"] | None = None,
    ) -> None:
        self.points, self._measure, self._scan, self._place = points, measure, scan, place
        self._sketch = self._chosen(searched, probes)
        # side by side as in the sketch, for those that are looked at lie together there
        self._ordered = searched[:0] if self._sketch is None else searched[self._sketch.row[: len(points)]]

    @property
    def axes(self) -> int | None:
        """Axes of the sketch by which points are left out; None: there is none."""
        return None if self._sketch is None else self._sketch.axes

    @torch.no_grad()
    def topk(
        self, queries: Float[Tensor, "q k"], n: int, *, exclude: Sequence[Int[Tensor, " _"]] | None = None
    ) -> Found:
        """The n nearest of the points: what `BaseSpace.topk` finds, ties and all.

        Arguments, Raises: as there.
        """
        where = self._place(queries)
        few = 1 <= n <= _MOST * len(self.points)
        if self._sketch is None or not len(queries) or not few or not _plain(where):
            return self._scan(queries, self.points, n, exclude=exclude)
        gone = None if exclude is None else flatten(exclude, len(queries), self.points)
        parts = []
        for start in range(0, len(queries), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            found = self._found(self._sketch, where[part], n, _Gone.of(gone, start, len(where[part]), len(self.points)))
            if found is None:
                found = self._scan(queries[part], self.points, n, exclude=None if exclude is None else exclude[part])
            parts.append(found)
        distance, row = (torch.cat(some) for some in zip(*parts, strict=True))
        return distance.to(queries.dtype), row

    def _found(self, sketch: Sketch, queries: Tensor, n: int, gone: _Gone) -> Found | None:
        """The nearest of some queries; None where too much comes into question."""
        bounds = sketch.bounds(queries)
        place, none = _first(sketch, bounds, n + _SPARE, gone)
        candidates = self._ordered.index_select(0, place.flatten()).view(*place.shape, -1)
        first = self._measure.exact(queries[:, None], candidates).masked_fill(none, torch.inf)
        reach = self._loose(first.kthvalue(n, dim=1).values.double())
        query, place = _within(sketch, bounds, sketch.power(reach) - bounds.own)
        if len(query) > _MOST * len(queries) * len(self.points):
            return None
        query, place = self._sieved(queries, query, place, self._loose(reach))
        distance = self._exact(queries, query, place)
        near = distance <= reach[query]
        query, row, distance = query[near], sketch.row[place[near]], distance[near]
        if gone.most:
            here = ~gone.has(query, row)
            query, row, distance = query[here], row[here], distance[here]
        return _nearest_of(query, row, distance, len(queries), n)

    def _loose(self, distance: Float[Tensor, " q"]) -> Float[Tensor, " q"]:
        """Distances, one of which is in single precision: the same in float64 are not larger than this."""
        single = torch.finfo(torch.float32)
        return distance * (1 + _ROUNDED * (self._ordered.shape[1] + _ROUNDED) * single.eps) + single.tiny

    def _sieved(
        self, queries: Float[Tensor, "q c"], query: Int[Tensor, " p"], place: Int[Tensor, " p"], reach: Tensor
    ) -> tuple[Int[Tensor, " s"], Int[Tensor, " s"]]:
        """The pairs that in single precision are within reach."""
        parts = zip(query.split(_ROUGH_PAIRS), place.split(_ROUGH_PAIRS), strict=True)
        distance = torch.cat([self._measure.exact(*self._pairs(queries, q, p)) for q, p in parts])
        kept = (distance <= reach.index_select(0, query)).nonzero()[:, 0]
        return query.index_select(0, kept), place.index_select(0, kept)

    def _exact(
        self, queries: Float[Tensor, "q c"], query: Int[Tensor, " p"], place: Int[Tensor, " p"]
    ) -> Float[Tensor, " p"]:
        """Distances in float64 of pairs, some at a time: so many stay in a core's cache."""
        parts = zip(query.split(_PAIRS), place.split(_PAIRS), strict=True)
        return torch.cat([self._measure.exact(*map(wide, self._pairs(queries, q, p))) for q, p in parts])

    def _pairs(
        self, queries: Float[Tensor, "q c"], query: Int[Tensor, " p"], place: Int[Tensor, " p"]
    ) -> tuple[Float[Tensor, "p c"], Float[Tensor, "p c"]]:
        """Queries and points, side by side. (To index them takes four times as long.)"""
        return queries.index_select(0, query), self._ordered.index_select(0, place)

    def _chosen(self, points: Tensor, probes: Tensor | None) -> Sketch | None:
        """The sketch that costs least; None where going through all points costs less."""
        norm = self._measure.norm
        if norm is None or not _cross.by_products(norm) or len(points) < _LEAST or not _plain(points):
            return None
        if probes is None or not len(probes):
            probes = self.points[:: max(1, len(points) // _PROBES)]
        probes, lifted = probes[:_PROBES], lift(points, int(norm))
        reach = self._scan(probes, self.points, _PROBED)[0].double().amax(1) * _HAIR
        some, asked = points[:: max(1, len(points) // _LEAST)], self._place(probes)
        costs = {}
        for axes in sorted({min(axes, len(lifted.mean)) for axes in _AXES}):
            near = _share_within(lifted, axes, some, asked, reach)
            costs[axes] = len(points) * (_ENTRY_NS * (axes + 2) + _PAIR_NS * near)
        best = min(costs, key=costs.__getitem__)
        scan = len(points) * (_ENTRY_NS * len(lifted.mean) + _PAIR_NS * _MOST)
        return make_sketch(points, lifted, best).laid_out(asked, reach) if costs[best] < scan else None


def _share_within(
    lifted: Lifted, axes: int, points: Float[Tensor, "s c"], queries: Float[Tensor, "q c"], reach: Float[Tensor, " q"]
) -> float:
    """Of how many points a sketch would not know that they are further than that."""
    columns, own, _ = lifted.queries(queries, axes)
    low = columns @ lifted.points(points, axes).T + own[:, None]
    return float((low <= reach[:, None] ** lifted.norm).double().mean())


def _plain(points: Tensor) -> bool:
    """Can a sketch be made of them? On the CPU, in single precision, finite."""
    return points.device.type == "cpu" and points.dtype == torch.float32 and bool(points.isfinite().all())


def _first(sketch: Sketch, bounds: Bounds, count: int, gone: _Gone) -> tuple[Int[Tensor, "q s"], Bool[Tensor, "q s"]]:
    """Places of points with low bounds, in the groups that hold the lowest ones, and which of them are none."""
    queries, every = bounds.lowest.shape
    most = min(every, max(_GROUPS, -(-(count + gone.most) // (GROUP // 8))))
    groups = bounds.lowest.topk(most, largest=False, sorted=False).indices
    low = sketch.low(bounds, torch.arange(queries).repeat_interleave(most), groups.flatten()).view(queries, -1)
    if gone.most:
        rows = sketch.row.view(-1, GROUP)[groups].view(queries, -1)
        low[gone.has(torch.arange(queries)[:, None], rows)] = torch.inf
    within = torch.from_numpy(np.argpartition(low.numpy(), count - 1, axis=1)[:, :count])  # topk: three times as long
    none = low.gather(1, within).isinf()
    return (groups.gather(1, within // GROUP) * GROUP + within % GROUP).masked_fill_(none, 0), none


def _within(sketch: Sketch, bounds: Bounds, limit: Float[Tensor, " q"]) -> tuple[Int[Tensor, " p"], Int[Tensor, " p"]]:
    """All pairs of a query and a place whose bound is within the query's limit."""
    limit = torch.nextafter(limit.float(), torch.tensor(torch.inf))
    query, group = (bounds.lowest <= limit[:, None]).nonzero(as_tuple=True)
    pair, inside = (sketch.low(bounds, query, group) <= limit[query, None]).nonzero(as_tuple=True)
    return query[pair], group[pair] * GROUP + inside


def _nearest_of(query: Tensor, row: Tensor, distance: Tensor, count: int, n: int) -> Found:
    """The n nearest of each query among pairs, by (distance, row)."""
    order = torch.from_numpy(np.lexsort((row.numpy(), distance.numpy(), query.numpy())))
    query = query[order]
    number = torch.arange(len(query)) - torch.searchsorted(query, torch.arange(count))[query]
    kept = number < n
    found = distance.new_full((count, n), torch.inf), row.new_full((count, n), -1)
    found[0][query[kept], number[kept]] = distance[order][kept]
    found[1][query[kept], number[kept]] = row[order][kept]
    return found
