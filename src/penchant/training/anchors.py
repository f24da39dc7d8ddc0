"""What keeps a space where it was while training goes on from an earlier fit: known rows are drawn to their old points.

    a = mean_u mean_j (e_uj − e°_uj)² + mean_i mean_j (e_ij − e°_ij)²

e is what the encoders make now, dropping nothing, of rows as they were at the earlier fit (their values, their
histories); e° what they made of them then; u and i go through some known users and items, drawn anew each step, in a
batch or not. So the encoders stay the same functions on what was known, and are free elsewhere: new rows, new values.

Why a term and no alignment afterwards: of the maps that keep all distances, only swaps and signs of axes keep the box
(for norms other than the 2-norm there are no others: Lamperti 1958), and with these nothing can be turned back.

Source: Li, Hoiem 2016, arXiv 1606.09282 (learning without forgetting: old answers as targets, here without their
temperature); Yao et al. 2018, arXiv 1703.00607 (embeddings of later times tied to those of earlier ones).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from penchant._spec import Features
from penchant.errors import ConfigError
from penchant.model import DualAutoencoder
from penchant.nets import take

__all__ = ["Anchored", "WarmStart"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStart:
    """How a fit goes on from an earlier one (``fit(…, warm_start=True)``).

    Raises: ConfigError: an option outside its range.
    """

    anchor: float | int = 100.0
    """Weight of what draws known users and items to their old points, at least 0; 0: nothing does, and the space
    wanders. Where all earlier rows are given again, it may be less, or 0."""
    rows: int = 256
    """Known users, and known items, that are held against their old points in each step, at least 1."""

    def __post_init__(self) -> None:
        if not 0 <= self.anchor < math.inf:
            raise ConfigError(f"warm.anchor = {self.anchor}: a number >= 0 expected")
        if int(self.rows) != self.rows or self.rows < 1:
            raise ConfigError(f"warm.rows = {self.rows}: a whole number >= 1 expected")


class Anchored:
    """Known rows of both sides with their old points, on one device."""

    def __init__(
        self,
        users: tuple[Features, Float[Tensor, "n k"]],
        items: tuple[Features, Float[Tensor, "m k"]],
        options: WarmStart,
    ) -> None:
        self.known, self.options = (users, items), options

    def pull(self, model: DualAutoencoder) -> Float[Tensor, ""]:
        """The term a of the model as it stands; rows are drawn from torch's stream."""
        training = model.training
        model.eval()
        for part in model.modules():
            if isinstance(part, nn.RNNBase):
                part.train()  # or a GPU has no gradient of it
        try:
            parts = [self._of(encode, *known) for encode, known in zip(
                (model.encode_users, model.encode_items), self.known, strict=True)]  # fmt: skip
        finally:
            model.train(training)
        return torch.stack(parts).sum()

    def _of(self, encode: object, features: Features, points: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
        assert callable(encode)
        if not len(points):
            return points.new_zeros(())
        rows = torch.randperm(len(points), device=points.device)[: self.options.rows]
        found: Tensor = (encode(take(features, rows)) - points.index_select(0, rows)).square().mean()
        return found
