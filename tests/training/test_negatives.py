"""What each sampler is known for (its laws: tests/contracts), and who is no negative for whom."""

from itertools import pairwise
from math import comb

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from penchant.losses import KINDS as POINTWISE
from penchant.losses import RANKING, Loss
from penchant.tables import TablesEncoder, simulate
from penchant.training import KINDS, Batches, KnownLikes, make_negatives
from penchant.training.negatives import BatchNegatives, CatalogueNegatives, PopularNegatives, UniformNegatives

COUNTS = torch.tensor([0, 1, 3, 99, 7])


def test_the_catalogue_is_all_items_for_certain():
    rows, log_q = CatalogueNegatives(COUNTS, n=2, power=1.0).draw(torch.tensor([1]), 8)
    assert rows.tolist() == [0, 1, 2, 3, 4]
    assert log_q.tolist() == [0] * 5


def test_uniform_draws_no_more_than_there_are():
    for n, want in ((3, 3), (99, 5)):
        rows, log_q = UniformNegatives(COUNTS, n=n, power=1.0).draw(torch.tensor([1]), 8)
        assert len(rows) == want
        torch.testing.assert_close(log_q.exp(), torch.full((want,), want / 5))


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_popular_ones_are_drawn_in_proportion_to_a_power_of_their_rows(power):
    torch.manual_seed(0)
    sampler = PopularNegatives(COUNTS, n=1, power=power)
    drawn = [sampler.draw(torch.tensor([1]), 8).items for _ in range(4000)]
    seen = torch.bincount(torch.cat(drawn), minlength=5) / 4000
    want = torch.tensor([(int(c) + 1) ** power for c in COUNTS])
    torch.testing.assert_close(seen, want / want.sum(), atol=0.03, rtol=0)


def test_a_batch_has_an_item_with_the_chance_of_drawing_without_replacement():
    counts = torch.tensor([5, 1, 40, 0])
    items = torch.tensor([0, 1, 2])
    rows, log_q = BatchNegatives(counts, n=1, power=1.0).draw(items, 10)
    assert rows is items
    want = [1 - comb(45 - m, 9) / comb(45, 9) for m in (5, 1, 40)]
    torch.testing.assert_close(log_q.exp(), torch.tensor(want), rtol=1e-5, atol=0)


pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.booleans()), max_size=30)


@given(pairs, st.lists(st.integers(0, 4), unique=True, max_size=5), st.sets(st.integers(0, 6)))
def test_known_likes_are_those_of_the_training_rows(rows, users, candidates):
    user, item, liked = (torch.tensor([row[j] for row in rows], dtype=torch.int64) for j in range(3))
    known = KnownLikes(user, item, liked.float(), users=5, items=7)
    among = sorted(candidates)
    got = known.among(torch.tensor(users, dtype=torch.int64), torch.tensor(among, dtype=torch.int64))
    assert got.tolist() == [[(u, i, True) in rows for i in among] for u in users]


def test_pointwise_necks_ask_for_no_sampler_and_ranking_necks_for_the_one_named():
    data = encoded()[1]
    assert all(make_negatives(Loss(neck=neck), data, "cpu") is None for neck in POINTWISE.keys() - {"literal"})
    for neck in RANKING:
        for name in KINDS:
            assert type(make_negatives(Loss(neck=neck, negatives=name), data, "cpu")) is KINDS[name]
    sampler = make_negatives(Loss(neck="bpr", negatives="popular", n_negatives=7, power=0.5), data, "cpu")
    assert (sampler.n, sampler.power, int(sampler.counts.sum()), len(sampler.counts)) == (7, 0.5, 300, 20)


def encoded():
    tables = simulate(n_users=30, n_items=20, n_interactions=300, rng=2).tables
    encoder = TablesEncoder.fit(tables)
    return encoder, encoder.encode(tables)


@pytest.mark.parametrize("name", KINDS)
def test_batches_hold_the_candidates_and_who_likes_them(name):
    _, data = encoded()
    sampler = make_negatives(Loss(neck="softmax", negatives=name, n_negatives=9), data, "cpu")
    batches = Batches(data, batch_size=40, rng=1, negatives=sampler)
    likes = {(u, i) for u, i, y in zip(data.user, data.item, data.label, strict=True) if y}
    torch.manual_seed(3)
    for batch in batches.epoch(0):
        rows = [int(r) for r in batch.candidates.items.codes[:, 0]]  # of the id: FIRST and rising
        users = [int(r) for r in batch.users.codes[:, 0]]
        at_item = {int(c): j for j, c in enumerate(data.items.codes[:, 0])}
        at_user = {int(c): j for j, c in enumerate(data.users.codes[:, 0])}
        want = [[(at_user[u], at_item[i]) in likes for i in rows] for u in users]
        assert batch.candidates.known.tolist() == want
        assert (batch.candidates.items is batch.items) == (name == "batch")
        assert len(batch.candidates.log_q) == len(rows)


def test_without_a_sampler_batches_draw_nothing():
    _, data = encoded()
    torch.manual_seed(3)
    before = torch.get_rng_state()
    assert next(iter(Batches(data, batch_size=40, rng=1).epoch(0))).candidates is None
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", KINDS)
def test_an_epoch_is_drawn_alike_from_the_same_seed_and_anew_in_each_step(name):
    _, data = encoded()
    sampler = make_negatives(Loss(neck="softmax", negatives=name, n_negatives=9), data, "cpu")
    batches = Batches(data, batch_size=40, rng=1, negatives=sampler)
    epochs = []
    for _ in range(2):
        torch.manual_seed(5)
        epochs.append([batch.candidates.items.codes[:, 0].tolist() for batch in batches.epoch(2)])
    assert epochs[0] == epochs[1]
    assert all(a != b for a, b in pairwise(epochs[0])) == (name != "catalogue")
