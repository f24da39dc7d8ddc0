"""Nearest neighbours: items liked by the same users, users who like the same items."""

from functools import partial
from typing import ClassVar

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
    ICDM 2007, doi 10.1109/ICDM.2007.90. Cannot: score items nobody liked, nor use features or dislikes. A new user's
    past stands in for x(u, ·).

    Probabilities, and users without likes: see `predict_proba`, and the class `Scored` it comes from.
    """

    folds_in: ClassVar[bool] = True

    def __init__(self, *, neighbours: int = 100, shrinkage: float = 10.0) -> None:
        """Store the options.

        Arguments:
            neighbours: how many an item has at most, at least 1.
            shrinkage: λ, at least 0: with as many common users a cosine counts half.
        """
        self.neighbours, self.shrinkage = neighbours, shrinkage

    def _learn(self, likes: sparse.csr_array) -> Product:
        _check(self.neighbours, self.shrinkage)
        liked = sparse.csr_array(likes.T)
        near = _nearest(liked, liked, self.neighbours, self.shrinkage, themselves=False)
        return Product(likes, sparse.csr_array(near.T), fold_in=sparse.csr_array)


class UserKNN(Scored):
    """What users of like taste like: score(u, i) = Σ_{v ∈ N(u)} s(u, v)·x(v, i).

        s(u, v) = n_uv / (n_uv + λ) · cos(x_u, x_v)

    x(v, i) is the weight of the like of v for i, 0 without one; n_uv how many items both like; N(u) the
    ``neighbours`` other users of the largest s(u, ·) > 0.

    Source: Herlocker, Konstan, Borchers, Riedl, SIGIR 1999, doi 10.1145/312624.312682, on likes instead of ratings
    (cosine: Sarwar et al., EC 2000, doi 10.1145/352871.352887); shrinkage: Bell & Koren, ICDM 2007,
    doi 10.1109/ICDM.2007.90. Cannot: score items nobody liked, nor use features or dislikes. A new user's past stands
    in for x_u: all known users may be neighbours.

    Probabilities, and users without likes: see `predict_proba`, and the class `Scored` it comes from.
    """

    folds_in: ClassVar[bool] = True

    def __init__(self, *, neighbours: int = 100, shrinkage: float = 10.0) -> None:
        """Store the options.

        Arguments:
            neighbours: how many a user has at most, at least 1.
            shrinkage: λ, at least 0: with as many common items a cosine counts half.
        """
        self.neighbours, self.shrinkage = neighbours, shrinkage

    def _learn(self, likes: sparse.csr_array) -> Product:
        _check(self.neighbours, self.shrinkage)
        near = _nearest(likes, likes, self.neighbours, self.shrinkage, themselves=False)
        fold_in = partial(_nearest, among=likes, k=self.neighbours, shrinkage=self.shrinkage, themselves=True)
        return Product(near, likes, fold_in=fold_in)


def _check(neighbours: int, shrinkage: float) -> None:
    if neighbours < 1:
        raise ConfigError(f"neighbours = {neighbours}: at least 1 expected")
    if not 0 <= shrinkage < float("inf"):
        raise ConfigError(f"shrinkage = {shrinkage}: a number >= 0 expected")


def _nearest(
    rows: sparse.csr_array, among: sparse.csr_array, k: int, shrinkage: float, *, themselves: bool
) -> sparse.csr_array:
    """(n, m): the k largest shrunk cosines of each row with those of another matrix; of equal ones those of lower rows.

    Arguments:
        rows: (n, c), above 0 where stored.
        among: (m, c), likewise.
        themselves: may the j-th row of the one be near to the j-th of the other?
    """
    unit_t, met_t = (sparse.csr_array(each.T) for each in _unit(among))
    unit, met = _unit(rows)
    found = [np.zeros((3, 0))]
    for block in blocks(rows.shape[0], among.shape[0]):
        near = sparse.csr_array(unit[block] @ unit_t)
        if shrinkage:
            common = sparse.csr_array(met[block] @ met_t)
            common.data /= common.data + shrinkage
            near = near.multiply(common)
        near = sparse.coo_array(near)
        row, other = near.coords[0].astype(np.int64) + block.start, near.coords[1].astype(np.int64)
        allowed = np.flatnonzero(((row != other) | themselves) & (near.data > 0))
        row, other, value = row[allowed], other[allowed], near.data[allowed]
        kept, _ = best(row, other, value, k)
        found.append(np.stack([row[kept], other[kept], value[kept]]))
    row, other, value = np.concatenate(found, axis=1)
    places = row.astype(np.int64), other.astype(np.int64)
    return sparse.csr_array((value, places), shape=(rows.shape[0], among.shape[0]))


def _unit(rows: sparse.csr_array) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Rows of length 1, and ones in their places."""
    norm = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).reshape(-1))
    unit = sparse.csr_array(rows.multiply(1 / np.where(norm > 0, norm, 1)[:, None]))
    return unit, sparse.csr_array((np.ones(unit.nnz), unit.indices, unit.indptr), shape=unit.shape)
