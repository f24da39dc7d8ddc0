"""The laws of a negative sampler: rows of the table, once each, with the right chances, from torch's stream alone."""

from collections.abc import Iterator

import torch
from torch import Tensor

from penchant.training.negatives import BaseNegatives, Drawn

__all__ = ["check_negatives"]

_ITEMS, _PAIRS, _BATCH = 12, 60, 15
_DRAWS = 3000


def check_negatives(kind: type[BaseNegatives], *, n: int = 5, power: float = 0.75) -> None:
    """Hold a sampler against the laws.

    Arguments:
        kind: the class.
        n, power: what it is made with; the table has 12 items, of 1 to some 15 training rows each.

    Raises:
        AssertionError: naming the law that is broken.
    """
    item, batches = _pairs(), list(_batches())
    counts = torch.bincount(item, minlength=_ITEMS)
    sampler = kind(counts, n=n, power=power)
    torch.manual_seed(1)
    drawn = [sampler.draw(item[pairs].unique(), len(pairs)) for pairs in batches]
    for one in drawn[:200]:
        _check_rows(one)
    torch.manual_seed(1)
    again = [sampler.draw(item[pairs].unique(), len(pairs)) for pairs in batches[:20]]
    same = (
        torch.equal(a, b) for one, other in zip(drawn, again, strict=False) for a, b in zip(one, other, strict=True)
    )
    assert all(same), "the same seed of torch draws the same items"
    _check_chances(drawn, int(item[0]))
    alone = sampler.draw(item[:1], 1)
    assert bool(torch.isfinite(alone.log_q).all()), "a batch of one pair has finite chances"


def _pairs() -> Tensor:
    """The item of each training row; every item has one at least."""
    generator = torch.Generator().manual_seed(0)
    popular = (torch.rand(_PAIRS - _ITEMS, generator=generator) ** 2 * _ITEMS).long()
    return torch.cat([torch.arange(_ITEMS), popular])


def _batches() -> Iterator[Tensor]:
    """Batches as the first training row meets them: itself, and some of the others, each subset alike."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(_DRAWS):
        others = torch.randperm(_PAIRS - 1, generator=generator)[: _BATCH - 1] + 1
        yield torch.cat([torch.zeros(1, dtype=torch.int64), others])


def _check_rows(drawn: Drawn) -> None:
    items, log_q = drawn
    assert items.dtype == torch.int64, "rows are int64"
    assert items.shape == log_q.shape, "each row has its chance"
    assert log_q.dtype == torch.float32, "log q is float32"
    assert bool((items.diff() > 0).all()), "rows rise, each at most once"
    assert bool(((items >= 0) & (items < _ITEMS)).all()), "rows are those of the table"
    assert bool((log_q <= 1e-6).all()), "a chance is at most 1"


def _check_chances(drawn: list[Drawn], own: int) -> None:
    """Each item but the pair's own, which is no candidate for it, is counted once on average."""
    total, squares = torch.zeros(_ITEMS, dtype=torch.float64), torch.zeros(_ITEMS, dtype=torch.float64)
    for one in drawn:
        each = torch.exp(-one.log_q.double())
        total[one.items] += each
        squares[one.items] += each.square()
    mean = total / len(drawn)
    error = ((squares / len(drawn) - mean.square()).clamp(min=0) / len(drawn)).sqrt()
    wrong = (mean - 1).abs() > 5 * error + 1e-5
    wrong[own] = False
    assert not bool(wrong.any()), f"divided by its chance, each item counts once on average, got {mean.tolist()}"
