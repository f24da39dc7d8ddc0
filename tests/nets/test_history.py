"""A bag of earlier items: sums by hand, what is left out, what is dropped."""

import pytest
import torch

from penchant._spec import History
from penchant.nets import EncoderOptions, HistoryBag, no_history
from penchant.nets.history import dropped_entries

OPTIONS = EncoderOptions(embedding_dim=3, history_dropout=0.5, history_shrink=2.0)
VECTORS = torch.tensor([[0.0, 1.0], [1.0, torch.nan], [0.5, 0.0]])


def bag(**changes) -> HistoryBag:
    torch.manual_seed(0)
    net = HistoryBag(3, 2, 4, OPTIONS)
    net.prepare(VECTORS)
    with torch.no_grad():
        net.table.normal_()
        net.linear.weight.normal_()
    return net.eval()


PAST = History(
    items=torch.tensor([0, 2, 1]),
    liked=torch.tensor([1.0, 0.0, 1.0]),
    weight=torch.tensor([0.5, 1.0, 1.0]),
    place=torch.tensor([1, 0, 0]),
    age=torch.tensor([0.0, 5.0, 0.0]),
    offsets=torch.tensor([0, 2, 2, 3]),
)


def test_sums_are_those_by_hand():
    net = bag()
    inputs, wide = net(PAST)
    mean = torch.tensor([0.5, 0.5])
    z = (VECTORS - mean).nan_to_num(0) / torch.tensor([(0.5 / 3) ** 0.5, (0.5 / 3) ** 0.5])
    table = net.table
    total = (0.5 * table[0] + table[2 + 3]) / (0.5 + 1.0 + 1) ** 0.5
    facts = torch.cat([0.5 * z[0] / (0.5 + 2), z[2] / (1 + 2), torch.log1p(torch.tensor([0.5, 1.0]))])
    torch.testing.assert_close(inputs[0], torch.cat([total[:3], facts]))
    torch.testing.assert_close(wide[0], total[3:] + net.linear(facts))
    assert inputs[1].abs().sum() == 0


def test_no_history_at_all_is_zero():
    inputs, wide = bag()(no_history(2))
    assert inputs.shape == (2, 3 + 4 + 2)
    assert inputs.abs().sum() == wide.abs().sum() == 0


def test_an_item_that_is_not_in_the_history_takes_nothing_away():
    net, rows = bag(), torch.tensor([0, 0, 1, 2])
    whole = net(PAST, rows)
    for left_out in (torch.tensor([1, 1, 0, 0]), torch.full((4,), -1)):
        for got, wanted in zip(net(PAST, rows, left_out), whole, strict=True):
            torch.testing.assert_close(got, wanted)
    nothing = net(no_history(1), torch.tensor([0]), torch.tensor([2]))
    assert nothing[0].abs().sum() == 0


def test_dropout_happens_in_training_only_and_spares_nobody_for_good():
    net = bag()
    still = net(PAST)[0]
    torch.testing.assert_close(net(PAST)[0], still)
    net.train()
    torch.manual_seed(1)
    drawn = torch.stack([net(PAST)[0][2] for _ in range(200)])
    empty = (drawn.abs().sum(1) == 0).double().mean()
    assert 0.35 < empty < 0.65
    torch.testing.assert_close(drawn[drawn.abs().sum(1) > 0].mean(0), still[2])


def test_of_thinned_histories_any_part_is_left_as_likely_as_another():
    n, each = 6000, 20
    entries = torch.zeros(n * each)
    past = History(entries.long(), entries, entries, entries.long(), entries, torch.arange(n + 1) * each)
    torch.manual_seed(1)
    left = each - dropped_entries(past, 0.5, 0.3).view(n, each).sum(1)
    counts = torch.bincount(left, minlength=each + 1) / n
    assert counts[0] == pytest.approx(0.3 / (each + 1), abs=0.005), "nothing"
    assert counts[-1] == pytest.approx(0.3 / (each + 1), abs=0.005), "all of it"
    assert left.double().mean() == pytest.approx(each / 2, abs=0.2)
    gone = dropped_entries(past, 0.0, 0.3).view(n, each)
    assert gone.any(1).double().mean() == pytest.approx(0.3 * each / (each + 1), abs=0.02), "the others are whole"
    plain = dropped_entries(past, 0.5, 0.0).view(n, each)
    assert not plain.all(1).any()
    assert dropped_entries(past, 0.0, 0.0) is None


def test_a_left_out_item_that_was_dropped_is_not_taken_away_twice():
    net, rows = bag().train(), torch.tensor([2])
    for seed in range(8):
        torch.manual_seed(seed)
        inputs, _ = net(PAST, rows, torch.tensor([1]))
        assert inputs.abs().max() < 1e-6


@pytest.mark.parametrize("shrink", [0.0, 5.0])
def test_gradients_are_finite_without_shrinking(shrink):
    net = HistoryBag(3, 2, 4, EncoderOptions(embedding_dim=3, history_shrink=shrink))
    net.prepare(VECTORS)
    inputs, wide = net(PAST, torch.tensor([0, 1, 2]), torch.tensor([0, 0, 1]))
    (inputs.sum() + wide.sum()).backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())
