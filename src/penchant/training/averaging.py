"""A running average of the weights, which generalises better than the last step's."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["Average"]


class Average:
    """Exponential average of a module's parameters: w̄ ← w̄ + (1 − decay_t)(w − w̄), decay_t = min(decay, t / (t + 10)).

    The decay grows with the steps, so that the random start is forgotten. A decay of 0 keeps the last weights.

    Source: Polyak, Juditsky 1992; the warm-up as in Izmailov et al. 2018, arXiv 1803.05407, §3.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.live: list[Tensor] = [p.data for p in module.parameters()]
        self.mean: list[Tensor] = [p.clone() for p in self.live] if decay else self.live

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step."""
        self.steps += 1
        if self.decay:
            decay = min(self.decay, self.steps / (self.steps + 10))
            torch._foreach_lerp_(self.mean, self.live, 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The module holds the average inside the ``with``, and its own weights again after it."""
        if not self.decay:
            yield
            return
        kept = [p.clone() for p in self.live]
        self._set(self.mean)
        try:
            yield
        finally:
            self._set(kept)

    def _set(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self.live, values, strict=True):
            parameter.copy_(value)
