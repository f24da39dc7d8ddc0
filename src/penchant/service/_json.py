"""JSON as the service takes it: no NaN, no key twice, no number or depth beyond bounds, no half characters."""

import json
import math
import re
from collections import Counter
from typing import Any

__all__ = ["NotJsonError", "dump", "parse"]

_DEEP = 24
_WHOLE = 1 << 63
_ODD = re.compile(rb"\\u[dD]|[0-9]{18}|[0-9][eE]")
"""Where nothing of this is in a body, it has no half characters, and no number beyond 64 bits."""


class NotJsonError(ValueError):
    """A body that is no such JSON: a sentence, and where (a JSON pointer) as far as it is known."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.message, self.pointer = message, pointer


def parse(data: bytes) -> Any:
    """The value of a body.

    Raises: NotJsonError.
    """
    try:
        value = _DECODER.decode(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NotJsonError(f"UTF-8 expected (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise NotJsonError(f"JSON expected ({error.msg} at line {error.lineno}, column {error.colno})") from error
    except RecursionError as error:
        raise NotJsonError(f"at most {_DEEP} levels expected") from error
    except NotJsonError:
        raise
    except ValueError as error:  # a number of thousands of digits
        raise NotJsonError("numbers of at most 64 bits expected") from error
    if data.count(b"[") + data.count(b"{") > _DEEP or _ODD.search(data):
        _check(value, "", _DEEP)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = counts.most_common(1)[0][0]
        raise NotJsonError(f"the name {twice[:80]!r} is given twice in one object")
    return found


def _refuse(name: str) -> Any:
    raise NotJsonError(f"{name} is no JSON: give null where there is no number")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse)


def _check(value: Any, pointer: str, deep: int) -> None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise NotJsonError("half of a surrogate pair is no character", pointer) from error
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise NotJsonError("numbers of at most 64 bits expected", pointer)
    elif isinstance(value, int):
        if not -_WHOLE <= value < _WHOLE:
            raise NotJsonError("whole numbers of at most 64 bits expected", pointer)
    elif value is not None:
        if not deep:
            raise NotJsonError(f"at most {_DEEP} levels expected", pointer)
        if isinstance(value, list):
            for place, one in enumerate(value):
                _check(one, f"{pointer}/{place}", deep - 1)
        else:
            for name, one in value.items():
                _check(name, pointer, deep)
                _check(one, f"{pointer}/{name}", deep - 1)


def dump(value: Any) -> bytes:
    """A value as JSON; what JSON has no form for (dates) as text, numbers that are none as null."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, default=str, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value
