"""Necks: the loss on the distance of a pair, where the two encoders meet.

All are pointwise: a liked pair is to be nearer than the threshold p, a disliked one further.

    hinge      the disclosure's, centred on p; the gradient of a liked pair never dies
    logistic   the same decision, smooth; σ(τ(p − d)) is a probability
    capped     the uniform metric optimised directly; shown for comparison: no gradient beyond the cap
    literal    the formula as printed; kept for reproduction

``liked`` is 1 or 0 for each pair; y = 2·liked − 1. Weights multiply rows; the result is the weighted mean.
"""

from collections.abc import Callable

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

__all__ = ["KINDS", "capped", "hinge", "literal", "logistic", "weighted_mean"]


def weighted_mean(each: Float[Tensor, " n"], weight: Float[Tensor, " n"] | None) -> Float[Tensor, ""]:
    """Σ w·x / Σ w; the plain mean without weights; 0 where all weights are 0."""
    if weight is None:
        return each.mean()
    return (each * weight).sum() / weight.sum().clamp(min=1e-12)


def hinge(
    distance: Float[Tensor, " n"],
    liked: Float[Tensor, " n"],
    *,
    threshold: float | Float[Tensor, ""],
    margin: float,
    weight: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, ""]:
    """mean max(0, λ + y·(d − p)).

    Zero for a liked pair inside p − λ and a disliked pair outside p + λ. For disliked pairs it equals a − min(a, d) with
    a = p + λ, in value and gradient; for liked pairs it keeps a gradient beyond a, where the uniform metric has none.

    Arguments:
        distance: base distances d ≥ 0.
        threshold, margin: p > λ ≥ 0, distances.

    Source: the disclosure, §3.5 i, with the centre at p.
    """
    return weighted_mean(F.relu(margin + (2 * liked - 1) * (distance - threshold)), weight)


def logistic(
    distance: Float[Tensor, " n"],
    liked: Float[Tensor, " n"],
    *,
    threshold: float | Float[Tensor, ""],
    scale: float | Float[Tensor, ""],
    weight: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, ""]:
    """mean softplus(τ·y·(d − p)) = mean −log σ(−τ·y·(d − p)).

    Arguments:
        distance: base distances d ≥ 0.
        threshold, scale: p and τ > 0, numbers or learned.

    Source: logistic regression on the distance; mathematics, section 3.
    """
    return weighted_mean(F.softplus(scale * (2 * liked - 1) * (distance - threshold)), weight)


def capped(
    distance: Float[Tensor, " n"],
    liked: Float[Tensor, " n"],
    *,
    cap: float | Float[Tensor, ""],
    weight: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, ""]:
    """mean y·min(a, d): the uniform metric itself. Pairs beyond the cap have no gradient.

    Source: the disclosure, §3.5 i, before its replacement by the hinge.
    """
    return weighted_mean((2 * liked - 1) * distance.clamp(max=cap), weight)


def literal(
    distance: Float[Tensor, " n"],
    liked: Float[Tensor, " n"],
    *,
    margin: float,
    weight: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, ""]:
    """mean max(0, λ + (y·d − ½)), y = ±1, as printed.

    No λ serves both labels: a disliked pair costs nothing from d ≥ λ − ½ on, which for λ ≤ ½ is everywhere.

    Source: the disclosure, §3.5 i, as printed; corrected in `hinge`.
    """
    return weighted_mean(F.relu(margin + ((2 * liked - 1) * distance - 0.5)), weight)


KINDS: dict[str, Callable[..., Tensor]] = {"hinge": hinge, "logistic": logistic, "capped": capped, "literal": literal}
