"""What our models say of users, each way of reading them an array of portraits: the variants of ``portraits.py``.

* penchant: the typical portrait, as `Penchant.portraits` gives it.
* decoded point: what the item decoder says of the user's point, nothing else.
* without portrait term: the same of a model that was trained with δ = 0.
* ball points: the mean of what is decoded at uniform points of the ball of P(liked) ≥ ½.
* 50 nearest: the mean vector of the 50 items nearest to the user's point.
* cycle-consistent: the mean of those points of the ball that come back into it when they are made into items and
  encoded again; where none does, of the known items by how likely each is liked.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.special import expit

from penchant import Penchant
from penchant._spec import Features
from penchant.portraits.distribution import Distribution, ball_distribution
from penchant.spaces import Ball
from penchant.training import encode_all

__all__ = ["VARIANTS", "ball", "cycle_consistent", "decoded", "in_ball", "typical"]

Rows = Int[np.ndarray, " n"]
Portraits = Float[np.ndarray, "n width"]

NEAREST = 50
"""Items that are averaged."""
POINTS = 200
"""Points of a ball that are looked at."""


def typical(model: Penchant, users: Rows, rng: int = 0) -> Portraits:
    """The typical portraits of known users, by row number."""
    found = model.portraits(model.users_[_key(model)].gather(users).to_list())
    return found.drop(found.columns[0]).to_numpy().astype(np.float64)


def decoded(model: Penchant, users: Rows, rng: int = 0) -> Portraits:
    """What the decoder says of their points."""
    return model._fitted.decode("item", _points(model, users)).astype(np.float64)


def ball(model: Penchant, user: int) -> Ball:
    """What a user likes with P ≥ ½."""
    centre = model._fitted.known["user"].points[user]
    return Ball(model.space_, centre, min(model.threshold_, model.space_.diameter))


def in_ball(model: Penchant, users: Rows, rng: int = 0) -> Portraits:
    """The mean over uniform points of each ball."""
    g = torch.Generator().manual_seed(rng)
    return np.stack(
        [model._fitted.decode("item", ball(model, u).sample(POINTS, g).numpy()).mean(0) for u in users.tolist()]
    ).astype(np.float64)


def nearest(model: Penchant, users: Rows, rng: int = 0) -> Portraits:
    """The mean vector of the nearest items; unknown values are left out."""
    items = model._fitted.known["item"].points
    points = model._fitted.known["user"].points[torch.as_tensor(users)]
    _, rows = model.space_.topk(points, items, min(NEAREST, len(items)))
    vectors = _vectors(model)[rows.numpy()]
    known = ~np.isnan(vectors)
    mean = np.where(known, vectors, 0.0).sum(1) / np.maximum(known.sum(1), 1)
    return np.where(known.any(1), mean, _population(model))


def of_ball(model: Penchant, user: int, rng: int = 0) -> Distribution:
    """The points of a user's ball that are like items."""
    fitted = model._fitted

    def encode(features: Features) -> Float[np.ndarray, "n k"]:
        return encode_all(fitted.model, "item", features, fitted.device).cpu().numpy()

    return ball_distribution(
        ball(model, user),
        decode=lambda points: fitted.decode("item", points),
        encode=encode,
        encoder=fitted.encoder.item,
        n=POINTS,
        rng=rng,
    )


def cycle_consistent(model: Penchant, users: Rows, rng: int = 0) -> tuple[Portraits, float]:
    """The mean of what came back, and the share of points that did, on average."""
    found = [of_ball(model, user, rng) for user in users.tolist()]
    means = np.stack([one.mean if len(one.weight) else np.full_like(one.mean, np.nan) for one in found])
    lost = np.isnan(means)
    means[lost] = _prior(model, users)[lost]
    return means, float(np.mean([one.returned for one in found]))


VARIANTS: dict[str, Callable[[Penchant, Rows, int], Portraits]] = {
    "penchant": typical,
    "decoded point": decoded,
    "ball points": in_ball,
    "50 nearest": nearest,
}
"""Ways to read one model, by the name in the results; `cycle_consistent` tells something more."""


def _prior(model: Penchant, users: Rows) -> Portraits:
    """The mean vector of known items, each by P(liked)."""
    fitted, vectors = model._fitted, _vectors(model)
    points = fitted.known["user"].points[torch.as_tensor(users)]
    apart = model.space_.cross(points, fitted.known["item"].points).double().numpy()
    weight = expit(fitted.calibration.slope * (fitted.calibration.threshold - apart))
    known = ~np.isnan(vectors)
    total = weight @ known
    mean = weight @ np.where(known, vectors, 0.0) / np.maximum(total, 1e-12)
    return np.where(total > 0, mean, _population(model))


def _key(model: Penchant) -> str:
    return model.schema_.user_id or ""


def _points(model: Penchant, users: Rows) -> Float[np.ndarray, "n k"]:
    return model._fitted.known["user"].points.numpy()[users]


def _population(model: Penchant) -> Float[np.ndarray, " width"]:
    return model._fitted.population["item"].astype(np.float64)


def _vectors(model: Penchant) -> Float[np.ndarray, "items width"]:
    encoder = model._fitted.encoder.item
    return encoder.portrait(encoder.encode(model.items_)).astype(np.float64)
