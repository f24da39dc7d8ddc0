"""The expensive ways to follow users: everything learned anew each day, and a peer's partial updates."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from _dynamics_stream import Stream
from jaxtyping import Float
from scipy import sparse

from penchant import Penchant, Tables

__all__ = ["PartialUpdates", "Refitted"]

_WARM_EPOCHS = 2
"""Of a warm start: the best one by held-out rows was the first to the third."""


class Refitted:
    """A model of all events before each day: the ceiling. As many epochs as the first one took, no validation.

    With ``warm``, a fitted model that is gone on from instead, each day on the events since the day before alone.
    """

    def __init__(
        self, train: Tables, valid: Tables, events: Tables, *, epochs: int = 8, warm: Penchant | None = None
    ) -> None:
        self.rows = pl.concat([train.interactions, valid.interactions])
        self.train, self.epochs, self.day = train, epochs, -1
        self.model, self.learned = copy.copy(warm), 0
        self.stream = events.interactions.sort("timestamp", maintain_order=True)
        self.items = self.users = np.zeros((0, 0))

    def score(self, stream: Stream, user: int, time: float) -> Float[np.ndarray, " m"]:
        if int(time) != self.day:
            self.day = int(time)
            self._fit(int((stream.time < self.day).sum()))
        return -replace(stream, items=self.items).distance(self.users[user])

    def learn(self, stream: Stream, place: int) -> None:
        """At the next day."""

    def _fit(self, n: int) -> None:
        model = self._cold(n) if self.model is None else self._warm(self.model, n)
        self.items, self.users = (model._fitted.known[side].points.double().numpy() for side in ("item", "user"))

    def _cold(self, n: int) -> Penchant:
        tables = self.train.with_interactions(pl.concat([self.rows, self.stream[:n].select(self.rows.columns)]))
        return Penchant(rng=0, epochs=self.epochs).fit(tables)

    def _warm(self, model: Penchant, n: int) -> Penchant:
        since = self.stream[self.learned : n].select(self.rows.columns)
        if since["label"].n_unique() == 2:  # a day of one label waits for the next one
            model.set_params(epochs=_WARM_EPOCHS).fit(self.train.with_interactions(since), warm_start=True)
            self.learned = n
        return model


class PartialUpdates:
    """implicit's iALS: a user's factors are solved anew after each like, the items' stay."""

    def __init__(self, train: Tables, valid: Tables, fitted: Any) -> None:
        from implicit.cpu.als import AlternatingLeastSquares

        users, items = (fitted.known[side].vocabulary for side in ("user", "item"))
        rows = pl.concat([train.interactions, valid.interactions]).filter(pl.col("label") == 1)
        shape = (len(users.ids), len(items.ids))
        places = users.rows(rows["user_id"]), items.rows(rows["movie_id"])
        self.likes = sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), places), shape=shape).tolil()
        self.model = AlternatingLeastSquares(factors=32, regularization=1.0, alpha=5.0, random_state=0, num_threads=1)
        self.model.fit(self.likes.tocsr(), show_progress=False)
        self.factors = {}  # type: ignore[var-annotated]

    def score(self, stream: Stream, user: int, time: float) -> Float[np.ndarray, " m"]:
        if user not in self.factors:
            own = self.likes[user].tocsr()
            found = self.model.recalculate_user(np.zeros(1, dtype=np.int32), own) if own.nnz else np.zeros((1, 32))
            self.factors[user] = np.atleast_2d(found)[0]
        scores: np.ndarray = self.model.item_factors @ self.factors[user]
        return scores.astype(np.float64)

    def learn(self, stream: Stream, place: int) -> None:
        if stream.liked[place]:
            self.likes[int(stream.user[place]), int(stream.item[place])] = 1.0
            self.factors.pop(int(stream.user[place]), None)
