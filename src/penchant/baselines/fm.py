"""The factorization machine: logistic regression with a learned product of each pair of features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from jaxtyping import Int64
from scipy import sparse
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from penchant._random import generator
from penchant._spec import Features
from penchant.baselines._catalogue import Asked, Catalogue
from penchant.baselines._design import design, design_width, without_ids
from penchant.baselines._limits import check_count
from penchant.baselines._machine import Designs, MachineOptions, Negatives, Pairs, Sums, Weights, learn
from penchant.baselines._scored import Product
from penchant.errors import DataError, Problem
from penchant.recommender import Recommender
from penchant.tables import EncodedTables, SideEncoder, Tables, TablesEncoder, Vocabulary

__all__ = ["FM"]


@dataclass(frozen=True, slots=True)
class _Fitted:
    catalogue: Catalogue
    encoder: TablesEncoder
    users: pl.DataFrame
    """The user table."""
    items: Sums
    """Of the known items."""
    weights: Weights


class FM(Recommender):
    """P(liked) = σ(b + Σ_j w_j x_j + Σ_{j < l} v_j·v_l x_j x_l), fitted to the labels by log loss.

    x holds the features of user, item and situation side by side, as in `LogisticRegression` (numbers in [0, 1], a
    place for each category, flag of what is missing, and id); the tags of a row add up to 1. While training, ``unseen``
    of the ids are moved to the place of unseen ones, so that features carry new users and items. Adam with decoupled
    weight decay. Where validation rows hold both labels, training stops once their AUC has not risen for ``patience``
    epochs, and the best epoch's weights are kept. Where there are likes only, ``negatives`` pairs are drawn for each
    like, anew each epoch, from the items that somebody likes and the user does not; P is then an order, not a
    frequency. `recommend` takes the situation as missing.

    Source: Rendle, ICDM 2010, doi 10.1109/ICDM.2010.127; decoupled decay: Loshchilov, Hutter 2019, arXiv 1711.05101.
    Cannot: say more of a pair of features than one product of vectors; use a history, which only leaves out what was
    seen.
    """

    serves_new_users: ClassVar[bool] = True
    serves_new_items: ClassVar[bool] = True
    personal: ClassVar[bool] = True

    def __init__(
        self,
        *,
        dim: int = 16,
        negatives: int = 5,
        unseen: float = 0.1,
        weight_decay: float = 0.1,
        epochs: int = 50,
        patience: int = 4,
        batch_size: int = 1024,
        learning_rate: float = 0.01,
        rng: int = 0,
    ) -> None:
        """Store the options.

        Arguments:
            dim: axes of the vectors v, at least 1.
            negatives: pairs drawn for each like where there are no dislikes, at least 1.
            unseen: share of ids moved to the place of unseen ones, at least 0, below 1.
            weight_decay: of w and v, at least 0.
            epochs: how often each row is looked at, at most where validation rows stop it; at least 1.
            patience: epochs without a rise, at least 1.
            batch_size: rows in a step, at least 1.
            learning_rate: of Adam, above 0.
            rng: seed.
        """
        self.dim, self.negatives, self.unseen, self.weight_decay = dim, negatives, unseen, weight_decay
        self.epochs, self.patience, self.batch_size = epochs, patience, batch_size
        self.learning_rate, self.rng = learning_rate, rng

    def fit(self, train: Tables, valid: Tables | None = None) -> Self:
        """Learn from the rows of ``train`` that weigh something; ``valid`` says when to stop.

        Raises:
            DataError: no interaction, dislikes only, or likes only where everybody likes everything.
            ConfigError: an option outside its range.
        """
        options = self._options()
        check_count("negatives", self.negatives)
        encoder = TablesEncoder.fit(train)
        rows = encoder.encode(train)
        pairs, designs = _taught(rows, train), _designs(encoder, rows)
        negatives = _negatives(pairs, train, self.negatives)
        watched = None if valid is None else _Watched.of(encoder, valid, train, self.negatives, self.rng)
        figure = None if watched is None else watched.auc
        weights = learn(designs, pairs, _stand_in(encoder), options, negatives=negatives, figure=figure)
        items = weights.sums(1, designs.items)
        self._fitted = _Fitted(Catalogue.of(train), encoder, train.users, items, weights)
        return self

    def _options(self) -> MachineOptions:
        return MachineOptions(
            dim=self.dim,
            unseen=self.unseen,
            weight_decay=self.weight_decay,
            epochs=self.epochs,
            patience=self.patience,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            rng=self.rng,
        )

    def predict_proba(self, tables: Tables) -> pl.DataFrame:
        """P(liked) of each pair, in order; users and items may be new, their features are what counts."""
        fitted: _Fitted = self._check_fitted()
        rows = fitted.encoder.encode(tables)
        logit = fitted.weights.logits(_designs(fitted.encoder, rows), _pairs(rows))
        keys = tables.interactions.select(tables.schema.user, tables.schema.item)
        return keys.with_columns(probability=pl.Series(expit(logit), dtype=pl.Float64))

    def recommend(
        self,
        users: Any,
        *,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Sequence[Any] | None = None,
    ) -> pl.DataFrame:
        """The likeliest items, the situation taken as missing; ties as in the item table, see `Recommender.recommend`.

        Items of a past that a row names, ``{"liked": ids, …}``, are left out as seen; the score does not know it.
        """
        fitted: _Fitted = self._check_fitted()
        catalogue, asked = fitted.catalogue, fitted.catalogue.ask(users)
        user, side = self._of_users(asked), fitted.encoder.context
        context = fitted.weights.sums(2, _design(side, side.encode_rows([{}])))
        left = np.column_stack([user.total + context.total, np.ones(len(user.own))])
        product = Product(left, np.vstack([fitted.items.total.T, fitted.items.own]))
        frame, query, value = catalogue.rank_scores(
            asked, product.rows, catalogue.candidates(candidates), n=n, exclude_seen=exclude_seen
        )
        same = fitted.weights.bias + user.own + context.own + user.total @ context.total[0]
        return frame.with_columns(score=pl.Series(expit(value + same[query]), dtype=pl.Float64))

    def _of_users(self, asked: Asked) -> Sums:
        fitted: _Fitted = self._check_fitted()
        side = fitted.encoder.user
        given = asked.given
        features = side.encode(fitted.users[asked.rows]) if given is None else side.encode_rows(given.rest)
        return fitted.weights.sums(0, _design(side, features))


@dataclass(frozen=True, slots=True)
class _Watched:
    """Held-out pairs that training is stopped by."""

    designs: Designs
    pairs: Pairs

    @classmethod
    def of(cls, encoder: TablesEncoder, valid: Tables, known: Tables, each: int, rng: int) -> "_Watched | None":
        """From validation rows, with negatives drawn once where all are likes; None where these cannot tell."""
        rows = encoder.encode(valid)
        pairs = _weighing(_pairs(rows))
        if pairs.label.all() and len(pairs.label):
            negatives = Negatives.of(_likes(valid, known), each)
            pairs = negatives.add(pairs, generator(rng, "valid"))
        return cls(_designs(encoder, rows), pairs) if len(np.unique(pairs.label)) == 2 else None

    def auc(self, weights: Weights) -> float:
        """How likely a like of these is put above a dislike."""
        logit = weights.logits(self.designs, self.pairs)
        return float(roc_auc_score(self.pairs.label, logit, sample_weight=self.pairs.weight))


def _stand_in(encoder: TablesEncoder) -> Int64[np.ndarray, " width"]:
    """The column of a design that stands for each in rows of something new."""
    layouts = [side.layout for side in (encoder.user, encoder.item, encoder.context)]
    starts = np.cumsum([0, *(design_width(layout) for layout in layouts)])
    return np.concatenate([start + without_ids(layout) for start, layout in zip(starts, layouts, strict=False)])


def _design(side: SideEncoder, features: Features) -> sparse.csr_array:
    return design(side.layout, features, share_tags=True)


def _designs(encoder: TablesEncoder, rows: EncodedTables) -> Designs:
    nothing = sparse.csr_array((len(rows), 0), dtype=np.float32)
    context = nothing if rows.context is None else _design(encoder.context, rows.context)
    return Designs(_design(encoder.user, rows.users), _design(encoder.item, rows.items), context)


def _pairs(rows: EncodedTables) -> Pairs:
    label, weight = (rows.label > 0.5).astype(np.float64), rows.weight.astype(np.float64)
    return Pairs(rows.user, rows.item, np.arange(len(rows)), label, weight)


def _weighing(pairs: Pairs) -> Pairs:
    """Those that weigh something."""
    return pairs.take(np.flatnonzero(pairs.weight > 0))


def _taught(rows: EncodedTables, train: Tables) -> Pairs:
    """The rows that teach, which weigh 1 on average.

    Raises: DataError: there is none, or dislikes only.
    """
    pairs = _weighing(_pairs(rows))
    if not pairs.label.any():
        message = "training needs liked rows, found none that weighs more than 0"
        raise DataError([Problem("interactions", message, train.schema.label)])
    return pairs._replace(weight=pairs.weight / pairs.weight.mean())


def _negatives(pairs: Pairs, train: Tables, each: int) -> Negatives | None:
    """To be drawn where all pairs are likes.

    Raises: DataError: there is nothing to draw.
    """
    if not pairs.label.all():
        return None
    negatives = Negatives.of(_likes(train), each)
    if not negatives.any(pairs):
        message = "training needs dislikes, or items that not everybody likes, found neither"
        raise DataError([Problem("interactions", message, train.schema.label)])
    return negatives


def _likes(tables: Tables, *others: Tables) -> sparse.csr_array:
    """(users, items) of the first tables: 1 where these or the others hold a like."""
    users, items = Vocabulary(tables.user_ids, what="user"), Vocabulary(tables.item_ids, what="item")
    likes = sparse.csr_array((len(users), len(items)))
    for one in (tables, *others):
        pairs = one.interactions.filter(pl.col(one.schema.label) > 0)
        user, item = users.find(pairs[one.schema.user]), items.find(pairs[one.schema.item])
        known = np.flatnonzero((user >= 0) & (item >= 0))
        likes = likes + sparse.csr_array((np.ones(len(known)), (user[known], item[known])), shape=likes.shape)
    return sparse.csr_array(likes)
