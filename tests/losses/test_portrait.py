"""The portrait term: the other side's decoder, against what was liked and nothing else."""

import pytest
import torch

from penchant.losses import portrait_term, reconstruct


def pairs(layout, seed):
    """Decoded, vectors with missing values, labels and weights of ten pairs."""
    generator = torch.Generator().manual_seed(seed)
    chance = torch.rand(3, 10, layout.width, generator=generator, dtype=torch.float64)
    vector = chance[1].masked_fill(chance[2] < 0.2, torch.nan)
    return chance[0], vector, chance[2, :, 0] < 0.5, chance[2, :, 1]


def test_it_is_the_mean_square_over_liked_pairs(layout):
    decoded, vector, liked, weight = pairs(layout, 0)
    total = mass = 0.0
    for i in range(10):
        for j in range(layout.width):
            if liked[i] and not vector[i, j].isnan():
                total += float(weight[i]) * float(decoded[i, j] - vector[i, j]) ** 2
                mass += float(weight[i])
    assert float(portrait_term(decoded, vector, layout, liked=liked, weight=weight)) == pytest.approx(total / mass)


@pytest.mark.parametrize("likelihood", ["mse", "cross_entropy"])
@pytest.mark.parametrize("average", ["coordinates", "blocks"])
@pytest.mark.parametrize("weighted", [False, True])
def test_pairs_that_were_not_liked_are_as_if_they_were_not_there(layout, likelihood, average, weighted):
    options = {"likelihood": likelihood, "average": average}
    for seed in range(5):
        decoded, vector, liked, weight = pairs(layout, seed)
        all_weights, kept = (weight, weight[liked]) if weighted else (None, None)
        want = reconstruct(decoded[liked], vector[liked], layout, weight=kept, **options)
        for labels in (liked, liked.double()):
            got = portrait_term(decoded, vector, layout, liked=labels, weight=all_weights, **options)
            torch.testing.assert_close(got, want)
        got = portrait_term(decoded, vector, layout, weight=all_weights, **options)
        torch.testing.assert_close(got, reconstruct(decoded, vector, layout, weight=all_weights, **options))


def test_a_batch_without_likes_costs_nothing_and_teaches_nothing(layout):
    decoded, vector, _, weight = pairs(layout, 0)
    decoded.requires_grad_()
    value = portrait_term(decoded, vector, layout, liked=torch.zeros(10), weight=weight)
    assert float(value.detach()) == 0
    assert (torch.autograd.grad(value, decoded)[0] == 0).all()
