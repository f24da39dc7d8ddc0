"""What is held out: how good a model is on it, which epoch that makes the best, and what distances mean there."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int

from penchant._random import generator
from penchant._spec import Features
from penchant.calibration import Calibration, calibrate
from penchant.errors import DataError, Problem
from penchant.estimator.judged import judge
from penchant.evaluation import auc, ndcg
from penchant.losses import Loss
from penchant.model import DualAutoencoder
from penchant.nets import as_tensors, take
from penchant.tables import EncodedTables, Tables, TablesEncoder, Vocabulary
from penchant.training import Batches, KnownLikes, encode_all, pair_distances

__all__ = ["HeldOut", "Ranked", "calibration_of", "held_out_of", "with_given", "with_random_items"]

_RANKS = 100
_MOST_USERS = 10_000
"""Users who are ranked for at most, at random: their mean is known to a third of a hundredth."""
_MOST_PAIRS = 100_000
"""Training rows that stand for all where nothing is held out."""
_CELLS = 1 << 22
"""Distances held at a time."""
_TRIES = 20
"""How often an item is drawn anew for a user who likes the one that was drawn."""


@dataclass(frozen=True, eq=False)
class Ranked:
    """Held-out likes that are to be found among all items, those left out that a user is known to like already."""

    users: Features
    """The users with such likes (n rows)."""
    items: Features
    """All items (m rows)."""
    known: KnownLikes
    """What each user likes of the training rows and of what was given."""
    wanted: KnownLikes
    """What is to be found."""

    @torch.no_grad()
    def ndcg(self, model: DualAutoencoder) -> float:
        """Mean NDCG@100 (or at the number of items), each user's situation taken as missing."""
        device = next(model.parameters()).device
        users, items = (encode_all(model, s, f, device) for s, f in (("user", self.users), ("item", self.items)))
        n, every = min(_RANKS, len(items)), torch.arange(len(items), device=device)
        gains = []
        for rows in torch.arange(len(users), device=device).split(max(1, _CELLS // len(items))):
            distance = model.space.cross(users[rows], items)
            distance.masked_fill_(self.known.among(rows, every), torch.inf)
            wanted = self.wanted.among(rows, every)
            hit = wanted.gather(1, distance.topk(n, largest=False).indices)
            gains.append(ndcg(hit.cpu().numpy(), wanted.sum(1).cpu().numpy(), n))
        return float(np.concatenate(gains).mean())


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The validation rows, ready to be judged."""

    pairs: Batches
    """Pairs of both labels: the rows themselves, or likes beside random items (`with_random_items`)."""
    ranked: Ranked | None
    """What is to be found among all items; None with a pointwise neck."""

    def figure(self, model: DualAutoencoder) -> float:
        """How good the model is: NDCG@100 with a ranking neck, AUC with another."""
        if self.ranked is not None:
            return self.ranked.ndcg(model)
        distance = pair_distances(model, self.pairs).double().cpu().numpy()
        return auc(self.pairs.liked.double().cpu().numpy(), -distance)


def held_out_of(
    encoder: TablesEncoder,
    valid: Tables,
    *,
    loss: Loss,
    known: Iterable[Tables],
    rng: int,
    device: torch.device,
) -> HeldOut:
    """Make the validation rows ready.

    Arguments:
        encoder: what encodes them, their users' histories included.
        known: tables whose likes are known already: the training rows, and those that were given.

    Raises:
        DataError: with a ranking neck, no like that is not known already.
    """
    if not loss.ranking:
        return HeldOut(Batches(encoder.encode(valid), batch_size=1024, rng=rng, device=device), None)
    data = encoder.encode(valid)
    likes = _likes_of(valid, known)
    pairs = with_random_items(valid, likes, rng)
    batches = Batches(data if pairs is valid else encoder.encode(pairs), batch_size=1024, rng=rng, device=device)
    return HeldOut(batches, _ranked(data, likes, rng, device))


def _likes_of(tables: Tables, known: Iterable[Tables]) -> Int[np.ndarray, " n"]:
    """Known likes of these tables' users and items, as keys user · m + item of their row numbers, rising."""
    users, items = Vocabulary(tables.user_ids, what="user"), Vocabulary(tables.item_ids, what="item")
    keys = [np.zeros(0, dtype=np.int64)]
    for one in known:
        liked = one.interactions.filter(pl.col(one.schema.label) == 1)
        user, item = users.find(liked[one.schema.user]), items.find(liked[one.schema.item])
        there = (user >= 0) & (item >= 0)
        keys.append(user[there] * len(items) + item[there])
    return np.unique(np.concatenate(keys))


def _ranked(data: EncodedTables, known: Int[np.ndarray, " n"], rng: int, device: torch.device) -> Ranked:
    m = len(data.items)
    liked = data.label > 0.5
    wanted = np.setdiff1d(data.user[liked] * m + data.item[liked], known)
    users = np.unique(wanted // m)
    if not len(users):
        message = "every like of the validation rows is among the training rows: there is nothing to find"
        raise DataError([Problem("interactions", message, fix="Hold out likes that are not trained on")])
    if len(users) > _MOST_USERS:
        users = np.sort(generator(rng, "ranked").choice(users, _MOST_USERS, replace=False))
    return Ranked(
        take(as_tensors(data.users, device), torch.as_tensor(users, device=device)),
        as_tensors(data.items, device),
        _likes(known, users, m, device),
        _likes(wanted, users, m, device),
    )


def _likes(keys: Int[np.ndarray, " n"], users: Int[np.ndarray, " u"], m: int, device: torch.device) -> KnownLikes:
    """Likes of some users, who are numbered anew."""
    place = np.searchsorted(users, keys // m).clip(max=len(users) - 1)
    there = users[place] == keys // m
    user, item = (torch.as_tensor(part[there], device=device) for part in (place, keys % m))
    return KnownLikes(user, item, torch.ones(len(user), device=device), users=len(users), items=m)


def with_random_items(tables: Tables, known: Int[np.ndarray, " n"], rng: int) -> Tables:
    """Rows of likes alone, each beside a row that differs in the item and the label: one drawn at random, all alike,
    from the items that the user is not known to like.

    Calibrated on these, P(liked) says that a pair is rather one that was liked than one drawn at random: ½ where both
    are as frequent. It is no share of liked ones among shown ones, which likes alone do not tell.

    Arguments:
        tables: where they hold a dislike they are returned as they are.
        known: likes beside those of ``tables``, as keys user · items + item of row numbers, rising.
        rng: seed.
    """
    schema, pairs = tables.schema, tables.interactions
    if (pairs[schema.label] != 1).any():
        return tables
    users, items = Vocabulary(tables.user_ids, what="user"), Vocabulary(tables.item_ids, what="item")
    first = users.rows(pairs[schema.user]) * len(items)
    likes = np.union1d(known, first + items.rows(pairs[schema.item]))
    g = generator(rng, "random items")
    drawn = g.integers(len(items), size=len(first))
    for _ in range(_TRIES):
        again = _among(first + drawn, likes)
        drawn[again] = g.integers(len(items), size=int(again.sum()))
    kept = ~_among(first + drawn, likes)  # of a user who likes nearly everything, some stay without
    others = pairs.filter(pl.Series(kept)).with_columns(
        items.take(drawn[kept]).cast(pairs.schema[schema.item]).alias(schema.item),
        pl.lit(0).cast(pairs.schema[schema.label]).alias(schema.label),
    )
    return tables.with_interactions(pl.concat([pairs, others]))


def _among(keys: Int[np.ndarray, " n"], rising: Int[np.ndarray, " m"]) -> np.ndarray:
    place = np.searchsorted(rising, keys).clip(max=len(rising) - 1)
    return rising[place] == keys


def calibration_of(
    model: DualAutoencoder,
    held_out: HeldOut | None,
    train: Tables,
    encoder: TablesEncoder,
    *,
    loss: Loss,
    rng: int,
) -> tuple[Calibration, dict[str, np.ndarray]]:
    """Threshold and slope, and the held-out likes: ``distance``, and ``user``, a number for each one's user; beside
    them what the held-out pairs say of any threshold (`penchant.estimator.judged`).

    Where nothing is held out, a pointwise neck's own threshold and scale stand. A ranking neck has no threshold: there
    training rows are taken (each left out of its user's history), of which the model is too sure.
    """
    start = Calibration(threshold=float(model.threshold.detach()), slope=float(model.scale.detach()))
    nothing = {"distance": np.zeros(0), "user": np.zeros(0, np.int64)}
    if held_out is None:
        if not loss.ranking:
            return start, nothing
        some = train.interactions
        if len(some) > _MOST_PAIRS:
            some = some[np.sort(generator(rng, "calibration").choice(len(some), _MOST_PAIRS, replace=False))]
        rows = with_random_items(train.with_interactions(some), _likes_of(train, [train]), rng)
        device = next(model.parameters()).device
        pairs = Batches(encoder.encode(rows), batch_size=1024, rng=rng, device=device)
        return _calibrated(model, pairs, pair_distances(model, pairs, left_out=True), start), nothing
    distance = pair_distances(model, held_out.pairs)
    liked = held_out.pairs.liked.cpu().numpy() > 0.5
    d, weight = distance.double().cpu().numpy(), held_out.pairs.weight
    likes = {"distance": d[liked], "user": held_out.pairs.user.cpu().numpy()[liked]}
    judged = judge(d, liked, None if weight is None else weight.double().cpu().numpy())
    likes |= {} if judged is None else judged.arrays()
    return _calibrated(model, held_out.pairs, distance, start), likes


def _calibrated(
    model: DualAutoencoder, pairs: Batches, distance: Float[torch.Tensor, " n"], start: Calibration
) -> Calibration:
    weight = None if pairs.weight is None else pairs.weight.double().cpu().numpy()
    liked, d = pairs.liked.double().cpu().numpy(), distance.double().cpu().numpy()
    return calibrate(d, liked, weight, start=start, diameter=model.space.diameter)


def with_given(encoder: TablesEncoder, train: Tables, given: Tables) -> TablesEncoder:
    """The encoder whose users' histories hold the rows of ``given`` beside those of ``train``; nothing else changes.

    Users are those of both tables.

    Raises:
        UnknownIdError: an item that is not in the training tables.
    """
    if encoder.histories is None:
        return encoder
    known = Vocabulary(train.user_ids, what="user")
    others = given.user_ids.filter(pl.Series(known.find(given.user_ids) < 0))
    users = Vocabulary(pl.concat([known.ids, others.cast(known.ids.dtype)]), what="user")
    items = Vocabulary(train.item_ids, what="item")
    return replace(encoder, histories=encoder.histories.extended(given, users, items))
