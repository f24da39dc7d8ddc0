"""Every protocol keeps the laws of `penchant.testing.check_protocol`."""

from dataclasses import dataclass, replace

import pytest

from penchant import simulate
from penchant.evaluation.protocols import KINDS, ColdUsers, LeaveOneOut, RandomRows, make_protocol
from penchant.testing.protocols import check_protocol

TABLES = simulate(n_users=60, n_items=40, n_interactions=1500, rng=3).tables


@pytest.mark.parametrize("name", KINDS)
def test_laws(name):
    check_protocol(make_protocol(name), TABLES)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("random", {"folds": 3, "test": 0.3}),
        ("per_user", {"valid": 0.0}),
        ("leave_one_out", {"by_time": True}),
        ("strong_generalisation", {"folds": 3, "given": 0.5, "least": 2}),
        ("cold_items", {"folds": 2, "among": "all"}),
        ("cold_both", {"folds": 2, "among": "all", "test": 0.4}),
    ],
)
def test_laws_with_other_options(name, options):
    check_protocol(make_protocol(name, options), TABLES)


def test_pairs_that_are_there_twice_do_not_straddle():
    again = TABLES.with_interactions(TABLES.interactions.vstack(TABLES.interactions[::3]))
    for protocol in (RandomRows(), LeaveOneOut(), ColdUsers()):
        check_protocol(protocol, again)
    assert "test rows left out: their pair is known already" in RandomRows().task(again).words


@dataclass(frozen=True, kw_only=True)
class Restless(RandomRows):
    """Another task at each call."""

    def task(self, tables, fold=0, *, rng=0):
        calls.append(fold)
        return super().task(tables, fold, rng=rng + len(calls))


@dataclass(frozen=True, kw_only=True)
class Forgetful(RandomRows):
    """Users who are not in the tables."""

    def task(self, tables, fold=0, *, rng=0):
        task = super().task(tables, fold, rng=rng)
        return replace(task, test=replace(task.test, users=tables.users.head(3)))


calls: list[int] = []


@pytest.mark.parametrize(("broken", "law"), [(Restless, "one seed gives one task"), (Forgetful, "parts share users")])
def test_broken_ones_are_caught(broken, law):
    with pytest.raises(AssertionError, match=law):
        check_protocol(broken(), TABLES)
