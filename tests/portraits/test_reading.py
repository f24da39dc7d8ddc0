"""Decoder and linear reading mixed by what held-out likes say."""

import numpy as np
import pytest

from penchant._spec import Block, Layout
from penchant.portraits import Evidence, Others, Past, Reading, fit_linear, fit_reading, past_of

N, M, W = 120, 200, 3
LAYOUT = Layout((Block("tags", "bag", W + 2, W, "binary"),))


@pytest.fixture(scope="module")
def world():
    g = np.random.default_rng(2)
    share = g.random((N, W)) * 0.6 + 0.2
    vectors = (g.random((M, W)) < 0.5).astype(float)
    subject = np.repeat(np.arange(N), 30)
    weight = np.abs(1 - vectors[None] - share[:, None]).prod(2)
    other = np.concatenate([g.choice(M, 30, p=w / w.sum()) for w in weight])
    first = np.tile(np.arange(30) < 15, N)
    others = Others(vectors, np.zeros((M, 1)))
    own = np.zeros((N, 0))
    pi = vectors[other].mean(0)
    linear = fit_linear(
        own, subject[first], other[first], np.ones(first.sum()), others=others, population=pi, held_out=None, rng=0
    )
    past = past_of(N, subject[first], other[first], np.ones(first.sum()), others, linear.means)
    return share, vectors, (subject[~first], other[~first]), own, pi, linear, past


def fit(world, decoded, held_out=True):
    _, vectors, later, own, pi, linear, past = world
    return fit_reading(
        linear, Evidence(decoded, own, past), decoded, values=vectors, held_out=later if held_out else None,
        population=pi, layout=LAYOUT, rng=0,
    )  # fmt: skip


def test_a_decoder_that_knows_gets_the_weight_and_one_that_guesses_gets_none(world):
    share, *_ = world
    good, bad = fit(world, share), fit(world, np.random.default_rng(0).random((N, W)))
    assert good.known.weights[0] > 0.7 > good.known.weights[1]
    assert bad.known.weights[0] < 0.2
    assert bad.known.weights[1] > 0.5


def test_shares_come_nearer_to_the_truth_than_what_was_decoded(world):
    share, _, _, own, _, _, past = world
    decoded = np.clip(share + 0.3 * np.random.default_rng(1).normal(size=share.shape), 0, 1)
    reading = fit(world, decoded)
    said = reading.shares(Evidence(decoded, own, past))
    assert np.square(said - share).mean() < 0.5 * np.square(decoded - share).mean()
    assert 0 <= said.min() <= said.max() <= 1


def test_subjects_without_a_past_are_read_as_new_ones(world):
    share, vectors, _, own, _, linear, past = world
    reading = fit(world, share)
    nothing = past_of(
        2, np.zeros(0, int), np.zeros(0, int), np.zeros(0), Others(vectors, np.zeros((M, 1))), linear.means
    )
    ((stage, rows),) = reading.by_stage(Evidence(share[:2], own[:2], nothing))
    assert (stage, rows.tolist()) == (reading.new, [0, 1])
    assert next(reading.by_stage(Evidence(share, own, past)))[0] is reading.known


def test_known_and_new_subjects_are_read_together_as_apart(world):
    share, _, _, own, _, _, past = world
    reading = fit(world, share)
    known = (np.arange(N) % 3 > 0)[:, None]
    both = Evidence(share, own, Past(past.liked * known, past.disliked * known, past.counts * known))
    shares = reading.shares(both)
    ends = reading.ends(both, shares)
    counted = [(stage, rows.tolist()) for stage, rows in reading.by_stage(both)]
    assert [stage for stage, _ in counted] == [reading.known, reading.new]
    assert sorted(row for _, rows in counted for row in rows) == list(range(N))
    for stage, j in ((stage, j) for stage, rows in counted for j in rows):
        alone = stage.shares.apply(reading.raw(both)[j : j + 1])
        np.testing.assert_array_equal(shares[j : j + 1], alone)
        np.testing.assert_array_equal([end[j : j + 1] for end in ends], stage.shares.interval(alone))


def test_with_nothing_held_out_the_linear_reading_stands(world):
    share, _, _, own, _, linear, past = world
    reading = fit(world, share, held_out=False)
    assert reading.known.intervals is None
    assert reading.known.weights == pytest.approx((0, 1), abs=1e-6)
    np.testing.assert_allclose(reading.raw(Evidence(share, own, past)), linear.read(own, past), atol=1e-6)


def test_there_and_back_as_arrays(world):
    share, _, _, own, _, _, past = world
    for held_out in (True, False):
        reading = fit(world, share, held_out)
        again = Reading.from_state(LAYOUT, reading.state())
        evidence = Evidence(share, own, past)
        np.testing.assert_array_equal(again.shares(evidence), reading.shares(evidence))
        assert (again.new.intervals is None) == (reading.new.intervals is None)
