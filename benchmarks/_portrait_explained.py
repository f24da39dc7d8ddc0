"""The case ``explain`` of ``portraits.py``: explanations held against the model asked anew, a changed row at a time.

Every change of a field, every effect of leaving a value out, and every earlier item left out is asked of
`Penchant.encode` with a row that is written out here; nothing of `penchant.portraits` is used.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import torch
from _portrait_models import PAST, case_of, trained

from penchant import Penchant

__all__ = ["largest_difference"]

_CASE = "ml-100k warm"
_CHANGES = 40
"""Changes of each pair that are asked anew at most, at random; of the history as many entries."""


def largest_difference(seed: int, *, quick: bool = False, pairs: int = 1000) -> dict[str, float]:
    """The largest difference of a distance over all pairs, and how many figures were compared."""
    model, g = trained(_CASE, seed, quick), np.random.default_rng([seed, 4])
    users = model.users_[model.schema_.user_id or ""].to_list()
    items = model.items_[model.schema_.item_id or ""].to_list()
    train = case_of(_CASE, seed, quick).train
    worst, compared = 0.0, 0
    for _ in range(pairs):
        user, item = users[int(g.integers(len(users)))], items[int(g.integers(len(items)))]
        told = model.explain(user, item, max_changes=1)
        differences = np.concatenate(
            [_of_changes(model, user, item, told.changes, g), _of_past(model, train, user, item, told.history, g),
             [abs(told.distance - _distances(model, user, [_row(model, item)])[0])]]
        )  # fmt: skip
        worst, compared = max(worst, float(differences.max())), compared + len(differences)
    return {"largest difference": worst, "pairs": float(pairs), "figures compared": float(compared)}


def _row(model: Penchant, item: Any) -> dict[str, Any]:
    key = model.schema_.item_id or ""
    row = model.items_.filter(pl.col(key) == item).row(0, named=True)
    return {field.name: row[field.name] for field in model.schema_.side("item")}


def _distances(model: Penchant, user: Any, rows: list[Mapping[str, Any]]) -> np.ndarray:
    ends = (torch.from_numpy(model.encode(side, who)).double() for side, who in (("user", user), ("item", rows)))
    return model.space_.base_distance(*ends).numpy()


def _of_changes(model: Penchant, user: Any, item: Any, changes: pl.DataFrame, g: np.random.Generator) -> np.ndarray:
    """Each change as a row of its own; of numbers whole ones, whose words are the values."""
    kinds = {field.name: field.kind for field in model.schema_.side("item")}
    whole = [name for name, kind in kinds.items() if kind != "numeric" or model.items_[name].dtype.is_integer()]
    readable = [name for name in whole if kinds[name] in ("numeric", "category", "tags", "id")]
    some = changes.filter(pl.col("how") != "unseen", (pl.col("how") == "missing") | pl.col("field").is_in(readable))
    some = some[np.sort(g.permutation(len(some))[:_CHANGES])]
    now = _row(model, item)
    rows = [
        {**now, field: _changed(now[field], how, value, model.items_[field])}
        for field, how, value in some.select("field", "how", "value").iter_rows()
    ]
    found = _distances(model, user, [now, *rows])
    change = np.abs(some["change"].to_numpy() - (found[1:] - found[0]))
    return np.concatenate([np.abs(some["distance"].to_numpy() - found[1:]), change])


def _changed(now: Any, how: str, words: str, column: pl.Series) -> Any:
    if how == "missing":
        return None
    if how == "removed":
        return [tag for tag in now if tag != words]
    if how == "added":
        return [*(now or []), words]
    if column.dtype == pl.List:
        return [] if words == "none" else words.split(", ")
    return int(words.split()[0]) if column.dtype.is_integer() else words


def _of_past(
    model: Penchant, train: Any, user: Any, item: Any, history: pl.DataFrame, g: np.random.Generator
) -> np.ndarray:
    """The history without one entry, as a user in no table with the same features brings it along."""
    schema = model.schema_
    shown = schema.item_name or schema.item_id or ""
    ids = model.items_.select(item=pl.col(shown), key=pl.col(schema.item_id or ""))
    once = ids.filter(pl.len().over("item") == 1)
    pairs = train.interactions.filter(pl.col(schema.user) == user).unique(schema.item, keep="last", maintain_order=True)
    told = history.join(once, on="item", how="inner", maintain_order="left")
    told = told[np.sort(g.permutation(len(told))[:_CHANGES])]
    own = model.users_.filter(pl.col(schema.user_id or "") == user).row(0, named=True)
    features = {field.name: own[field.name] for field in schema.side("user") if field.name in own}
    rows = []
    for without in told["key"].to_list():
        rest = pairs.filter(pl.col(schema.item) != without)
        liked, not_liked = (rest.filter(pl.col("label") == y)[schema.item].to_list() for y in (1, 0))
        rows.append({**features, PAST: {"liked": liked, "disliked": not_liked}})
    if not rows:
        return np.zeros(0)
    points = torch.from_numpy(model.encode("user", rows)).double()
    there = torch.from_numpy(model.encode("item", item)).double()
    return np.abs(told["distance"].to_numpy() - model.space_.base_distance(points, there).numpy())
