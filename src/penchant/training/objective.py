"""The loss of a batch: the neck on its pairs, and what keeps the space readable."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from penchant._spec import FIRST
from penchant.errors import ConfigError
from penchant.losses import (
    Loss,
    bpr,
    capped,
    covariance,
    covariance_literal,
    divergence,
    hinge,
    literal,
    logistic,
    portrait_term,
    reconstruct,
    softmax,
    variance_floor,
    warp,
)
from penchant.model import DualAutoencoder
from penchant.nets import is_plain, jacobian_square, watched
from penchant.nets.interval import interval_width
from penchant.spaces import GaussianSpace
from penchant.training.batches import Batch

__all__ = ["objective"]


class _Points(NamedTuple):
    """Points of a batch."""

    users: Float[Tensor, "p k"]
    """One a user, or (with a context or a history) one a pair."""
    items: Float[Tensor, "n_i k"]
    """One an item."""
    user: Float[Tensor, "b k"]
    """One a pair."""
    item: Float[Tensor, "b k"]
    """One a pair."""
    once: Int[Tensor, " n_u"]
    """Row of ``users`` to stand for each distinct user."""


def objective(model: DualAutoencoder, batch: Batch, loss: Loss) -> dict[str, Float[Tensor, ""]]:
    """Each term that ``loss`` asks for, by name and unweighted (see `penchant.losses.combine`).

    Raises:
        ConfigError: a ranking neck, and batches without candidates; a width of an encoder that has none; variational
            latents, and batches that do not count pairs.
    """
    encoded, terms = _encoded(model, batch, loss)
    points = _drawn_points(model, batch, encoded)
    if loss.ranking:
        terms |= {"neck": _ranking_neck(model, batch, loss, points)}
    else:
        terms |= {"neck": _neck(model, batch, loss, model.space.base_distance(points.user, points.item))}
    if loss.gamma or loss.epsilon:
        cloud = model.space.location(torch.cat([points.users, points.items]))
        if loss.gamma:
            terms["covariance"] = (covariance if loss.covariance == "right" else covariance_literal)(cloud)
        if loss.epsilon:
            terms["variance"] = variance_floor(cloud, loss.floor)
    if loss.beta or loss.delta:
        terms |= _readings(model, batch, loss, points)
    if loss.zeta:
        terms["width"] = _width(model, batch)
    return terms


def _encoded(model: DualAutoencoder, batch: Batch, loss: Loss) -> tuple[_Points, dict[str, Float[Tensor, ""]]]:
    """The points as they are encoded, and what their kind of latent asks of them."""
    latent = model.latent
    if latent.contrastive:
        with (
            watched(model.user_encoder, latent.noise) as of_users,
            watched(model.item_encoder, latent.noise) as of_items,
        ):
            points = _points(model, batch)
        if not loss.eta:
            return points, {}
        jacobian = jacobian_square(points.users, of_users) + jacobian_square(points.items, of_items)
        return points, {"jacobian": jacobian}
    points = _points(model, batch)
    if latent.variational and loss.kappa:
        return points, {"divergence": _divergence(model, batch, points)}
    return points, {}


def _divergence(model: DualAutoencoder, batch: Batch, points: _Points) -> Float[Tensor, ""]:
    """Of users and of items from their priors, per pair: with κ = 1 the loss is the evidence bound of the labels."""
    space, times = model.space, batch.times
    if not isinstance(space, GaussianSpace) or times is None:
        raise ConfigError("variational latents need a space of Gaussians, and batches that count pairs")
    total = points.user.new_zeros(())
    for side, of, count in (("user", points.user, times[0]), ("item", points.item, times[1])):
        prior = model.priors[side]()
        total = total + divergence(space.location(of), space.scale(of), *prior, weight=1 / count)
    return total


def _drawn(model: DualAutoencoder, points: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
    """While variational latents are trained, Gaussians about places drawn from each; otherwise the points."""
    space = model.space
    if not (model.training and isinstance(space, GaussianSpace)):
        return points
    return space.draw(points, torch.randn_like(space.location(points)))


def _drawn_points(model: DualAutoencoder, batch: Batch, points: _Points) -> _Points:
    """All of them drawn once: pairs of one user share the place."""
    if not (model.training and model.latent.variational):
        return points
    users, items = _drawn(model, points.users), _drawn(model, points.items)
    user = users if points.users is points.user else torch.nn.functional.embedding(batch.user, users)
    return _Points(users, items, user, torch.nn.functional.embedding(batch.item, items), points.once)


def _points(model: DualAutoencoder, batch: Batch) -> _Points:
    """Everyone encoded once; users once a pair where there are situations or histories."""
    items = model.encode_items(batch.items)
    item = torch.nn.functional.embedding(batch.item, items)
    if batch.context is None and batch.left_out is None:
        users = model.encode_users(batch.users)
        user = torch.nn.functional.embedding(batch.user, users)
        return _Points(users, items, user, item, torch.arange(len(users), device=users.device))
    user = model.encode_users(batch.users, batch.context, batch.user, batch.left_out)
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
    raise ConfigError(f"loss.neck = {loss.neck!r} is not known to the objective")


def _ranking_neck(model: DualAutoencoder, batch: Batch, loss: Loss, points: _Points) -> Float[Tensor, ""]:
    """Likes against the batch's candidates; what a pair's user likes is no candidate for it."""
    candidates = batch.candidates
    if candidates is None:
        raise ConfigError(f"loss.neck = {loss.neck!r} needs batches with negatives")
    pairs = (batch.liked > 0.5).nonzero()[:, 0]
    weight = None if batch.weight is None else batch.weight.index_select(0, pairs)
    user, item = points.user.index_select(0, pairs), points.item.index_select(0, pairs)
    liked = model.space.base_distance(user, item)
    items = points.items if candidates.items is batch.items else _drawn(model, model.encode_items(candidates.items))
    row = batch.user.index_select(0, pairs)
    if points.users is points.user:
        others = model.space.cross(user, items)
    else:  # one point a user: their distances once, however many pairs they have
        others = torch.nn.functional.embedding(row, model.space.cross(points.users, items))
    masked = candidates.known.index_select(0, row)
    log_q = None if loss.negatives == "catalogue" else candidates.log_q
    if loss.neck == "softmax":
        return softmax(liked, others, scale=model.scale, masked=masked, log_q=log_q, weight=weight)
    if loss.neck == "bpr":
        return bpr(liked, others, scale=model.scale, masked=masked, weight=weight)
    if loss.neck == "warp":
        return warp(liked, others, margin=loss.margin, masked=masked, log_q=log_q, weight=weight)
    raise ConfigError(f"loss.neck = {loss.neck!r} is not known to the objective")


def _width(model: DualAutoencoder, batch: Batch) -> Float[Tensor, ""]:
    """How wide the batch's items become when one of their fields, no id and drawn anew, may have any value.

    Source: Gowal et al. 2018, arXiv 1810.12715, whose bounds these are.
    """
    net = model.item_encoder
    if not is_plain(net):
        kind = type(net).__name__
        raise ConfigError(f"loss.zeta: the width of a {kind} is not known; take encoder.kind = 'mlp', or zeta = 0")
    blocks = net.layout.blocks
    names = [b.name for b in blocks if b.likelihood != "none" and (b.form == "dense" or b.size > FIRST)]
    if not names:
        raise ConfigError("loss.zeta: an item column that is no id is needed, or zeta = 0")
    name = names[int(torch.randint(len(names), ()))]
    return interval_width(net, batch.items, name, bound=model.space.bound).mean()


def _readings(model: DualAutoencoder, batch: Batch, loss: Loss, points: _Points) -> dict[str, Float[Tensor, ""]]:
    """What the decoders say of the batch's points, each decoder asked once.

    Reconstruction: users and items restore their own portraits. Portrait term: liked items as the item decoder
    describes them at their users' points, and users as the user decoder describes them at the points of items they
    liked. A share of the batch, drawn anew each time, stands for all of it: the same loss on average.
    """
    share = loss.read_share
    users, items = _some(len(batch.users), share, batch.user), _some(len(batch.items), share, batch.item)
    pairs = batch.liked.nonzero()[:, 0]  # in random order, as the batch is
    pairs = pairs[: math.ceil(share * len(pairs))]
    at_users, at_items = points.user.index_select(0, pairs), points.item.index_select(0, pairs)
    own_users = points.users.index_select(0, points.once.index_select(0, users))
    as_items = model.decode("item", torch.cat([points.items.index_select(0, items), at_users]))
    as_users = model.decode("user", torch.cat([own_users, at_items]))
    kind, terms = loss.likelihood, {}
    if loss.beta:
        of_items, of_users = batch.item_vectors.index_select(0, items), batch.user_vectors.index_select(0, users)
        terms["reconstruction"] = reconstruct(
            as_items[: len(items)], of_items, model.item_layout, likelihood=kind
        ) + reconstruct(as_users[: len(users)], of_users, model.user_layout, likelihood=kind)
    if loss.delta:
        weight = None if batch.weight is None else batch.weight[pairs]
        of_items = batch.item_vectors.index_select(0, batch.item[pairs])
        of_users = batch.user_vectors.index_select(0, batch.user[pairs])
        terms["portrait"] = portrait_term(
            as_items[len(items) :], of_items, model.item_layout, likelihood=kind, weight=weight
        ) + portrait_term(as_users[len(users) :], of_users, model.user_layout, likelihood=kind, weight=weight)
    return terms


def _some(n: int, share: float, like: Tensor) -> Int[Tensor, " m"]:
    """A share of 0 … n-1, at least one, at random; all of them in order for 1."""
    if share == 1:
        return torch.arange(n, device=like.device)
    return torch.randperm(n, device=like.device)[: math.ceil(share * n)]
