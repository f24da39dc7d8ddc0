"""Each protocol holds out what it says; the laws they share are in tests/contracts."""

import dataclasses

import polars as pl
import pytest

from penchant import SPLITS, simulate
from penchant.errors import ConfigError, DataError
from penchant.evaluation import (
    ByTime,
    ColdBoth,
    ColdItems,
    ColdUsers,
    LeaveOneOut,
    PerUser,
    RandomRows,
    StrongGeneralisation,
    make_protocol,
)

TABLES = simulate(n_users=60, n_items=40, n_interactions=1500, rng=3).tables
KEYS = ("user_id", "item_id")


def known(part, column):
    return set(part.interactions[column])


@pytest.mark.parametrize("name", ["random", "per_user", "time", "cold_users", "cold_items"])
def test_shared_ones_are_the_splits_of_their_names(name):
    task = make_protocol(name).task(TABLES, rng=4)
    parts = SPLITS[name](TABLES, (0.8, 0.1, 0.1), rng=4)
    for part, wanted in zip((task.train, task.valid, task.test), parts, strict=True):
        assert part.interactions.equals(wanted.interactions)


def test_cold_ones_meet_nobody_and_nothing_again():
    users, items, both = (kind().task(TABLES, rng=1) for kind in (ColdUsers, ColdItems, ColdBoth))
    for task, columns in ((users, ["user_id"]), (items, ["item_id"]), (both, KEYS)):
        for column in columns:
            assert not known(task.train, column) & (known(task.test, column) | known(task.valid, column))
            assert not known(task.valid, column) & known(task.test, column)


def test_new_items_are_ranked_among_themselves_or_among_all():
    assert set(ColdItems().task(TABLES).candidates()) == known(ColdItems().task(TABLES).test, "item_id")
    assert "only these items compete" in ColdItems().words
    among_all = ColdItems(among="all")
    assert among_all.task(TABLES).candidates() is None
    assert "all items compete" in among_all.words


def test_strong_generalisation_gives_the_past_of_validation_and_test_users():
    protocol = StrongGeneralisation(folds=4, given=0.5)
    tasks = list(protocol.tasks(TABLES, rng=2))
    users = [known(task.test, "user_id") for task in tasks]
    assert sum(map(len, users)) == len(set().union(*users)), "everybody is tested once"
    for fold, task in enumerate(tasks):
        assert known(task.valid, "user_id") == users[(fold + 1) % 4]
        assert known(task.given, "user_id") == users[fold] | users[(fold + 1) % 4]
    assert "50% of the likes of each given" in protocol.words


def test_leave_one_out_by_time_finds_the_latest_like():
    task = LeaveOneOut(by_time=True).task(TABLES)
    likes = TABLES.interactions.filter(pl.col("label") == 1)
    latest = likes.sort("time").group_by("user_id").last().sort("user_id")
    found = task.test.interactions.filter(pl.col("label") == 1).sort("user_id")
    assert found.select(KEYS).equals(latest.select(KEYS))


def test_folds_draw_anew_from_seeds_that_follow_one_another():
    first, second = RandomRows(folds=2).tasks(TABLES, rng=7)
    assert second.test.interactions.equals(RandomRows().task(TABLES, rng=8).test.interactions)
    assert not first.test.interactions.equals(second.test.interactions)
    assert [task.fold for task in RandomRows(folds=5).tasks(TABLES, folds=[3, 1])] == [3, 1]


def test_a_share_of_nothing_is_no_validation():
    task = PerUser(valid=0.0, test=0.3).task(TABLES)
    assert task.valid is None
    assert len(task.train) + len(task.test) == len(TABLES)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: make_protocol("odd"), "one of random, per_user"),
        (lambda: make_protocol("random", {"given": 0.5}), r"random\.given is no option"),
        (lambda: make_protocol("random", {"test": "much"}), r"random\.test = 'much'"),
        (lambda: make_protocol("cold_items", {"among": "some"}), "cold_items.among = 'some'"),
        (lambda: RandomRows(test=0.0), "one above 0 expected"),
        (lambda: RandomRows(valid=0.5, test=0.5), "leave something to learn from"),
        (lambda: RandomRows(folds=0), "random.folds = 0"),
        (lambda: ByTime(folds=2), "one past and one future"),
        (lambda: LeaveOneOut(by_time=True, folds=2), "one last like"),
        (lambda: RandomRows().task(TABLES, 1), "random has 1"),
        (lambda: StrongGeneralisation(folds=2).task(TABLES), "at least 3"),
    ],
)
def test_wrong_options_are_refused(make, told):
    with pytest.raises(ConfigError, match=told):
        make()


def test_tables_that_do_not_allow_a_protocol_are_refused():
    timeless = dataclasses.replace(TABLES, schema=dataclasses.replace(TABLES.schema, time=None))
    for protocol in (ByTime(), LeaveOneOut(by_time=True)):
        with pytest.raises(DataError, match="needs a time column"):
            protocol.task(timeless)
    with pytest.raises(DataError, match="no row is left to learn from"):
        ColdUsers().task(TABLES.with_interactions(TABLES.interactions.filter(pl.col("user_id") == "u1")))
    with pytest.raises(DataError, match="no like is held out"):
        RandomRows().task(TABLES.with_interactions(TABLES.interactions.filter(pl.col("label") == 0)))
