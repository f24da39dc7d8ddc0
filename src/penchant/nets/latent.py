"""What a point of the space is while it is learned: a place, a Gaussian, or a place that hardly moves with its fields.

    point         e = bound(f(v)), as it is
    variational   N(μ, diag σ²) = bound(f(v)): learned from places drawn from it, σ kept near a prior's
    contrastive   e = bound(f(v)) with ‖∂e/∂x‖² small (contractive), learned from noisy x (denoising); x: the fields'
                  vectors, as they enter the layers

Source: Kingma, Welling 2013, arXiv 1312.6114 (variational); Rifai et al. 2011, ICML (contractive); Vincent et al. 2008,
doi 10.1145/1390156.1390294 (denoising).
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from penchant.errors import ConfigError
from penchant.nets.embedding import FieldEmbedding, FieldVector

__all__ = ["LATENTS", "Latent", "Prior", "jacobian_square", "watched"]

LATENTS = ("point", "variational", "contrastive")
"""What a latent may be."""

_PRIORS = ("fixed", "learned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Latent:
    """What a point is while it is learned.

    Raises: ConfigError: an option outside its range.
    """

    kind: str = "point"
    """point: a place. variational: a Gaussian, which says how sure it is (needs space.kind = "gaussian"). contrastive:
    a place that hardly moves with its fields (loss.eta), learned from noisy ones."""
    prior: str = "learned"
    """variational: what Gaussians are drawn to. fixed: the centre of the box. learned: a mean and a deviation for each
    side and axis."""
    prior_scale: float | int = 0.3
    """variational: the prior's standard deviation on each axis, in units of the box; if learned, at first."""
    anneal: int = 5
    """variational: epochs over which the weight of the divergence (loss.kappa) rises from 0; 0: all of it at once."""
    noise: float | int = 0.1
    """contrastive: standard deviation of what is added to the fields' vectors while training; 0: nothing."""

    def __post_init__(self) -> None:
        for name, known in (("kind", LATENTS), ("prior", _PRIORS)):
            if getattr(self, name) not in known:
                raise ConfigError(f"latent.{name} = {getattr(self, name)!r}: one of {', '.join(known)} expected")
        if not 0 < self.prior_scale < math.inf:
            raise ConfigError(f"latent.prior_scale = {self.prior_scale}: a number above 0 expected")
        if int(self.anneal) != self.anneal or self.anneal < 0:
            raise ConfigError(f"latent.anneal = {self.anneal}: a whole number of epochs, at least 0, expected")
        if not 0 <= self.noise < math.inf:
            raise ConfigError(f"latent.noise = {self.noise}: a number >= 0 expected")

    @property
    def variational(self) -> bool:
        """Are points Gaussians?"""
        return self.kind == "variational"

    @property
    def contrastive(self) -> bool:
        """Are points kept from moving with their fields?"""
        return self.kind == "contrastive"

    def annealed(self, epoch: int) -> float:
        """The share of loss.kappa that counts in an epoch (from 0): 0 in the first, 1 from ``anneal`` on."""
        return min(1.0, epoch / self.anneal) if self.anneal else 1.0


class Prior(nn.Module):
    """The Gaussian that those of a side are drawn to: on each axis a mean and a standard deviation."""

    def __init__(self, axes: int, centre: float, latent: Latent) -> None:
        super().__init__()
        self.centre, self.start = centre, float(latent.prior_scale)
        learned = latent.prior == "learned"
        self.shift = nn.Parameter(torch.zeros(axes), requires_grad=learned)
        self.log_ratio = nn.Parameter(torch.zeros(axes), requires_grad=learned)

    def forward(self) -> tuple[Float[Tensor, " k"], Float[Tensor, " k"]]:
        """Mean and standard deviation."""
        return self.centre + self.shift, self.start * self.log_ratio.exp()


@contextmanager
def watched(encoder: nn.Module, noise: float = 0.0) -> Iterator[list[Tensor]]:
    """While inside, what an encoder's fields become is noted, call by call, as it enters the layers.

    Arguments:
        noise: standard deviation of what is added to it first, in training mode.
    """
    seen: list[Tensor] = []

    def note(module: nn.Module, _: object, output: tuple[Tensor, Tensor | None]) -> tuple[Tensor, Tensor | None]:
        inputs, wide = output
        if noise and module.training:
            inputs = inputs + noise * torch.randn_like(inputs)
        if not inputs.requires_grad and torch.is_grad_enabled():
            inputs = inputs.requires_grad_()
        seen.append(inputs)
        return inputs, wide

    readers = [module for module in encoder.modules() if isinstance(module, FieldEmbedding | FieldVector)]
    hooks = [module.register_forward_hook(note) for module in readers]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def jacobian_square(points: Float[Tensor, "n k"], inputs: list[Tensor]) -> Float[Tensor, ""]:
    """mean over points and axes of ‖∂e_j/∂x‖²: the squared Frobenius norm of the Jacobian, divided by k.

    For one random w with independent entries of mean 0 and variance 1 in each row, E ‖wᵀ J‖² = ‖J‖_F², so that one pass
    backward stands for k of them.

    Arguments:
        inputs: what the points were made of, as `watched` noted it.

    Source: Rifai et al. 2011, ICML (the penalty); Hutchinson 1990, doi 10.1080/03610919008812866 (the estimate).
    """
    inputs = [x for x in inputs if x.numel()]
    if not inputs or not points.numel():
        return points.new_zeros(())
    signs = torch.randint_like(points, 2) * 2 - 1
    slopes = torch.autograd.grad(points, inputs, signs, create_graph=True, allow_unused=True)
    total = [slope.square().sum() for slope in slopes if slope is not None]
    return sum(total, points.new_zeros(())) / points.numel()
