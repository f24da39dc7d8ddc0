import numpy as np
import pytest
import torch

from penchant.nets import vectorise
from penchant.tables import TablesEncoder, simulate
from penchant.training import Batches


@pytest.fixture(scope="module")
def encoded():
    tables = simulate(n_users=30, n_items=20, n_interactions=300, missing=0.1, rng=2).tables
    encoder = TablesEncoder.fit(tables)
    return encoder, encoder.encode(tables)


def test_an_epoch_goes_through_every_pair_once_in_an_order_of_its_own(encoded):
    _, data = encoded
    batches = Batches(data, batch_size=64, rng=1)
    assert batches.steps == 5
    orders = []
    for epoch in (0, 1, 0):
        pairs = []
        for batch in batches.epoch(epoch):
            users = [tuple(c) for c in batch.users.codes[batch.user].tolist()]
            items = [tuple(c) for c in batch.items.codes[batch.item].tolist()]
            pairs += list(zip(users, items, batch.liked.tolist(), strict=True))
        orders.append(pairs)
    assert orders[0] == orders[2]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])
    assert len(orders[0]) == 300


def test_each_user_and_item_of_a_batch_is_there_once(encoded):
    _, data = encoded
    batch = Batches(data, batch_size=64, rng=1).batch(torch.arange(100))
    assert len(batch.users) == len(np.unique(data.user[:100]))
    assert len(batch.items) == len(np.unique(data.item[:100]))
    assert batch.weight is None
    assert batch.user_vectors.shape == (len(batch.users), 0)


def test_a_batch_knows_its_epoch_and_how_many_pairs_its_users_and_items_have(encoded):
    _, data = encoded
    batches = Batches(data, batch_size=64, rng=1)
    assert {batch.epoch for batch in batches.epoch(3)} == {3}
    rows = torch.arange(20, 60)
    users, items = batches.batch(rows).times
    assert users.tolist() == [int((data.user == data.user[row]).sum()) for row in rows]
    assert items.tolist() == [int((data.item == data.item[row]).sum()) for row in rows]


@pytest.mark.parametrize("room", [0, 1 << 26])
def test_portrait_vectors_are_the_same_kept_or_made_anew(encoded, monkeypatch, room):
    from penchant.training import batches as module

    encoder, data = encoded
    monkeypatch.setattr(module, "_VECTORS_AT_ONCE", room)
    layouts = (encoder.user.layout, encoder.item.layout)
    batch = Batches(data, layouts=layouts, batch_size=64, rng=1).batch(torch.arange(40))
    torch.testing.assert_close(batch.item_vectors, vectorise(batch.items, layouts[1]), equal_nan=True)
    want = torch.as_tensor(encoder.user.portrait(data.users))[np.unique(data.user[:40])]
    torch.testing.assert_close(batch.user_vectors, want, equal_nan=True)


@pytest.mark.parametrize("n", [10, 1000, 100_000])
def test_distinct_rows_are_marked_or_sorted_to_the_same_end(n):
    from penchant.training.batches import _distinct

    rows = torch.randint(n, (64,), generator=torch.Generator().manual_seed(n))
    distinct, place = _distinct(rows, n)
    assert distinct.tolist() == sorted(set(rows.tolist()))
    assert torch.equal(distinct[place], rows)


@pytest.mark.parametrize("size", [2, 64, 1000])
def test_whole_users_are_dealt_out_where_asked_to(encoded, size):
    _, data = encoded
    batches = Batches(data, batch_size=size, by_user=True, rng=1)
    orders = []
    for epoch in (0, 1, 0):
        dealt = [batches.user[rows].tolist() for rows in batches._by_user(torch.randperm(300), epoch)]
        assert len(dealt) == batches.steps == min(-(-300 // size), len(np.unique(data.user)))
        assert all(dealt)
        assert sum(len(set(users)) for users in dealt) == len(np.unique(data.user)), "nobody is in two of them"
        pairs = [batch.item.tolist() for batch in batches.epoch(epoch)]
        assert sum(map(len, pairs)) == 300
        orders.append(pairs)
    assert orders[0] == orders[2]
    assert orders[0] != orders[1]


def test_a_batch_of_whole_users_is_mixed_and_of_about_its_size(encoded):
    _, data = encoded
    most = int(np.bincount(data.user).max())
    batches = Batches(data, batch_size=100, by_user=True, rng=3)
    for batch in batches.epoch(0):
        assert abs(len(batch.user) - 100) <= most
        assert not bool((batch.user.diff() >= 0).all())
