"""When to stop, and which epoch to keep."""

import math
from dataclasses import dataclass

__all__ = ["Stopping"]


@dataclass
class Stopping:
    """Keeps the best epoch by a figure of which more is better; stops after ``patience`` without a better one."""

    patience: int
    """Epochs to wait for a better one."""
    best: float = -math.inf
    """The best figure so far."""
    best_epoch: int = -1
    """Its epoch; -1 before the first."""

    def better(self, value: float, epoch: int) -> bool:
        """Note the figure of an epoch; is it the best so far? A tie is not better."""
        if value > self.best:
            self.best, self.best_epoch = value, epoch
            return True
        return False

    def over(self, epoch: int) -> bool:
        """Has the patience run out after this epoch?"""
        return epoch - self.best_epoch >= self.patience
