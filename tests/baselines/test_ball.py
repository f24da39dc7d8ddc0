"""Vectors in the ball, and items to hold likes against that are no likes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from penchant.baselines._ball import BallOptions, Unliked, learn_in_ball
from penchant.errors import ConfigError

OPTIONS = {"dim": 3, "negatives": 4, "epochs": 5, "batch_size": 7, "learning_rate": 0.5, "rng": 0}


def likes_of(seed=0, shape=(8, 9)):
    return sparse.csr_array((np.random.default_rng(seed).random(shape) < 0.4).astype(float))


class Every:
    """A generator that gives 0, 1, 2, … where random ranks are asked for."""

    def integers(self, low, high, size):
        return np.tile(np.arange(size[1]), (size[0], 1))


@given(arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 8))))
def test_each_rank_is_an_item_that_is_not_liked_and_all_are_reached(liked):
    unliked = Unliked.of(sparse.csr_array(liked.astype(float)))
    assert unliked.free.tolist() == [(~row).sum() for row in liked]
    for user, row in enumerate(liked):
        expected = np.flatnonzero(~row)
        found = unliked.draw(np.array([user]), len(expected), Every())
        assert found.tolist() == [expected.tolist()]


def test_they_are_drawn_evenly_and_users_do_not_mix():
    likes = likes_of()
    users = np.repeat(np.arange(8), 2)
    drawn = Unliked.of(likes).draw(users, 4000, np.random.default_rng(0))
    for user, items in zip(users, drawn, strict=True):
        count = np.bincount(items, minlength=9)
        free = likes[[user]].toarray()[0] == 0
        assert (count[~free] == 0).all()
        assert count[free] / 4000 == pytest.approx(1 / free.sum(), abs=0.03)


def test_vectors_stay_in_the_ball_after_every_step_and_each_epoch_has_every_like_once():
    likes, seen = likes_of(), []

    def outwards(users, items, batch):
        for table in (users, items):
            assert bool((table.norm(dim=1) <= 1 + 1e-6).all())
        assert batch.negatives.shape == (len(batch.user), 4)
        seen.extend(zip(batch.user.tolist(), batch.item.tolist(), strict=True))
        return -users.square().sum() - items.square().sum()

    users, items = learn_in_ball(likes, outwards, BallOptions(**OPTIONS))
    assert users.dtype == np.float64
    assert users.shape == (8, 3)
    assert items.shape == (9, 3)
    assert np.linalg.norm(np.vstack([users, items]), axis=1) == pytest.approx(1, abs=1e-6)
    pairs = sorted(zip(*likes.nonzero(), strict=True))
    for epoch in range(5):
        assert sorted(seen[epoch * likes.nnz : (epoch + 1) * likes.nnz]) == pairs


def test_weights_come_with_their_likes():
    likes = likes_of() * 2
    likes.data[3] = 5.0
    table = likes.toarray()

    def check(users, items, batch):
        assert batch.weight.tolist() == table[batch.user, batch.item].tolist()
        return users.sum()

    learn_in_ball(likes, check, BallOptions(**OPTIONS))


def test_users_who_like_everything_teach_nothing():
    liked = np.ones((3, 4))
    alone = learn_in_ball(sparse.csr_array(liked), lambda users, items, batch: 1 / 0, BallOptions(**OPTIONS))
    assert np.isfinite(alone[0]).all()
    liked[1, 2] = 0
    seen = set()

    def note(users, items, batch):
        seen.update(batch.user.tolist())
        assert (batch.negatives == 2).all()
        return users.sum()

    learn_in_ball(sparse.csr_array(liked), note, BallOptions(**OPTIONS))
    assert seen == {1}


def test_torchs_own_randomness_is_left_alone_and_seeds_differ():
    def spread(users, items, batch):
        return -(users[batch.user] - items[batch.item]).square().sum()

    torch.manual_seed(3)
    before = torch.get_rng_state()
    one = learn_in_ball(likes_of(), spread, BallOptions(**OPTIONS))[0]
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    assert np.array_equal(one, learn_in_ball(likes_of(), spread, BallOptions(**OPTIONS))[0])
    assert not np.allclose(one, learn_in_ball(likes_of(), spread, BallOptions(**OPTIONS | {"rng": 1}))[0])


@pytest.mark.parametrize("name", ["dim", "negatives", "epochs", "batch_size"])
@pytest.mark.parametrize("wrong", [0, -1, 2.5, True])
def test_counts_are_whole_numbers_above_0(name, wrong):
    with pytest.raises(ConfigError, match=f"{name} = {wrong}: a whole number >= 1"):
        BallOptions(**OPTIONS | {name: wrong})


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("inf"), float("nan")])
def test_the_learning_rate_is_above_0(wrong):
    with pytest.raises(ConfigError, match=r"learning_rate = .*above 0"):
        BallOptions(**OPTIONS | {"learning_rate": wrong})
