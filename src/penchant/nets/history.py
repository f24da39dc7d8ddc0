"""A user's earlier items as the input of an encoder: a bag by item, and the mean of their features, by sign."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from penchant._spec import History
from penchant.nets.base import EncoderOptions
from penchant.nets.dropout import dropped
from penchant.nets.features import repeat_bags

__all__ = ["HistoryBag", "Sums", "dropped_entries", "find_entries", "standardised"]

_DEVIATION = 0.1
_LEAST_SPREAD = 0.05
"""Standard deviation below which a feature of the catalogue is not scaled up further."""


class Sums(NamedTuple):
    """Weighted sums over the entries of n histories."""

    bag: Float[Tensor, "n out"]
    """Of the items' rows of the table."""
    features: Float[Tensor, "n two_m"]
    """Of the scaled features of liked items, then of disliked ones."""
    weight: Float[Tensor, "n 2"]
    """Of liked items, of disliked ones."""


def _gathered(sums: Sums, rows: Int[Tensor, " b"]) -> Sums:
    return Sums(*(functional.embedding(rows, part) for part in sums))


def standardised(vectors: Float[Tensor, "n_items m"], first: int | None = None) -> Float[Tensor, "n_items m"]:
    """Columns of mean 0 and spread 1, or less where it was next to nothing; what is missing counts as average.

    Arguments:
        first: so many of the first rows say what mean and spread are; None: all.
    """
    centred = (vectors - vectors[:first].nanmean(0).nan_to_num(0.0)).nan_to_num(0.0)
    return centred / centred[:first].square().mean(0).sqrt().clamp(min=_LEAST_SPREAD)


def dropped_entries(past: History, share: float, thinned: float) -> Bool[Tensor, " nnz"] | None:
    """Entries that are left away in a batch; None: none are.

    Arguments:
        share: of the entries of a history.
        thinned: share of the histories of which instead a random part is left, anything from nothing to all of it.
    """
    device = past.items.device
    if not thinned:
        return dropped(tuple(past.items.shape), share, device) if share else None
    chance = torch.rand(2, len(past.offsets) - 1)
    each = torch.where(chance[0] < thinned, chance[1], share).to(device)
    return dropped(tuple(past.items.shape), each.index_select(0, repeat_bags(past)), device)


def find_entries(
    past: History, rows: Int[Tensor, " b"], items: Int[Tensor, " b"], n_items: int
) -> tuple[Int[Tensor, " b"], Bool[Tensor, " b"]]:
    """Where items stand in the histories of rows, any entry where they are not there, and whether they are."""
    keys, wanted = repeat_bags(past) * n_items + past.items, rows * n_items + items
    entry = torch.searchsorted(keys, wanted).clamp(max=max(len(keys) - 1, 0))
    if not len(keys):
        return entry, torch.zeros_like(entry, dtype=torch.bool)
    return entry, (keys.index_select(0, entry) == wanted) & (items >= 0)


class HistoryBag(nn.Module):
    """Earlier items to inputs for the deep part and a first-order sum, liked and disliked items apart.

        bag    = Σ_j w_j t(i_j, y_j) / √(Σ_j w_j + 1)                      t: a row per item and sign
        means  = Σ_{j: y_j = ±} w_j z(i_j) / (Σ_{j: y_j = ±} w_j + s)      z: standardised features; s shrinks

    All of it is sums, so that leaving one item out of a history (the one whose label is being learned) is a
    subtraction. While training, a share of the entries is dropped, anew in each batch.

    Shape:  n histories -> inputs (n, width), first-order (n, dim).
    Source: docs/theory, section History; Liang et al. 2018, arXiv 1802.05814 (dropout of the bag).
    """

    catalogue: Tensor

    def __init__(self, n_items: int, n_features: int, dim: int, options: EncoderOptions) -> None:
        super().__init__()
        d = options.embedding_dim
        self.d, self.n_items, self.shrink = d, n_items, options.history_shrink
        self.share, self.thinned = options.history_dropout, options.history_thinned
        self.register_buffer("catalogue", torch.zeros(n_items, n_features))
        table = torch.zeros(2 * n_items, d + dim)
        nn.init.normal_(table[:, :d], std=_DEVIATION)
        self.table = nn.Parameter(table)
        self.linear = nn.Linear(2 * n_features + 2, dim, bias=False)
        nn.init.zeros_(self.linear.weight)
        self.width = d + 2 * n_features + 2

    def prepare(self, vectors: Float[Tensor, "n_items m"], past: History | None = None) -> None:
        """Take the catalogue's portrait vectors, standardised."""
        self.catalogue.copy_(standardised(vectors))

    def forward(
        self,
        past: History,
        rows: Int[Tensor, " b"] | None = None,
        left_out: Int[Tensor, " b"] | None = None,
        since: Float[Tensor, " b"] | None = None,
    ) -> tuple[Float[Tensor, "b width"], Float[Tensor, "b dim"]]:
        """Read histories.

        Arguments:
            past: n histories.
            rows: for each of b pairs, whose history; None: all, in order.
            left_out: for each pair the item (a row of the catalogue) that is left out of its history.
            since: see `BaseEncoder.forward`; a plain bag takes no notice.
        """
        gone = dropped_entries(past, self.share, self.thinned) if self.training else None
        weight = past.weight if gone is None else past.weight.masked_fill(gone, 0.0)
        if rows is not None and left_out is not None:
            return self._read(self._left_out(past, weight, rows, left_out, since))
        sums = self._sums(past, weight)
        return self._read(sums if rows is None else self._later(_gathered(sums, rows), since))

    def _sums(self, past: History, weight: Float[Tensor, " nnz"]) -> Sums:
        starts = past.offsets[:-1]
        liked, disliked = weight * past.liked, weight * (1 - past.liked)

        def total(table: Tensor, items: Tensor, each: Tensor) -> Tensor:
            return functional.embedding_bag(items, table, starts, mode="sum", per_sample_weights=each)

        ones = self.catalogue.new_ones(1, 1)
        one = torch.zeros_like(past.items)
        return Sums(
            total(self.table, self._places(past.items, past.liked), weight),
            torch.cat([total(self.catalogue, past.items, liked), total(self.catalogue, past.items, disliked)], 1),
            torch.cat([total(ones, one, liked), total(ones, one, disliked)], 1),
        )

    def _places(self, items: Int[Tensor, " n"], liked: Float[Tensor, " n"]) -> Int[Tensor, " n"]:
        """Rows of the table: liked items first, then disliked ones."""
        return torch.where(liked > 0.5, items, items + self.n_items)

    def _later(self, sums: Sums, since: Float[Tensor, " b"] | None) -> Sums:
        """The sums for pairs so long after the latest entry."""
        return sums

    def _left_out(
        self,
        past: History,
        weight: Float[Tensor, " nnz"],
        rows: Int[Tensor, " b"],
        left_out: Int[Tensor, " b"],
        since: Float[Tensor, " b"] | None,
    ) -> Sums:
        """The sums without the entry of each pair's item, where its history has one."""
        sums = _gathered(self._sums(past, weight), rows)
        if not len(past.items):
            return sums
        entry, there = find_entries(past, rows, left_out, self.n_items)
        each = torch.where(there, weight.index_select(0, entry), 0.0)[:, None]
        liked = past.liked.index_select(0, entry)
        signs = torch.stack([liked, 1 - liked], 1) * each
        own = functional.embedding(self._places(left_out.clamp(min=0), liked), self.table)
        z = functional.embedding(left_out.clamp(min=0), self.catalogue)
        return Sums(
            sums.bag - each * own,
            sums.features - torch.cat([signs[:, :1] * z, signs[:, 1:] * z], 1),
            sums.weight - signs,
        )

    def _read(self, sums: Sums) -> tuple[Tensor, Tensor]:
        weight = sums.weight.clamp(min=0.0)  # rounding of the subtraction
        bag = sums.bag / (weight.sum(1, keepdim=True) + 1).sqrt()
        m = self.catalogue.shape[1]
        shrunk = (weight + self.shrink).clamp(min=1e-6)
        means = torch.cat([sums.features[:, :m] / shrunk[:, :1], sums.features[:, m:] / shrunk[:, 1:]], 1)
        facts = torch.cat([means, torch.log1p(weight)], 1)
        return torch.cat([bag[:, : self.d], facts], 1), bag[:, self.d :] + self.linear(facts)
