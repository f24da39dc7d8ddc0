import pytest
import torch

from penchant.errors import ConfigError
from penchant.nets import EncoderOptions, Latent, MLPEncoder, Prior, as_tensors, jacobian_square, watched
from penchant.tables import TablesEncoder, simulate


def encoded(**options):
    tables = simulate(n_users=12, n_items=9, n_interactions=60, rng=3).tables
    fitted = TablesEncoder.fit(tables)
    features = as_tensors(fitted.encode(tables).users)
    torch.manual_seed(0)
    small = {"hidden": (7,), "activation": "tanh", "unseen": 0.0, "bins": 3, "embedding_dim": 2}
    net = MLPEncoder(fitted.user.layout, 4, EncoderOptions(**(small | options)))
    net.prepare(features)
    return net, features


@pytest.mark.parametrize("options", [{}, {"activation": "relu", "hidden": (6, 5)}, {"hidden": ()}, {"wide": False}])
def test_the_jacobian_is_the_one_of_every_axis_by_every_input(options):
    net, features = encoded(**options)
    with watched(net) as inputs:
        points = torch.tanh(net(features))
    exact = 0.0
    for row in range(len(points)):
        for axis in range(4):
            (slope,) = torch.autograd.grad(points[row, axis], inputs[0], retain_graph=True)
            exact += float(slope.square().sum())
    exact /= points.numel()
    torch.manual_seed(1)
    drawn = torch.stack([jacobian_square(points, inputs).detach() for _ in range(3000)])
    assert float(drawn.mean()) == pytest.approx(exact, abs=4 * float(drawn.std()) / 3000**0.5 + 1e-7)


def test_the_jacobian_trains_the_layers_and_leaves_no_hook():
    net, features = encoded()
    with watched(net) as inputs:
        points = torch.tanh(net(features))
    jacobian_square(points, inputs).backward()
    assert all(bool(torch.isfinite(p.grad).all()) for p in net.parameters() if p.grad is not None)
    assert float(net.first.weight.grad.abs().max()) > 0
    net(features)
    assert len(inputs) == 1, "outside, nothing is noted"


def test_noise_is_added_while_training_only():
    net, features = encoded(dropout=0.0)
    still = net.eval()(features)
    with watched(net, 0.5) as clean:
        assert torch.equal(net(features), still)
    net.train()
    with watched(net, 0.5) as noisy:
        assert not torch.equal(net(features), still)
    added = (noisy[0] - clean[0]).detach()
    assert float(added.std()) == pytest.approx(0.5, rel=0.2)


def test_nothing_to_look_at_costs_nothing():
    assert float(jacobian_square(torch.zeros(3, 2), [])) == 0
    assert float(jacobian_square(torch.zeros(3, 2), [torch.zeros(3, 0)])) == 0


def test_the_divergence_comes_in_over_some_epochs():
    assert [Latent(anneal=4).annealed(epoch) for epoch in (0, 1, 2, 4, 9)] == [0, 0.25, 0.5, 1, 1]
    assert Latent(anneal=0).annealed(0) == 1


def test_a_prior_starts_as_said_and_learns_where_it_is_to():
    for kind, learns in (("fixed", False), ("learned", True)):
        prior = Prior(3, 0.5, Latent(prior=kind, prior_scale=0.2))
        mean, scale = prior()
        assert mean.tolist() == [0.5] * 3
        assert scale.tolist() == pytest.approx([0.2] * 3)
        assert all(p.requires_grad is learns for p in prior.parameters())


@pytest.mark.parametrize(
    "wrong", [{"kind": "gan"}, {"prior": "flat"}, {"prior_scale": 0.0}, {"anneal": -1}, {"noise": -0.1}]
)
def test_other_latents_are_refused(wrong):
    with pytest.raises(ConfigError, match=f"latent.{next(iter(wrong))}"):
        Latent(**wrong)
