"""Ridge regression is ridge regression, and no like is target and input at once."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from penchant.tables.simulator import simulate
from penchant.tables.splits import split_cold_users, split_random


@pytest.fixture(scope="module")
def module(benchmark_module):
    return benchmark_module("_portrait_ridge")


@pytest.fixture(scope="module")
def arrays_module(benchmark_module):
    return benchmark_module("_portrait_arrays")


@pytest.fixture(scope="module")
def tables():
    return simulate(n_users=60, n_items=40, n_interactions=1500, rng=2).tables


@pytest.fixture(scope="module")
def data(arrays_module, tables):
    return arrays_module.arrays(arrays_module.PortraitCase("some", False, *split_random(tables), "", 1, 1))


def test_moments_in_parts_are_scikit_learns_ridge_of_all(module):
    g = np.random.default_rng(0)
    x, target, weight = g.normal(size=(50, 4)) + 3, g.normal(size=(50, 2)), g.random(50) + 0.1
    moments = module.Moments(module.Rows(x[part], target[part], weight[part]) for part in (slice(20), slice(20, 50)))
    oracle = Ridge(alpha=2.5).fit(x, target, sample_weight=weight)
    assert moments.solve(2.5)(x) == pytest.approx(oracle.predict(x))
    penalty = np.array([1.0, 4.0, 9.0, 100.0])  # a penalty of its own is a column of another size
    oracle = Ridge(alpha=1.0).fit(x / np.sqrt(penalty), target, sample_weight=weight)
    assert moments.solve(penalty)(x) == pytest.approx(oracle.predict(x / np.sqrt(penalty)))


def test_no_examples_no_regression(module):
    with pytest.raises(ValueError, match="no example"):
        module.Moments([])


def test_targets_are_told_from_other_rows(module, data):
    parts = module._parts(data, 5)
    assert np.sum(parts, axis=0).tolist() == [1] * len(data.train.user), "each row is in one part"
    most = np.bincount(data.train.user).max()
    for part in parts:
        assert np.bincount(data.train.user[part]).max() <= -(-most // module.FOLDS), "evenly within each user"
    asked = []

    def inputs(rows):
        asked.append(rows)
        return np.zeros((len(data.users), 1))

    examples = list(module._examples(data, parts, inputs))
    assert all((rows ^ out).all() for rows, out in zip(asked, parts, strict=True))
    assert sum(e.weight.sum() for e in examples) == pytest.approx(data.train.liked.sum()), "a like counts once"
    rows = parts[0] & data.train.liked
    user = np.unique(data.train.user[rows])
    mean = data.items[data.train.item[rows & (data.train.user == user[3])]].astype(float).mean(0)
    assert examples[0].target[3] == pytest.approx(mean - data.base)


def test_cold_users_are_told_by_their_demographics_alone(module, arrays_module, tables):
    parts = split_cold_users(tables, (0.6, 0.2, 0.2))
    data = arrays_module.arrays(arrays_module.PortraitCase("some", True, *parts, "", 1, 1))
    user, twin = data.test.users[:2]
    data.users[twin] = data.users[user]
    for _, portrait in module.cold_ridges(data):
        assert portrait[twin] == pytest.approx(portrait[user])
        assert np.isfinite(portrait).all()


@pytest.mark.parametrize("name", ["warm_ridges", "item_ridges"])
def test_one_seed_gives_one_answer(module, data, name):
    (first, one), (second, other), (_, moved) = (next(getattr(module, name)(data, rng)) for rng in (3, 3, 4))
    assert first == second
    assert (one == other).all()
    assert (one != moved).any()
