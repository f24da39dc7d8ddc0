"""CML: users and items in one metric space, likes near, by sampled negatives."""

import math

import numpy as np
import torch
from jaxtyping import Float, Float64
from scipy import sparse
from torch import Tensor
from torch.nn import functional

from penchant.baselines._ball import BallOptions, Batch, learn_in_ball
from penchant.baselines._limits import check_number
from penchant.baselines._scored import Product, Scored
from penchant.losses import covariance, warp

__all__ = ["CML"]


class CML(Scored):
    """Collaborative metric learning: score(u, i) = −‖α_u − β_i‖², α and β in the unit ball.

        L = mean over likes (u, i) of w_ui·[m + ‖α_u − β_i‖² − min_j ‖α_u − β_j‖²]₊ + λ_c·L_c
        w_ui = log(1 + J·M/U)

    j runs over U = ``negatives`` items drawn from those that u does not like, of which M come nearer than
    ‖α_u − β_i‖² + m: J·M/U estimates the rank of i among all J items. Likes also count by their own weights. L_c is
    `penchant.losses.covariance` on the users and liked items of a batch: as in the paper but for its first term,
    which has to be squared (‖C‖² − ‖diag C‖², not ‖C‖ − ‖diag C‖²) to be 0 where axes say different things.
    Adagrad, no weight decay; after each step vectors longer than 1 are cut to 1.

    Source: Hsieh, Yang, Cui, Lin, Belongie, Estrin, WWW 2017, doi 10.1145/3038912.3052639, without its term on item
    features. Cannot: serve new users, who have no vector; rank items nobody liked, which were only ever pushed
    away; use features or dislikes.

    Probabilities, and users without likes: see `predict_proba`, and the class `Scored` it comes from.
    """

    def __init__(
        self,
        *,
        dim: int = 64,
        margin: float = 1.0,
        covariance: float = 100.0,
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
            covariance: λ_c, at least 0; L_c is small, as it is a mean over a batch of squares of covariances.
            negatives: U, at least 1; the more, the harder the one that is pushed.
            epochs: how often each like is looked at, at least 1.
            batch_size: likes in a step, at least 1.
            learning_rate: of Adagrad, above 0.
            rng: seed.
        """
        self.dim, self.margin, self.covariance, self.negatives = dim, margin, covariance, negatives
        self.epochs, self.batch_size, self.learning_rate, self.rng = epochs, batch_size, learning_rate, rng

    def _learn(self, likes: sparse.csr_array) -> Product:
        options = BallOptions(self.dim, self.negatives, self.epochs, self.batch_size, self.learning_rate, self.rng)
        check_number("margin", self.margin)
        check_number("covariance", self.covariance)
        return distances(*learn_in_ball(likes, self._loss, options))

    def _loss(self, users: Float[Tensor, "n k"], items: Float[Tensor, "m k"], batch: Batch) -> Float[Tensor, ""]:
        """L of the class docstring."""
        user, item, others = (
            functional.embedding(rows, table)
            for rows, table in ((batch.user, users), (batch.item, items), (batch.negatives, items))
        )
        near = (user - item).square().sum(-1)
        far = (user[:, None] - others).square().sum(-1)
        chance = torch.full((far.shape[1],), math.log(far.shape[1] / len(items)), dtype=far.dtype)
        loss = warp(near, far, margin=self.margin, log_q=chance, weight=batch.weight)
        return loss + self.covariance * covariance(torch.cat([user, item]))


def distances(users: Float64[np.ndarray, "n k"], items: Float64[np.ndarray, "m k"]) -> Product:
    """−‖x − y‖² = 2 x·y − ‖x‖² − ‖y‖² as a product of two matrices."""
    left = np.column_stack([2 * users, np.square(users).sum(1), np.ones(len(users))])
    right = np.vstack([items.T, -np.ones(len(items)), -np.square(items).sum(1)])
    return Product(left, right, unknown=None)
