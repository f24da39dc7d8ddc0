"""How far Gaussians are from their prior: what a variational latent pays for being sure."""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["divergence"]


def divergence(
    mean: Float[Tensor, "n k"],
    scale: Float[Tensor, "n k"],
    prior_mean: Float[Tensor, "#k"],
    prior_scale: Float[Tensor, "#k"],
    *,
    weight: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, ""]:
    """mean over rows of w · KL(N(μ, diag σ²) ‖ N(m, diag s²)),  KL = Σ_j log(s/σ) + (σ² + (μ − m)²) / (2s²) − ½.

    With a row a pair and w = 1 / (number of the user's pairs), the sum over all pairs is that over all users, so that
    this is the divergence of the evidence bound, per pair: where one has many pairs, each pays a small part, and what
    they say weighs more against the prior.

    Arguments:
        mean, scale: μ and σ > 0.
        prior_mean, prior_scale: m and s > 0, one for all axes or one for each.
        weight: w, of the rows; None: 1.

    Returns:
        A scalar >= 0, in nats; 0 without rows.

    Source: Kingma, Welling 2013, arXiv 1312.6114, appendix B.
    """
    ratio = scale / prior_scale
    each = 0.5 * (ratio.square() + ((mean - prior_mean) / prior_scale).square() - 1) - torch.log(ratio)
    rows = each.sum(1) if weight is None else weight * each.sum(1)
    return rows.mean() if len(rows) else rows.sum()
