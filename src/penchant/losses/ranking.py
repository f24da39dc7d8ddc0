"""Ranking necks: the loss on the distances of a liked item and of other items, for data that only say what is liked.

All compare, for each of b liked pairs, the distance d of the liked item i with those of c candidates k: items that
are not known to be liked.

    softmax    setwise: the liked item's share of exp(−τ d) among all; the nearest to what rankings are judged by
    bpr        pairwise: the chance that the liked item is nearer than one candidate, averaged over them
    warp       pairwise: a margin to the nearest candidate alone, the heavier the further down the liked item is

No neck here knows a threshold: only differences of distances count, and p is found afterwards (calibration).

``liked`` (b) and ``others`` (b, c) are base distances ≥ 0. ``masked`` (b, c) marks candidates that are as if not there:
the liked item itself, and all else that its user likes (false negatives). ``log_q`` (c) is the log of how often a
candidate is expected to be among the candidates: 0 where it always is, log of its chance where it was drawn; sums
over drawn candidates, each divided by its chance, are then on average the sums over the catalogue (Horvitz, Thompson
1952). Weights multiply pairs; the result is the weighted mean over them, and 0 where there is nothing to weigh. A pair
without candidates costs nothing.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from penchant.losses.neck import weighted_mean

__all__ = ["RANKING", "bpr", "softmax", "warp"]


def softmax(
    liked: Float[Tensor, " b"],
    others: Float[Tensor, "b c"],
    *,
    scale: float | Float[Tensor, ""],
    masked: Bool[Tensor, "b c"] | None = None,
    log_q: Float[Tensor, " c"] | None = None,
    weight: Float[Tensor, " b"] | None = None,
) -> Float[Tensor, ""]:
    """mean −log [ exp(−τ d_i) / (exp(−τ d_i) + Σ_k exp(−τ d_k − log q_k)) ].

    With log q the sum over drawn candidates is on average the one over the catalogue: the gradient tends to that of
    the whole catalogue as more are drawn.

    Arguments:
        scale: τ > 0, a number or learned.

    Source: Liang et al. 2018, arXiv 1802.05814 (the multinomial likelihood); Bengio, Senécal 2008,
    doi 10.1109/TNN.2007.912312 (sampled, with log q).
    """
    logits = -scale * others if log_q is None else -scale * others - log_q
    if masked is not None:
        logits = logits.masked_fill(masked, -math.inf)
    own = -scale * liked
    return weighted_mean(torch.cat([own[:, None], logits], 1).logsumexp(1) - own, weight)


def bpr(
    liked: Float[Tensor, " b"],
    others: Float[Tensor, "b c"],
    *,
    scale: float | Float[Tensor, ""],
    masked: Bool[Tensor, "b c"] | None = None,
    weight: Float[Tensor, " b"] | None = None,
) -> Float[Tensor, ""]:
    """mean over pairs of mean_k −log σ(τ(d_k − d_i)), the inner mean over candidates that are not masked.

    Candidates count as often as they are drawn: where popular ones are, these are what is told apart.

    Arguments:
        scale: τ > 0, a number or learned.

    Source: Rendle et al. 2009, arXiv 1205.2618, with −τ d for the score.
    """
    each = functional.softplus(scale * (liked[:, None] - others))
    if masked is None:
        return weighted_mean(each.sum(1) / max(1, others.shape[1]), weight)
    free = (~masked).to(each.dtype)
    return weighted_mean((each * free).sum(1) / free.sum(1).clamp(min=1.0), weight)


def warp(
    liked: Float[Tensor, " b"],
    others: Float[Tensor, "b c"],
    *,
    margin: float,
    masked: Bool[Tensor, "b c"] | None = None,
    log_q: Float[Tensor, " c"] | None = None,
    weight: Float[Tensor, " b"] | None = None,
) -> Float[Tensor, ""]:
    """mean log(1 + rank) · max(0, λ + d_i − min_k d_k), rank = Σ_k 1[d_k < d_i + λ] / q_k.

    The rank, of which no gradient is taken, is how many items of the catalogue come nearer than d_i + λ; from c
    candidates drawn evenly it is the share of such ones times the size of the catalogue. Of the candidates only the
    nearest is pushed: draw few of them (10 to 50), for of a whole catalogue the nearest is often a like to come.

    Arguments:
        margin: λ ≥ 0, a distance.

    Source: Hsieh et al. 2017 (CML), doi 10.1145/3038912.3052639, §3.2–3.3, where distances are squared: here they are
    not, so that λ is a distance and a pair that is near still has a gradient. Weston et al. 2010 (WARP).
    """
    if masked is not None:
        others = others.masked_fill(masked, math.inf)
    with torch.no_grad():
        nearer = (others < liked[:, None] + margin).to(others.dtype)
        rank = nearer.sum(1) if log_q is None else nearer @ torch.exp(-log_q)
    nearest = functional.pad(others, (0, 1), value=math.inf).amin(1)  # there may be no candidate
    return weighted_mean(rank.log1p() * functional.relu(margin + liked - nearest), weight)


RANKING: dict[str, Callable[..., Tensor]] = {
    "softmax": softmax,
    "bpr": bpr,
    "warp": warp,
}
"""Names and necks; those on single pairs are in `penchant.losses.KINDS`."""
