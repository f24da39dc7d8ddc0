import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from penchant.losses import divergence


def gaussians(n=6, k=3):
    g = torch.Generator().manual_seed(0)
    mean, scale = torch.randn(n, k, generator=g).double(), torch.rand(n, k, generator=g).double() + 0.05
    return mean, scale, torch.randn(k, generator=g).double(), torch.rand(k, generator=g).double() + 0.2


def test_it_is_the_divergence_of_torch_and_of_draws():
    mean, scale, m, s = gaussians()
    ours, prior = Independent(Normal(mean, scale), 1), Independent(Normal(m, s), 1)
    assert float(divergence(mean, scale, m, s)) == pytest.approx(float(kl_divergence(ours, prior).mean()))
    torch.manual_seed(1)
    drawn = ours.sample((200_000,))
    estimate = (ours.log_prob(drawn) - prior.log_prob(drawn)).mean()
    assert float(divergence(mean, scale, m, s)) == pytest.approx(float(estimate), rel=0.01)


def test_it_is_nothing_at_the_prior_and_without_rows():
    _, _, m, s = gaussians()
    at = [x.expand(4, 3).clone().requires_grad_() for x in (m, s)]
    value = divergence(*at, m, s)
    assert float(value.detach()) == pytest.approx(0, abs=1e-12)
    assert all(float(g.abs().max()) < 1e-12 for g in torch.autograd.grad(value, at))
    assert float(divergence(torch.zeros(0, 3), torch.ones(0, 3), m.float(), s.float())) == 0


def test_pairs_that_share_a_user_pay_for_it_once():
    """With weights of one by the number of pairs the sum over the pairs is that over the users."""
    mean, scale, m, s = gaussians(3)
    user = torch.tensor([0, 1, 1, 2, 2, 2])
    weight = 1 / torch.bincount(user)[user]
    per_pair = divergence(mean[user], scale[user], m, s, weight=weight)
    assert float(per_pair * len(user)) == pytest.approx(float(divergence(mean, scale, m, s) * 3))
