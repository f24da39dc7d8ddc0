"""EASE: each item regressed on all the others, in closed form."""

from typing import ClassVar

import numpy as np
from jaxtyping import Float64
from scipy import linalg, sparse

from penchant.baselines._catalogue import blocks
from penchant.baselines._scored import Product, Scored
from penchant.errors import ConfigError

__all__ = ["EASE"]


class EASE(Scored):
    """A linear autoencoder of likes with a diagonal of zeros: score(u, i) = Σ_j x(u, j)·B_ji.

        B = argmin ‖X − XB‖² + λ‖B‖²,  diag B = 0
        B_ij = −P_ij / P_jj for i ≠ j,  P = (XᵀX + λI)⁻¹

    X holds the weights of likes, users by items. The solve holds dense matrices of items by items: its time grows with
    the cube of the items and its memory with their square, two matrices of 8 bytes a cell, 6.4 GB for 20,000
    items. More than ``max_items`` are refused; ask `ItemKNN` then.

    Source: Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019, arXiv 1905.03375. Cannot: score
    items nobody liked, nor use features or dislikes. A new user's past stands in for x(u, ·).

    Probabilities, and users without likes: see `predict_proba`, and the class `Scored` it comes from.
    """

    folds_in: ClassVar[bool] = True

    def __init__(self, *, penalty: float = 500.0, max_items: int = 20_000) -> None:
        """Store the options.

        Arguments:
            penalty: λ, above 0; the paper has 200 to 1000 for millions of likes.
            max_items: more items in the tables than that are refused.
        """
        self.penalty, self.max_items = penalty, max_items

    def _learn(self, likes: sparse.csr_array) -> Product:
        if not 0 < self.penalty < float("inf"):
            raise ConfigError(f"penalty = {self.penalty}: a number above 0 expected")
        n = likes.shape[1]
        if n > self.max_items:
            raise ConfigError(
                f"EASE: {n:,} items, at most max_items = {self.max_items:,} expected: its two dense matrices would"
                f" take {16e-9 * n**2:.1f} GB. Raise max_items where that fits, or take ItemKNN"
            )
        return Product(likes, _coefficients(likes, self.penalty), fold_in=sparse.csr_array)


def _coefficients(likes: sparse.csr_array, penalty: float) -> Float64[np.ndarray, "items items"]:
    """B of the class docstring."""
    n, likes_t = likes.shape[1], sparse.csr_array(likes.T)
    gram = np.empty((n, n))
    for block in blocks(n, n):  # the sparse product of them all may take more than the dense one
        gram[block] = (likes_t[block] @ likes).toarray()
    gram[np.diag_indices_from(gram)] += penalty
    inverse = linalg.inv(gram, overwrite_a=True)
    inverse /= -np.diag(inverse)
    np.fill_diagonal(inverse, 0.0)
    return inverse
