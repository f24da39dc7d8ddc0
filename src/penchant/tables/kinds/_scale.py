"""Numbers to [0, 1] and back."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

__all__ = ["Scaler"]

_KNOTS = 256
_LARGE = 1024.0


@dataclass(frozen=True)
class Scaler:
    """A rising, invertible map from [low, high] to [0, 1], piecewise linear or logarithmic.

        minmax      u = (x - low) / (high - low)
        log         u = log(1 + x - low) / log(1 + high - low)
        quantile    u = the share of training values below x, linear between at most 256 knots

    What is below ``low`` counts as ``low``, what is above ``high`` as ``high``. A constant is 0.5.
    """

    scale: str
    """How the range is spread: minmax, log or quantile."""
    knots: tuple[float, ...]
    """Rising values of x, from low to high; one for a constant, none where no value was there."""
    levels: tuple[float, ...]
    """The u of each knot, rising from 0 to 1."""

    @classmethod
    def fit(cls, numbers: Float64[np.ndarray, " n"], scale: str = "minmax") -> "Scaler":
        """From finite training values."""
        if not len(numbers):
            return cls(scale, (), ())
        low, high = float(numbers.min()), float(numbers.max())
        if low == high:
            return cls(scale, (low,), (0.5,))
        if scale != "quantile":
            return cls(scale, (low, high), (0.0, 1.0))
        return cls(scale, *_quantiles(numbers))

    @property
    def constant(self) -> bool:
        """Whether there is nothing to tell apart."""
        return len(self.knots) < 2

    @property
    def low(self) -> float:
        """The least training value; 0 where there was none."""
        return self.knots[0] if self.knots else 0.0

    @property
    def high(self) -> float:
        """The greatest training value; 0 where there was none."""
        return self.knots[-1] if self.knots else 0.0

    def outside(self, numbers: Float64[np.ndarray, " n"]) -> np.ndarray:
        """Whether each number is out of the fitted range (NaN is not)."""
        with np.errstate(invalid="ignore"):
            return (numbers < self.low) | (numbers > self.high)

    def forward(self, numbers: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """x to u in [0, 1]; NaN stays."""
        if self.constant:
            return np.where(np.isnan(numbers), np.nan, 0.5)
        x = np.clip(numbers, self.low, self.high) / self._unit
        low, high, knots = self.low / self._unit, self.high / self._unit, np.array(self.knots) / self._unit
        if self.scale == "quantile":
            return np.interp(x, knots, self.levels)
        if self.scale == "log":
            return self._log(x - low) / self._log(high - low)
        return (x - low) / (high - low)

    def backward(self, u: Float[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """u to x in [low, high]; NaN stays."""
        u = np.clip(u.astype(np.float64), 0.0, 1.0)
        if self.constant:
            return np.where(np.isnan(u), np.nan, self.low if self.knots else np.nan)
        low, high, knots = self.low / self._unit, self.high / self._unit, np.array(self.knots) / self._unit
        if self.scale == "quantile":
            x = np.interp(u, self.levels, knots)
        elif self.scale == "log":
            x = low + self._exp(u * self._log(high - low))
        else:
            x = (1 - u) * low + u * high
        return np.clip(np.clip(x, low, high) * self._unit, self.low, self.high)

    def state(self) -> dict[str, Any]:
        """The knots and levels."""
        return {"knots": list(self.knots), "levels": list(self.levels)}

    @classmethod
    def from_state(cls, scale: str, state: dict[str, Any]) -> "Scaler":
        """The scaler that gave this state."""
        return cls(scale, tuple(map(float, state["knots"])), tuple(map(float, state["levels"])))

    @cached_property
    def _unit(self) -> float:
        """What x is divided by: 1, which changes no bit, or 1024 where the range, or a slope, overflows a float."""
        return 1.0 if (self.high - self.low) * _LARGE < math.inf else _LARGE

    def _log(self, distance: Any) -> Any:
        """log(1 + unit · distance)."""
        return np.log1p(distance) if self._unit == 1 else np.log(1 / _LARGE + distance) + np.log(_LARGE)

    def _exp(self, logarithm: Any) -> Any:
        """The distance of a `_log`."""
        return np.expm1(logarithm) if self._unit == 1 else np.exp(logarithm - np.log(_LARGE)) - 1 / _LARGE


def _quantiles(numbers: Float64[np.ndarray, " n"]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Knots at even ranks; where a value holds several ranks, it has their middle."""
    shares = np.linspace(0.0, 1.0, _KNOTS)
    with np.errstate(over="ignore", invalid="ignore"):
        found = np.quantile(numbers, shares, method="nearest")
    knots, first, times = np.unique(found, return_index=True, return_counts=True)
    levels = (shares[first] + shares[first + times - 1]) / 2
    levels = (levels - levels[0]) / (levels[-1] - levels[0])
    return tuple(knots.tolist()), tuple(levels.tolist())
