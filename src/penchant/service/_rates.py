"""How often each key may ask: a token bucket a key.

A bucket of ``rate`` tokens (at least one) fills at ``rate`` a second; a request takes one.
"""

import time
from collections.abc import Callable

__all__ = ["Rates"]

_MOST = 10_000
"""Buckets that are kept; full ones are forgotten first, since they are as new ones."""


class Rates:
    """The buckets of a process."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, name: str, rate: float | None) -> float:
        """Take a token: 0 where there was one, else the seconds until there is one."""
        if rate is None:
            return 0.0
        now, most = self._clock(), max(1.0, rate)
        tokens, then = self._buckets.get(name, (most, now))
        tokens = min(most, tokens + max(0.0, now - then) * rate)
        if tokens < 1:
            self._buckets[name] = tokens, now
            return (1 - tokens) / rate
        self._buckets[name] = tokens - 1, now
        if len(self._buckets) > _MOST:
            self._forget(now, name)
        return 0.0

    def _forget(self, now: float, kept: str) -> None:
        """Half of the buckets, those that were used longest ago."""
        old = sorted((then, name) for name, (_, then) in self._buckets.items() if name != kept)
        for _, name in old[: _MOST // 2]:
            del self._buckets[name]
