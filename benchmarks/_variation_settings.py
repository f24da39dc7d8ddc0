"""The variations of `variations.py`, and the few settings of each that ``--tune`` chooses from by validation AUC.

Every model has as many: four, the first of them as it stands in `MODELS`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from penchant import EncoderOptions, GaussianSpace, Latent, Loss, Penchant, Space

__all__ = ["BUDGET", "MODELS", "SETTINGS", "label"]

BUDGET = {"epochs": 15, "patience": 3}
"""Of each setting's training; seed 0."""

CROSSES = (("gender", "occupation"), ("occupation", "zip_code"))


def _gaussian(metric: str, *, low: float = 0.01, kappa: float = 0.01, scale: float = 10.0, threshold: float = 0.5,
              prior: str = "learned") -> Penchant:  # fmt: skip
    return Penchant(
        space=GaussianSpace(dim=128, metric=metric, sigma_min=low), latent=Latent(kind="variational", prior=prior),
        loss=Loss(kappa=kappa), scale=scale, threshold=threshold,
    )  # fmt: skip


MODELS: dict[str, Callable[[], Penchant]] = {
    "point": Penchant,
    "point, sup norm": lambda: Penchant(space=Space(norm=float("inf"))),
    "contrastive": lambda: Penchant(latent=Latent(kind="contrastive")),
    "wasserstein": lambda: Penchant.preset("variational"),
    "fisher_rao": lambda: _gaussian("fisher_rao", low=0.1, scale=2.0, threshold=2.0, prior="fixed"),
    "hellinger": lambda: _gaussian("hellinger", low=0.1, scale=20.0, threshold=0.3, prior="fixed"),
    "sup": lambda: _gaussian("sup"),
    "kl": lambda: _gaussian("kl", low=0.3, kappa=0.001, scale=5.0),
    "wide_deep": lambda: Penchant(encoder=EncoderOptions(kind="wide_deep", crosses=CROSSES)),
}
"""By name: a latent, a metric or an encoder in place of the default's; the rest is the default's."""

SETTINGS: dict[str, tuple[Mapping[str, Any], ...]] = {
    "point": ({}, {"space__dim": 32}, {"weight_decay": 0.1}, {"learning_rate": 4e-3}),
    "point, sup norm": ({}, {"space__dim": 16}, {"scale": 5.0}, {"learning_rate": 4e-3}),
    "contrastive": ({}, {"latent__noise": 0.05}, {"loss__eta": 0.1}, {"latent__noise": 0.2, "loss__eta": 0.001}),
    "wasserstein": ({}, {"loss__kappa": 0.1}, {"loss__kappa": 0.001}, {"space__sigma_min": 0.1}),
    "fisher_rao": ({}, {"loss__kappa": 0.001}, {"space__sigma_min": 0.3, "scale": 4.0}, {"space__sigma_min": 0.2}),
    "hellinger": ({}, {"space__sigma_min": 0.3}, {"space__sigma_min": 0.5, "threshold": 0.5}, {"scale": 10.0}),
    "sup": ({}, {"space__dim": 32}, {"scale": 5.0}, {"loss__kappa": 0.001}),
    "kl": ({}, {"space__sigma_min": 0.5}, {"loss__kappa": 0.0001}, {"scale": 2.0, "threshold": 1.0}),
    "wide_deep": (
        {},
        {"encoder__crosses": CROSSES[:1]},
        {"encoder__crosses": (("gender", "occupation"),), "weight_decay": 0.1},
        {"learning_rate": 4e-3},
    ),
}
"""What is changed, in the manner of `Penchant.set_params`."""


def label(name: str, changes: Mapping[str, Any]) -> str:
    """A model and a setting in words."""
    said = ", ".join(f"{option.replace('__', '.')} = {value}" for option, value in changes.items())
    return f"{name}: {said or 'as it stands'}"
