"""How a fit goes on from an earlier one: tables that hold all that was known, networks that have grown, one space.

tables      later rows beside everybody and everything known so far, all in the rows where they were
networks    over a layout that has grown; the weights are the old ones, so that nobody is moved (`nets.growing`)
training    from there, known rows drawn to their old points (`training.anchors`)
drift       what is left of the wandering, measured
"""

from dataclasses import fields

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor

from penchant.errors import ConfigError, DataError, Problem
from penchant.estimator.drift import Drift, drift_between
from penchant.estimator.fitted import SIDES, Fitted, SideName
from penchant.model import DualAutoencoder
from penchant.nets import as_tensors
from penchant.tables import Schema, Tables
from penchant.tables.vocabulary import Vocabulary
from penchant.training import Anchored, WarmStart, encode_all

__all__ = ["anchored", "check_same_networks", "check_schema", "drift_since", "remembered", "with_known"]

_FREE = {"dropout", "unseen", "history_dropout", "history_thinned"}
"""Options of an encoder that are of training alone, and may differ from the earlier fit's."""


def check_schema(now: Schema, before: Schema) -> None:
    """Columns mean what they meant.

    Raises:
        ConfigError: a column that is gone, new or of another kind or side, or another key; every difference.
    """
    found = []
    for name in ("user_id", "item_id", "user", "item", "label", "time", "weight", "user_name", "item_name"):
        one, other = getattr(now, name), getattr(before, name)
        if one != other:
            found.append(f"schema.{name} = {one!r}: {other!r} expected")
    columns, earlier = ({(f.side, f.name): f for f in schema.fields} for schema in (now, before))
    found += [f"schema: column {name!r} of {side} is gone" for side, name in earlier if (side, name) not in columns]
    found += [f"schema: column {name!r} of {side} is new" for side, name in columns if (side, name) not in earlier]
    for key in columns.keys() & earlier.keys():
        found += _differences(columns[key], earlier[key], f"schema: column {key[1]!r}:", free={"title", "unit"})
    _refuse(found)


def check_same_networks(now: DualAutoencoder, before: DualAutoencoder) -> None:
    """Nothing is changed that weights are of.

    Raises:
        ConfigError: another option of the space, the encoders, the decoders or the kind of latent; every difference.
    """
    found = _differences(now.space, before.space, "space.", free={"cap"})
    for side in SIDES:
        one, other = (getattr(model, f"{side}_encoder").options for model in (now, before))
        found += _differences(one, other, "encoder." if side == "user" else "item_encoder.", free=_FREE)
    found += _differences(now.user_decoder.options, before.user_decoder.options, "decoder.", free=set())
    found += _differences(now.latent, before.latent, "latent.", free={"anneal", "noise"})
    _refuse(list(dict.fromkeys(found)))


def _differences(now: object, before: object, prefix: str, free: set[str]) -> list[str]:
    """Fields that differ; of another type than before: the type."""
    if type(now) is not type(before):
        return [f"{prefix}kind = {getattr(now, 'kind', '')!r}: {getattr(before, 'kind', '')!r} expected"]
    gap = " " if prefix.endswith(":") else ""
    names = [field.name for field in fields(now) if field.name not in free]  # type: ignore[arg-type]
    pairs = [(name, getattr(now, name), getattr(before, name)) for name in names]
    return [f"{prefix}{gap}{name} = {one!r}: {other!r} expected" for name, one, other in pairs if one != other]


def _refuse(found: list[str]) -> None:
    if found:
        raise ConfigError(
            "; ".join(found) + ", as in the fit that is gone on from. Fit anew, without warm_start, for another one"
        )


def with_known(users: pl.DataFrame, items: pl.DataFrame, tables: Tables) -> Tables:
    """The same interactions beside all users and items that were known, in their old rows, and then the new ones.

    A row that is given counts; who or what is not given keeps the row that was known.

    Raises:
        DataError: a column whose values have no type in common with the earlier ones.
    """
    schema = tables.schema
    return Tables(
        schema,
        _joined(users, tables.users, schema.user_id or "", "user"),
        _joined(items, tables.items, schema.item_id or "", "item"),
        tables.interactions,
    )


def _joined(known: pl.DataFrame, given: pl.DataFrame, key: str, side: SideName) -> pl.DataFrame:
    known, given = (_plain(frame) for frame in (known, given.select(c for c in known.columns if c in given.columns)))
    try:
        both = pl.concat([known, given], how="diagonal_relaxed")
    except pl.exceptions.PolarsError as error:
        odd = [c for c in known.columns if c in given.columns and known[c].dtype != given[c].dtype]
        said = ", ".join(f"{c} ({known[c].dtype}, now {given[c].dtype})" for c in odd)
        message = f"columns of another type than in the earlier fit: {said}"
        raise DataError([Problem(f"{side}s", message, fix="Cast them")]) from error
    row = Vocabulary(known[key], what=side).find(given[key])
    rows = np.arange(known.height)
    rows[row[row >= 0]] = known.height + np.flatnonzero(row >= 0)
    return both[np.concatenate([rows, known.height + np.flatnonzero(row < 0)])]


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Text as text: two sets of categories have no type in common."""
    texts = (name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Categorical | pl.Enum))
    return frame.with_columns(pl.col(name).cast(pl.String) for name in texts)


def remembered(start: Fitted) -> Tables:
    """What was learned from earlier: user, item and label of each pair, the latest of several."""
    schema = start.schema
    user, item = (start.known[side].vocabulary.take(start.seen[side].to_numpy()) for side in SIDES)
    pairs = {schema.user: user, schema.item: item, schema.label: start.seen["liked"].cast(pl.Int64)}
    return Tables(schema, start.known["user"].frame, start.known["item"].frame, pl.DataFrame(pairs))


def anchored(start: Fitted, options: WarmStart, device: torch.device) -> Anchored | None:
    """Known rows as they were, with their points; None where nothing is to hold them."""
    if not options.anchor:
        return None
    users, items = (
        (as_tensors(start.encoded(side, known.frame, known.vocabulary.ids), device), known.points.to(device))
        for side, known in ((side, start.known[side]) for side in SIDES)
    )
    return Anchored(users, items, options)


def drift_since(start: Fitted, model: DualAutoencoder, threshold: float, rng: int) -> Drift | None:
    """How far known rows, as they were, have wandered; None where nobody or nothing was known."""
    old: dict[str, Float[Tensor, "_ k"]] = {}
    new: dict[str, Float[Tensor, "_ k"]] = {}
    for side in SIDES:
        known, device = start.known[side], next(model.parameters()).device
        if not len(known.points):
            return None
        old[side] = known.points.to(device)
        new[side] = encode_all(model, side, start.encoded(side, known.frame, known.vocabulary.ids), device)
    return drift_between(model.space, old, new, (start.calibration.threshold, threshold), rng)
