import math
from dataclasses import replace

import numpy as np
import pytest

from penchant.dynamics.events import Event, StoreOptions
from penchant.dynamics.events.checks import check_events
from penchant.errors import DataError

NOW = 1_700_000_000.0
GOOD = Event("e", "u", "i", 1, NOW)


def refused(*events, **options):
    with pytest.raises(DataError) as found:
        check_events(events, StoreOptions(**options), NOW)
    return found.value.problems


@pytest.mark.parametrize(
    "event",
    [
        GOOD, replace(GOOD, user=7, item=-(2**63)), Event("e", "u", "i", 0, NOW, "impression"),
        replace(GOOD, time=NOW + 300), replace(GOOD, time=0.0), replace(GOOD, weight=1e-9),
        replace(GOOD, context={"a": 1, "b": "x", "c": None, "d": True, "e": 0.5}), replace(GOOD, user="u" * 256),
    ],
)  # fmt: skip
def test_sound_events_pass(event):
    check_events([event], StoreOptions(), NOW)


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"id": ""}, "id", "empty"),
        ({"id": 7}, "id", "text expected"),
        ({"user": "u" * 257}, "user", "256"),
        ({"user": None}, "user", "text or a whole number"),
        ({"user": True}, "user", "text or a whole number"),
        ({"item": 2**63}, "item", "64 bits"),
        ({"item": "a\0b"}, "item", "NUL"),
        ({"item": "\ud800"}, "item", "surrogates"),
        ({"label": 2}, "label", "0 or 1"),
        ({"label": True}, "label", "0 or 1"),
        ({"kind": "dislike"}, "kind", "label 0"),
        ({"kind": "love"}, "kind", "like, dislike or impression"),
        ({"time": math.nan}, "time", "seconds"),
        ({"time": "now"}, "time", "seconds"),
        ({"time": NOW + 301}, "time", "future"),
        ({"time": NOW * 1000}, "time", "milliseconds"),
        ({"time": -1.0}, "time", "1970"),
        ({"weight": 0.0}, "weight", ""),
        ({"weight": math.inf}, "weight", ""),
        ({"context": {"a": [1]}}, "context", ""),
        ({"context": {"a": "x" * 5000}}, "context", ""),
    ],
)
def test_what_is_wrong_is_named_by_field(changes, field, said):
    (problem, *_) = [one for one in refused(replace(GOOD, **changes)) if one.column == field]
    assert said in problem.message


def test_every_problem_of_a_batch_is_told_at_once():
    bad = [GOOD, replace(GOOD, label=5), GOOD, replace(GOOD, label=5), replace(GOOD, user="")]
    found = {one.column: one for one in refused(*bad)}
    assert found["label"].rows == (1, 3)
    assert found["user"].rows == (4,)


def test_limits_are_the_options():
    assert refused(replace(GOOD, time=NOW - 11), max_age=10.0)
    assert refused(GOOD, GOOD, max_batch=1)[0].fix == "Send them in several batches"
    check_events([replace(GOOD, time=NOW + 900)], StoreOptions(ahead=1000.0), NOW)


def test_things_that_are_no_events_and_values_of_any_type_are_told_too():
    assert refused(GOOD, {"id": "e"})[0].column == "event"
    for label in (np.array([0, 1]), None, "1", 1.0):
        assert [one.column for one in refused(replace(GOOD, label=label, kind="like"))] == ["label"]
    for time in (np.array([1.0]), True, 10**400):
        assert [one.column for one in refused(replace(GOOD, time=time))] == ["time"]
    shown = str(DataError(refused(replace(GOOD, label="x" * 10**6))))
    assert len(shown) < 300, "what comes from outside is cut"
