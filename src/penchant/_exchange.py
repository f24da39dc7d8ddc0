"""Put a directory where another one is, in one step where the system can."""

import contextlib
import ctypes
import os
import sys
from pathlib import Path

__all__ = ["exchange"]

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def exchange(new: Path, place: Path) -> None:
    """Move the directory ``new`` to ``place``; what was there is afterwards at ``new``, or gone if empty.

    On Linux the two change places in one step (renameat2), so that ``place`` is never empty. Elsewhere the
    old one steps aside first, to ``new`` with ".old" added, and comes back if the new one cannot go there.

    Raises:
        OSError: it could not be done; ``place`` is as it was.
    """
    if not place.exists():
        os.replace(new, place)
    elif not _swapped(new, place):
        old = new.with_name(new.name + ".old")
        os.replace(place, old)
        try:
            os.replace(new, place)
        except BaseException:
            os.replace(old, place)
            raise
        with contextlib.suppress(OSError):
            os.replace(old, new)


def _swapped(one: Path, other: Path) -> bool:
    """Did the system exchange the two names? False where it (or the file system) does not know how."""
    if not sys.platform.startswith("linux"):
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    return bool(call(_AT_FDCWD, names[0], _AT_FDCWD, names[1], ctypes.c_uint(_RENAME_EXCHANGE)) == 0)
