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

__all__ = ["Loss", "combine"]

_CHOICES = {"neck": tuple(KINDS), "covariance": ("right", "literal"), "likelihood": ("mse", "cross_entropy")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """L = α·neck + β·reconstruction + γ·covariance + δ·portrait + ε·variance.

    Warns (UserWarning) where the literal neck is chosen.

    Raises: ConfigError: an option outside its range, or no term at all.
    """

    neck: str = "logistic"
    """The loss on a pair's distance, by its name in `penchant.losses.KINDS`."""
    margin: float | int = 0.1
    """λ of the hinge and the literal neck, and of an "auto" cap; a distance, at least 0."""
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
    floor: float | int = 0.1
    """Standard deviation of an axis below which the variance floor pushes."""
    covariance: Literal["right", "literal"] = "right"
    """literal: the covariance term as printed in the disclosure."""
    likelihood: Literal["mse", "cross_entropy"] = "mse"
    """How reconstruction and portrait term score binary and one-hot coordinates."""
    read_share: float | int = 0.25
    """Share of a batch, drawn anew each step, on which the decoders are trained, in (0, 1]; less is faster."""
    liked_weight: float | int = 1.0
    """Weight of a liked row against a disliked one, in the neck."""

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise ConfigError(f"loss.{name} = {getattr(self, name)!r}: one of {', '.join(known)} expected")
        for name in ("margin", "alpha", "beta", "gamma", "delta", "epsilon", "floor", "liked_weight"):
            value = getattr(self, name)
            if not (isinstance(value, float | int) and 0 <= value < math.inf):
                raise ConfigError(f"loss.{name} = {value!r}: a number >= 0 expected")
        if not (isinstance(self.read_share, float | int) and 0 < self.read_share <= 1):
            raise ConfigError(f"loss.read_share = {self.read_share!r}: a share above 0, at most 1, expected")
        if self.liked_weight == 0:
            raise ConfigError("loss.liked_weight = 0: a number above 0 expected, or likes teach nothing")
        if not any(self.weights.values()):
            raise ConfigError("loss: alpha, beta, gamma, delta and epsilon are all 0: at least one above 0 expected")
        if self.neck == "literal":
            warnings.warn(
                "loss.neck = 'literal' is the formula as printed, kept for reproduction: no margin serves "
                "both labels. Use 'hinge', its correction, or 'logistic'",
                UserWarning,
                stacklevel=3,  # past the generated __init__
            )

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each term by name."""
        return {
            "neck": self.alpha,
            "reconstruction": self.beta,
            "covariance": self.gamma,
            "portrait": self.delta,
            "variance": self.epsilon,
        }


def combine(terms: Mapping[str, Float[Tensor, ""]], loss: Loss) -> dict[str, Float[Tensor, ""]]:
    """The terms, unweighted, and their weighted sum ``"total"``.

    Arguments:
        terms: at least one, by the names of `Loss.weights`.

    Raises:
        KeyError: a term without a weight.
    """
    weights = loss.weights
    parts = [weights[name] * value for name, value in terms.items()]
    return {**terms, "total": sum(parts[1:], parts[0])}
