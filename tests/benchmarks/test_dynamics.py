"""The stream foretells before it learns, and figures are those of a plain count."""

import numpy as np
import pytest


@pytest.fixture
def stream(benchmark_module):
    module = benchmark_module("_dynamics_stream")
    items = np.array([[0.0, 0.0], [0.5, 0.0], [0.0, 0.9], [-0.8, 0.1]])
    return module.Stream(
        user=np.array([0, 1, 0, 0]), item=np.array([1, 2, 3, 0]), liked=np.array([1.0, 0.0, 1.0, 1.0]),
        time=np.array([1.0, 1.1, 2.0, 2.5]), items=items, anchors=np.array([[0.4, 0.0], [0.0, 0.0]]), norm=2.0,
        met={0: frozenset([2])},
    )  # fmt: skip


def test_static_figures_by_hand(benchmark_module, stream):
    found = benchmark_module("_dynamics_stream").judged(stream, benchmark_module("_dynamics_stream").Static())
    # user 0 at (.4, 0): item 1 first; then of 0 and 3 (1 and 2 are met) 0 is nearer; then 0 alone
    assert found["ndcg@20"] == pytest.approx((1 + 1 / np.log2(3) + 1) / 3)
    assert found["auc"] == pytest.approx(2 / 3)


def test_an_exponential_mean_moves_towards_likes_alone(benchmark_module, stream):
    mean = benchmark_module("_dynamics_stream").ExponentialMean(0.5)
    mean.learn(stream, 0)
    mean.learn(stream, 1)
    np.testing.assert_allclose(mean.points[0], [0.45, 0.0])
    assert 1 not in mean.points


def test_a_day_begins_anew_and_the_pasts_are_in_order(benchmark_module):
    pytest.importorskip("implicit")
    module = benchmark_module("dynamics")
    assert set(module.CASES) == {
        "ml-100k prequential", "ml-100k prequential, preset ranking", "simulator drift", "cost", "kills"
    }  # fmt: skip
    rows = module.simulated(users=30)
    assert {row.metric for row in rows} >= {"error", "coverage"}
