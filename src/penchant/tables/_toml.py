"""A small TOML writer: strings, numbers, inline tables and comments; the standard library only reads."""

import re
from collections.abc import Mapping, Sequence

__all__ = ["Value", "comment", "key", "section", "value"]

Value = str | int | float | Mapping[str, str | int | float]
"""What a schema file holds at the right of an equals sign."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


def _string(text: str) -> str:
    """A basic string; what TOML forbids inside one is escaped, all other letters stand as they are."""

    def escape(match: re.Match[str]) -> str:
        return _SHORT.get(match[0]) or f"\\u{ord(match[0]):04x}"

    return '"' + re.sub(r'[\x00-\x1f\x7f"\\]', escape, text) + '"'


def key(name: str) -> str:
    """A key: bare where TOML allows it, otherwise quoted.

    Example:
        >>> key("age"), key("年龄")
        ('age', '"年龄"')
    """
    return name if _BARE.fullmatch(name) else _string(name)


def value(given: Value) -> str:
    """A string, a finite number, or an inline table of them.

    Example:
        >>> value({"kind": "tags", "delimiter": "|"})
        '{ kind = "tags", delimiter = "|" }'
    """
    if isinstance(given, str):
        return _string(given)
    if isinstance(given, int | float):
        return repr(given)
    return "{ " + ", ".join(f"{key(k)} = {value(v)}" for k, v in given.items()) + " }"


def comment(text: str) -> str:
    """A comment line; line breaks and other control characters become blanks."""
    return "# " + _UNPRINTABLE.sub(" ", text)


def section(name: str, pairs: Mapping[str, Value], *, notes: Sequence[str] = ()) -> str:
    """One section: its head, its pairs and, below them, comment lines."""
    lines = [f"[{name}]", *(f"{key(k)} = {value(v)}" for k, v in pairs.items()), *map(comment, notes)]
    return "\n".join(lines) + "\n"
