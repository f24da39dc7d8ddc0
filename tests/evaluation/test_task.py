"""A task refuses what would leak, and tells what is known."""

from dataclasses import replace

import polars as pl
import pytest

from penchant import simulate
from penchant.errors import ConfigError, DataError
from penchant.evaluation import StrongGeneralisation, Task
from penchant.evaluation.task import pairs_of

TABLES = simulate(n_users=30, n_items=20, n_interactions=400, rng=2).tables


def of(rows):
    return TABLES.with_interactions(rows)


ROWS = TABLES.interactions.sort("user_id", "item_id")
TRAIN, VALID, TEST = of(ROWS[:200]), of(ROWS[200:300]), of(ROWS[300:])


@pytest.mark.parametrize("part", ["test", "valid"])
def test_a_pair_that_is_learned_from_is_not_to_be_found(part):
    both = {"test": TEST, "valid": VALID}
    both[part] = of(both[part].interactions.vstack(ROWS[:2]))
    words = "test" if part == "test" else "validation"
    with pytest.raises(DataError, match=rf"'u0', 'i\d+' \(and 1 more\) is among the {words} and the training rows"):
        Task(train=TRAIN, **both)


def test_a_history_that_holds_the_test_pair_is_refused():
    fold = StrongGeneralisation().task(TABLES)
    told = of(fold.given.interactions.vstack(fold.test.interactions.head(1)))
    with pytest.raises(DataError, match="is among the test and the given rows"):
        replace(fold, given=told)


def test_users_of_whom_rows_are_given_are_not_learned_from():
    fold = StrongGeneralisation().task(TABLES)
    some = fold.train.interactions.head(1)
    rest = fold.train.with_interactions(fold.train.interactions[1:])
    with pytest.raises(DataError, match="is learned from, and rows of that user are given"):
        replace(fold, train=rest, given=of(fold.given.interactions.vstack(some)))


def test_a_test_without_likes_is_refused():
    with pytest.raises(DataError, match="no like is held out among 0 test rows"):
        Task(train=TRAIN, test=of(ROWS.clear()))
    with pytest.raises(DataError, match="fold 3: no like"):
        Task(train=TRAIN, test=of(TEST.interactions.filter(pl.col("label") == 0)), fold=3, words="odd ones")


def test_what_is_known_is_no_answer():
    task = Task(train=TRAIN, valid=VALID, test=TEST)
    assert task.known().sort("user_id", "item_id").equals(pairs_of(VALID).sort("user_id", "item_id"))
    assert Task(train=TRAIN, test=TEST).known().is_empty()
    fold = StrongGeneralisation().task(TABLES)
    assert fold.known().height == len(fold.valid) + len(fold.given)


def test_the_validation_of_a_task_does_not_hold_its_test():
    fold = StrongGeneralisation().task(TABLES)
    judged = fold.validation()
    assert judged.test is fold.valid
    assert judged.valid is None
    users = set(fold.valid.interactions["user_id"])
    assert set(judged.given.interactions["user_id"]) == users
    assert not users & set(fold.test.interactions["user_id"])
    assert fold.given_of(fold.test).interactions.height + judged.given.interactions.height == len(fold.given)
    assert Task(train=TRAIN, test=TEST).given_of(TEST) is None
    with pytest.raises(ConfigError, match="no validation rows"):
        Task(train=TRAIN, test=TEST).validation()


def test_items_of_the_part_alone_compete_where_items_are_held_out():
    task = Task(train=TRAIN, valid=VALID, test=TEST)
    assert task.candidates() is None
    cold = replace(task, held_out_items=True)
    assert set(cold.candidates()) == set(TEST.interactions["item_id"])
    assert set(cold.validation().candidates()) == set(VALID.interactions["item_id"])
