"""Arrays as the bytes of a state, and back, bit for bit."""

import json
import math
import struct
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from penchant.errors import StorageError

__all__ = ["pack", "unpack"]

_HEAD = struct.Struct("<4sI")
_MAGIC = b"pst1"


def pack(arrays: Mapping[str, Float[np.ndarray, "..."]]) -> bytes:
    """Arrays by name as bytes: float64, little-endian, in the order of the names.

    Equal arrays give equal bytes, and bytes of a later format do not begin like these.
    """
    names = sorted(arrays)
    plain = [np.asarray(arrays[name], dtype="<f8", order="C") for name in names]
    head = json.dumps([[n, list(a.shape)] for n, a in zip(names, plain, strict=True)], separators=(",", ":")).encode()
    return b"".join([_HEAD.pack(_MAGIC, len(head)), head, *(a.tobytes() for a in plain)])


def unpack(data: bytes) -> dict[str, Float[np.ndarray, "..."]]:
    """What `pack` was given, in arrays of one's own.

    Raises:
        StorageError: bytes that `pack` did not make.
    """
    try:
        magic, size = _HEAD.unpack_from(data)
        if magic != _MAGIC:
            raise ValueError("another beginning")
        places = json.loads(data[_HEAD.size : _HEAD.size + size])
        numbers = np.frombuffer(data, dtype="<f8", offset=_HEAD.size + size).astype(np.float64)
        if any(edge < 0 for _, shape in places for edge in shape):
            raise ValueError("a negative shape")
        if sum(math.prod(shape) for _, shape in places) != numbers.size:
            raise ValueError("another length")
        found, start = {}, 0
        for name, shape in places:
            end = start + math.prod(shape)
            found[str(name)] = numbers[start:end].reshape(shape)
            start = end
    except (ValueError, TypeError, OverflowError, RecursionError, struct.error) as error:
        raise StorageError(f"a state of {len(data):,} bytes cannot be read ({error}): replay the events") from error
    return found
