"""Every part of a model, by name, and few combinations that hold all pairs of parts."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations, product
from typing import Any, NamedTuple

import pytest
from jaxtyping import config

from penchant.losses import KINDS as POINTWISE
from penchant.losses import RANKING, Loss
from penchant.model import DualAutoencoder
from penchant.nets import KINDS as NETS
from penchant.nets import LATENTS, DecoderOptions, EncoderOptions, Latent
from penchant.spaces import KINDS as SPACE_KINDS
from penchant.spaces import METRICS, BaseSpace

__all__ = [
    "ALLOWED",
    "COMBINATIONS",
    "ENCODERS",
    "NECKS",
    "REFUSED",
    "SPACES",
    "Parts",
    "covering",
    "loss_of",
    "unchecked",
]

_SMALL = EncoderOptions(
    hidden=(6,), embedding_dim=2, bins=2, dropout=0.1, unseen=0.05, history_dim=4, history_length=4, cross_buckets=13
)
_OWN: dict[str, dict[str, Any]] = {"wide_deep": {"crosses": (("age", "job"), ("year", "genres"))}}
"""What a kind of encoder needs beside its name, over the fields of `penchant.testing.models`."""

ENCODERS: dict[str, EncoderOptions] = {
    **{name: replace(_SMALL, kind=name, **_OWN.get(name, {})) for name in NETS},
    "mlp, vector": replace(_SMALL, inputs="vector"),
}
"""Every encoder there is, and the plain one on the scaled features alone."""

_METRICS: dict[str, Sequence[dict[str, Any]]] = {
    "uniform": [{"norm": norm} for norm in (2, 4, math.inf)],
    "gaussian": [{"metric": metric} for metric in METRICS],
}
SPACES: dict[str, BaseSpace] = {
    " ".join([kind, *map(str, options.values())]): SPACE_KINDS[kind](dim=4, **options)
    for kind in SPACE_KINDS
    for options in _METRICS.get(kind, [{}])
}
"""Every kind of space with every metric."""

NECKS = (*POINTWISE, *RANKING)


class Parts(NamedTuple):
    """One of each, by name."""

    encoder: str
    latent: str
    space: str
    neck: str

    def build(self) -> Callable[..., DualAutoencoder]:
        """As `penchant.testing.models` builds models."""
        return partial(
            DualAutoencoder, space=SPACES[self.space], encoder=ENCODERS[self.encoder],
            decoder=DecoderOptions(hidden=(8,)), latent=Latent(kind=self.latent), threshold=0.3,
        )  # fmt: skip


def loss_of(neck: str) -> Loss:
    """A loss with this neck and a little of every other term."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "loss.neck = 'literal'", UserWarning)
        return Loss(neck=neck, gamma=0.1, epsilon=0.1, read_share=1)


COMBINATIONS = [Parts(*names) for names in product(ENCODERS, LATENTS, SPACES, NECKS)]
REFUSED = {
    ("variational", "uniform"): "latent.kind = 'variational' needs a space of Gaussians",
    ("point", "gaussian"): "space.kind = 'gaussian' with latent.kind = 'point'",
    ("contrastive", "gaussian"): "space.kind = 'gaussian' with latent.kind = 'contrastive'",
}
"""Latents and kinds of space that do not go together, and what is said; all else does."""
ALLOWED = [parts for parts in COMBINATIONS if (parts.latent, SPACES[parts.space].kind) not in REFUSED]


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Shapes are not held against annotations, which takes as long as all the rest; one covering array goes without."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


def covering(rows: Sequence[Parts]) -> list[Parts]:
    """Some of the rows that hold all pairs of parts which the rows hold: a pairwise covering array.

    Greedy and deterministic: the row with the most pairs that are not there yet comes next, of equal ones the first.
    """
    pairs = [set(combinations(enumerate(row), 2)) for row in rows]
    number = {pair: place for place, pair in enumerate(dict.fromkeys(pair for of in pairs for pair in sorted(of)))}
    masks = [sum(1 << number[pair] for pair in of) for of in pairs]
    left, found = (1 << len(number)) - 1, []
    while left:
        best = max(range(len(rows)), key=lambda row: ((masks[row] & left).bit_count(), -row))
        found.append(rows[best])
        left &= ~masks[best]
    return found
