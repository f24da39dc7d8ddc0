"""Numbers to [0, 1] and back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

__all__ = ["Scaler"]

_KNOTS = 256
_LARGEST = float(np.finfo(np.float64).max)


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
        x = np.clip(numbers, self.low, self.high)
        if self.scale == "quantile":
            return np.interp(x, self.knots, self.levels)
        if self.scale == "log":
            return np.log1p(x - self.low) / np.log1p(self._span)
        if self._span < _LARGEST:
            return (x - self.low) / self._span
        return (x / 2 - self.low / 2) / (self.high / 2 - self.low / 2)

    def backward(self, u: Float[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """u to x in [low, high]; NaN stays."""
        u = np.clip(u.astype(np.float64), 0.0, 1.0)
        if self.constant:
            return np.where(np.isnan(u), np.nan, self.low if self.knots else np.nan)
        if self.scale == "quantile":
            return np.interp(u, self.levels, self.knots)
        if self.scale == "log":
            return np.clip(self.low + np.expm1(u * np.log1p(self._span)), self.low, self.high)
        # in two products: no overflow where the range is that of all floats
        return np.clip((1 - u) * self.low + u * self.high, self.low, self.high)

    def state(self) -> dict[str, Any]:
        """The knots and levels."""
        return {"knots": list(self.knots), "levels": list(self.levels)}

    @classmethod
    def from_state(cls, scale: str, state: dict[str, Any]) -> "Scaler":
        """The scaler that gave this state."""
        return cls(scale, tuple(map(float, state["knots"])), tuple(map(float, state["levels"])))

    @property
    def _span(self) -> float:
        with np.errstate(over="ignore"):
            return float(np.minimum(np.float64(self.high) - self.low, _LARGEST))


def _quantiles(numbers: Float64[np.ndarray, " n"]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Knots at even ranks; where a value holds several ranks, it has their middle."""
    shares = np.linspace(0.0, 1.0, _KNOTS)
    with np.errstate(over="ignore", invalid="ignore"):
        found = np.quantile(numbers, shares, method="nearest")
    knots, first, times = np.unique(found, return_index=True, return_counts=True)
    levels = (shares[first] + shares[first + times - 1]) / 2
    levels = (levels - levels[0]) / (levels[-1] - levels[0])
    return tuple(knots.tolist()), tuple(levels.tolist())
