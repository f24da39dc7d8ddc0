"""Our models of ``portraits.py``: one configuration for every case, and its variants.

The product's defaults, nothing tuned. Cases differ in their fields only: users have a history ("past") where anything
is known of test users, and ids are fields in the cases of MovieLens and, as in their schema, of the simulator and of
clothing (the pieces). Peers know the same past; the ids of items are columns of "ridge items".
"""

from dataclasses import replace
from functools import cache

import polars as pl
from _portrait_data import CASES, PortraitCase, movielens_cold, movielens_warm, simulator

from penchant import Field, Penchant, Schema, Tables
from penchant.losses import Loss
from penchant.tables.splits import split_cold_users

__all__ = ["DELTA", "DIM", "PAST", "case_of", "trained"]

PAST = "past"
"""Name of the history."""
DELTA = Loss().delta
"""Weight of the portrait term, the product's own."""
DIM = Penchant().space.dim
"""Axes, the product's own."""
_WITH_IDS = {"ml-100k warm": movielens_warm, "ml-100k cold": movielens_cold}
_QUICK = {"n_users": 80, "n_items": 60, "n_interactions": 3000}
"""The tiny tables that stand for every case where the script itself is tested."""


@cache
def case_of(name: str, seed: int, quick: bool = False) -> PortraitCase:
    """A case as our models see it: with ids, and with a history where users are known."""
    made = _tiny(name, seed) if quick else _real(name, seed)
    return made if made.cold else made.with_fields(Field(name=PAST, side="user", kind="history"))


@cache
def trained(
    name: str,
    seed: int,
    quick: bool = False,
    *,
    delta: float = DELTA,
    dim: int = DIM,
    zeta: float = 0.0,
) -> Penchant:
    """A model of a case, once a process.

    Arguments:
        delta, dim, zeta: weight of the portrait term, axes, weight of the width.
    """
    case, model = case_of(name, seed, quick), Penchant(rng=seed, device="cpu")
    model.set_params(space=replace(model.space, dim=dim), loss=replace(model.loss, delta=delta, zeta=zeta))
    if quick:
        model.set_params(epochs=2, batch_size=256)
    return model.fit(case.train, case.valid)


def _real(name: str, seed: int) -> PortraitCase:
    return _WITH_IDS[name](seed, ids=True) if name in _WITH_IDS else CASES[name](seed)


def _tiny(name: str, seed: int) -> PortraitCase:
    """A little simulation under the name of a case."""
    made = simulator(seed, liked=0.4, noise=0.05, **_QUICK)
    note = "tiny: a test of the script"
    if name.startswith("simulator"):
        return replace(made, name=name, note=note, least=3)
    parts = (made.train, made.valid, made.test)
    if name.endswith("cold"):
        rows = pl.concat([part.interactions for part in parts])
        parts = split_cold_users(made.train.with_interactions(rows), (0.5, 0.25, 0.25), rng=seed)
    train, valid, test = (_without_ids(part) for part in parts)
    return PortraitCase(name, name.endswith("cold"), train, valid, test, note, least=1, least_valid=1)


def _without_ids(tables: Tables) -> Tables:
    given = tables.schema
    fields = tuple(field for field in given.fields if field.kind != "id")
    return replace(tables, schema=Schema(fields=fields, user_id=given.user_id, item_id=given.item_id, time=given.time))
