"""TransCF: a user is moved towards each item by a vector of its own, made of both neighbourhoods."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Float, Float64, Int
from scipy import sparse
from torch import Tensor
from torch.nn import functional

from penchant.baselines._ball import BallOptions, Batch, learn_in_ball
from penchant.baselines._limits import check_number
from penchant.baselines._scored import Product, Scored
from penchant.losses import weighted_mean

__all__ = ["TransCF"]


class TransCF(Scored):
    """Collaborative translational metric learning: score(u, i) = −‖α_u + r_ui − β_i‖², α and β in the unit ball.

        r_ui = a_u ⊙ b_i,  a_u = mean of β over the items u likes,  b_i = mean of α over the users who like i
        L = mean [m + ‖α_u + r_ui − β_i‖² − ‖α_u + r_uj − β_j‖²]₊
            + λ_n·(mean_u ‖α_u − a_u‖² + mean_i ‖β_i − b_i‖²) + λ_d·mean ‖α_u + r_ui − β_i‖²

    The means are over likes (u, i) of a batch, its users and its liked items; j runs over ``negatives`` items drawn
    from those that u does not like. Likes count by their weights, in neighbourhoods too. The gradient goes through the
    neighbourhoods. Adagrad; after each step vectors longer than 1 are cut to 1. All scores of a user are one
    product of matrices: the square is expanded.

    Source: Park, Kim, Xie, Yu, ICDM 2018, doi 10.1109/ICDM.2018.00052, arXiv 1906.01637. Cannot: serve new users, who
    have no vector; rank items nobody liked, which were only ever pushed away; use features or dislikes. With r, −score
    is no metric: it may break the triangle inequality.

    Probabilities, and users without likes: see `predict_proba`, and the class `Scored` it comes from.
    """

    def __init__(
        self,
        *,
        dim: int = 64,
        margin: float = 1.0,
        neighbourhood: float = 0.01,
        nearness: float = 0.01,
        negatives: int = 5,
        epochs: int = 30,
        batch_size: int = 1024,
        learning_rate: float = 0.05,
        rng: int = 0,
    ) -> None:
        """Store the options.

        Arguments:
            dim: axes of the space, at least 1.
            margin: m, by how much a liked item is to be nearer than others, a squared distance at least 0.
            neighbourhood: λ_n, at least 0: draws users to the items they like, and items to those who like them.
            nearness: λ_d, at least 0: draws translated users to the items they like.
            negatives: items drawn for each like, at least 1.
            epochs: how often each like is looked at, at least 1.
            batch_size: likes in a step, at least 1.
            learning_rate: of Adagrad, above 0.
            rng: seed.
        """
        self.dim, self.margin, self.neighbourhood, self.nearness = dim, margin, neighbourhood, nearness
        self.negatives, self.epochs, self.batch_size = negatives, epochs, batch_size
        self.learning_rate, self.rng = learning_rate, rng

    def _learn(self, likes: sparse.csr_array) -> Product:
        options = BallOptions(self.dim, self.negatives, self.epochs, self.batch_size, self.learning_rate, self.rng)
        for name in ("margin", "neighbourhood", "nearness"):
            check_number(name, getattr(self, name))
        liked, likers = Neighbours.of(likes), Neighbours.of(sparse.csr_array(likes.T))

        def loss(users: Float[Tensor, "n k"], items: Float[Tensor, "m k"], batch: Batch) -> Float[Tensor, ""]:
            return self._loss(users, items, batch, liked, likers)

        users, items = learn_in_ball(likes, loss, options)
        return translated(users, items, liked.share @ items, likers.share @ users)

    def _loss(
        self,
        users: Float[Tensor, "n k"],
        items: Float[Tensor, "m k"],
        batch: Batch,
        liked: "Neighbours",
        likers: "Neighbours",
    ) -> Float[Tensor, ""]:
        """L of the class docstring."""
        some, of_user = batch.user.unique(return_inverse=True)
        every, of_item = torch.cat([batch.item[:, None], batch.negatives], 1).unique(return_inverse=True)
        alpha, a = users[some], liked.mean(some, items)
        beta, b = items[every], likers.mean(every, users)
        user, towards = (functional.embedding(of_user, each)[:, None] for each in (alpha, a))
        item, back = (functional.embedding(of_item, each) for each in (beta, b))
        squared = (user + towards * back - item).square().sum(-1)  # (b, 1 + n): the liked item first
        near, far = squared[:, 0], squared[:, 1:]
        hinge = functional.relu(self.margin + near[:, None] - far).mean(1)
        own = of_item[:, 0].unique()
        apart = (alpha - a).square().sum(1).mean() + (beta[own] - b[own]).square().sum(1).mean()
        return weighted_mean(hinge + self.nearness * near, batch.weight) + self.neighbourhood * apart


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Whose vectors a row's neighbourhood is the mean of."""

    share: sparse.csr_array
    """(rows, others): weights of likes, adding up to 1 in each row that has some."""

    @classmethod
    def of(cls, likes: sparse.csr_array) -> Self:
        """Of the rows of a matrix."""
        total = np.asarray(likes.sum(axis=1)).reshape(-1)
        return cls(sparse.csr_array(likes.multiply(1 / np.where(total > 0, total, 1)[:, None])))

    def mean(self, rows: Int[Tensor, " r"], others: Float[Tensor, "n k"]) -> Float[Tensor, "r k"]:
        """The neighbourhoods of some rows; 0 where there are no neighbours."""
        share = self.share[rows.numpy()]
        places, starts = (torch.from_numpy(each.astype(np.int64)) for each in (share.indices, share.indptr[:-1]))
        weight = torch.from_numpy(share.data.astype(np.float32))
        return functional.embedding_bag(places, others, starts, per_sample_weights=weight, mode="sum")


def translated(
    alpha: Float64[np.ndarray, "n k"],
    beta: Float64[np.ndarray, "m k"],
    a: Float64[np.ndarray, "n k"],
    b: Float64[np.ndarray, "m k"],
) -> Product:
    """−‖α + a⊙b − β‖² of all users and items as a product of two matrices of 4k + 2 axes.

    −‖α‖² − ‖β‖² − a²·b² − 2 (α⊙a)·b + 2 α·β + 2 a·(b⊙β)
    """
    left = [-np.square(alpha).sum(1), np.ones(len(alpha)), -np.square(a), -2 * alpha * a, 2 * alpha, 2 * a]
    right = [np.ones(len(beta)), -np.square(beta).sum(1), np.square(b), b, beta, b * beta]
    return Product(np.column_stack(left), np.column_stack(right).T, unknown=None)
