"""Terms on the cloud of points: axes that say different things, and a cloud that does not collapse."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

__all__ = ["covariance", "covariance_literal", "variance_floor"]


def _covariance_matrix(points: Float[Tensor, "n k"]) -> Float[Tensor, "k k"]:
    centred = points - points.mean(0)
    return centred.T @ centred / len(points)


def covariance(points: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    """(1/N)(‖C‖_F² − ‖diag C‖²) = (1/N) Σ_{i≠j} C_ij², C = EᵀE/N, E centred; 0 for decorrelated axes.

    Arguments:
        points: all user and item points of a batch, N ≥ 1 rows.

    Source: the disclosure, §3.5 i, with the square it lacks; Cogswell et al. 2016, arXiv 1511.06068.
    """
    c = _covariance_matrix(points)
    return (c.square().sum() - c.diagonal().square().sum()) / len(points)


def covariance_literal(points: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    """(1/N)(‖C‖_F − ‖diag C‖²) as printed: not 0 for decorrelated axes, and rewards inflating the variance.

    Arguments:
        points: as in `covariance`.

    Source: the disclosure, §3.5 i, as printed; corrected in `covariance`.
    """
    c = _covariance_matrix(points)
    squares = c.square().sum()
    norm = squares.clamp(min=1e-24).sqrt()
    return (norm - c.diagonal().square().sum()) / len(points)


def variance_floor(points: Float[Tensor, "n k"], floor: float) -> Float[Tensor, ""]:
    """mean_j max(0, floor − √(var_j + 1e-6)): a hinge on each axis's spread, which prevents collapse.

    Arguments:
        points: as in `covariance`.
        floor: the standard deviation below which it pushes, a distance on one axis.

    Source: Bardes, Ponce, LeCun 2022 (VICReg), arXiv 2105.04906, eq. 1.
    """
    variance = points.var(0, correction=0)
    return functional.relu(floor - (variance + 1e-6).sqrt()).mean()
