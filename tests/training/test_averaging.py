import torch
from torch import nn

from penchant.training import Average


def test_the_average_follows_its_formula():
    module = nn.Linear(1, 1, bias=False)
    module.weight.data.fill_(1.0)
    average = Average(module, 0.5)
    mean = 1.0
    for t, value in enumerate([2.0, 5.0, -1.0], start=1):
        module.weight.data.fill_(value)
        average.update()
        decay = min(0.5, t / (t + 10))
        mean += (1 - decay) * (value - mean)
    assert torch.isclose(average.mean[0], torch.tensor(mean)).all()


def test_applied_swaps_in_and_back_also_after_an_error():
    module = nn.Linear(2, 2)
    average = Average(module, 0.9)
    live = [p.clone() for p in module.parameters()]
    module.weight.data.add_(1)
    changed = module.weight.clone()
    try:
        with average.applied():
            assert torch.equal(module.weight, live[0])
            raise KeyError
    except KeyError:
        pass
    assert torch.equal(module.weight, changed)


def test_without_a_decay_the_last_weights_are_the_average():
    module = nn.Linear(2, 2)
    average = Average(module, 0.0)
    module.weight.data.add_(1)
    average.update()
    with average.applied():
        assert torch.equal(average.mean[0], module.weight)
