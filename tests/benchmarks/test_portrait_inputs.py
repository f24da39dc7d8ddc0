"""What is known of a user, column by column."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def module(benchmark_module):
    return benchmark_module("_portrait_inputs")


@pytest.fixture
def data(benchmark_module):
    """Four users (age, one of two jobs), three items of two features; the last user is in no training row."""
    kinds = benchmark_module("_portrait_arrays")
    users = np.array([[0.0, 1, 0], [0.2, 1, 0], [1.0, 0, 1], [np.nan, 0, 1]], dtype=np.float32)
    items = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, np.nan]], dtype=np.float32)
    train = kinds.Pairs(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 2, 1]), np.array([1, 0, 1, 1, 1], dtype=bool))
    nobody = kinds.Target(np.zeros(0, int), np.zeros((0, 2)), np.zeros(0, int))
    labels = (("a", "a"), ("b", "b"))
    base = kinds.average(items, train.item[train.liked])
    blocks = (slice(0, 1), slice(1, 3))
    return kinds.PortraitArrays(False, users, items, labels, blocks, train, base, nobody, nobody)


def test_a_missing_number_is_the_mean_and_bins_stand_beside_it(module, data):
    plain = module.demographics(data, 1)
    assert plain[:, 0] == pytest.approx([0, 0.2, 1, 0.4])
    assert plain[:, 1:].tolist() == data.users[:, 1:].tolist()
    cut = module.demographics(data, 2)[:, 3:]
    assert cut.tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]


def test_groups_are_alike_in_categories_and_bins(module, data):
    one, two = module.groups(data, 1), module.groups(data, 2)
    assert one[0] == one[1] != one[2] == one[3]
    assert two[0] == two[1] != two[2]


def test_lifts_are_drawn_to_the_population(module, data):
    means, count = module.past(data, data.train, liked=True)
    assert means[1].tolist() == [1, 0]
    assert count.tolist() == [[1, 1], [2, 1], [1, 1], [0, 0]]
    assert module.lift(means, count, data.base, 0.0)[1] == pytest.approx([1 - 0.75, 0 - 1 / 3])
    assert module.lift(means, count, data.base, 3.0)[1] == pytest.approx([0.25 * 2 / 5, -1 / 3 / 4])
    assert module.lift(means, count, data.base, 0.0)[3].tolist() == [0, 0]


def test_a_profile_has_both_signs_and_their_numbers(module, data):
    found = module.profile(data, data.train, 0.0)
    assert found.shape == (4, 2 * 2 + 2 + 1)
    assert found[1, :2] == pytest.approx([2.5, -10 / 3])
    assert found[0, 4:6] == pytest.approx([np.log(2) / 2, np.log(2) / 2])
    assert found[3, 6] == pytest.approx(0.8), "nothing is known: the share of likes is everyone's"
    less = module.profile(data, module.rows_of(data.train, data.train.user == 0), 0.0)
    assert (less[1, :6] == 0).all()


def test_a_bag_tells_likes_from_dislikes(module, data):
    bag = module.bag(data, data.train)
    assert bag[0] * np.sqrt(7) == pytest.approx([1, 0, 0, 0, 1, 0])
    assert bag[1] * np.sqrt(7) == pytest.approx([1, 0, 1, 0, 0, 0])
    assert (bag[3] == 0).all()
