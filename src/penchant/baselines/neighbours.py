"""Nearest neighbours: items liked by the same users, users who like the same items."""

import numpy as np
from scipy import sparse

from penchant.baselines._catalogue import best, blocks
from penchant.baselines._scored import Product, Scored
from penchant.errors import ConfigError

__all__ = ["ItemKNN", "UserKNN"]


class ItemKNN(Scored):
    """What is like the items a user liked: score(u, i) = Σ_{j ∈ N(i)} s(i, j)·x(u, j).

        s(i, j) = n_ij / (n_ij + λ) · cos(x_i, x_j)

    x(u, j) is the weight of the like of u for j, 0 without one; n_ij how many users like both; N(i) the
    ``neighbours`` other items of the largest s(i, ·) > 0. Neighbours are kept, not the matrix of items by items.

    Source: Sarwar, Karypis, Konstan, Riedl, WWW 2001, doi 10.1145/371920.372071 (cosine and neighbourhoods); the
    plain sum for likes: Deshpande & Karypis, TOIS 2004, doi 10.1145/963770.963776; shrinkage: Bell & Koren,
    ICDM 2007, doi 10.1109/ICDM.2007.90. Cannot: score items nobody liked, nor use features or dislikes.

    Probabilities, and users without likes: see `predict_proba`, and the class `Scored` it comes from.
    """

    def __init__(self, *, neighbours: int = 100, shrinkage: float = 10.0) -> None:
        """Store the options.

        Arguments:
            neighbours: how many an item has at most, at least 1.
            shrinkage: λ, at least 0: with as many common users a cosine counts half.
        """
        self.neighbours, self.shrinkage = neighbours, shrinkage

    def _learn(self, likes: sparse.csr_array) -> Product:
        _check(self.neighbours, self.shrinkage)
        near = _nearest(sparse.csr_array(likes.T), self.neighbours, self.shrinkage)
        return Product(likes, sparse.csr_array(near.T))


class UserKNN(Scored):
    """What users of like taste like: score(u, i) = Σ_{v ∈ N(u)} s(u, v)·x(v, i).

        s(u, v) = n_uv / (n_uv + λ) · cos(x_u, x_v)

    x(v, i) is the weight of the like of v for i, 0 without one; n_uv how many items both like; N(u) the
    ``neighbours`` other users of the largest s(u, ·) > 0.

    Source: Herlocker, Konstan, Borchers, Riedl, SIGIR 1999, doi 10.1145/312624.312682, on likes instead of ratings
    (cosine: Sarwar et al., EC 2000, doi 10.1145/352871.352887); shrinkage: Bell & Koren, ICDM 2007,
    doi 10.1109/ICDM.2007.90. Cannot: score items nobody liked, nor use features or dislikes.

    Probabilities, and users without likes: see `predict_proba`, and the class `Scored` it comes from.
    """

    def __init__(self, *, neighbours: int = 100, shrinkage: float = 10.0) -> None:
        """Store the options.

        Arguments:
            neighbours: how many a user has at most, at least 1.
            shrinkage: λ, at least 0: with as many common items a cosine counts half.
        """
        self.neighbours, self.shrinkage = neighbours, shrinkage

    def _learn(self, likes: sparse.csr_array) -> Product:
        _check(self.neighbours, self.shrinkage)
        return Product(_nearest(likes, self.neighbours, self.shrinkage), likes)


def _check(neighbours: int, shrinkage: float) -> None:
    if neighbours < 1:
        raise ConfigError(f"neighbours = {neighbours}: at least 1 expected")
    if not 0 <= shrinkage < float("inf"):
        raise ConfigError(f"shrinkage = {shrinkage}: a number >= 0 expected")


def _nearest(rows: sparse.csr_array, k: int, shrinkage: float) -> sparse.csr_array:
    """(n, n): the k largest shrunk cosines of each row with the others; of equal ones those of the lower row.

    Arguments:
        rows: (n, m), above 0 where stored.
    """
    n = rows.shape[0]
    norm = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).reshape(-1))
    unit = sparse.csr_array(rows.multiply(1 / np.where(norm > 0, norm, 1)[:, None]))
    met = sparse.csr_array((np.ones(unit.nnz), unit.indices, unit.indptr), shape=unit.shape)
    unit_t, met_t = sparse.csr_array(unit.T), sparse.csr_array(met.T)
    found = [np.zeros((3, 0))]
    for block in blocks(n, n):
        near = sparse.csr_array(unit[block] @ unit_t)
        if shrinkage:
            common = sparse.csr_array(met[block] @ met_t)
            common.data /= common.data + shrinkage
            near = near.multiply(common)
        near = sparse.coo_array(near)
        row, other = near.coords[0].astype(np.int64) + block.start, near.coords[1].astype(np.int64)
        others = np.flatnonzero((row != other) & (near.data > 0))
        row, other, value = row[others], other[others], near.data[others]
        kept, _ = best(row, other, value, k)
        found.append(np.stack([row[kept], other[kept], value[kept]]))
    row, other, value = np.concatenate(found, axis=1)
    return sparse.csr_array((value, (row.astype(np.int64), other.astype(np.int64))), shape=(n, n))
