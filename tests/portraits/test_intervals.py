from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from penchant._spec import Block, Layout
from penchant.conformal import hierarchical_quantile, users_needed
from penchant.errors import ConfigError
from penchant.portraits._curves import TAILS, curve_score, curves_at, fit_curves, read_curves
from penchant.portraits.intervals import PortraitIntervals, fit_intervals
from penchant.portraits.likes import Likes

LAYOUT = Layout(
    (
        Block("year", "dense", 1, 1, "square"),
        Block("member", "dense", 1, 1, "binary"),
        Block("language", "code", 7, 5, "categorical"),
        Block("tags", "bag", 10, 8, "binary"),
        Block("taste", "dense", 2, 2, "square"),
    )
)
LEVELS = (0.8, 0.9, 0.95)
LANGUAGE, TAGS, NUMBERS = slice(2, 7), slice(7, 15), [0, 15, 16]


def drawn(seed: int, users: int, missing: float = 0.1) -> Likes:
    """Users whose likes resemble one another, decoded with error and out of scale; one in ten has very many."""
    rng = np.random.default_rng(seed)
    size = np.where(rng.random(users) < 0.1, rng.integers(40, 80, users), rng.integers(1, 8, users))
    subject = np.repeat(np.arange(users), size)
    taste = rng.normal(0, 1, (users, LAYOUT.width))
    decoded = 1 / (1 + np.exp(0.3 - 0.7 * (taste + rng.normal(0, 0.5, taste.shape))))
    chance = 1 / (1 + np.exp(-1.5 * taste[subject] + np.linspace(-1, 3, LAYOUT.width)))
    value = (rng.random(chance.shape) < chance).astype(float)
    words = np.exp(1.5 * taste[subject, LANGUAGE])
    edges = np.cumsum(words / words.sum(1, keepdims=True), axis=1)
    value[:, LANGUAGE] = np.eye(5)[(rng.random((len(subject), 1)) > edges[:, :-1]).sum(1)]
    spread = rng.normal(0, 0.1, (len(subject), 3))
    value[:, NUMBERS] = np.clip(0.5 + 0.1 * taste[subject][:, NUMBERS] + spread, 0, 1)
    value[:, 0] = value[:, 0].round(1)  # many equal ones
    for _, place in LAYOUT.places():
        value[rng.random(len(subject)) < missing, place] = np.nan
    return Likes(decoded.astype(np.float32), value.astype(np.float32), subject, np.arange(len(subject)))


@pytest.fixture(scope="module")
def fitted() -> PortraitIntervals:
    return fit_intervals(drawn(1, 150), LAYOUT)


def inside_by_hand(intervals: PortraitIntervals, likes: Likes, level: float) -> np.ndarray:
    """(pairs, width): whether each value lies between its interval's ends; NaN where it is unknown."""
    low, high = intervals.intervals(likes.decoded, level)
    value = likes.value[likes.liked].astype(np.float64)
    held = (low[likes.subject] <= value) & (value <= high[likes.subject])
    return np.where(np.isnan(value), np.nan, held)


@pytest.mark.parametrize("shaped", [False, True])
def test_promises_are_kept_for_new_users(shaped):
    """On the average over draws of held-out users, within three standard errors; of each field, and each coordinate."""
    n = 60
    found = np.zeros((n, len(LEVELS), LAYOUT.width))
    for draw in range(n):
        shape = drawn(9_000 + draw, 40) if shaped else None
        intervals = fit_intervals(drawn(draw, 60), LAYOUT, levels=LEVELS, shape=shape, rng=draw)
        new = drawn(5_000 + draw, 60)
        for j, level in enumerate(LEVELS):
            found[draw, j] = intervals.coordinate_coverage(new, level)
    short = np.array(LEVELS)[:, None] - found.mean(0)
    error = found.std(0) / np.sqrt(n) + 1e-9
    assert (short <= 3.2 * error).all()
    exact = [15, 16, *range(LANGUAGE.start, LANGUAGE.stop)]  # what has many equal scores is held or not as one
    assert (-short[:, exact] <= 1 / 40 + 3.2 * error[:, exact]).all()


def test_intervals_narrow_with_what_is_decoded(fitted):
    low, high = fitted.intervals(drawn(2, 200).decoded, 0.8)
    assert (high - low)[:, NUMBERS].mean() < 0.8
    said = fitted.verdicts(drawn(2, 200).decoded, 0.8)
    assert (said[:, TAGS] == "no").mean() > 0.3
    assert (said[:, 7] == "yes").mean() > 0.1
    middle = (low + high)[:, 0] / 2
    assert np.corrcoef(middle, drawn(2, 200).decoded[:, 0])[0, 1] > 0.8


def test_measured_coverage_is_that_of_the_intervals(fitted):
    likes = drawn(3, 80)
    for level in LEVELS:
        held = inside_by_hand(fitted, likes, level)
        measured, by_field = fitted.coordinate_coverage(likes, level), fitted.coverage(likes, level)
        for block, place in LAYOUT.places():
            pairs = held[:, place].min(1, keepdims=True) if block.likelihood == "categorical" else held[:, place]
            users = [pairs[likes.subject == u] for u in range(80)]
            each = [np.nanmean(u) for u in users if not np.isnan(u).all()]
            if pairs.shape[1] == 1:
                np.testing.assert_allclose(measured[place], np.mean(each), atol=1e-9)
                assert by_field[block.name].measured == pytest.approx(np.mean(each))
                assert by_field[block.name].users == len(each)
            else:
                assert by_field[block.name].measured == pytest.approx(measured[place].mean(), abs=0.02)
        assert all(c.promised == level for c in by_field.values())


def test_a_larger_promise_has_wider_intervals(fitted):
    decoded = drawn(4, 50).decoded
    ends = [fitted.intervals(decoded, level) for level in LEVELS]
    for (low, high), (lower, higher) in pairwise(ends):
        assert (lower <= low).all()
        assert (higher >= high).all()
    assert all(((low >= 0) & (low <= high) & (high <= 1)).all() for low, high in ends)


def test_yes_or_no_by_the_distance_from_what_is_decoded(fitted):
    likes = drawn(1, 150)
    g, v = likes.decoded[likes.subject].astype(float), likes.value[likes.liked].astype(float)
    for j in (1, *range(TAGS.start, TAGS.stop)):
        bound = hierarchical_quantile(np.abs(v - g)[:, j], likes.subject, [1 - level for level in LEVELS])
        np.testing.assert_allclose(fitted.radius[:, j], np.maximum(bound, 0.5))
    shares = np.linspace(0, 1, 101)[:, None] * np.ones(LAYOUT.width)
    low, high = fitted.intervals(shares, 0.9)
    for row in range(101):
        possible = {y for y in (0.0, 1.0) if abs(y - shares[row, 1]) <= fitted.radius[1, 1] + 1e-6}
        assert possible == {y for y in (0.0, 1.0) if low[row, 1] <= y <= high[row, 1]}
    assert set(fitted.verdicts(shares, 0.9)[:, 1]) == {"yes", "no", "open"}


def test_a_set_is_the_fewest_likeliest_words_whose_shares_exceed_the_bound(fitted):
    for share in drawn(5, 60).decoded:
        for level, radius in zip(LEVELS, fitted.radius[:, 2], strict=True):
            words = sorted(range(5), key=lambda w: (-share[LANGUAGE][w], w))
            part, chosen, before = share[LANGUAGE].astype(float) / share[LANGUAGE].astype(float).sum(), [], 0.0
            for word in words:
                if before > radius + 1e-6:
                    break
                chosen.append(word)
                before += part[word]
            assert fitted.sets(share, level) == {"language": tuple(chosen)}


@given(st.integers(0, 10_000), st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_the_score_is_the_smallest_reach_that_holds_a_value(seed, values):
    """By search over reaches, on curves with level pieces."""
    rng = np.random.default_rng(seed)
    inner = np.sort(rng.choice([0, 0.1, 0.25, 0.5, 0.5, 0.9, 1.0], len(TAILS) - 2))
    curve = np.concatenate([[0.0], inner, [1.0]])
    value = np.array([*values, *inner[::5]])
    found = curve_score(value, np.tile(curve, (len(value), 1)))
    reach = np.linspace(0, 0.5, 4001)
    for v, score in zip(value, found, strict=True):
        held = (np.interp(0.5 - reach, TAILS, curve) <= v + 1e-12) & (np.interp(0.5 + reach, TAILS, curve) >= v - 1e-12)
        assert score == pytest.approx(reach[held.argmax()], abs=3e-4)
    both = [read_curves(curve[None], 0.5 + side * s)[0] for s in found for side in (-1, 1)]
    assert (np.array(both[::2]) <= value + 1e-9).all()
    assert (np.array(both[1::2]) >= value - 1e-9).all()


def test_curves_follow_the_quantiles_of_subjects_alike_in_what_was_decoded():
    rng = np.random.default_rng(0)
    g = rng.random(4000)
    centre, curve = fit_curves(g, np.clip(g + 0.4 * (rng.random(4000) - 0.5), 0, 1), np.arange(4000))
    at = curves_at(np.array([0.4, 0.5, 0.6]), centre, curve)
    for level in (0.1, 0.5, 0.9):
        np.testing.assert_allclose(read_curves(at, level), np.array([0.4, 0.5, 0.6]) + 0.4 * (level - 0.5), atol=0.04)
    assert (np.diff(curve, axis=1) >= 0).all()
    assert (curve[:, 0] == 0).all()
    assert (curve[:, -1] == 1).all()


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_the_order_of_pairs_does_not_count(seed):
    likes = drawn(seed, 40)
    order = np.random.default_rng(seed).permutation(len(likes.subject))
    there = fit_intervals(replace(likes, subject=likes.subject[order], liked=likes.liked[order]), LAYOUT)
    here = fit_intervals(likes, LAYOUT)
    for name, array in here.state().items():
        np.testing.assert_allclose(array, there.state()[name], atol=1e-12)


def test_one_seed_gives_one_answer_and_only_numbers_depend_on_it():
    likes = drawn(7, 60)
    here, same, other = (fit_intervals(likes, LAYOUT, rng=rng) for rng in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(here.state().values(), same.state().values(), strict=True))
    words = [j for j in range(LAYOUT.width) if j not in NUMBERS]
    assert np.array_equal(here.radius[:, words], other.radius[:, words])
    assert not np.array_equal(here.radius, other.radius)


def test_state_goes_through_a_file_and_back(fitted):
    again = PortraitIntervals.from_state(LAYOUT, load(save(fitted.state())))
    decoded = drawn(8, 20).decoded
    for level in LEVELS:
        for a, b in zip(fitted.intervals(decoded, level), again.intervals(decoded, level), strict=True):
            assert np.array_equal(a, b)
    assert again.coverage(drawn(8, 20), 0.9) == fitted.coverage(drawn(8, 20), 0.9)


@pytest.mark.parametrize("users", [0, 1, users_needed(0.05) - 1])
def test_too_few_users_promise_everything(users):
    likes = drawn(1, 40).of(np.arange(users))
    fitted = fit_intervals(likes, LAYOUT, shape=drawn(2, 40))
    low, high = fitted.intervals(likes.decoded, 0.95)
    assert (low == 0).all()
    assert (high == 1).all()
    assert len(fitted.sets(likes.decoded[0], 0.95)["language"]) == 5
    assert (fitted.verdicts(likes.decoded, 0.95) == "open").all()
    assert min(c.measured for c in fitted.coverage(drawn(3, 20), 0.95).values()) == 1


def test_what_nobody_knows_is_open_and_not_measured():
    likes = drawn(1, 60)
    value = likes.value.copy()
    value[:, [0, 1]] = np.nan
    fitted = fit_intervals(replace(likes, value=value), LAYOUT)
    low, high = fitted.intervals(likes.decoded, 0.8)
    assert (low[:, :2] == 0).all()
    assert (high[:, :2] == 1).all()
    assert fitted.users[:2].tolist() == [0, 0]
    assert set(fitted.coverage(replace(likes, value=value), 0.8)) == {"language", "tags", "taste"}
    assert np.isnan(fitted.coordinate_coverage(replace(likes, value=value), 0.8)[:2]).all()


def test_constant_values_have_no_width():
    likes = drawn(1, 80, missing=0.0)
    value, decoded = np.zeros_like(likes.value), np.full_like(likes.decoded, 0.3)
    value[:, NUMBERS], value[:, 2] = 0.7, 1.0
    fitted = fit_intervals(Likes(decoded, value, likes.subject, likes.liked), LAYOUT)
    low, high = fitted.intervals(decoded, 0.9)
    np.testing.assert_allclose(low[:, NUMBERS], 0.7, atol=1e-5)
    np.testing.assert_allclose(high[:, NUMBERS], 0.7, atol=1e-5)
    assert (high[:, TAGS] == 0).all()
    assert fitted.sets(decoded[0], 0.9) == {"language": (0,)}
    assert (low[:, 2] == 1).all()
    assert all(
        c.measured == 1 for c in fitted.coverage(Likes(decoded, value, likes.subject, likes.liked), 0.9).values()
    )


def test_a_wide_field_is_gone_through_in_parts():
    layout = Layout((Block("tags", "bag", 152, 150, "binary"), Block("topics", "dense", 130, 130, "square")))
    rng = np.random.default_rng(0)
    subject = rng.integers(0, 60, 300)
    likes = Likes(rng.random((60, 280)), (rng.random((300, 280)) < 0.5).astype(float), subject, np.arange(300))
    fitted = fit_intervals(likes, layout)
    assert fitted.curve.shape[0] == 130
    held = inside_by_hand(fitted, likes, 0.9)
    each = [np.mean([held[subject == u][:, j].mean() for u in np.unique(subject)]) for j in range(280)]
    np.testing.assert_allclose(fitted.coordinate_coverage(likes, 0.9), each, atol=1e-9)


def test_a_side_without_coordinates_has_nothing_to_say():
    empty = Layout((Block("id", "code", 9, 0, "none"),))
    likes = Likes(np.zeros((3, 0)), np.zeros((4, 0)), np.array([0]), np.array([1]))
    fitted = PortraitIntervals.from_state(empty, load(save(fit_intervals(likes, empty).state())))
    assert fitted.intervals(np.zeros((2, 0)), 0.9)[0].shape == (2, 0)
    assert fitted.coverage(likes, 0.9) == {}


def test_what_cannot_be_asked_is_refused(fitted):
    with pytest.raises(ConfigError, match=r"level = 0.85: one of 0.8, 0.9, 0.95 expected"):
        fitted.intervals(drawn(1, 5).decoded, 0.85)
    with pytest.raises(ConfigError, match="17 coordinates expected, got 3"):
        fitted.intervals(np.zeros((1, 3)), 0.9)
    for levels in ((), (0.9, 1.0), (0.0,)):
        with pytest.raises(ConfigError, match="between 0 and 1"):
            fit_intervals(drawn(1, 5), LAYOUT, levels=levels)
    with pytest.raises(ConfigError, match="coordinates expected"):
        fit_intervals(drawn(1, 5), Layout(LAYOUT.blocks[:2]))
