"""SASRec and GRU4Rec: the networks of torch-rechub 0.9.0, with the contract of the ranking peers.

* SASRec         the paper's loss: at every place the next item against one at random (binary cross-entropy)
* SASRec softmax the same network with a softmax over the catalogue at every place, which is stronger
* GRU4Rec        torch-rechub's network: the last state through a layer, cosine to items, softmax over sampled items

Their trainer is replaced by a loop that stops by the NDCG@10 of the validation events, as penchant does: rechub's own
stops by AUC, or not at all. Sources: Kang, McAuley 2018, arXiv 1808.09781; Hidasi et al. 2016, arXiv 1511.06939.
"""

import copy
import warnings
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

import numpy as np
import torch
from _ranking_peers import Peer
from _sequence_data import LastOut, shown
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from penchant.tables import Vocabulary

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch-rechub 0.9.0 is not free of warnings at import
    from torch_rechub.basic.features import SequenceFeature, SparseFeature
    from torch_rechub.basic.initializers import RandomNormal
    from torch_rechub.models.matching import SASRec as SASRecNet
    from torch_rechub.models.matching.gru4rec import GRU4Rec as GRU4RecNet

__all__ = ["GRU4Rec", "SASRec", "SequencePeer"]

_AT_ONCE = 256
"""Users that are scored at a time."""


class SequencePeer(Peer):
    """A network over sequences of items, numbered from 1; 0 is padding."""

    folds_in: ClassVar[bool] = True

    def __init__(self, *, dim: int = 64, length: int = 50, dropout: float = 0.5, learning_rate: float = 1e-3,
                 epochs: int = 150, every: int = 5, patience: int = 4, rng: int = 0) -> None:  # fmt: skip
        self.dim, self.length, self.dropout, self.learning_rate = dim, length, dropout, learning_rate
        self.epochs, self.every, self.patience, self.rng = epochs, every, patience, rng

    def learn(self, data: LastOut) -> Self:
        """Train; the epoch with the best validation figure is kept."""
        self._keys = (data.train.schema.user, data.train.schema.item)
        self._items = Vocabulary(data.items, what="item")
        with torch.random.fork_rng():
            torch.manual_seed(self.rng)
            self._net = self._make(len(data.items) + 1)
            self._run(data)
        return self

    def _run(self, data: LastOut) -> None:
        optimiser = torch.optim.Adam(self._net.parameters(), self.learning_rate)
        best, weights, since = -1.0, copy.deepcopy(self._net.state_dict()), 0
        for epoch in range(self.epochs):
            self._net.train()
            for loss in self._losses(data.learned):
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            if (epoch + 1) % self.every:
                continue
            figure, since = shown(self, data, test=False)["ndcg@10"], since + 1
            if figure > best:
                best, weights, since = figure, copy.deepcopy(self._net.state_dict()), 0
            if since >= self.patience:
                break
        self._net.load_state_dict(weights)

    def recommend(self, users: Any, *, n: int = 10, exclude_seen: bool = True, candidates: Any = None) -> Any:
        """The best ``n`` of rows ``{"liked": ids in order}``."""
        self._asked = [self._items.rows(row["liked"]) + 1 for row in users]
        return super().recommend(users, n=n, exclude_seen=exclude_seen, candidates=candidates)

    @torch.no_grad()
    def _best(self, keys: Any, likes: Any, rows: Any, n: int, exclude: bool, chosen: Any) -> Any:
        self._net.eval()
        some = [self._asked[row] for row in keys.to_list()]
        parts = [self._scored(some[start : start + _AT_ONCE]) for start in range(0, len(some), _AT_ONCE)]
        self._told = torch.cat(parts).numpy()
        return super()._best(keys, likes, rows, n, exclude, chosen)

    def _scores(self, likes: Any, users: np.ndarray) -> np.ndarray:
        return self._told

    def _make(self, n: int) -> nn.Module:
        raise NotImplementedError

    def _losses(self, sequences: tuple[Int64[np.ndarray, " _"], ...]) -> Iterator[Tensor]:
        """The loss of each batch of an epoch."""
        raise NotImplementedError

    def _scored(self, histories: list[Int64[np.ndarray, " _"]]) -> Float[Tensor, "b items"]:
        """Scores of all items after these histories (numbered from 1)."""
        raise NotImplementedError


class SASRec(SequencePeer):
    """torch-rechub's SASRec; ``softmax``: another loss than the paper's."""

    def __init__(self, *, softmax: bool = False, blocks: int = 2, heads: int = 1, batch: int = 128,
                 **more: Any) -> None:  # fmt: skip
        super().__init__(**more)
        self.softmax, self.blocks, self.heads, self.batch = softmax, blocks, heads, batch

    def _make(self, n: int) -> nn.Module:
        kinds = {"vocab_size": n, "embed_dim": self.dim, "pooling": "concat", "padding_idx": 0}
        kinds["initializer"] = RandomNormal(0, self.dim**-0.5 if self.softmax else 0.02)
        seq = SequenceFeature("seq", **kinds)
        others = [SequenceFeature(name, shared_with="seq", **kinds) for name in ("pos", "neg")]
        return SASRecNet([seq, *others], max_len=self.length, dropout_rate=self.dropout, num_blocks=self.blocks,
                         num_heads=self.heads)  # fmt: skip

    @property
    def _table(self) -> Tensor:
        return self._net.item_emb.embed_dict["seq"].weight

    def _read(self, seq: Int[Tensor, "b length"]) -> Float[Tensor, "b length dim"]:
        embedded = nn.functional.embedding(seq, self._table)
        return self._net.seq_forward({"seq": seq}, embedded.clone())

    def _losses(self, sequences: tuple[Int64[np.ndarray, " _"], ...]) -> Iterator[Tensor]:
        seq = _padded([s[:-1] + 1 for s in sequences], self.length)
        pos = _padded([s[1:] + 1 for s in sequences], self.length)
        for rows in torch.randperm(len(seq)).split(self.batch):
            if len(rows) > 1:  # torch-rechub squeezes a batch of one away
                yield self._loss(seq[rows], pos[rows])

    def _loss(self, seq: Tensor, pos: Tensor) -> Tensor:
        there = pos > 0
        if self.softmax:
            return nn.functional.cross_entropy(self._read(seq)[there] @ self._table[1:].T, pos[there] - 1)
        neg = torch.randint(1, len(self._table), pos.shape)
        up, down = self._net({"seq": seq, "pos": pos, "neg": neg})
        return -(nn.functional.logsigmoid(up) + nn.functional.logsigmoid(-down))[there].mean()

    def _scored(self, histories: list[Int64[np.ndarray, " _"]]) -> Float[Tensor, "b items"]:
        seq = _padded([*histories, np.array([1])], self.length)  # never a batch of one
        last = (seq > 0).sum(1) - 1
        return (self._read(seq)[torch.arange(len(seq)), last] @ self._table[1:].T)[:-1]


class GRU4Rec(SequencePeer):
    """torch-rechub's GRU4Rec: a row an event, its history before it."""

    def __init__(self, *, temperature: float = 0.1, negatives: int = 200, batch: int = 1024,
                 **more: Any) -> None:  # fmt: skip
        super().__init__(**{"length": 30, "dropout": 0.2, "every": 1, "epochs": 30, "patience": 3, **more})
        self.temperature, self.negatives, self.batch = temperature, negatives, batch

    def _make(self, n: int) -> nn.Module:
        kinds = {"vocab_size": n, "embed_dim": self.dim, "initializer": RandomNormal(0, 0.1)}
        item = SparseFeature("item", **kinds)
        past = SequenceFeature("past", shared_with="item", pooling="concat", **kinds)
        others = SequenceFeature("others", shared_with="item", pooling="concat", **kinds)
        anybody = SparseFeature("anybody", vocab_size=1, embed_dim=1)  # the tower wants a feature of users
        user = {"dims": [self.dim], "activation": "prelu", "dropout": self.dropout}
        return GRU4RecNet([anybody], [past], [item], [others], user)

    def _losses(self, sequences: tuple[Int64[np.ndarray, " _"], ...]) -> Iterator[Tensor]:
        before = [(s[max(0, j - self.length) : j] + 1, s[j] + 1) for s in sequences for j in range(1, len(s))]
        n = len(self._net.embedding.embed_dict["item"].weight)
        for rows in torch.randperm(len(before)).split(self.batch):
            some = [before[row] for row in rows.tolist()]
            asked = {
                **self._told_of([past for past, _ in some]),
                "item": torch.tensor([item for _, item in some]),
                "others": torch.randint(1, n, (1, self.negatives)),
            }
            yield self._loss(asked)

    def _loss(self, asked: dict[str, Tensor]) -> Tensor:
        """One draw of others for the batch: the tower's own form takes one a row and is many times slower."""
        table = self._net.embedding.embed_dict["item"].weight
        user = self._net.user_tower(asked)[:, 0]
        own = (user * _unit(table[asked["item"]])).sum(1, keepdim=True)
        others = asked["others"][0]
        rest = (user @ _unit(table[others]).T).masked_fill(asked["item"][:, None] == others, -torch.inf)
        logits = torch.cat([own, rest], 1) / self.temperature
        return nn.functional.cross_entropy(logits, torch.zeros(len(own), dtype=torch.int64))

    def _scored(self, histories: list[Int64[np.ndarray, " _"]]) -> Float[Tensor, "b items"]:
        user = self._net.user_tower(self._told_of(histories))[:, 0]
        return user @ _unit(self._net.embedding.embed_dict["item"].weight[1:]).T

    def _told_of(self, histories: list[Int64[np.ndarray, " _"]]) -> dict[str, Tensor]:
        past = _padded(histories, self.length, right=True)
        return {"past": past, "anybody": torch.zeros(len(past), dtype=torch.int64)}


_unit: Callable[[Tensor], Tensor] = nn.functional.normalize


def _padded(lists: list[Int64[np.ndarray, " _"]], length: int, *, right: bool = False) -> Int[Tensor, "n length"]:
    """The last ``length`` of each, filled with 0 after it, or (``right``) before it."""
    rows = torch.zeros(len(lists), length, dtype=torch.int64)
    for row, values in enumerate(lists):
        kept = torch.from_numpy(values[-length:])
        rows[row, length - len(kept) if right else 0 :][: len(kept)] = kept
    return rows
