"""Arrays as text that a browser reads without parsing: base64 of little-endian numbers."""

import base64
from typing import Any

import numpy as np

__all__ = ["decoded", "encoded"]


def encoded(values: np.ndarray) -> str:
    """The numbers of an array, in order."""
    return base64.b64encode(values.astype(values.dtype.newbyteorder("<")).tobytes()).decode()


def decoded(text: str, dtype: Any) -> np.ndarray:
    """The array that was encoded."""
    return np.frombuffer(base64.b64decode(text), dtype=np.dtype(dtype).newbyteorder("<")).astype(dtype)
