"""Rows of features as a sparse matrix: what models see that are linear in each feature, or in each pair of them."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float32, Int64
from scipy import sparse

from penchant._spec import FIRST, MISSING, UNSEEN, Bag, Block, Features, Layout

__all__ = ["design", "design_width", "without_ids"]


def design(layout: Layout, features: Features, *, share_tags: bool = False) -> sparse.csr_array:
    """(n, width) float32: portrait vector with 0 where missing, a flag for each missing field, one-hot ids.

    Arguments:
        features: n rows, as arrays.
        share_tags: do the tags of a row add up to 1, instead of being 1 each?
    """
    known: list[sparse.csr_array] = []
    flags: list[sparse.csr_array] = []
    ids: list[sparse.csr_array] = []
    for block, values in _parts(layout, features):
        if block.form == "dense":
            known.append(sparse.csr_array(np.nan_to_num(values)))
            flags.append(_flag(np.asarray(np.isnan(values).any(axis=1))))
        elif block.width:
            hot = _hot(values, block.size)
            part = sparse.csr_array(hot[:, FIRST:])
            known.append(_shared(part) if share_tags and block.form == "bag" else part)
            gone = [MISSING] if block.form == "bag" else [MISSING, UNSEEN]
            flags.append(_flag(hot[:, gone].sum(axis=1) > 0))
        else:
            ids.append(_hot(values, block.size))
    nothing = sparse.csr_array((len(features), 0), dtype=np.float32)
    return sparse.csr_array(sparse.hstack([nothing, *known, *flags, *ids], format="csr"))


def design_width(layout: Layout) -> int:
    """Columns of `design`."""
    return _before_ids(layout) + sum(block.size for block, _ in _ids(layout))


def without_ids(layout: Layout) -> Int64[np.ndarray, " width"]:
    """The column that stands for each in rows of somebody or something new: an id's is that of unseen ones."""
    columns = np.arange(design_width(layout))
    for block, start in _ids(layout):
        columns[start : start + block.size] = start + UNSEEN
    return columns


def _parts(
    layout: Layout, features: Features
) -> Iterator[tuple[Block, Float32[np.ndarray, "n _"] | Int64[np.ndarray, " n"] | Bag]]:
    """Each block with its part of the features."""
    start, codes, bags = 0, iter(features.codes.T), iter(features.bags)
    for block in layout.blocks:
        if block.form == "dense":
            yield block, features.dense[:, start : start + block.size]
            start += block.size
        else:
            yield block, next(codes if block.form == "code" else bags)


def _hot(values: Int64[np.ndarray, " n"] | Bag, size: int) -> sparse.csr_array:
    """(n, size): ones at the codes."""
    codes, ends = values if isinstance(values, Bag) else (values, np.arange(len(values) + 1))
    return sparse.csr_array((np.ones(len(codes), dtype=np.float32), codes, ends), shape=(len(ends) - 1, size))


def _flag(there: Bool[np.ndarray, " n"]) -> sparse.csr_array:
    """(n, 1)"""
    return sparse.csr_array(there[:, None].astype(np.float32))


def _shared(hot: sparse.csr_array) -> sparse.csr_array:
    """Each row divided by its sum."""
    return sparse.csr_array(hot.multiply(1 / np.maximum(hot.sum(axis=1), 1)[:, None]).astype(np.float32))


def _before_ids(layout: Layout) -> int:
    return layout.width + sum(1 for _ in layout.places())


def _ids(layout: Layout) -> Iterator[tuple[Block, int]]:
    """The blocks of ids, each with its first column."""
    start = _before_ids(layout)
    for block in layout.of("code"):
        if not block.width:
            yield block, start
            start += block.size
