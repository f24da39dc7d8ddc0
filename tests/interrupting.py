"""A training that is broken off, for tests of what is gone on from."""

from penchant._progress import SilentProgress

__all__ = ["StoppedError", "StoppingAfter"]


class StoppedError(RuntimeError):
    """It was broken off."""


class StoppingAfter(SilentProgress):
    """Progress that breaks the training off after so many steps."""

    def __init__(self, most: int) -> None:
        self.left = most

    def step(self, n, **figures):
        self.left -= n
        if self.left < 0:
            raise StoppedError
