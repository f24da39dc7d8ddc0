"""Independent streams of randomness from one seed, by name: adding one never moves another."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # torch is heavy, and tables do not need it
    import torch

__all__ = ["generator", "seed_of", "torch_generator"]


def seed_of(rng: int, *names: str) -> int:
    """A seed in [0, 2^63) for the stream of this name: 63 bits of SHA-256, the same on every machine.

    Example:
        >>> seed_of(7, "split") != seed_of(7, "weights")
        True
    """
    digest = hashlib.sha256("/".join([str(int(rng)), *names]).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def generator(rng: int, *names: str) -> np.random.Generator:
    """NumPy's generator for the stream of this name."""
    return np.random.default_rng(seed_of(rng, *names))


def torch_generator(rng: int, *names: str) -> "torch.Generator":
    """torch's generator (CPU) for the stream of this name."""
    import torch

    return torch.Generator().manual_seed(seed_of(rng, *names))
