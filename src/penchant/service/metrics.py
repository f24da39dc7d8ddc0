"""What the service counts, for Prometheus.

With several workers the counts of all are added up: then ``PROMETHEUS_MULTIPROC_DIR`` names a folder (`penchant serve`
makes it).
"""

import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from penchant.errors import PenchantError
from penchant.estimator.fitted import SideName
from penchant.service.models import Loaded, Serving

__all__ = ["Metrics"]

_REFUSALS = frozenset({401, 403, 408, 413, 429, 503, 504})
_TOGETHER = 1024
"""Rows that are counted together at most."""
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_ODD = ("unseen", "clipped", "missing")
"""What values may be that the training rows did not have."""


class Metrics:
    """The counts of one app; two apps of a process do not share them."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        self.seconds = Histogram(
            "penchant_request_seconds", "Time to answer, by route.", ["route", "status"], buckets=_BUCKETS, registry=own
        )
        self.up = Gauge(
            "penchant_up", "1 for each process that serves, by its pid.", registry=own, multiprocess_mode="liveall"
        )
        self.up.set(1)
        self.refused = Counter("penchant_refused_total", "Requests refused, by why.", ["reason"], registry=own)
        self.waiting = Gauge(
            "penchant_waiting", "Questions that wait or are computed.", registry=own, multiprocess_mode="livesum"
        )
        self.rows = Counter("penchant_input_rows_total", "Rows of features given.", ["side"], registry=own)
        self.drift = Counter(
            "penchant_input_values_total",
            "Values given that the training rows did not have: unseen, clipped (outside their range), missing.",
            ["side", "field", "what"],
            registry=own,
        )
        self.model = Gauge(
            "penchant_model", "1 for each model in use, 0 for earlier ones.", ["name", "version", "arm"], registry=own,
            multiprocess_mode="livemax",
        )  # fmt: skip
        self._shown: set[tuple[str, str, str]] = set()
        self._by_route: dict[tuple[str, int], tuple[Histogram, Counter | None]] = {}
        self._noting = threading.Lock()
        self._noted: dict[tuple[int, SideName], tuple[Loaded, list[Mapping[str, Any]]]] = {}
        self.arms = Counter("penchant_arm_total", "Questions answered, by arm.", ["arm"], registry=own)
        self.shadow = Counter("penchant_shadow_total", "Answers compared in the shadow.", ["result"], registry=own)
        self.events = Counter("penchant_events_total", "Events taken in.", ["result"], registry=own)

        self.store = Counter("penchant_store_failures_total", "What the store failed.", ["reason"], registry=own)

    def note(self, route: str, status: int, seconds: float) -> None:
        """Count a request that is done."""
        kept = self._by_route.get((route, status))
        if kept is None:  # finding the counts of a label takes longer than counting
            refused = self.refused.labels(str(status)) if status in _REFUSALS else None
            kept = self._by_route[route, status] = self.seconds.labels(route, str(status)), refused
        kept[0].observe(seconds)
        if kept[1] is not None:
            kept[1].inc()

    def show_serving(self, serving: Serving) -> None:
        """The models in use."""
        arms: Mapping[str, Loaded | None] = {"first": serving.first, "second": serving.second}
        now = {(one.name, one.version, arm) for arm, one in arms.items() if one is not None}
        for labels in self._shown | now:  # 0 and not gone: files of several workers forget nothing
            self.model.labels(*labels).set(labels in now)
        self._shown |= now

    def note_rows(self, side: SideName, rows: Sequence[tuple[Loaded, Mapping[str, Any]]]) -> None:
        """Keep rows that a model answered, to be counted together: one by one that would cost as much as answering."""
        with self._noting:
            for loaded, row in rows:
                self._noted.setdefault((id(loaded), side), (loaded, []))[1].append(row)
            many = sum(len(kept) for _, kept in self._noted.values()) >= _TOGETHER
        if many:
            self.count_noted()

    def count_noted(self) -> None:
        """Count the rows that are kept."""
        with self._noting:
            noted, self._noted = self._noted, {}
        for (_, side), (loaded, rows) in noted.items():
            self.count_rows(loaded, side, rows)

    def count_rows(self, loaded: Loaded, side: SideName, rows: Sequence[Mapping[str, Any]]) -> None:
        """Count what is not as in the training rows; of rows that were sound enough to be encoded."""
        if not rows:
            return
        encoder = loaded.fitted.side_encoder(side)
        try:
            columns = [pl.Series(f.name, [row.get(f.name) for row in rows], strict=False) for f in encoder.fields]
            report = encoder.report(pl.DataFrame(columns)) if columns else None
        except (PenchantError, pl.exceptions.PolarsError, TypeError, ValueError):
            return
        self.rows.labels(side).inc(len(rows))
        for counted in () if report is None else report.iter_rows(named=True):
            for what in _ODD:
                if counted[what]:
                    self.drift.labels(side, counted["field"], what).inc(counted[what])

    def text(self) -> bytes:
        """All counts in Prometheus' form; of all workers where there are several."""
        self.count_noted()
        return generate_latest(self._every())

    def inputs(self) -> dict[str, Any]:
        """How the rows of features that were given differ from the training rows, since the start.

        Returns: ``rows`` by side, and ``fields``: side, field, unseen, clipped, missing (counts), the oddest first.
        """
        self.count_noted()
        counted = {one.name: one.samples for one in self._every().collect()}
        rows = {one.labels["side"]: int(one.value) for one in _totals(counted, "penchant_input_rows")}
        fields: dict[tuple[str, str], dict[str, int]] = {}
        for one in _totals(counted, "penchant_input_values"):
            found = fields.setdefault((one.labels["side"], one.labels["field"]), dict.fromkeys(_ODD, 0))
            found[one.labels["what"]] += int(one.value)
        told = [{"side": side, "field": field, **odd} for (side, field), odd in fields.items()]
        return {"rows": rows, "fields": sorted(told, key=lambda one: -one["unseen"] - one["clipped"])}

    def _every(self) -> CollectorRegistry:
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return self.registry
        every = CollectorRegistry()
        MultiProcessCollector(every)
        return every


def _totals(counted: Mapping[str, Sequence[Any]], name: str) -> list[Any]:
    """Samples of a counter, without when it was made."""
    return [one for one in counted.get(name, ()) if one.name == f"{name}_total"]
