"""What the service counts, for Prometheus.

With several workers the counts of all are added up: then ``PROMETHEUS_MULTIPROC_DIR`` names a folder (`penchant serve`
makes it).
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from penchant.errors import PenchantError
from penchant.estimator.fitted import SideName
from penchant.service.models import Loaded, Serving

__all__ = ["Metrics"]

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counts of one app; two apps of a process do not share them."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        self.seconds = Histogram(
            "penchant_request_seconds", "Time to answer, by route.", ["route", "status"], buckets=_BUCKETS, registry=own
        )
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
        self.arms = Counter("penchant_arm_total", "Questions answered, by arm.", ["arm"], registry=own)
        self.shadow = Counter("penchant_shadow_total", "Answers compared in the shadow.", ["result"], registry=own)
        self.events = Counter("penchant_events_total", "Events taken in.", ["result"], registry=own)

    def show_serving(self, serving: Serving) -> None:
        """The models in use."""
        arms: Mapping[str, Loaded | None] = {"first": serving.first, "second": serving.second}
        now = {(one.name, one.version, arm) for arm, one in arms.items() if one is not None}
        for labels in self._shown | now:  # 0 and not gone: files of several workers forget nothing
            self.model.labels(*labels).set(labels in now)
        self._shown |= now

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
            for what in ("unseen", "clipped", "missing"):
                if counted[what]:
                    self.drift.labels(side, counted["field"], what).inc(counted[what])

    def text(self) -> bytes:
        """All counts in Prometheus' form; of all workers where there are several."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        every = CollectorRegistry()
        MultiProcessCollector(every)
        return generate_latest(every)
