"""Any metric as a sup norm: Kuratowski's embedding, as a recommender.

    e_x = (d(x, a_1), …, d(x, a_m)),  a_j all items   ⇒   max_j |e_u,j − e_i,j| = d(u, i)   for every item i

≤ by the triangle inequality, ≥ from the axis of i itself. So a sup norm on as many axes as there are items ranks as any
metric does; on fewer axes it does not. What it costs is the number of axes.

Source: Kuratowski 1935, Fund. Math. 25; Fréchet 1910.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import torch

from penchant import Penchant, Recommender, Tables

__all__ = ["DistancesAsAxes"]


class DistancesAsAxes(Recommender):
    """A `Penchant` whose points are replaced by their distances to all items, compared by the sup norm."""

    serves_new_users: ClassVar[bool] = False
    serves_new_items: ClassVar[bool] = False
    personal: ClassVar[bool] = True
    folds_in: ClassVar[bool] = True

    def __init__(self, *, model: Penchant, rng: int = 0) -> None:
        self.model, self.rng = model, rng

    def fit(self, train: Tables, valid: Tables | None = None, *, given: Tables | None = None) -> Self:
        """Fit a copy of the model, by this seed, and take the distances."""
        made = Penchant(**{**self.model.get_params(deep=False), "rng": self.rng})
        self._fitted = made.fit(train, valid, given=given)
        self._key, self._items = train.schema.item, train.item_ids
        self._points = torch.from_numpy(self._fitted.encode("item", train.item_ids.to_list()))
        self._axes = self._to_items(self._points).fill_diagonal_(0.0)
        return self

    def _to_items(self, points: torch.Tensor) -> torch.Tensor:
        return self._fitted.space_.cross(points, self._points)

    def predict_proba(self, tables: Tables) -> pl.DataFrame:
        """As the model's own."""
        return self._fitted.predict_proba(tables)

    def recommend(
        self,
        users: Any,
        *,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Sequence[Any] | None = None,
    ) -> pl.DataFrame:
        """The nearest items by the sup norm, for users given by their past."""
        many = list(users)
        past = self._fitted.schema_.history.name
        rows = [{past: {"liked": row["liked"]}} if isinstance(row, Mapping) else row for row in many]
        axes = self._to_items(torch.from_numpy(self._fitted.encode("user", rows)))
        place = {item: j for j, item in enumerate(self._items.to_list())}
        found = []
        for number, (row, own) in enumerate(zip(many, axes, strict=True)):
            score = -(own - self._axes).abs().amax(1).double().numpy()
            if exclude_seen:
                score[[place[item] for item in row["liked"]]] = -np.inf
            best = np.argsort(-score, kind="stable")[:n]
            best = best[np.isfinite(score[best])]
            found.append(
                pl.DataFrame(
                    {
                        "row": [number] * len(best),
                        "rank": np.arange(1, len(best) + 1),
                        self._key: self._items.gather(best),
                        "score": score[best],
                    }
                )
            )
        return pl.concat(found)
