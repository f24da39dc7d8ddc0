"""The loss of a batch: the neck on its pairs, and what keeps the space readable."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from penchant.losses import (
    Loss,
    capped,
    covariance,
    covariance_literal,
    hinge,
    literal,
    logistic,
    portrait_term,
    reconstruct,
    variance_floor,
)
from penchant.model import DualAutoencoder
from penchant.nets import vectorise
from penchant.training.batches import Batch

__all__ = ["objective"]


class _Points(NamedTuple):
    """Points of a batch: as encoded (each once), and gathered to the pairs."""

    users: Float[Tensor, "n_u k"]
    items: Float[Tensor, "n_i k"]
    user: Float[Tensor, "b k"]
    item: Float[Tensor, "b k"]
    once: bool
    """Are the users' points one a user, or (with a context) one a pair?"""


def objective(model: DualAutoencoder, batch: Batch, loss: Loss) -> dict[str, Float[Tensor, ""]]:
    """Each term that ``loss`` asks for, by name and unweighted (see `penchant.losses.combine`)."""
    points = _points(model, batch)
    terms = {"neck": _neck(model, batch, loss, model.space.base_distance(points.user, points.item))}
    if loss.gamma or loss.variance_floor:
        every = points.users.new_empty(0)
        every = _stack(points)
        if loss.gamma:
            right = loss.covariance == "right"
            terms["covariance"] = covariance(every) if right else covariance_literal(every)
        if loss.variance_floor:
            terms["variance"] = variance_floor(every, loss.floor)
    if loss.beta or loss.delta:
        terms |= _readings(model, batch, loss, points)
    return terms
