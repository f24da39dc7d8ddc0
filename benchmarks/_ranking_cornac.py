"""Cornac's VAECF and BPR with penchant's contract (`_ranking_peers.Peer`).

VAECF encodes a new user's likes as it does those of a known one, which is all that its own ``score`` does: it folds in.
BPR knows users by their training rows only. Cornac needs matplotlib at import, and is imported when it is asked for.
"""

import warnings
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import torch
from _ranking_peers import Peer
from scipy import sparse

from penchant import Tables

__all__ = ["VAECF", "CornacBPR"]


def _models() -> ModuleType:
    """Cornac's models."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cornac's import is not free of them
        from cornac import models

    return models


def _dataset(likes: sparse.csr_matrix) -> Any:
    """Cornac's own form, rows and columns numbered as here."""
    from cornac.data import Dataset

    pairs = likes.tocoo()
    ratings = pairs.row.astype(np.int64), pairs.col.astype(np.int64), np.ones(pairs.nnz)
    return Dataset(*likes.shape, *({i: i for i in range(n)} for n in likes.shape), ratings)


class VAECF(Peer):
    """Cornac's variational autoencoder, multinomial likelihood, one hidden layer."""

    folds_in: ClassVar[bool] = True

    def __init__(self, *, dim: int = 64, hidden: int = 200, beta: float = 0.2, epochs: int = 50,
                 learning_rate: float = 1e-3, rng: int = 0) -> None:  # fmt: skip
        self.dim, self.hidden, self.beta, self.epochs = dim, hidden, beta, epochs
        self.learning_rate, self.rng = learning_rate, rng

    def _learn(self, likes: sparse.csr_matrix, train: Tables) -> None:
        self._model = _models().VAECF(
            k=self.dim, autoencoder_structure=[self.hidden], n_epochs=self.epochs, batch_size=100,
            learning_rate=self.learning_rate, beta=self.beta, seed=self.rng, verbose=False,
        )  # fmt: skip
        has_likes = np.asarray(likes.sum(1)).ravel() > 0
        with torch.random.fork_rng():  # it seeds torch for everybody
            self._model.fit(_dataset(likes[has_likes]))

    @torch.no_grad()
    def _scores(self, likes: sparse.csr_matrix, users: np.ndarray) -> np.ndarray:
        mean, _ = self._model.vae.encode(torch.from_numpy(likes.toarray()))
        return self._model.vae.decode(mean).numpy()


class CornacBPR(Peer):
    """Cornac's Bayesian personalised ranking."""

    def __init__(self, *, factors: int = 64, learning_rate: float = 0.03, regularization: float = 0.01,
                 iterations: int = 200, rng: int = 0) -> None:  # fmt: skip
        self.factors, self.learning_rate, self.regularization = factors, learning_rate, regularization
        self.iterations, self.rng = iterations, rng

    def _learn(self, likes: sparse.csr_matrix, train: Tables) -> None:
        self._model = _models().BPR(
            k=self.factors, max_iter=self.iterations, learning_rate=self.learning_rate,
            lambda_reg=self.regularization, num_threads=1, seed=self.rng, verbose=False,
        )  # fmt: skip
        self._model.fit(_dataset(likes))

    def _scores(self, likes: sparse.csr_matrix, users: np.ndarray) -> np.ndarray:
        return self._model.u_factors[users] @ self._model.i_factors.T + self._model.i_biases
