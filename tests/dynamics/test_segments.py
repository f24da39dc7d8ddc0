import numpy as np

from penchant.dynamics import Dynamics, Segments

QUICK, SLOW, ALL = Dynamics(half_life=2.0), Dynamics(process=[0.0, 1e-5]), Dynamics()
BY_AGE = Segments(column="age", constants={"young": QUICK, "7": SLOW})


def test_values_without_constants_of_their_own_have_everyones():
    assert BY_AGE.of("young") is QUICK
    assert BY_AGE.of(7) is BY_AGE.of("7") is SLOW
    assert BY_AGE.of("old") is BY_AGE.of(None) is Segments().of("young") is None


def test_groups_hold_everyone_once():
    values = ["young", None, 7, "old", "young", "None"]
    groups = [(rows.tolist(), constants) for rows, constants in BY_AGE.groups(values, ALL)]
    assert groups == [([1, 3, 5], ALL), ([2], SLOW), ([0, 4], QUICK)]
    assert [rows.tolist() for rows, _ in Segments().groups(values, ALL)] == [[0, 1, 2, 3, 4, 5]]
    assert list(BY_AGE.groups([], ALL)) == []


def test_groups_move_a_batch_as_each_user_is_moved():
    """Batched functions take one set of constants: a segment at a time gives what user by user gives."""
    from penchant.dynamics import Belief, begin, predict, update_like

    g = np.random.default_rng(0)
    anchors, items, values = g.uniform(-1, 1, (6, 2)), g.uniform(-1, 1, (6, 2)), ["young", 7, None, "young", 7, "x"]
    found = np.zeros((6, 2))
    for rows, constants in BY_AGE.groups(values, ALL):
        belief = begin(anchors[rows], constants, np.zeros(len(rows)))
        found[rows] = update_like(predict(belief, np.full(len(rows), 3.0), anchors[rows], constants), items[rows],
                                  constants).mean  # fmt: skip
    for user, value in enumerate(values):
        own = BY_AGE.of(value) or ALL
        one: Belief = predict(begin(anchors[user], own, 0.0), 3.0, anchors[user], own)
        np.testing.assert_allclose(found[user], update_like(one, items[user], own).mean, atol=1e-12)


def test_constants_are_written_down_and_read():
    assert Segments.from_config(BY_AGE.config()) == BY_AGE
    assert Segments.from_config({}) == Segments()
