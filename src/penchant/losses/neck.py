"""Necks: the loss on the distance of a pair, where the two encoders meet.

All are pointwise: a liked pair is to be nearer than the threshold p, a disliked one further.

    hinge      the disclosure's, centred on p; the gradient of a liked pair never dies
    logistic   the same decision, smooth; σ(τ(p − d)) is a probability
    capped     the uniform metric optimised directly; shown for comparison: no gradient beyond the cap
    literal    the formula as printed; kept for reproduction

``liked`` is 1 or 0 (or a Boolean) for each pair; y = 2·liked − 1. Weights multiply rows; the result is the
weighted mean Σ w·x / Σ w, and 0 where there is nothing to weigh.
"""

from collections.abc import Callable

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

__all__ = ["KINDS", "capped", "hinge", "literal", "logistic", "weighted_mean"]


def weighted_mean(each: Float[Tensor, " n"], weight: Float[Tensor, " n"] | None) -> Float[Tensor, ""]:
    """Σ w·x / Σ w; the plain mean without weights; 0 where there is no row or all weights are 0."""
    if weight is None:
        return each.mean() if len(each) else each.sum()
    return (each * weight).sum() / weight.sum().clamp(min=1e-12)


def _sign(liked: Float[Tensor, " n"] | Bool[Tensor, " n"], distance: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """y = +1 liked, −1 not."""
    return 2 * liked.to(distance.dtype) - 1


def hinge(
    distance: Float[Tensor, " n"],
    liked: Float[Tensor, " n"] | Bool[Tensor, " n"],
    *,
    threshold: float | Float[Tensor, ""],
    margin: float,
    weight: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, ""]:
    """mean max(0, λ + y·(d − p)).

    Zero for a liked pair inside p − λ and a disliked pair outside p + λ. For disliked pairs it equals
    a − min(a, d) with a = p + λ, in value and gradient; for liked pairs it keeps a gradient beyond a, where
    min(a, d) has none.

    Arguments:
        distance: base distances d ≥ 0.
        threshold, margin: p > λ ≥ 0, distances.

    Source: the disclosure, §3.5 i, with the centre at p.
    """
    return weighted_mean(functional.relu(margin + _sign(liked, distance) * (distance - threshold)), weight)


def logistic(
    distance: Float[Tensor, " n"],
    liked: Float[Tensor, " n"] | Bool[Tensor, " n"],
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
    return weighted_mean(functional.softplus(scale * _sign(liked, distance) * (distance - threshold)), weight)


def capped(
    distance: Float[Tensor, " n"],
    liked: Float[Tensor, " n"] | Bool[Tensor, " n"],
    *,
    cap: float | Float[Tensor, ""],
    weight: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, ""]:
    """mean y·min(a, d): the uniform metric itself. Pairs beyond the cap have no gradient.

    Source: the disclosure, §3.5 i, before its replacement by the hinge.
    """
    return weighted_mean(_sign(liked, distance) * distance.clamp(max=cap), weight)


def literal(
    distance: Float[Tensor, " n"],
    liked: Float[Tensor, " n"] | Bool[Tensor, " n"],
    *,
    margin: float,
    weight: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, ""]:
    """mean max(0, λ + (y·d − ½)), y = ±1, as printed.

    No λ serves both labels: a disliked pair costs nothing from d ≥ λ − ½ on, which for λ ≤ ½ is everywhere.

    Source: the disclosure, §3.5 i, as printed; corrected in `hinge`.
    """
    return weighted_mean(functional.relu(margin + (_sign(liked, distance) * distance - 0.5)), weight)


KINDS: dict[str, Callable[..., Tensor]] = {
    "hinge": hinge,
    "logistic": logistic,
    "capped": capped,
    "literal": literal,
}
