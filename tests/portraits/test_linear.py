"""The linear reading: it finds a planted rule, tells no like from itself, and serves those without a past."""

import numpy as np
import pytest

from penchant.portraits import LikedMeans, LinearReading, Others, fit_linear, past_of
from penchant.portraits.linear import _folds

N, M = 400, 300
PLANTED = np.array([[0.6, -0.6], [-0.3, 0.3]])


@pytest.fixture(scope="module")
def world():
    """Users with two own coordinates, likes whose features follow them; 20 likes a user for training, 40 later."""
    g = np.random.default_rng(1)
    own = g.random((N, 2))
    share = np.clip(0.5 + (own - 0.5) @ PLANTED, 0.02, 0.98)
    vectors = (g.random((M, 2)) < 0.5).astype(float)

    def likes(n):
        subject = np.repeat(np.arange(N), n)
        wanted = g.random((len(subject), 2)) < share[subject]
        key = vectors @ [1, 2]
        pools = [np.flatnonzero(key == k) for k in range(4)]
        return subject, np.array([g.choice(pools[int(k)]) for k in wanted @ [1, 2]])

    return own, share, vectors, likes(20), likes(40)


def fit(world, **changes):
    own, _, vectors, (subject, other), _ = world
    given = {
        "others": Others(vectors, vectors[:, :1] * 0.0),
        "population": vectors[other].mean(0),
        "held_out": None,
        "rng": 0,
    }
    return fit_linear(own, subject, other, np.ones(len(subject)), **{**given, **changes})


def test_without_a_past_the_own_vector_speaks(world):
    own, share, *_ = world
    said = fit(world).read(own)
    assert np.corrcoef((said - said.mean(0)).ravel(), (share - share.mean(0)).ravel())[0, 1] > 0.95
    assert 0 <= said.min() <= said.max() <= 1


def test_a_past_brings_it_nearer_and_a_short_one_changes_little(world):
    own, share, vectors, (subject, other), _ = world
    blind = np.full_like(own, np.nan)
    reading = fit_linear(
        blind, subject, other, np.ones(len(subject)),
        others=Others(vectors, vectors[:, :1] * 0), population=vectors[other].mean(0), held_out=None, rng=0,
    )  # fmt: skip
    past = past_of(N, subject, other, np.ones(len(subject)), Others(vectors, vectors[:, :1] * 0), reading.means)
    with_past, without = reading.read(blind, past), reading.read(blind)
    assert np.square(with_past - share).mean() < 0.6 * np.square(without - share).mean()
    none = past_of(N, subject[:0], other[:0], np.ones(0), Others(vectors, vectors[:, :1] * 0), reading.means)
    np.testing.assert_allclose(reading.read(blind, none), without)


def test_the_penalty_follows_what_was_held_out(world):
    own, _, vectors, _, (subject, other) = world
    count = np.bincount(subject, minlength=N)[:, None] * np.ones(2)
    mean = np.stack([vectors[other[subject == s]].mean(0) for s in range(N)])
    level = vectors[other].mean(0)
    flat = LikedMeans(np.tile(level, (N, 1)), np.zeros((N, 2)), count)
    wild, tame = fit(world, held_out=LikedMeans(mean, mean * 0, count)), fit(world, held_out=flat)
    assert np.std(tame.read(own), axis=0).sum() < 0.5 * np.std(wild.read(own), axis=0).sum()


def test_there_and_back_as_arrays(world):
    own, _, vectors, (subject, other), _ = world
    reading = fit(world)
    again = LinearReading.from_state(reading.state())
    past = past_of(N, subject, other, np.ones(len(subject)), Others(vectors, vectors[:, :1] * 0), reading.means)
    np.testing.assert_array_equal(again.read(own, past), reading.read(own, past))


def test_folds_are_even_within_each_subject():
    subject = np.repeat([0, 1, 2], [18, 9, 4])
    fold = _folds(subject, 3, rng=3)
    counts = [np.bincount(fold[subject == s], minlength=9) for s in range(3)]
    assert counts[0].tolist() == [2] * 9
    assert counts[1].tolist() == [1] * 9
    assert counts[2].max() == 1


def test_own_vectors_may_be_empty_or_unknown(world):
    _, _, vectors, (subject, other), _ = world
    for strange in (np.zeros((N, 0)), np.full((N, 2), np.nan), np.full((N, 2), 0.5)):
        reading = fit_linear(
            strange, subject, other, np.ones(len(subject)),
            others=Others(vectors, vectors * 0), population=vectors[other].mean(0), held_out=None, rng=0,
        )  # fmt: skip
        said = reading.read(strange)
        assert np.isfinite(said).all()
        assert np.ptp(said, axis=0).max() < 1e-9
