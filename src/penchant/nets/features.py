"""Encoded rows as tensors: move them, pick rows, drop values, read them as portrait vectors."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from penchant._spec import FIRST, MISSING, UNSEEN, Bag, Features, History, Layout
from penchant.nets.dropout import dropped

__all__ = ["as_arrays", "as_tensors", "drop_values", "missing_rows", "no_history", "repeat_bags", "take", "vectorise"]


def as_tensors(features: Features, device: torch.device | str = "cpu") -> Features:
    """The same rows as tensors on ``device``; NumPy arrays are shared, not copied, where they stay on the CPU."""

    return _each(features, lambda array: torch.as_tensor(array, device=device))


def as_arrays(features: Features) -> Features:
    """The same rows as NumPy arrays; tensors are shared, not copied, where they are on the CPU."""
    return _each(features, lambda array: torch.as_tensor(array).detach().cpu().numpy())


def _each(features: Features, made: Callable[[Any], Any]) -> Features:
    bags = tuple(Bag(made(b.values), made(b.offsets)) for b in features.bags)
    past = features.history
    history = None if past is None else History(*map(made, past))
    return Features(made(features.dense), made(features.codes), bags, history)


def take(features: Features, rows: Int[Tensor, " b"]) -> Features:
    """Rows of ``features`` in the order of ``rows`` (repeats allowed)."""
    bags = tuple(_take_bag(bag, rows) for bag in features.bags)
    past = features.history
    history = None if past is None else _take_history(past, rows)
    return Features(features.dense.index_select(0, rows), features.codes.index_select(0, rows), bags, history)


def _take_bag(bag: Bag, rows: Int[Tensor, " b"]) -> Bag:
    positions, offsets = _places(bag.offsets, rows)
    return Bag(bag.values.index_select(0, positions), offsets)


def _take_history(past: History, rows: Int[Tensor, " b"]) -> History:
    positions, offsets = _places(past.offsets, rows)
    return past.with_entries(lambda part: part.index_select(0, positions), offsets)


def _places(offsets: Int[Tensor, " m"], rows: Int[Tensor, " b"]) -> tuple[Int[Tensor, " nnz"], Int[Tensor, " e"]]:
    """Where the values of some rows stand, and their offsets among themselves."""
    starts = offsets.index_select(0, rows)
    lengths = offsets.index_select(0, rows + 1) - starts
    taken = functional.pad(lengths.cumsum(0), (1, 0))
    # position in the result, moved by where the row starts there and where it started before
    shift = torch.repeat_interleave(starts - taken[:-1], lengths)
    return torch.arange(len(shift), device=shift.device) + shift, taken


def missing_rows(layout: Layout, n: int, device: torch.device | str = "cpu") -> Features:
    """``n`` rows of which nothing is known: what a pair without a context is given."""
    dense = torch.full((n, layout.n_dense), torch.nan, device=device)
    codes = torch.full((n, len(layout.of("code"))), MISSING, dtype=torch.int64, device=device)
    ones = torch.full((n,), MISSING, dtype=torch.int64, device=device)
    bags = tuple(Bag(ones, torch.arange(n + 1, device=device)) for _ in layout.of("bag"))
    return Features(dense, codes, bags)


def no_history(n: int, device: torch.device | str = "cpu") -> History:
    """``n`` empty histories."""
    none = torch.zeros(0, device=device)
    whole = none.long()
    return History(whole, none, none, whole, none, torch.zeros(n + 1, dtype=torch.int64, device=device))


def drop_values(features: Features, layout: Layout, share: float) -> Features:
    """Move each value to its unseen (numbers: missing) place with probability ``share``; so these places learn.

    A dense block is dropped whole; each tag of a bag is dropped by itself.
    """
    if share <= 0:
        return features
    dense, codes, device = features.dense, features.codes, features.codes.device
    if layout.n_dense:
        sizes = [block.size for block in layout.of("dense")]
        gone = dropped((len(dense), len(sizes)), share, device)
        if max(sizes) > 1:
            gone = gone.repeat_interleave(torch.tensor(sizes, device=device), dim=1)
        dense = dense.masked_fill(gone, torch.nan)
    if codes.shape[1]:
        codes = codes.masked_fill(dropped(tuple(codes.shape), share, device), UNSEEN)
    bags = tuple(
        Bag(b.values.masked_fill(dropped(tuple(b.values.shape), share, device), UNSEEN), b.offsets)
        for b in features.bags
    )
    return Features(dense, codes, bags, features.history)


def repeat_bags(bag: Bag | History) -> Int[Tensor, " nnz"]:
    """The row number of each value of a bag, or entry of a history."""
    rows = torch.arange(len(bag.offsets) - 1, device=bag.offsets.device)
    return torch.repeat_interleave(rows, bag.offsets.diff())


def vectorise(features: Features, layout: Layout) -> Float[Tensor, "n width"]:
    """The portrait vector v: numbers as they are, codes one-hot, bags many-hot; NaN where a value is missing.

    A code in the unseen place counts as missing; an unseen tag has no coordinate; ids have none at all.
    """
    n = len(features.dense)
    parts: list[Tensor] = []
    dense = iter(features.dense.split([b.size for b in layout.of("dense")], dim=1) if layout.n_dense else ())
    codes = iter(features.codes.unbind(1))
    bags = iter(features.bags)
    for block in layout.blocks:
        if block.form == "dense":
            parts.append(next(dense))
            continue
        if block.form == "code":
            values = next(codes)
            rows = torch.arange(n, device=values.device)
        else:
            bag = next(bags)
            values, rows = bag.values, repeat_bags(bag)
        if block.width:
            unknown = 2 if block.form == "code" else 1
            parts.append(_many_hot(values, rows, n, block.size, unknown))
    if not parts:
        return features.dense.new_zeros(n, 0)
    return torch.cat(parts, 1)


def _many_hot(values: Tensor, rows: Tensor, n: int, size: int, unknown: int) -> Float[Tensor, "n width"]:
    """Ones at the values; NaN in rows that hold `MISSING`, or (unknown = 2) `UNSEEN`."""
    hot = torch.zeros(n, size, device=values.device)
    hot[rows, values] = 1.0
    gone = hot[:, [MISSING, UNSEEN][:unknown]].amax(1, keepdim=True)
    return hot[:, FIRST:].masked_fill(gone > 0, torch.nan)
