"""The loss of a batch: the neck on its pairs, and what keeps the space readable."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant.errors import ConfigError
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
from penchant.training.batches import Batch

__all__ = ["objective"]


class _Points(NamedTuple):
    """Points of a batch."""

    users: Float[Tensor, "p k"]
    """One a user, or (with a context) one a pair."""
    items: Float[Tensor, "n_i k"]
    """One an item."""
    user: Float[Tensor, "b k"]
    """One a pair."""
    item: Float[Tensor, "b k"]
    """One a pair."""
    once: Int[Tensor, " n_u"]
    """Row of ``users`` to stand for each distinct user."""


def objective(model: DualAutoencoder, batch: Batch, loss: Loss) -> dict[str, Float[Tensor, ""]]:
    """Each term that ``loss`` asks for, by name and unweighted (see `penchant.losses.combine`)."""
    points = _points(model, batch)
    terms = {"neck": _neck(model, batch, loss, model.space.base_distance(points.user, points.item))}
    if loss.gamma or loss.epsilon:
        cloud = torch.cat([points.users, points.items])
        if loss.gamma:
            terms["covariance"] = (covariance if loss.covariance == "right" else covariance_literal)(cloud)
        if loss.epsilon:
            terms["variance"] = variance_floor(cloud, loss.floor)
    if loss.beta:
        terms["reconstruction"] = _reconstruction(model, batch, loss, points)
    if loss.delta:
        terms["portrait"] = _portrait(model, batch, loss, points)
    return terms


def _points(model: DualAutoencoder, batch: Batch) -> _Points:
    """Everyone encoded once; users once a pair where there are situations."""
    items = model.encode_items(batch.items)
    item = torch.nn.functional.embedding(batch.item, items)
    if batch.context is None:
        users = model.encode_users(batch.users)
        user = torch.nn.functional.embedding(batch.user, users)
        return _Points(users, items, user, item, torch.arange(len(users), device=users.device))
    user = model.encode_users(batch.users, batch.context, batch.user)
    return _Points(user, items, user, item, _first_rows(batch.user, len(batch.users)))


def _first_rows(values: Int[Tensor, " b"], n: int) -> Int[Tensor, " n"]:
    """For each of 0 … n-1 (all of which occur), the first row that holds it."""
    rows = torch.arange(len(values) - 1, -1, -1, device=values.device)
    first = torch.zeros(n, dtype=torch.int64, device=values.device)
    return first.scatter_reduce(0, values.flip(0), rows, "amin", include_self=False)


def _neck(model: DualAutoencoder, batch: Batch, loss: Loss, distance: Float[Tensor, " b"]) -> Float[Tensor, ""]:
    liked, weight = batch.liked, batch.weight
    if loss.liked_weight != 1:
        by_label = 1 + (loss.liked_weight - 1) * liked
        weight = by_label if weight is None else weight * by_label
    if loss.neck == "hinge":
        return hinge(distance, liked, threshold=model.threshold, margin=loss.margin, weight=weight)
    if loss.neck == "logistic":
        return logistic(distance, liked, threshold=model.threshold, scale=model.scale, weight=weight)
    if loss.neck == "capped":
        return capped(distance, liked, cap=model.threshold + loss.margin, weight=weight)
    if loss.neck == "literal":
        return literal(distance, liked, margin=loss.margin, weight=weight)
    raise ConfigError(f"loss.neck = {loss.neck!r} is not pointwise")


def _reconstruction(model: DualAutoencoder, batch: Batch, loss: Loss, points: _Points) -> Float[Tensor, ""]:
    """Both sides restore their own portraits, each user and item of the batch once."""
    users = points.users.index_select(0, points.once) if batch.context is not None else points.users
    kind = loss.likelihood
    return reconstruct(model.decode("item", points.items), batch.item_vectors, model.item_layout, likelihood=kind) + (
        reconstruct(model.decode("user", users), batch.user_vectors, model.user_layout, likelihood=kind)
    )


def _portrait(model: DualAutoencoder, batch: Batch, loss: Loss, points: _Points) -> Float[Tensor, ""]:
    """Liked items described at their users' points, and users at the points of items they liked."""
    pairs = batch.liked.nonzero()[:, 0]
    user, item = batch.user[pairs], batch.item[pairs]
    weight = None if batch.weight is None else batch.weight[pairs]
    ones = torch.ones_like(pairs, dtype=points.user.dtype)
    at_users = model.decode("item", points.user.index_select(0, pairs))
    at_items = torch.nn.functional.embedding(item, model.decode("user", points.items))
    liked_items, liking_users = batch.item_vectors[item], batch.user_vectors[user]
    kind = loss.likelihood
    return portrait_term(at_users, liked_items, model.item_layout, ones, likelihood=kind, weight=weight) + (
        portrait_term(at_items, liking_users, model.user_layout, ones, likelihood=kind, weight=weight)
    )
