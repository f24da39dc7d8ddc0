"""Errors say what is wrong and where, and are caught by the root or by what Python calls them."""

import pytest

from penchant import errors
from penchant.errors import DataError, PenchantError, Problem, SchemaError, UnknownIdError


@pytest.mark.parametrize("name", [n for n in errors.__all__ if n != "Problem"])
def test_one_root_catches_all(name):
    assert issubclass(getattr(errors, name), PenchantError)


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (Problem("items.csv", "it is empty"), "items.csv: it is empty."),
        (Problem("users", "a number expected", "age"), "users: column 'age': a number expected."),
        (
            Problem("users", "a number expected, got 'x'", "age", rows=(3,), n_rows=1, fix="Set kind = 'category'"),
            "users: column 'age', 1 row (3): a number expected, got 'x'. Set kind = 'category'.",
        ),
        (
            Problem("users", "a number expected", "age", rows=(3, 4, 5, 6, 7), n_rows=12_000),
            "users: column 'age', 12,000 rows (3, 4, 5, 6, 7, …): a number expected.",
        ),
    ],
)
def test_a_problem_is_a_sentence(problem, said):
    assert str(problem) == said


def test_all_problems_are_told_at_once():
    problems = [Problem("users", "it is empty"), Problem("items", "it is empty")]
    error = SchemaError(iter(problems))
    assert isinstance(error, DataError)
    assert list(error.problems) == problems
    assert str(error).splitlines() == [
        "2 problems in the data:",
        "  - users: it is empty.",
        "  - items: it is empty.",
    ]
    assert str(DataError(problems[:1])).startswith("1 problem in the data:")


def test_python_names_catch_them_too():
    assert issubclass(UnknownIdError, KeyError)
    assert issubclass(errors.ConfigError, ValueError)
    assert issubclass(errors.SpaceError, ValueError)
    assert issubclass(errors.NotFittedError, AttributeError)
    assert str(UnknownIdError("no user 'x'")) == "no user 'x'"
