"""The whole loss: which terms, how much of each."""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from penchant.errors import ConfigError
from penchant.losses.neck import KINDS
from penchant.losses.ranking import RANKING

__all__ = ["Loss", "combine"]

_CHOICES = {
    "neck": (*KINDS, *RANKING),
    "negatives": ("catalogue", "uniform", "popular", "batch"),
    "covariance": ("right", "literal"),
    "likelihood": ("mse", "cross_entropy"),
}
_NUMBERS = (
    "margin",
    "power",
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "kappa",
    "floor",
    "liked_weight",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """L = α·neck + β·reconstruction + γ·covariance + δ·portrait + ε·variance + ζ·width + η·jacobian + κ·divergence.

    Warns (UserWarning) where the literal neck is chosen.

    Raises: ConfigError: an option outside its range, or no term at all.
    """

    neck: str = "logistic"
    """The loss on distances, by its name in `penchant.losses.KINDS` (liked or not, pair by pair) or
    `penchant.losses.RANKING` (softmax, bpr, warp: what is liked above the rest, and nothing need be disliked)."""
    margin: float | int = 0.1
    """λ of the hinge, the literal neck and warp, and of an "auto" cap; a distance, at least 0."""
    negatives: Literal["catalogue", "uniform", "popular", "batch"] = "catalogue"
    """The items that a ranking neck holds likes against, drawn anew each step: all (best, up to some ten thousand
    items), some at random, more of the popular ones, or those of the batch's own pairs."""
    n_negatives: int = 1000
    """How many of them are drawn, about (negatives = uniform, popular)."""
    power: float | int = 0.75
    """Popular items are drawn in proportion to this power of their number of training rows + 1, at least 0."""
    alpha: float | int = 1.0
    """Weight of the neck."""
    beta: float | int = 1.0
    """Weight of the reconstruction of both sides."""
    gamma: float | int = 0.0
    """Weight of the covariance term."""
    delta: float | int = 10.0
    """Weight of the portrait term; 0 leaves portraits that are not to be trusted."""
    epsilon: float | int = 0.0
    """Weight of the variance floor."""
    zeta: float | int = 0.0
    """Weight of the width: how far apart the points are that an item can have when one of its fields, drawn anew each
    step, is not known. A small weight makes a model of which more can be proved (MLP encoders)."""
    eta: float | int = 0.01
    """Weight of the encoders' squared Jacobian, in contrastive latents only."""
    kappa: float | int = 0.01
    """Weight of the divergence from the prior, in variational latents only; 1 is the evidence bound of the labels."""
    floor: float | int = 0.1
    """Standard deviation of an axis below which the variance floor pushes."""
    covariance: Literal["right", "literal"] = "right"
    """literal: the covariance term as printed in the disclosure."""
    likelihood: Literal["mse", "cross_entropy"] = "mse"
    """How reconstruction and portrait term score binary and one-hot coordinates."""
    read_share: float | int = 0.25
    """Share of a batch, drawn anew each step, on which the decoders are trained, in (0, 1]; less is faster."""
    liked_weight: float | int = 1.0
    """Weight of a liked row against a disliked one, in a pointwise neck."""

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise ConfigError(f"loss.{name} = {getattr(self, name)!r}: one of {', '.join(known)} expected")
        for name in _NUMBERS:
            value = getattr(self, name)
            if not (isinstance(value, float | int) and 0 <= value < math.inf):
                raise ConfigError(f"loss.{name} = {value!r}: a number >= 0 expected")
        n = self.n_negatives
        if not (isinstance(n, int) and not isinstance(n, bool) and n >= 1):
            raise ConfigError(f"loss.n_negatives = {n!r}: a whole number >= 1 expected")
        if not (isinstance(self.read_share, float | int) and 0 < self.read_share <= 1):
            raise ConfigError(f"loss.read_share = {self.read_share!r}: a share above 0, at most 1, expected")
        if self.liked_weight == 0:
            raise ConfigError("loss.liked_weight = 0: a number above 0 expected, or likes teach nothing")
        if not any((self.alpha, self.beta, self.gamma, self.delta, self.epsilon, self.zeta)):
            raise ConfigError("loss: alpha, beta, gamma, delta, epsilon and zeta are all 0: one above 0 expected")
        if self.neck == "literal":
            warnings.warn(
                "loss.neck = 'literal' is the formula as printed, kept for reproduction: no margin serves "
                "both labels. Use 'hinge', its correction, or 'logistic'",
                UserWarning,
                stacklevel=3,  # past the generated __init__
            )

    @property
    def ranking(self) -> bool:
        """Is the neck a ranking one?"""
        return self.neck in RANKING

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each term by name."""
        return {
            "neck": self.alpha,
            "reconstruction": self.beta,
            "covariance": self.gamma,
            "portrait": self.delta,
            "variance": self.epsilon,
            "width": self.zeta,
            "jacobian": self.eta,
            "divergence": self.kappa,
        }


def combine(terms: Mapping[str, Float[Tensor, ""]], loss: Loss, annealed: float = 1.0) -> dict[str, Float[Tensor, ""]]:
    """The terms, unweighted, and their weighted sum ``"total"``.

    Arguments:
        terms: at least one, by the names of `Loss.weights`.
        annealed: share of κ that counts yet, in [0, 1].

    Raises:
        KeyError: a term without a weight.
    """
    weights = loss.weights | {"divergence": annealed * loss.kappa}
    parts = [weights[name] * value for name, value in terms.items()]
    return {**terms, "total": sum(parts[1:], parts[0])}
