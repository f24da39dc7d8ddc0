"""A network whose steps look back at all steps before them."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from penchant.nets.dropout import Dropout

__all__ = ["Attention"]

_NEAR = 16
"""Distances up to here have a place each, those farther away share one for each factor of the square root of two."""


class Attention(nn.Module):
    """Blocks of causal self-attention: normalise, attend, add; normalise, two layers, add.

        weight of step s for step t >= s:  softmax_s( q_t · k_s / √d_h + b_h(t − s) )

    b is learned for each head and distance. Positions are counted back from the step that asks, so that a pair within a
    long sequence is trained as it is served: as the end of one.

    Shape:  n sequences of t steps (n, t, d) -> (n, t, d): at each step, what has been read up to it.
    Source: Kang, McAuley 2018, arXiv 1808.09781 (SASRec); Raffel et al. 2020, arXiv 1910.10683 (distances);
        Xiong et al. 2020, arXiv 2002.04745 (normalising first).
    """

    def __init__(self, dim: int, layers: int, heads: int, length: int, dropout: float) -> None:
        super().__init__()
        self.dim, self.heads = dim, heads
        self.dropout = Dropout(dropout)
        distances = int(_bucket(torch.tensor([length]))) + 1
        self.blocks = nn.ModuleList(_Block(dim, heads, distances, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)

    def cost(self, length: int) -> int:
        """Numbers that a sequence of this length takes, about."""
        return length * (6 * self.dim + 2 * self.heads * length)

    def forward(self, x: Float[Tensor, "n t d"]) -> Float[Tensor, "n t d"]:
        """Read the sequences."""
        step = torch.arange(x.shape[1], device=x.device)
        distance = step[:, None] - step
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x, distance)
        read: Tensor = self.norm(x)
        return read


class _Block(nn.Module):
    def __init__(self, dim: int, heads: int, distances: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.asked = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.bias = nn.Parameter(torch.zeros(distances, heads))
        self.deep = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), Dropout(dropout), nn.Linear(dim, dim))
        self.dropout = Dropout(dropout)

    def forward(self, x: Float[Tensor, "n t d"], distance: Int[Tensor, "t t"]) -> Float[Tensor, "n t d"]:
        """One block; ``distance[t, s]`` is t − s."""
        x = x + self.dropout(self._attend(self.norms[0](x), distance))
        added: Tensor = self.dropout(self.deep(self.norms[1](x)))
        return x + added

    def _attend(self, x: Float[Tensor, "n t d"], distance: Int[Tensor, "t t"]) -> Float[Tensor, "n t d"]:
        n, t, d = x.shape
        query, key, value = self.asked(x).view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        far = nn.functional.embedding(_bucket(distance), self.bias).permute(2, 0, 1)
        scores = query @ key.mT / math.sqrt(d // self.heads) + far.masked_fill(distance < 0, -torch.inf)
        read: Tensor = self.out((scores.softmax(-1) @ value).transpose(1, 2).reshape(n, t, d))
        return read


def _bucket(distance: Int[Tensor, "*n"]) -> Int[Tensor, "*n"]:
    """Rows of the biases: each near distance its own."""
    far = distance.clamp(min=_NEAR).double() / _NEAR
    return torch.where(distance < _NEAR, distance.clamp(min=0), _NEAR + (2 * far.log2()).floor().long())
