from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from penchant._spec import Block, Layout
from penchant.errors import ConfigError
from penchant.portraits.likes import Likes
from penchant.portraits.shares import ShareCalibration, fit_shares

RARE, COMMON = slice(0, 15), slice(15, 30)
TAGS = Layout((Block("tags", "bag", 32, 30, "binary"),))
MIXED = Layout(
    (
        Block("year", "dense", 1, 1, "square"),
        Block("language", "code", 7, 5, "categorical"),
        Block("tags", "bag", 10, 8, "binary"),
    )
)


class Planted:
    """Tags with known slopes and spread: true shares are Beta around π + b (g − π)."""

    def __init__(self, seed: int, users: int, slope: float | np.ndarray = 2.0, rho: float | np.ndarray = 0.05) -> None:
        rng = np.random.default_rng(seed)
        self.population = np.concatenate([rng.uniform(0.01, 0.08, 15), rng.uniform(0.15, 0.6, 15)])
        apart = 0.25 * rng.normal(0, 1, (users, 30)) * np.minimum(self.population, 0.3) ** 0.5
        calibrated = np.clip(self.population + apart * self.population**0.5, 0.002, 0.998)
        self.decoded = np.clip(self.population + (calibrated - self.population) / slope, 0.001, 0.999)
        self.calibrated = np.clip(self.population + slope * (self.decoded - self.population), 0.001, 0.999)
        parts = 1 / np.asarray(rho) - 1
        self.true = rng.beta(self.calibrated * parts, (1 - self.calibrated) * parts)
        subject = np.repeat(np.arange(users), rng.geometric(1 / 15, users))
        value = (rng.random((len(subject), 30)) < self.true[subject]).astype(float)
        self.likes = Likes(self.decoded, value, subject, np.arange(len(subject)))


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
def test_shrunken_or_stretched_shares_are_put_right(slope):
    planted = Planted(0, 300, slope)
    found = fit_shares(planted.likes, TAGS, population=planted.population)
    assert found.slope.mean() == pytest.approx(slope, rel=0.1)
    off = np.abs(found.apply(planted.decoded) - planted.calibrated).mean()
    assert off < 0.004
    if slope != 1:
        assert off < 0.2 * np.abs(planted.decoded - planted.calibrated).mean()


@pytest.mark.parametrize("rho", [0.01, 0.05, 0.2])
def test_the_spread_of_users_is_found(rho):
    found, kept = [], []
    for seed in range(4):
        planted = Planted(seed, 200, rho=rho)
        calibration = fit_shares(planted.likes, TAGS, population=planted.population)
        found.append(calibration.dispersion)
        shares = calibration.apply(planted.decoded)
        low, high = calibration.interval(shares, 0.9)
        kept.append(((low <= planted.true) & (planted.true <= high)).mean(0))
        true = np.sqrt(((planted.true - planted.calibrated) ** 2).mean())
        assert np.sqrt((calibration.deviation(shares) ** 2).mean()) == pytest.approx(true, rel=0.2)
    assert np.mean(found) == pytest.approx(rho, rel=0.2)
    assert np.mean(kept, axis=0)[RARE].mean() == pytest.approx(0.9, abs=0.04)
    assert np.mean(kept, axis=0)[COMMON].mean() == pytest.approx(0.9, abs=0.04)


def test_coordinates_that_differ_are_told_apart():
    rng = np.random.default_rng(5)
    slope, rho = rng.uniform(0.2, 1.0, 30), rng.uniform(0.01, 0.15, 30)
    planted = Planted(1, 1500, slope, rho)
    found = fit_shares(planted.likes, TAGS, population=planted.population)
    assert np.corrcoef(found.slope[COMMON], slope[COMMON])[0, 1] > 0.9
    assert np.corrcoef(found.dispersion[COMMON], rho[COMMON])[0, 1] > 0.8


def test_with_few_users_single_coordinates_do_not_go_wild():
    """Against a line for each coordinate by itself."""
    planted = Planted(2, 30, 2.0)
    found = fit_shares(planted.likes, TAGS, population=planted.population)
    subject, value = planted.likes.subject, planted.likes.value
    means = np.stack([value[subject == u].mean(0) for u in range(30)])
    alone = [np.polyfit(planted.decoded[:, j], means[:, j], 1)[0] for j in range(30)]
    assert np.abs(found.slope - 2).max() < 0.7 * np.abs(np.array(alone) - 2).max()
    assert found.slope.std() < 0.5 * np.std(alone)


def test_with_many_users_and_one_coordinate_it_is_a_weighted_line():
    """Users with as many likes each: plain least squares."""
    rng = np.random.default_rng(0)
    decoded = rng.uniform(0.2, 0.8, (400, 1))
    subject = np.repeat(np.arange(400), 20)
    value = (rng.random((8000, 1)) < (0.1 + 0.6 * decoded)[subject]).astype(float)
    likes = Likes(decoded, value, subject, np.arange(8000))
    layout = Layout((Block("member", "dense", 1, 1, "binary"),))
    found = fit_shares(likes, layout, population=np.array([0.4]))
    slope, shift = np.polyfit(decoded[:, 0], value.reshape(400, 20).mean(1), 1)
    assert found.slope[0] == pytest.approx(slope, rel=1e-6)
    there = found.apply(np.array([[0.3], [0.7]]))[:, 0]
    np.testing.assert_allclose(there, shift + slope * np.array([0.3, 0.7]), atol=0.01)  # the shift is pulled a little
    assert found.dispersion[0] < 0.01


def test_unequal_users_count_by_the_likes_that_theirs_are_worth():
    """A user with a thousand likes does not decide alone where users differ much."""
    planted = Planted(3, 100, 1.0, 0.3)
    subject, value = planted.likes.subject, planted.likes.value
    odd = np.ones((5000, 30))
    many = replace(
        planted.likes,
        value=np.concatenate([value, odd]),
        subject=np.concatenate([subject, np.zeros(5000, dtype=int)]),
        liked=np.arange(len(subject) + 5000),
    )
    found = fit_shares(many, TAGS, population=planted.population)
    assert np.abs(found.apply(planted.decoded)[1:] - planted.calibrated[1:]).mean() < 0.03


@st.composite
def anything(draw):
    """Likes of any shape: few users, missing values, constants, decoded at the ends."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    users, pairs = draw(st.integers(1, 60)), draw(st.integers(0, 200))
    decoded = rng.random((users, 14)) ** draw(st.sampled_from([0.2, 1, 8]))
    decoded = np.where(rng.random((users, 14)) < draw(st.sampled_from([0, 0.3, 1])), decoded.round(), decoded)
    value = (rng.random((40, 14)) < rng.random(14) ** 3).astype(float)
    value[:, 0] = draw(st.sampled_from([rng.random(40), np.zeros(40), np.ones(40)]))
    value[:, 1:6] = np.eye(5)[rng.integers(0, draw(st.integers(1, 5)), 40)]
    value[rng.random(40) < draw(st.sampled_from([0, 0.5, 1]))] = np.nan
    likes = Likes(decoded, value, rng.integers(0, users, pairs), rng.integers(0, 40, pairs))
    population = np.nan_to_num(np.nanmean(value, axis=0)) if not np.isnan(value).all() else np.zeros(14)
    return likes, population


@settings(max_examples=60)
@given(anything(), st.floats(0.01, 0.99))
def test_shares_and_intervals_never_leave_the_unit_interval(given, level):
    likes, population = given
    found = fit_shares(likes, MIXED, population=population)
    for vectors in (likes.decoded, np.zeros((1, 14)), np.ones((1, 14)), population[None]):
        shares = found.apply(vectors)
        assert ((shares >= 0) & (shares <= 1)).all()
        np.testing.assert_allclose(shares[:, 1:6].sum(1), 1)
        low, high = found.interval(shares, level)
        assert ((low >= 0) & (low <= shares) & (shares <= high) & (high <= 1)).all()
        wide_low, wide_high = found.interval(shares, (1 + level) / 2)
        assert ((wide_low <= low + 1e-9) & (wide_high >= high - 1e-9)).all()
        assert ((found.deviation(shares) >= 0) & (found.deviation(shares) <= 0.5)).all()
    assert (found.slope >= 0).all()
    assert ((found.dispersion > 0) & (found.dispersion <= 1)).all()


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_the_order_of_pairs_does_not_count(seed):
    planted = Planted(seed, 40)
    order = np.random.default_rng(seed).permutation(len(planted.likes.subject))
    there = replace(planted.likes, subject=planted.likes.subject[order], liked=planted.likes.liked[order])
    here, mixed = (fit_shares(likes, TAGS, population=planted.population) for likes in (planted.likes, there))
    for name, array in here.state().items():
        np.testing.assert_allclose(array, mixed.state()[name], atol=1e-9)


def test_words_of_one_of_many_share_a_slope_and_sum_to_one():
    rng = np.random.default_rng(0)
    layout = Layout((Block("language", "code", 6, 4, "categorical"),))
    population = np.array([0.5, 0.3, 0.15, 0.05])
    calibrated = rng.dirichlet(8 * population, 300)
    decoded = population + (calibrated - population) / 2
    subject = np.repeat(np.arange(300), 12)
    word = (rng.random((3600, 1)) > np.cumsum(calibrated, axis=1)[subject, :-1]).sum(1)
    # a decoder's words are scored one by one: they do not sum to 1
    likes = Likes(0.8 * decoded, np.eye(4)[word], subject, np.arange(3600))
    found = fit_shares(likes, layout, population=population)
    assert np.ptp(found.slope) == 0
    assert found.slope[0] == pytest.approx(2, rel=0.1)
    shares = found.apply(likes.decoded)
    np.testing.assert_allclose(shares.sum(1), 1)
    assert np.abs(shares - calibrated).mean() < 0.02


def test_too_few_users_leave_shares_as_they_are_and_know_nothing_of_spread():
    planted = Planted(0, 19)
    found = fit_shares(planted.likes, TAGS, population=planted.population)
    np.testing.assert_allclose(found.apply(planted.decoded), planted.decoded)
    low, high = found.interval(planted.decoded)
    assert (low == 0).all()
    assert (high == 1).all()
    assert found.subjects == 0


def test_users_with_one_like_give_a_line_but_no_spread():
    planted = Planted(0, 800)
    _, first = np.unique(planted.likes.subject, return_index=True)
    single = replace(planted.likes, subject=planted.likes.subject[first], liked=planted.likes.liked[first])
    found = fit_shares(single, TAGS, population=planted.population)
    assert found.slope.mean() == pytest.approx(2, rel=0.2)
    assert (found.dispersion == 1).all()


def test_a_decoder_that_says_the_same_of_all_leaves_the_mean_to_the_shift():
    planted = Planted(0, 300)
    same = np.tile(planted.population, (300, 1))
    found = fit_shares(replace(planted.likes, decoded=same), TAGS, population=0.5 * planted.population)
    assert np.abs(found.apply(same)[0] - planted.population).mean() < 0.01


def test_numbers_are_calibrated_as_shares_are():
    rng = np.random.default_rng(0)
    layout = Layout((Block("year", "dense", 1, 1, "square"),))
    decoded = rng.uniform(0.3, 0.7, (300, 1))
    true = np.clip(0.5 + 0.5 * (decoded - 0.5) + rng.normal(0, 0.08, (300, 1)), 0, 1)
    subject = np.repeat(np.arange(300), 10)
    value = np.clip(true[subject] + rng.normal(0, 0.1, (3000, 1)), 0, 1)
    found = fit_shares(Likes(decoded, value, subject, np.arange(3000)), layout, population=np.array([0.5]))
    assert found.slope[0] == pytest.approx(0.5, abs=0.1)
    shares = found.apply(decoded)
    assert found.deviation(shares).mean() == pytest.approx(0.08, rel=0.1)
    low, high = found.interval(shares, 0.9)
    assert ((low <= true) & (true <= high)).mean() == pytest.approx(0.9, abs=0.05)


def test_state_goes_through_a_file_and_back():
    planted = Planted(0, 60)
    found = fit_shares(planted.likes, TAGS, population=planted.population)
    again = ShareCalibration.from_state(TAGS, load(save(found.state())))
    shares = found.apply(planted.decoded)
    assert np.array_equal(again.apply(planted.decoded), shares)
    assert np.array_equal(again.interval(shares, 0.8), found.interval(shares, 0.8))
    assert again.subjects == 60


def test_what_cannot_be_asked_is_refused():
    planted = Planted(0, 60)
    found = fit_shares(planted.likes, TAGS, population=planted.population)
    with pytest.raises(ConfigError, match="30 coordinates expected, got 3"):
        found.apply(np.zeros((1, 3)))
    for level in (0.0, 1.0):
        with pytest.raises(ConfigError, match="between 0 and 1"):
            found.interval(planted.decoded, level)
    with pytest.raises(ConfigError, match="population: 30 coordinates expected, got 2"):
        fit_shares(planted.likes, TAGS, population=np.zeros(2))
