import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.conformal import (
    Coverage,
    RecallThreshold,
    coverage,
    hierarchical_quantile,
    pair_quantile,
    recall_threshold,
    users_needed,
)
from penchant.errors import ConfigError, DataError

PROMISES = (0.2, 0.1, 0.05)


def drawn(rng: np.random.Generator, users: int) -> tuple[np.ndarray, np.ndarray]:
    """Users with points of their own; one in ten has very many likes, all of them near."""
    busy = rng.random(users) < 0.1
    size = np.where(busy, rng.integers(60, 120, users), rng.integers(1, 6, users))
    centre = rng.normal(0, 1, users) - 1.5 * busy
    user = np.repeat(np.arange(users), size)
    return centre[user] + rng.normal(0, 0.5, len(user)), user


@st.composite
def scored(draw):
    n = draw(st.integers(1, 40))
    score = draw(st.lists(st.integers(0, 6).map(float), min_size=n, max_size=n))
    user = draw(st.lists(st.integers(0, 8), min_size=n, max_size=n))
    return np.array(score), np.array(user)


def by_brute_force(score, user, epsilon) -> float:
    """The smallest score that has enough of the distribution below, added up in whole numbers of a common share."""
    ids = sorted(set(user.tolist()))
    sizes = {u: int((user == u).sum()) for u in ids}
    unit = math.lcm(*sizes.values())
    for bound in sorted(set(score.tolist())):
        mass = sum(unit // sizes[u] for s, u in zip(score, user.tolist(), strict=True) if s <= bound)
        if mass >= (1 - epsilon) * unit * (len(ids) + 1) - 1e-6:
            return bound
    return math.inf


@given(scored(), st.sampled_from([0.05, 0.1, 0.2, 0.25, 0.5, 0.75, 0.9]))
def test_the_quantile_is_that_of_the_weighted_distribution(pairs, epsilon):
    score, user = pairs
    assert hierarchical_quantile(score, user, [epsilon])[0] == by_brute_force(score, user, epsilon)


@given(scored(), st.permutations(range(40)))
def test_order_and_names_do_not_count(pairs, order):
    score, user = pairs
    rows = np.array([j for j in order if j < len(score)])
    there = hierarchical_quantile(score[rows], 100 - 7 * user[rows], PROMISES)
    assert np.array_equal(there, hierarchical_quantile(score, user, PROMISES))


@given(scored(), st.lists(st.floats(0.01, 0.99), min_size=2, max_size=6))
def test_a_smaller_epsilon_never_has_a_smaller_bound(pairs, epsilons):
    bounds = hierarchical_quantile(*pairs, sorted(epsilons))
    assert (bounds[:-1] >= bounds[1:]).all()


@given(scored())
def test_a_pair_seen_twice_by_everyone_changes_nothing(pairs):
    score, user = pairs
    twice = hierarchical_quantile(np.tile(score, 2), np.tile(user, 2), PROMISES)
    assert np.array_equal(twice, hierarchical_quantile(score, user, PROMISES))


@given(st.lists(st.integers(0, 9).map(float), max_size=60), st.sampled_from(PROMISES))
def test_with_one_pair_a_user_it_is_the_plain_quantile(score, epsilon):
    scores = np.array(score)
    bound = hierarchical_quantile(scores, np.arange(len(scores)), [epsilon])[0]
    assert bound == pair_quantile(scores, epsilon)
    rank = math.ceil(round((len(score) + 1) * (1 - epsilon), 9))
    assert bound == (sorted(score)[rank - 1] if rank <= len(score) else math.inf)


def test_missing_scores_are_as_if_not_there():
    score, user = np.array([1.0, np.nan, 2.0, np.nan, 3.0]), np.array([0, 0, 1, 2, 3])
    kept = ~np.isnan(score)
    there = hierarchical_quantile(score, user, [0.3, 0.5])
    assert np.array_equal(there, hierarchical_quantile(score[kept], user[kept], [0.3, 0.5]))


@pytest.mark.parametrize("epsilon", [0.5, 0.3, 0.2, 0.1, 0.05, 0.01])
def test_users_needed_is_where_bounds_become_finite(epsilon):
    n = users_needed(epsilon)
    assert math.isfinite(hierarchical_quantile(np.zeros(n), np.arange(n), [epsilon])[0])
    assert math.isinf(hierarchical_quantile(np.zeros(n - 1), np.arange(n - 1), [epsilon])[0])


@pytest.mark.parametrize("users", [25, 150])
def test_new_users_are_covered_as_promised_and_not_by_the_quantile_of_pairs(users):
    """Averaged over 200 draws of held-out users, within three standard errors; few users may cover more."""
    found, plain = np.zeros((200, 3)), np.zeros((200, 3))
    for draw in range(200):
        rng = np.random.default_rng((users, draw))
        held_out, new = drawn(rng, users), drawn(rng, 150)
        for j, epsilon in enumerate(PROMISES):
            q = hierarchical_quantile(*held_out, [epsilon])[0]
            found[draw, j] = coverage(new[0] <= q, new[1], promised=1 - epsilon).measured
            pairs = pair_quantile(held_out[0], epsilon)
            plain[draw, j] = coverage(new[0] <= pairs, new[1], promised=1 - epsilon).measured
    promised, error = 1 - np.array(PROMISES), found.std(0) / math.sqrt(len(found))
    assert (found.mean(0) >= promised - 3 * error).all()
    assert (found.mean(0) <= promised + 1 / (users + 1) + 3 * error).all()
    assert (plain.mean(0) < promised - 0.08).all()


def test_the_interval_of_a_measurement_holds_the_promise_as_often_as_it_says():
    """With the users that the bound was computed from counted in: kept in 97.5 % or more."""
    kept = []
    for draw in range(300):
        rng = np.random.default_rng(draw)
        held_out, new = drawn(rng, 100), drawn(rng, 100)
        q = hierarchical_quantile(*held_out, [0.1])[0]
        kept.append(coverage(new[0] <= q, new[1], promised=0.9, calibrated=100).kept)
    assert np.mean(kept) >= 0.95


def test_a_threshold_says_what_it_rests_on():
    distance, user = drawn(np.random.default_rng(0), 60)
    distance = np.abs(distance)
    found = recall_threshold(distance, user, 0.1, diameter=2.0)
    assert found.distance == min(2.0, hierarchical_quantile(distance, user, [0.1])[0])
    assert (found.users, found.pairs, found.reason) == (60, len(user), "")
    assert found.promised == pytest.approx(0.9)
    assert RecallThreshold(**json.loads(json.dumps(asdict(found)))) == found


@pytest.mark.parametrize("users", [0, 1, 8])
def test_too_few_users_are_promised_the_whole_space(users):
    found = recall_threshold(np.full(users, 0.3), np.arange(users), 0.1, diameter=2.0)
    assert found.distance == 2.0
    assert f"{users} held-out user" in found.reason
    assert "at least 9 are needed to promise 90%" in found.reason
    json.dumps(asdict(found), allow_nan=False)


def test_a_distance_that_is_no_number_is_refused():
    with pytest.raises(DataError, match=r"column 'distance', 1 row \(1\).*NaN"):
        recall_threshold(np.array([0.1, np.nan]), np.array([0, 1]), 0.1, diameter=2.0)


def test_coverage_is_a_mean_over_users():
    inside = np.array([True, True, True, False, False])
    found = coverage(inside, np.array([4, 4, 4, 4, 9]), promised=0.5)
    assert found.measured == pytest.approx((0.75 + 0.0) / 2)
    assert found.error == pytest.approx(np.std([0.75, 0.0], ddof=1) / math.sqrt(2))
    assert (found.users, found.pairs, found.kept) == (2, 5, True)
    assert Coverage(**json.loads(json.dumps(asdict(found)))) == found


@given(scored(), st.none() | st.integers(1, 500))
def test_an_interval_is_in_bounds_and_holds_what_was_measured(pairs, calibrated):
    score, user = pairs
    inside = np.where(score == 6, np.nan, (score < 3).astype(float))
    if np.isnan(inside).all():
        return
    found = coverage(inside, user, promised=0.9, calibrated=calibrated)
    assert 0 <= found.low <= found.measured + 1e-12
    assert found.measured <= found.high + 1e-12 <= 1 + 2e-12
    wider = coverage(inside, user, promised=0.9, calibrated=1)
    assert wider.low <= found.low + 1e-12
    assert wider.high >= found.high - 1e-12


def test_without_spread_an_interval_still_has_width():
    """Wilson's interval of 20 trials that all succeeded, from its quadratic equation."""
    found = coverage(np.ones(40), np.repeat(np.arange(20), 2), promised=0.99)
    z = 1.959963984540054
    assert found.high == pytest.approx(1.0)
    assert found.low == pytest.approx(20 / (20 + z * z))
    assert found.kept
    assert found.error == 0


def test_independent_pairs_count_as_trials_and_alike_ones_as_users():
    user = np.repeat(np.arange(400), 10)
    rng = np.random.default_rng(0)
    independent = coverage((rng.random(4000) < 0.8).astype(float), user, promised=0.8)
    alike = coverage(np.repeat(rng.random(400) < 0.8, 10).astype(float), user, promised=0.8)
    assert independent.high - independent.low == pytest.approx(2 * 1.96 * math.sqrt(0.16 / 4000), rel=0.15)
    assert alike.high - alike.low == pytest.approx(2 * 1.96 * math.sqrt(0.16 / 400), rel=0.15)


def test_a_broken_promise_is_told():
    assert not coverage(np.arange(1000) % 2 == 0, np.arange(1000), promised=0.6).kept


def test_what_cannot_be_asked_is_refused():
    one, user = np.array([1.0]), np.array([0])
    for epsilon in (0.0, 1.0, -1.0, math.nan):
        with pytest.raises(ConfigError, match="between 0 and 1"):
            hierarchical_quantile(one, user, [epsilon])
        with pytest.raises(ConfigError, match="between 0 and 1"):
            pair_quantile(one, epsilon)
        with pytest.raises(ConfigError, match="between 0 and 1"):
            coverage(one, user, promised=epsilon)
    with pytest.raises(DataError, match="nothing can be measured"):
        coverage(np.array([np.nan]), user, promised=0.9)


def test_arrays_of_other_lengths_are_refused():
    with pytest.raises((ConfigError, TypeError)):  # TypeError: shapes held against their annotations
        hierarchical_quantile(np.zeros(2), np.array([0]), [0.1])
