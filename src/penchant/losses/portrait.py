"""The portrait term: what the *other* side's decoder says of a point against what was really liked.

Reconstruction shows a decoder only its own side's points; a user's point does not lie where items lie, and
there the item decoder would have to guess. This term shows it what users at such points liked.
"""

from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor

from penchant._spec import Layout
from penchant.losses.reconstruction import reconstruct

__all__ = ["portrait_term"]


def portrait_term(
    decoded: Float[Tensor, "n width"],
    vector: Float[Tensor, "n width"],
    layout: Layout,
    *,
    liked: Float[Tensor, " n"] | Bool[Tensor, " n"] | None = None,
    likelihood: Literal["mse", "cross_entropy"] = "mse",
    average: Literal["coordinates", "blocks"] = "coordinates",
    weight: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, ""]:
    """mean over liked pairs of |g_i(e_u) − v_i|²; with the roles exchanged, of |g_u(e_i) − v_u|².

    Arguments:
        decoded: one side's decoder on the other side's points, a row a pair, in (0, 1).
        vector: the liked one's portrait vector; NaN where missing.
        layout: of ``vector``.
        liked: 1 or 0; pairs that were not liked do not count. None: all were liked.
        likelihood, average: as in `reconstruct`.
        weight: of the pairs.

    Source: mathematics, section 4, point 1.
    """
    counted = weight
    if liked is not None:
        counted = liked.to(decoded.dtype) if weight is None else liked * weight
    return reconstruct(decoded, vector, layout, likelihood=likelihood, average=average, weight=counted)
