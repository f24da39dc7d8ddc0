import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant._spec import MISSING, UNSEEN, Bag, Block, Features, History, Layout
from penchant.nets import as_arrays, as_tensors, drop_values, missing_rows, take, vectorise
from penchant.testing.nets import random_features


def test_as_tensors_shares_memory_with_numpy_on_the_cpu():
    dense = np.zeros((2, 1), dtype=np.float32)
    features = as_tensors(Features(dense, np.zeros((2, 0), dtype=np.int64), ()))
    dense[0, 0] = 5
    assert features.dense[0, 0] == 5


@settings(max_examples=50, deadline=None)
@given(
    lists=st.lists(st.lists(st.integers(0, 9), max_size=5), min_size=1, max_size=8),
    rows=st.lists(st.integers(0, 7), max_size=10),
)
def test_take_picks_the_same_lists_as_plain_indexing(lists, rows):
    rows = [r % len(lists) for r in rows]
    offsets = torch.tensor(np.cumsum([0, *map(len, lists)]))
    bag = Bag(torch.tensor([v for one in lists for v in one], dtype=torch.int64), offsets)
    n = len(lists)
    taken = take(
        Features(torch.arange(n).float()[:, None], torch.arange(n)[:, None], (bag,)),
        torch.tensor(rows, dtype=torch.int64),
    )
    found = [
        taken.bags[0].values[a:b].tolist()
        for a, b in zip(taken.bags[0].offsets, taken.bags[0].offsets[1:], strict=False)
    ]
    assert found == [lists[r] for r in rows]
    assert taken.dense[:, 0].tolist() == rows
    assert taken.codes[:, 0].tolist() == rows


def test_vectorise_is_one_hot_many_hot_and_nan_where_missing():
    layout = Layout((Block("a", "dense", 1, 1, "square"), Block("c", "code", 5, 3, "categorical"),
                     Block("id", "code", 9, 0, "none"), Block("t", "bag", 4, 2, "binary")))  # fmt: skip
    codes = torch.tensor([[3, 7], [MISSING, 2], [UNSEEN, UNSEEN]])
    bag = Bag(torch.tensor([2, 3, MISSING]), torch.tensor([0, 2, 3, 3]))
    got = vectorise(Features(torch.tensor([[0.25], [torch.nan], [1.0]]), codes, (bag,)), layout)
    nan = torch.nan
    want = torch.tensor([[0.25, 0, 1, 0, 1, 1], [nan, nan, nan, nan, nan, nan], [1.0, nan, nan, nan, 0, 0]])
    torch.testing.assert_close(got, want, equal_nan=True)


def test_missing_rows_vectorise_to_nan(layout):
    assert vectorise(missing_rows(layout, 3), layout).isnan().all()


def test_drop_values_moves_values_to_their_places(layout):
    torch.manual_seed(0)
    features = random_features(layout, 400)
    assert drop_values(features, layout, 0.0) is features
    dropped = drop_values(features, layout, 0.5)
    taste = dropped.dense[:, 2:5].isnan()
    gone = taste.all(1) & ~features.dense[:, 2:5].isnan().any(1)
    whole = ~features.dense[:, 2:5].isnan().any(1)
    assert torch.equal(taste[whole].any(1), taste[whole].all(1)), "a block of numbers is dropped whole"
    assert 0.35 < gone.sum() / whole.sum() < 0.65
    known = features.codes > MISSING
    assert 0.4 < (dropped.codes[known] == UNSEEN).float().mean() < 0.6
    assert torch.equal(dropped.bags[0].offsets, features.bags[0].offsets)
    assert (dropped.bags[0].values == UNSEEN).float().mean() > 0.4


def test_arrays_and_tensors_are_one_another_s_way_back():
    bag = Bag(np.array([3, 2]), np.array([0, 2, 2]))
    one, whole = np.ones(1, np.float32), np.array([1])
    past = History(whole, one, one, whole, one, np.array([0, 1, 1]))
    rows = Features(np.ones((2, 1), np.float32), np.full((2, 1), 4), (bag,), past)
    back = as_arrays(as_tensors(rows))
    np.testing.assert_array_equal(back.dense, rows.dense)
    np.testing.assert_array_equal(back.codes, rows.codes)
    for ours, theirs in zip((*back.bags[0], *back.history), (*bag, *past), strict=True):
        assert isinstance(ours, np.ndarray)
        np.testing.assert_array_equal(ours, theirs)
