import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant._spec import Block
from penchant.portraits.bounds._parts import Axes, Choice, Path, Tags

COLUMNS = torch.arange(3)
ANY = Block("x", "dense", 1, 1, "square")


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pieces_of(part, seed: int, rounds: int):
    """States after some random cuts: together they hold all."""
    states = part.start
    for step in range(rounds):
        whole = part.single(states)
        if whole.all():
            break
        first, second = part.halves(drawn(seed + step, int((~whole).sum()), len(part.offsets)), states[~whole])
        states = torch.cat([states[whole], first, second])
    return states


def test_a_choice_is_the_best_that_is_left_and_is_cut_by_score():
    part = Choice(ANY, COLUMNS, drawn(0, 5, 3), torch.tensor([2, 3, 4, 7, 9]))
    scores = torch.tensor([[1.0, 5.0, 3.0, 4.0, 2.0]], dtype=torch.float64)
    assert part.maximum(scores[:, None], part.start).tolist() == [[5.0]]
    assert part.best(scores, part.start).tolist() == [3]
    upper, lower = part.halves(scores, part.start)
    assert upper.tolist() == [[False, True, True, True, False]]
    assert lower.tolist() == [[True, False, False, False, True]]
    assert part.maximum(scores[:, None], lower).tolist() == [[2.0]]
    assert part.single(torch.tensor([[False, True, False, False, False]])).tolist() == [True]


def test_cuts_of_a_choice_lose_nothing():
    part = Choice(ANY, COLUMNS, drawn(0, 7, 3), torch.arange(7))
    states = pieces_of(part, 3, 10)
    assert part.single(states).all()
    assert states.sum(0).tolist() == [1] * 7


@settings(max_examples=60)
@given(
    st.integers(0, 2**20),
    st.lists(st.sampled_from([0, 1, 1, 1, 2]), min_size=1, max_size=6),
    st.integers(0, 6),
    st.integers(0, 6),
    st.booleans(),
)
def test_sets_of_tags_are_bounded_as_all_of_them_say(seed, state, least, most, mean):
    always, n = state.count(2), len(state)
    least, most = min(least, n - state.count(0)), max(most, always)
    if least > most:
        return
    part = Tags(ANY, COLUMNS, drawn(seed, n, 3), torch.arange(2, 2 + n), torch.tensor(state), (least, most), mean=mean)
    scores = drawn(seed + 1, 2, n)
    perhaps = [j for j in range(n) if state[j] == 1]
    every = []
    for size in range(len(perhaps) + 1):
        for more in itertools.combinations(perhaps, size):
            chosen = [j for j in range(n) if state[j] == 2 or j in more]
            if least <= len(chosen) <= most:
                every.append(chosen)
    assert every
    total = torch.stack([scores[:, c].sum(1) / (max(1, len(c)) if mean else 1) for c in every], 1).amax(1)
    torch.testing.assert_close(part.maximum(scores[None], part.start)[0], total)
    bag = part.best(scores, part.start.expand(2, -1))
    for row in range(2):
        chosen = (bag.values[bag.offsets[row] : bag.offsets[row + 1]] - 2).tolist()
        assert chosen in every
        value = scores[row, chosen].sum() / (max(1, len(chosen)) if mean else 1)
        assert float(value) == pytest.approx(float(total[row]))
    states = pieces_of(part, seed, 8)
    assert part.single(states).all()
    assert sorted((s == 2).nonzero()[:, 0].tolist() for s in states) == sorted(every)


@settings(max_examples=60)
@given(st.integers(0, 2**20), st.integers(2, 6), st.floats(0, 1, width=32), st.floats(0, 1, width=32))
def test_a_path_is_bounded_by_its_knots_and_ends(seed, n, one, other):
    low, high = min(one, other), max(one, other)
    inner = torch.rand(n - 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    knots = torch.cat([torch.tensor([0.0, 1.0], dtype=torch.float64), inner]).unique()
    part = Path(ANY, COLUMNS, drawn(seed, len(knots), 3), knots, low, high)
    scores = drawn(seed + 1, 4, len(knots))
    x = torch.cat([torch.linspace(low, high, 500, dtype=torch.float64), knots[(knots >= low) & (knots <= high)]])
    before = (torch.searchsorted(knots, x, right=True) - 1).clamp(0, len(knots) - 2)
    share = (x - knots[before]) / (knots[before + 1] - knots[before])
    values = scores[:, before] * (1 - share) + scores[:, before + 1] * share
    reach = part.maximum(scores[None], part.start)[0]
    torch.testing.assert_close(reach, values.amax(1))
    best = part.best(scores, part.start.expand(4, -1))
    assert ((best >= low) & (best <= high)).all()
    states = pieces_of(part, seed, 5)
    assert states[:, 0].min() == low
    assert states[:, 1].max() == high
    torch.testing.assert_close(part.maximum(scores[None], states).amax(0), reach)


def test_a_path_is_cut_down_to_single_numbers_of_single_precision():
    part = Path(ANY, COLUMNS, drawn(0, 2, 3), torch.tensor([0.0, 1.0], dtype=torch.float64), 0.5, 0.5000002)
    states = pieces_of(part, 0, 10)
    assert part.single(states).all()
    numbers = states[:, 0].float().sort().values
    assert numbers[0] == 0.5
    assert (numbers[1:] <= numbers[:-1].nextafter(torch.tensor(1.0))).all(), "no number of single precision is lost"


def test_axes_add_up_and_are_cut_where_they_change_most():
    low, high = torch.tensor([0.0, 0.25]).double(), torch.tensor([1.0, 0.5]).double()
    part = Axes(ANY, COLUMNS, drawn(0, 2, 3), low, high)
    scores = torch.tensor([[2.0, -1.0], [-2.0, 8.0]], dtype=torch.float64)
    assert part.maximum(scores[None], part.start).tolist() == [[1.75, 4.0]]
    assert part.best(scores, part.start.expand(2, -1, -1)).tolist() == [[1.0, 0.25], [0.0, 0.5]]
    lower, upper = part.halves(scores, part.start.expand(2, -1, -1))
    assert lower.tolist() == [[[0.0, 0.25], [0.5, 0.5]], [[0.0, 0.25], [1.0, 0.375]]] or lower[0, 1, 0] == 0.5
    assert upper[0, 0].tolist() == [0.5, 0.25]
    assert part.single(torch.tensor([[[0.5, 0.5], [0.5, 0.5]]])).tolist() == [True]


def test_spans_hold_every_offset():
    tags = Tags(ANY, COLUMNS, drawn(1, 4, 3), torch.arange(4), torch.ones(4).long(), (0, 4), mean=False)
    assert (tags.span() >= tags.offsets.sum(0).abs()).all()
    path = Path(ANY, COLUMNS, drawn(1, 4, 3), torch.linspace(0, 1, 4).double(), 0.0, 1.0)
    assert (path.span() >= (path.offsets - path.offsets[0]).abs().amax(0) - 1e-12).all()
    assert not math.isnan(float(path.span().sum()))
