"""The figures of portraits against loops, and what must hold of any portrait."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def measures(benchmark_module):
    return benchmark_module("_portrait_measures")


@pytest.fixture
def some():
    """Portraits, truths and their base: 40 users, 6 features, a tenth of the truths unknown."""
    g = np.random.default_rng(0)
    portrait, truth, base = g.random((40, 6)), g.random((40, 6)), g.random(6)
    truth[g.random((40, 6)) < 0.1] = np.nan
    truth[0], truth[1] = np.nan, [0.5, *[np.nan] * 5]
    return portrait, truth, base


def test_figures_are_those_of_a_loop_over_users(measures, some):
    portrait, truth, base = some
    found = measures.figures(portrait, truth, base)
    for u in range(2, 40):
        known = ~np.isnan(truth[u])
        said, true = (portrait[u] - base)[known], (truth[u] - base)[known]
        assert found.correlation[u] == pytest.approx(np.corrcoef(said, true)[0, 1])
        assert found.squared_error[u] == pytest.approx(((said - true) ** 2).mean())
        if known.sum() >= 3:
            both = set(np.argsort(said)[-3:]) & set(np.argsort(true)[-3:])
            assert found.top_3[u] == pytest.approx(len(both) / 3)


def test_a_figure_says_nothing_where_nothing_is_known(measures, some):
    found = measures.figures(*some)
    assert np.isnan([found.correlation[0], found.squared_error[0], found.top_3[0]]).all()
    assert np.isnan([found.correlation[1], found.top_3[1]]).all(), "one coordinate has neither order nor spread"
    assert found.squared_error[1] > 0
    assert found.means()["correlation"] == pytest.approx(np.mean(found.correlation[2:]))
    assert len(found) == 40


def test_the_population_average_says_nothing_and_the_truth_everything(measures, some):
    _, truth, base = some
    truth = np.nan_to_num(truth, nan=0.5)
    nothing = measures.figures(np.tile(base, (40, 1)), truth, base)
    assert (nothing.correlation == 0).all()
    assert nothing.top_3 == pytest.approx(np.full(40, 3 / 6)), "as chance would have it"
    assert nothing.squared_error == pytest.approx(((truth - base) ** 2).mean(1))
    shifted = measures.lift_correlation(np.tile(base + 0.1, (40, 1)), truth, base)
    assert (shifted == 0).all(), "the same lift everywhere sets no feature apart"
    everything = measures.figures(truth, truth, base)
    assert everything.means() == {"correlation": pytest.approx(1), "squared_error": 0, "top_3": pytest.approx(1)}
    assert np.isnan(measures.lift_correlation(truth, np.tile(base + 0.1, (40, 1)), base)).all()


def test_one_coordinate_more_that_nobody_differs_in_changes_squared_error_by_its_share(measures, some):
    portrait, truth, _ = some
    truth = np.nan_to_num(truth, nan=0.5)
    wide = [np.column_stack([a, np.full(40, 0.3)]) for a in (portrait, truth)]
    ratio = measures.squared_error(*wide) / measures.squared_error(portrait, truth)
    assert ratio == pytest.approx(np.full(40, 6 / 7))


@given(st.lists(st.integers(0, 2), min_size=8, max_size=8))
def test_equal_lifts_share_their_places(measures, values):
    said, true = (np.array(half, dtype=float)[None] for half in (values[:4], values[4:]))
    orders = list(itertools.permutations(range(4)))  # rank breaks ties: every order is as likely

    def firsts(lift):
        return [set(sorted(range(4), key=lambda j: (-lift[0, j], order[j]))[:2]) for order in orders]

    shares = [len(a & b) / 2 for a, b in itertools.product(firsts(said), firsts(true))]
    assert measures.top_share(said, true, np.zeros(4), k=2)[0] == pytest.approx(np.mean(shares))


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_correlation_and_order_do_not_change_with_the_strength_of_the_lift(measures, seed, strength):
    g = np.random.default_rng(seed)
    base, lift, truth = g.random(5), g.normal(size=(3, 5)), g.random((3, 5))
    weak, strong = base + lift, base + strength * lift
    assert measures.lift_correlation(weak, truth, base) == pytest.approx(measures.lift_correlation(strong, truth, base))
    assert measures.top_share(weak, truth, base) == pytest.approx(measures.top_share(strong, truth, base))


def test_fewer_features_than_are_asked_for_have_no_top(measures):
    assert np.isnan(measures.top_share(np.zeros((2, 2)), np.ones((2, 2)), np.zeros(2))).all()


def test_shapes_and_values_that_cannot_be_compared_are_refused(measures):
    fine = np.zeros((2, 3))
    for portrait, truth, base in [(fine, fine[:, :2], fine[0]), (fine, fine, fine), (fine[:0], fine[:0], fine[0])]:
        with pytest.raises(ValueError, match="shapes"):
            measures.figures(portrait, truth, base)
    with pytest.raises(ValueError, match="finite"):
        measures.figures(np.full((2, 3), np.nan), fine, fine[0])


def test_mean_vectors_are_those_of_a_loop(measures):
    g = np.random.default_rng(1)
    vectors = g.random((7, 3))
    vectors[0, 1] = vectors[3] = np.nan
    user, item = g.integers(0, 4, 30), g.integers(0, 7, 30)
    means, count = measures.mean_vectors(vectors, user, item, 5)
    assert np.isnan(means[4]).all(), "nobody's mean"
    for u, j in itertools.product(range(4), range(3)):
        values = [vectors[i, j] for i in item[user == u] if not np.isnan(vectors[i, j])]
        assert count[u, j] == len(values)
        assert means[u, j] == pytest.approx(np.mean(values))
