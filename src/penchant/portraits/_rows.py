"""Decoded vectors to whole rows of real values, as a table could hold them."""

import numpy as np
import polars as pl
from jaxtyping import Float, Float32

from penchant._spec import Block, Features, Layout
from penchant.errors import ConfigError
from penchant.tables import SideEncoder

__all__ = ["encode_rows", "likeliest", "whole_rows"]


def whole_rows(
    encoder: SideEncoder, vectors: Float[np.ndarray, "n width"], random: np.random.Generator | None = None
) -> pl.DataFrame:
    """A row for each vector: numbers as decoded; yes or no, tags and one of many drawn by their shares.

    Without ``random`` the likeliest: of tags as many as are expected (the sum of their shares, rounded), as a row of
    tags that are each unlikely would otherwise have none.

    Raises:
        ConfigError: there is no field that can be read back.
    """
    if not encoder.layout.width:
        raise ConfigError("a row can be made up only where a column is no id: there is nothing to read back")
    if random is None:
        return encoder.decode(likeliest(encoder.layout, vectors))
    whole = vectors.astype(np.float32)
    for block, place in encoder.layout.places():
        if block.likelihood != "square":
            whole[:, place] = _drawn(block, whole[:, place], random)
    return encoder.decode(whole)


def likeliest(layout: Layout, vectors: Float[np.ndarray, "n width"]) -> Float32[np.ndarray, "n width"]:
    """The same vectors with the likeliest tags: 1 for as many as are expected, 0 for the others."""
    whole = vectors.astype(np.float32)
    for block, place in layout.places():
        if block.form == "bag":
            whole[:, place] = _likeliest_tags(whole[:, place])
    return whole


def _drawn(block: Block, shares: Float32[np.ndarray, "n c"], random: np.random.Generator) -> Float32[np.ndarray, "n c"]:
    """1 for what a row drawn by these shares has, 0 for the rest."""
    if block.likelihood == "binary":
        return (random.random(shares.shape) < shares).astype(np.float32)
    reached = np.cumsum(shares, axis=1, dtype=np.float64)
    word = (reached <= random.random((len(shares), 1)) * reached[:, -1:]).sum(1)
    found = np.zeros_like(shares)
    found[np.arange(len(shares)), np.minimum(word, shares.shape[1] - 1)] = 1.0
    return found


def _likeliest_tags(shares: Float32[np.ndarray, "n tags"]) -> Float32[np.ndarray, "n tags"]:
    """1 for the tags that the row has, 0 for the others; of equal ones the first."""
    count = np.rint(shares.sum(1, dtype=np.float64)).astype(np.int64)
    order = np.argsort(-shares, axis=1, kind="stable")
    has = np.arange(shares.shape[1]) < count[:, None]
    found = np.zeros_like(shares)
    np.put_along_axis(found, order, has.astype(np.float32), axis=1)
    return found


def encode_rows(encoder: SideEncoder, rows: pl.DataFrame) -> Features:
    """Made-up rows as encoded ones; their ids are new ones (`UNSEEN`), not missing ones."""
    absent = [f.name for f in encoder.fields if f.name not in rows.columns]
    return encoder.without_ids(encoder.encode(rows.with_columns(pl.lit(None).alias(name) for name in absent)))
