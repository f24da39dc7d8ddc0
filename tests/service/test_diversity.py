import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penchant.service.diversity import diverse


def points(m, rng):
    return np.random.default_rng(rng).random((m, 3))


def by_brute_force(distance, between, n, diversity):
    chosen = [int(np.argmin(distance))]
    while len(chosen) < min(n, len(distance)):
        left = [j for j in range(len(distance)) if j not in chosen]
        costs = [(1 - diversity) * distance[j] - diversity * min(between[i][j] for i in chosen) for j in left]
        chosen.append(left[int(np.argmin(costs))])
    return chosen


@given(st.integers(1, 12), st.integers(1, 14), st.floats(0, 1), st.integers(0, 99))
def test_as_said_step_by_step(m, n, diversity, rng):
    x = points(m, rng)
    distance = np.sort(np.abs(x).mean(1))
    between = np.abs(x[:, None] - x[None]).mean(-1)
    got = diverse(distance, between, n, diversity)
    assert got.tolist() == by_brute_force(distance, between, n, diversity)


def test_none_at_all_is_the_order_itself():
    distance = np.array([0.1, 0.2, 0.2, 0.5])
    assert diverse(distance, np.zeros((4, 4)), 3, 0.0).tolist() == [0, 1, 2]
    assert diverse(np.zeros(0), np.zeros((0, 0)), 3, 0.5).tolist() == []


def test_a_twin_gives_way():
    x = np.array([0.0, 0.01, 0.6])
    distance = x + 0.1
    assert diverse(distance, np.abs(x[:, None] - x), 2, 0.6).tolist() == [0, 2]
