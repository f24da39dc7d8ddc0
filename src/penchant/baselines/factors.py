"""Matrix factorisation of likes by alternating least squares."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from jaxtyping import Float64, Int64
from scipy import sparse

from penchant._random import generator
from penchant.baselines._limits import check_count, check_number
from penchant.baselines._scored import Product, Scored
from penchant.errors import ConfigError

__all__ = ["MF"]

_DEVIATION = 0.1
"""Of the length of an item's vector at the start, as in Rendle et al."""

_NUMBERS = 4_000_000
"""Numbers in the largest array of a half-step: 32 MB."""


class MF(Scored):
    """Matrix factorisation of implicit likes (iALS): score(u, i) = w_u·h_i.

        L(W, H) = Σ_{(u, i) liked} x_ui·(w_u·h_i − 1)² + α Σ_u Σ_i (w_u·h_i)²
                  + λ [Σ_u (x_u + α·|I|)^ν·‖w_u‖² + Σ_i (x_i + α·|U|)^ν·‖h_i‖²]

    x_ui is the weight of a like, x_u = Σ_i x_ui and x_i = Σ_u x_ui. All users, then all items are set to their minimum
    of L, given the others: a linear system each, with αHᵀH shared by all users. L never rises. The last step is
    the users', so that a new user's past, folded in by the same step, gives the vector of a known user of these likes.
    Users and items without likes have the vector 0. The package `implicit` is not used where it is installed: results
    would depend on what is.

    Source: Hu, Koren, Volinsky, ICDM 2008, doi 10.1109/ICDM.2008.22; unobserved weight α and the penalty that grows
    with frequency by ν: Rendle, Krichene, Zhang, Koren, RecSys 2022, arXiv 2110.14037. Cannot: score items nobody
    liked, nor use features or dislikes.

    Probabilities, and users without likes: see `predict_proba`, and the class `Scored` it comes from.
    """

    folds_in: ClassVar[bool] = True

    def __init__(
        self,
        *,
        dim: int = 64,
        unobserved: float = 0.003,
        penalty: float = 0.03,
        exponent: float = 1.0,
        epochs: int = 15,
        rng: int = 0,
    ) -> None:
        """Store the options.

        Arguments:
            dim: axes of the vectors, at least 1.
            unobserved: α, how much any pair counts as not liked, above 0. Tune it together with λ: what is best differs
                between data sets by a factor of 30.
            penalty: λ, above 0.
            exponent: ν in [0, 1]: 0 is a penalty alike for all, 1 one that grows with the likes.
            epochs: how often all vectors are solved for, at least 1.
            rng: seed of the items' vectors at the start.
        """
        self.dim, self.unobserved, self.penalty, self.exponent = dim, unobserved, penalty, exponent
        self.epochs, self.rng = epochs, rng

    def _learn(self, likes: sparse.csr_array) -> Product:
        check_count("dim", self.dim)
        check_count("epochs", self.epochs)
        check_number("unobserved", self.unobserved, above=True)
        check_number("penalty", self.penalty, above=True)
        if not 0 <= self.exponent <= 1:
            raise ConfigError(f"exponent = {self.exponent}: a number in [0, 1] expected")
        step = HalfStep(self.unobserved, self.penalty, self.exponent)
        start = generator(self.rng, "items").standard_normal((likes.shape[1], self.dim))
        liked, items = sparse.csr_array(likes.T), start * (_DEVIATION / np.sqrt(self.dim))
        for _ in range(self.epochs):
            items = step.solve(liked, step.solve(likes, items))
        return Product(step.solve(likes, items), items.T, fold_in=partial(step.solve, others=items))


@dataclass(frozen=True, slots=True)
class HalfStep:
    """One side's vectors from the other side's; the letters are those of `MF`."""

    unobserved: float
    """α"""
    penalty: float
    """λ"""
    exponent: float
    """ν"""

    def solve(self, likes: sparse.csr_array, others: Float64[np.ndarray, "m k"]) -> Float64[np.ndarray, "n k"]:
        """The vectors that make L smallest: w_u = (αHᵀH + Σ_i x_ui h_i h_iᵀ + λ(x_u + α·m)^ν 1)⁻¹ Σ_i x_ui h_i.

        Arguments:
            likes: (n, m) weights of likes.
            others: the m vectors on the other side.
        """
        k = others.shape[1]
        shared, found = self.unobserved * (others.T @ others), np.zeros((likes.shape[0], k))
        total = np.asarray(likes.sum(axis=1)).reshape(-1)
        ridge = self.penalty * (total + self.unobserved * likes.shape[1]) ** self.exponent
        for rows in _alike(likes, k):
            weight, vectors = _padded(likes, rows, others)
            weighted = weight[:, None, :] * vectors.transpose(0, 2, 1)
            systems = weighted @ vectors + shared + ridge[rows, None, None] * np.eye(k)
            found[rows] = np.linalg.solve(systems, weighted.sum(axis=2)[:, :, None])[:, :, 0]
        return found


def _alike(likes: sparse.csr_array, k: int) -> Iterator[Int64[np.ndarray, " b"]]:
    """Rows that have likes, those of about as many together, so many at a time that memory stays bounded."""
    count = np.diff(likes.indptr)
    order = np.argsort(count, kind="stable")[np.count_nonzero(count == 0) :]
    while len(order):
        width = np.maximum(count[order], k) * k  # the last row's is what all have to be padded to
        fits = int(np.searchsorted(width * np.arange(1, len(order) + 1), _NUMBERS, side="right"))
        yield order[: max(1, fits)]
        order = order[max(1, fits) :]


def _padded(
    likes: sparse.csr_array, rows: Int64[np.ndarray, " b"], others: Float64[np.ndarray, "m k"]
) -> tuple[Float64[np.ndarray, "b d"], Float64[np.ndarray, "b d k"]]:
    """Weights and vectors of what some rows like, with zeros where a row has fewer than the others."""
    some = likes[rows]
    count = np.diff(some.indptr)
    places = np.repeat(np.arange(len(rows)), count), np.arange(some.nnz) - np.repeat(some.indptr[:-1], count)
    weight, vectors = np.zeros((len(rows), count.max())), np.zeros((len(rows), count.max(), others.shape[1]))
    weight[places], vectors[places] = some.data, others[some.indices]
    return weight, vectors
