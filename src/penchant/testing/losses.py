"""The laws of a neck, pointwise or ranking: right directions, weights that mean repetition, finite gradients."""

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["check_neck", "check_ranking_neck"]


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


def check_ranking_neck(neck: Callable[..., Tensor], *, diameter: float = 2.0) -> None:
    """Hold a ranking neck against the laws.

    Arguments:
        neck: (liked, others, *, masked=None, weight=None) to a scalar; bind its options with `functools.partial`.
        diameter: distances up to here are tried.

    Raises:
        AssertionError: naming the law that is broken.
    """
    generator = torch.Generator().manual_seed(0)
    liked = torch.cat([torch.rand(18, generator=generator) * diameter, torch.tensor([0.0, diameter])])
    others = torch.rand(20, 9, generator=generator) * diameter
    masked = torch.rand(20, 9, generator=generator) < 0.4
    masked[3] = True
    value = neck(liked, others, masked=masked)
    assert value.shape == (), "a neck is one number"
    order, columns = torch.randperm(20, generator=generator), torch.randperm(9, generator=generator)
    again = neck(liked[order], others[order][:, columns], masked=masked[order][:, columns])
    assert torch.allclose(again, value), "the order of pairs and of candidates is of no matter"
    assert torch.allclose(neck(liked, others), neck(liked, others, masked=torch.zeros_like(masked))), "nothing masked"
    assert float(neck(liked[:0], others[:0], masked=masked[:0])) == 0, "no pairs cost nothing"
    assert float(neck(liked, others[:, :0], masked=masked[:, :0])) == 0, "nothing to be told apart costs nothing"
    alone = neck(liked[:1], others[:1, ~masked[0]])
    assert torch.allclose(neck(liked[:1], others[:1], masked=masked[:1]), alone), "what is masked is not there"
    _check_pulls(neck, liked, others, masked)
    _check_pair_weights(neck, liked, others, masked)


def _check_pulls(neck: Callable[..., Tensor], liked: Tensor, others: Tensor, masked: Tensor) -> None:
    liked, others = liked.clone().requires_grad_(), others.clone().requires_grad_()
    to_liked, to_others = torch.autograd.grad(neck(liked, others, masked=masked), (liked, others))
    assert bool(torch.isfinite(to_liked).all() and torch.isfinite(to_others).all()), "gradients are finite"
    assert bool((to_liked >= 0).all()), "liked items are drawn nearer, never the other way"
    assert bool((to_others <= 0).all()), "other items are drawn further, never the other way"
    assert bool((to_others[masked] == 0).all()), "what is masked is left alone"
    assert float(to_liked[3]) == 0, "a pair without candidates is left alone"
    with torch.no_grad():
        near, far = neck(0 * liked, others, masked=masked), neck(0 * liked + others.max(), others, masked=masked)
    assert float(near) < float(far), "liked items that are nearest cost less than liked items that are furthest"


def _check_pair_weights(neck: Callable[..., Tensor], liked: Tensor, others: Tensor, masked: Tensor) -> None:
    times = torch.arange(len(liked)) % 4
    rows = torch.arange(len(liked)).repeat_interleave(times)
    repeated = neck(liked[rows], others[rows], masked=masked[rows])
    weight = times.to(liked.dtype)
    for scale in (1, 7):
        value = neck(liked, others, masked=masked, weight=scale * weight)
        assert torch.allclose(value, repeated, atol=1e-5), "a weight of 3 is a pair thrice; only ratios matter"
    assert float(neck(liked, others, masked=masked, weight=0 * weight)) == 0, "weights of 0 alone cost nothing"
