"""Memory that computations have left free, given back to the system.

glibc keeps what is freed below a block in use, and at the end of each thread's heap up to twice the largest block that
ever was: a process stays as large as the largest questions made it, and its memory seems to grow for ever. Here the
ends are bounded and the holes given back now and then. Other systems and C libraries are left alone.
"""

import ctypes
import os
import sys
from typing import Any

__all__ = ["bound_free", "give_back"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt, as in malloc.h."""
_AT_THE_END = 16 << 20
"""Bytes free at the end of a heap that are kept: most questions take less, and find it without asking the system."""
_ALONE = 32 << 20
"""Bytes from which a block is mapped by itself: the most that glibc takes."""
_OWN = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def bound_free() -> bool:
    """From now on keep little at the ends of heaps, unless the environment says glibc what to do; is it so?"""
    mallopt = _of_glibc("mallopt")
    if mallopt is None or any(name in os.environ for name in _OWN):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _ALONE)) and bool(mallopt(_TRIM_THRESHOLD, _AT_THE_END))


def give_back() -> bool:
    """Give the holes in the heaps of all threads back, in about a millisecond; was there any way to?"""
    trim = _of_glibc("malloc_trim")
    if trim is None:
        return False
    trim(ctypes.c_size_t(0))
    return True


def _of_glibc(name: str) -> Any:
    """A function of glibc; None where the C library is another one."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return getattr(library, name, None) if hasattr(library, "gnu_get_libc_version") else None
