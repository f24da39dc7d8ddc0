"""The laws of a neck: right directions, weights that mean repetition, finite gradients."""

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["check_neck"]


def check_neck(neck: Callable[..., Tensor], *, diameter: float = 2.0) -> None:
    """Hold a pointwise neck against the laws.

    Arguments:
        neck: (distance, liked, *, weight=None) to a scalar; bind its options with `functools.partial`.
        diameter: distances up to here are tried.

    Raises:
        AssertionError: naming the law that is broken.
    """
    generator = torch.Generator().manual_seed(0)
    distance = torch.cat([torch.rand(40, generator=generator) * diameter, torch.tensor([0.0, diameter])])
    liked = (torch.rand(42, generator=generator) < 0.5).float()
    value = neck(distance, liked)
    assert value.shape == (), "a neck is one number"
    assert torch.allclose(neck(distance, liked.bool()), value), "Boolean labels are taken as 1 and 0"
    order = torch.randperm(42, generator=generator)
    assert torch.allclose(neck(distance[order], liked[order]), value), "the order of the rows is of no matter"
    assert float(neck(distance[:0], liked[:0])) == 0, "no rows cost nothing"
    _check_directions(neck, distance)
    _check_weights(neck, distance, liked)


def _check_directions(neck: Callable[..., Tensor], distance: Tensor) -> None:
    distance = distance.clone().requires_grad_()
    for label, sign, word in ((1.0, 1, "nearer"), (0.0, -1, "further")):
        value = neck(distance, torch.full_like(distance, label))
        (gradient,) = torch.autograd.grad(value, distance)
        assert bool(torch.isfinite(gradient).all()), "gradients are finite"
        assert bool((sign * gradient >= 0).all()), f"pairs of label {label:g} are drawn {word}, never the other way"
    liked, disliked = torch.ones(1), torch.zeros(1)
    near, far = distance.detach().min()[None], distance.detach().max()[None]
    right, wrong = neck(near, liked) + neck(far, disliked), neck(far, liked) + neck(near, disliked)
    assert float(right) < float(wrong), "a near liked and a far disliked pair cost less than the reverse"


def _check_weights(neck: Callable[..., Tensor], distance: Tensor, liked: Tensor) -> None:
    times = torch.arange(len(distance)) % 4
    repeated = neck(distance.repeat_interleave(times), liked.repeat_interleave(times))
    weight = times.to(distance.dtype)
    assert torch.allclose(neck(distance, liked, weight=weight), repeated, atol=1e-6), "a weight of 3 is a row thrice"
    scaled = neck(distance, liked, weight=7 * weight)
    assert torch.allclose(scaled, repeated, atol=1e-6), "only the weights' ratios matter"
    assert float(neck(distance, liked, weight=0 * weight)) == 0, "weights of 0 alone cost nothing"
