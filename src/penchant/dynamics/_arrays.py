"""One formula for NumPy (one user, no torch on the path) and torch (many users)."""

import sys
from typing import Any

import numpy as np

__all__ = ["constant", "elapsed", "library", "ndtr", "same_type"]


def library(x: Any) -> Any:
    """The module whose functions take x: numpy for its arrays and numbers, torch for tensors (then long imported)."""
    return np if isinstance(x, np.ndarray | np.generic | float | int) else sys.modules["torch"]


def constant(value: Any, like: Any) -> Any:
    """A number as it is, an array as an array of the library, type and device of ``like``."""
    if isinstance(value, float):
        return value
    if isinstance(like, np.ndarray):
        return value.astype(like.dtype, copy=False)
    return library(like).as_tensor(value, dtype=like.dtype, device=like.device)


def same_type(x: Any, like: Any) -> Any:
    """Times are kept in float64; what was computed from them takes the type of the points."""
    return x.astype(like.dtype, copy=False) if isinstance(x, np.ndarray) else x.to(like)


def elapsed(earlier: Any, later: Any) -> Any:
    """Days from one time to the next, never below 0: a number, or (*n, 1) where either is an array (*n)."""
    days = later - earlier
    if isinstance(days, float | int):
        return days if days > 0 else 0.0
    return library(days).clip(days, 0.0, None)[..., None]


def ndtr(x: Any) -> Any:
    """The standard normal distribution function."""
    if isinstance(x, np.ndarray):
        from scipy.special import ndtr as function

        return function(x)
    return library(x).special.ndtr(x)
