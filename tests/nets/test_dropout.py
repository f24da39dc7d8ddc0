"""Random masks: right shares, independent places, torch's seed."""

import pytest
import torch
from scipy import stats

from penchant.nets.dropout import Dropout, dropped

CPU = torch.device("cpu")


@pytest.mark.parametrize("share", [0.001, 0.1, 0.25, 0.5, 0.9])
def test_each_place_is_dropped_with_its_share_and_by_itself(share):
    """Four places come from one number drawn: each of the four, and every two neighbours, are looked at."""
    torch.manual_seed(0)
    gone = dropped((1001, 400), share, CPU)
    assert (gone.dtype, gone.shape) == (torch.bool, (1001, 400))
    places = gone.flatten()[: 1000 * 400].view(-1, 4)
    for lane in (*places.T, gone[::7].flatten()):
        assert stats.binomtest(int(lane.sum()), len(lane), share).pvalue > 1e-3
    both = (gone[:, 1:] & gone[:, :-1]).flatten()[::2]
    assert stats.binomtest(int(both.sum()), len(both), share**2).pvalue > 1e-3
    assert torch.corrcoef(places.T.float()).fill_diagonal_(0).abs().max() < 0.02


def test_nothing_everything_and_nowhere():
    assert not dropped((50, 3), 0.0, CPU).any()
    assert dropped((50, 3), 1.0, CPU).all()
    each = dropped((50, 3), torch.tensor([[0.0, 1.0, 0.0]]), CPU)
    assert (each.any(0).tolist(), each.all(0).tolist()) == ([False, True, False],) * 2
    assert dropped((0, 3), 0.5, CPU).shape == Dropout(0.5)(torch.ones(0, 3)).shape == (0, 3)


def test_masks_follow_torchs_seed_and_move_on():
    def draw():
        return dropped((40,), 0.5, CPU), Dropout(0.5)(torch.ones(7, 5))

    torch.manual_seed(3)
    state = torch.get_rng_state()
    first, second = draw(), draw()
    torch.set_rng_state(state)
    again = draw()
    assert all(map(torch.equal, first, again))
    assert not any(map(torch.equal, first, second))
    torch.manual_seed(4)
    assert not any(map(torch.equal, first, draw()))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_units_are_dropped_or_scaled_so_that_the_mean_stays(share, dtype):
    torch.manual_seed(0)
    layer = Dropout(share)
    x = torch.linspace(1, 2, 200_000).to(dtype).view(-1, 100).requires_grad_()
    y = layer(x)
    kept = (y != 0).detach()
    assert y.dtype == dtype
    torch.testing.assert_close(y[kept], x[kept] / (1 - share), rtol=2e-2 if dtype == torch.bfloat16 else 1e-4, atol=0)
    assert stats.binomtest(int((~kept).sum()), kept.numel(), layer.share).pvalue > 1e-3
    assert layer.share == pytest.approx(share, abs=1 / 65_536)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(gradient * x, y), "it is linear"


def test_evaluation_and_a_share_of_zero_change_nothing():
    x = torch.randn(5, 4)
    state = torch.get_rng_state()
    assert Dropout(0.7).eval()(x) is x
    assert Dropout(0.0)(x) is x
    assert torch.equal(torch.get_rng_state(), state), "and draw nothing"


@pytest.mark.parametrize("share", [0.999, 1 - 1e-9])
def test_nearly_everything_dropped_is_finite(share):
    torch.manual_seed(0)
    y = Dropout(share)(torch.ones(300, 1000))
    assert torch.isfinite(y).all()
    assert float(y.mean()) == pytest.approx(1, abs=1)
