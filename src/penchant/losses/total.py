"""The whole loss: which terms, how much of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from penchant.errors import ConfigError
from penchant.losses.neck import KINDS

__all__ = ["Loss", "combine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """L = α·neck + β·reconstruction + γ·covariance + δ·portrait + ε·variance.

    Raises: ConfigError: an option outside its range.
    """

    neck: str = "logistic"
    """The loss on a pair's distance, by its name in `penchant.losses.KINDS`."""
    margin: float = 0.1
    """λ of the hinge and the literal neck, and of an "auto" cap; a distance, at least 0."""
    alpha: float = 1.0
    """Weight of the neck."""
    beta: float = 1.0
    """Weight of the reconstruction of both sides."""
    gamma: float = 0.0
    """Weight of the covariance term."""
    delta: float = 10.0
    """Weight of the portrait term; 0 leaves portraits that are not to be trusted."""
    epsilon: float = 0.0
    """Weight of the variance floor."""
    floor: float = 0.1
    """Standard deviation of an axis below which the variance floor pushes."""
    covariance: Literal["right", "literal"] = "right"
    """literal: the covariance term as printed in the disclosure."""
    likelihood: Literal["mse", "cross_entropy"] = "mse"
    """How reconstruction and portrait term score binary and one-hot coordinates."""
    liked_weight: float = 1.0
    """Weight of a liked row against a disliked one, in the neck."""

    def __post_init__(self) -> None:
        if self.neck not in KINDS:
            raise ConfigError(f"loss.neck = {self.neck!r}: one of {', '.join(KINDS)} expected")
        for name in ("margin", "alpha", "beta", "gamma", "delta", "epsilon", "floor"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ConfigError(f"loss.{name} = {getattr(self, name)}: a number >= 0 expected")
        if not 0 < self.liked_weight < float("inf"):
            raise ConfigError(f"loss.liked_weight = {self.liked_weight}: a number above 0 expected")
        for name, known in (("covariance", ("right", "literal")), ("likelihood", ("mse", "cross_entropy"))):
            if getattr(self, name) not in known:
                raise ConfigError(f"loss.{name} = {getattr(self, name)!r}: one of {', '.join(known)} expected")

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
    """The terms and their weighted sum, ``"total"``.

    Raises:
        KeyError: a term without a weight.
    """
    weights = loss.weights
    parts = [weights[name] * value for name, value in terms.items()]
    return {**terms, "total": sum(parts[1:], parts[0])}
