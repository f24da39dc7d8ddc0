"""The laws of a protocol: one seed gives one task, and nothing that is to be found is known."""

from itertools import combinations

import polars as pl

from penchant.evaluation import BaseProtocol, Task
from penchant.tables import Tables

__all__ = ["check_protocol"]


def check_protocol(protocol: BaseProtocol, tables: Tables) -> None:
    """Hold a protocol against the laws, in each of its folds.

    Arguments:
        protocol: any; it has validation rows, or none in all folds.
        tables: rows enough for it, with likes and dislikes.

    Raises:
        AssertionError: naming the law that is broken.

    Example:
        >>> from penchant import simulate
        >>> from penchant.evaluation import RandomRows
        >>> check_protocol(RandomRows(), simulate(n_users=30, n_items=20, n_interactions=400).tables)
    """
    tasks = list(protocol.tasks(tables, rng=3))
    assert len(tasks) == protocol.folds, "there are as many tasks as folds"
    assert protocol.words.strip(), "words say what is held out"
    for number, task in enumerate(tasks):
        assert task.fold == number, "a task knows its fold"
        again = protocol.task(tables, number, rng=3)
        same = all(_rows(a).equals(_rows(b)) for a, b in zip(_parts(task), _parts(again), strict=True))
        assert same, "one seed gives one task"
        _check_parts(task, tables)
    if len(tasks) > 1:
        tests = [_rows(task.test) for task in tasks]
        assert not all(one.equals(tests[0]) for one in tests[1:]), "folds differ"


def _parts(task: Task) -> list[Tables]:
    return [part for part in (task.train, task.valid, task.test, task.given) if part is not None]


def _rows(part: Tables) -> pl.DataFrame:
    return part.interactions


def _check_parts(task: Task, tables: Tables) -> None:
    schema, parts = tables.schema, _parts(task)
    keys = [schema.user, schema.item]
    assert len(task.train), "there is something to learn from"
    assert (_rows(task.test)[schema.label] == 1).any(), "there is something to find"
    for part in parts:
        shared = part.users.equals(tables.users) and part.items.equals(tables.items)
        assert shared, "parts share users and items"
        known = _rows(part).join(_rows(tables), on=_rows(part).columns, how="anti", nulls_equal=True)
        assert known.is_empty(), "parts hold rows of the tables"
    for one, other in combinations(parts, 2):
        both = _rows(one).join(_rows(other), on=keys, how="semi")
        assert both.is_empty(), "no pair is in two parts"
    if task.given is not None:
        both = _rows(task.given).join(_rows(task.train), on=schema.user, how="semi")
        assert both.is_empty(), "users of whom rows are given are not learned from"
        lost = _rows(task.test).join(_rows(task.given), on=schema.user, how="anti")
        assert lost.is_empty(), "of everybody who is asked about something is given"
    chosen = task.candidates()
    if chosen is not None:
        cold = not chosen.is_in(_rows(task.train)[schema.item].implode()).any()
        assert cold, "items that are held out are not learned from"
        likes = _rows(task.test).filter(pl.col(schema.label) == 1)[schema.item]
        assert likes.is_in(chosen.implode()).all(), "what is to be found competes"
