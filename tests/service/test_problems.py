import pytest

from penchant.errors import (
    ConfigError,
    CorruptModelError,
    DataError,
    NotFittedError,
    PenchantError,
    Problem,
    SpaceError,
    UnknownIdError,
)
from penchant.service._json import NotJsonError, dump, parse
from penchant.service.problems import Refused, problem_of, respond


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DataError([Problem("users", "no", "a/b~c")]), 422),
        (UnknownIdError("no user 'x'"), 404),
        (ConfigError("n"), 422),
        (SpaceError("s"), 422),
        (NotFittedError("f"), 422),
        (PenchantError("p"), 422),
        (CorruptModelError("c"), 409),
        (NotJsonError("no", "/a"), 400),
        (Refused(418, "tea"), 418),
        (KeyError("secret"), 500),
        (MemoryError("secret"), 500),
    ],
)
def test_every_error_is_a_problem(error, status):
    made = problem_of(error)
    assert made.status_code == status
    body = parse(respond(made, "id7").body)
    assert (body["status"], body["request_id"]) == (status, "id7")
    assert "secret" not in str(body)
    if isinstance(error, DataError):
        assert body["errors"][0]["field"] == "/a~1b~0c"


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"NaN", b"[Infinity]", b"-Infinity", b"1e999", b'{"a":1,"a":2}', b"\xff", b'"\\ud800"',
     b'{"\\udfff":1}',
     b"[" * 500 + b"]" * 500, b"[" * 100_000, b'{"a":' * 40 + b"1" + b"}" * 40, b"9" * 5000, b"9223372036854775808",
     b"\xef\xbb\xbf{}", b'{"a":1}x', b'"\x01"'],
)  # fmt: skip
def test_json_that_is_refused(text):
    with pytest.raises(NotJsonError):
        parse(text)


def test_where_it_is_wrong():
    with pytest.raises(NotJsonError) as refused:
        parse(b'{"pairs":[{"user":1},{"user":1e999}]}')
    assert refused.value.pointer == "/pairs/1/user"


def test_json_that_is_taken():
    assert parse(b' {"a":[1,2.5,-9223372036854775808,null,true,"\\ud83d\\ude00"]}')["a"][-1] == "\U0001f600"


def test_what_json_has_no_form_for():
    assert dump({"a": float("nan"), "b": [1.0, float("inf")]}) == b'{"a":null,"b":[1.0,null]}'
