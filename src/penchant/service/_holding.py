"""A file that one process holds at a time; whatever ends the process lets go of it."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["held"]


@contextlib.contextmanager
def held(path: Path) -> Iterator[int | None]:
    """The descriptor of the file while it is this process's alone; None where another one holds it. It is made where it
    is not there. A child that is given the descriptor holds it too, even if this process ends before.

    Raises: OSError: it cannot be made.
    """
    with path.open("ab") as file:
        taken = _take(file.fileno())
        try:
            yield file.fileno() if taken else None
        finally:
            if taken and sys.platform == "win32":
                _let_go(file.fileno())


if sys.platform == "win32":
    import msvcrt

    def _take(number: int) -> bool:
        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _let_go(number: int) -> None:
        msvcrt.locking(number, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _take(number: int) -> bool:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
