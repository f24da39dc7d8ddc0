"""Points and distances of whole tables, in chunks that fit into memory."""

import torch
from jaxtyping import Float
from torch import Tensor

from penchant._spec import Features
from penchant.model import DualAutoencoder
from penchant.nets import as_tensors, take
from penchant.training.batches import Batches

__all__ = ["encode_all", "pair_distances"]

_CHUNK = 16_384
"""Rows encoded at a time."""


@torch.no_grad()
def encode_all(model: DualAutoencoder, side: str, features: Features, device: torch.device) -> Float[Tensor, "n k"]:
    """Points of all rows of a side, on ``device``; a user's situation is taken as missing."""
    tensors = as_tensors(features, device)
    encode = model.encode_users if side == "user" else model.encode_items
    n = len(features)
    if n == 0:
        return torch.zeros(0, model.space.dim, device=device)
    parts = torch.arange(n, device=device).split(_CHUNK)
    return torch.cat([encode(take(tensors, rows)) for rows in parts])


@torch.no_grad()
def pair_distances(model: DualAutoencoder, batches: Batches, *, left_out: bool = False) -> Float[Tensor, " n"]:
    """Base distance of every pair, in the order of the interactions; the model as it stands, in evaluation mode.

    Where histories fade, those of a causal encoder have faded up to the time of the pair.

    ``left_out``: each pair's item is left out of its user's history, as in training.
    """
    device = torch.device(batches.device)
    items = encode_all(model, "item", batches.items, device)
    fades = batches.since is not None and model.user_encoder.causal
    by_pair = fades or batches.context is not None or (left_out and batches.users.history is not None)
    users = None if by_pair else encode_all(model, "user", batches.users, device)
    distances = []
    for rows in torch.arange(len(batches), device=device).split(_CHUNK):
        item = items.index_select(0, batches.item[rows])
        if users is not None:
            user = users.index_select(0, batches.user[rows])
        else:
            batch = batches.batch(rows)
            without = batch.left_out if left_out else None
            user = model.encode_users(batch.users, batch.context, batch.user, without, batch.since if fades else None)
        distances.append(model.space.base_distance(user, item))
    return torch.cat(distances) if distances else torch.zeros(0, device=device)
