"""Conditions on a table's rows: a small part of SQL, word by word.

A condition goes to polars, which reads all of SQL: ``EXISTS (SELECT * FROM read_csv('…'))`` opens files while it is
parsed. So every word is held against a list before polars sees the condition: columns, comparisons, AND OR NOT, IN,
BETWEEN, LIKE, IS NULL, DISTINCT FROM, arithmetic and a few functions of one row. All of them take time linear in the
table; the length of a condition is bounded.
"""

import re
from collections.abc import Collection

from penchant.errors import DataError, Problem

__all__ = ["check_where"]

_LONGEST, _MOST_WORDS, _DEEPEST = 2000, 200, 12

_WORDS = frozenset(
    {"and", "or", "not", "in", "between", "like", "ilike", "is", "null", "true", "false", "distinct", "from", "date"}
)
_FUNCTIONS = frozenset(
    {"abs", "array_contains", "array_length", "ceil", "coalesce", "contains", "ends_with", "floor", "length", "lower"}
    | {"round", "starts_with", "upper"}
)
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*')
      | "(?P<quoted>(?:[^"]|"")+)"
      | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?(?![\w.]))
      | (?P<word>[^\W\d]\w*)
      | (?P<sign><>|<=|>=|!=|[=<>+\-*/%(),])
    )""",
    re.VERBOSE,
)


def check_where(where: str, columns: Collection[str]) -> None:
    """Refuse a condition that is more than a comparison of a row's own values.

    Arguments:
        where: the condition.
        columns: of the table.

    Raises: DataError: a word, sign or function that is not on the list; too long or too deep.
    Example:
        >>> check_where("lang = 'zh' and length(title) < 40", ["lang", "title"])
    """
    if len(where) > _LONGEST:
        raise _refused(f"a condition of at most {_LONGEST} characters expected")
    if "\\" in where:
        raise _refused("a backslash is not understood")
    known = {name.lower() for name in columns}
    words = depth = place = 0
    end = len(where.rstrip())
    while place < end:
        found = _TOKEN.match(where, place)
        if found is None or _is_other_sql(found, where):
            raise _refused(f"{where[place:].strip()[:20]!r} is not understood")
        _check_name(found, where, known, columns)
        depth += {"(": 1, ")": -1}.get(found["sign"] or "", 0)
        words += 1
        if words > _MOST_WORDS or depth > _DEEPEST:
            raise _refused(f"at most {_MOST_WORDS} words and {_DEEPEST} parentheses inside one another expected")
        place = found.end()
    if not words:
        raise _refused("it is empty")


def _is_other_sql(found: re.Match[str], where: str) -> bool:
    """Would SQL read on in another way: as a comment, or as a string with a prefix (``e'…'``)?"""
    after = where[found.end() : found.end() + 1]
    comment = (found["sign"], after) in (("-", "-"), ("/", "*"))
    return comment or (found["word"] is not None and after in ("'", '"', "&"))


def _check_name(found: re.Match[str], where: str, known: set[str], columns: Collection[str]) -> None:
    quoted, word = found["quoted"], found["word"]
    if quoted is not None and quoted.replace('""', '"') not in columns:
        raise _refused(f"there is no column {quoted!r}", columns)
    if word is None:
        return
    if where[found.end() :].lstrip().startswith("(") and word.lower() not in _WORDS:
        if word.lower() not in _FUNCTIONS:
            raise _refused(f"{word}() is no function here: {', '.join(sorted(_FUNCTIONS))}")
    elif word.lower() not in _WORDS and word.lower() not in known:
        raise _refused(f"{word!r} is no column, nor a word that a condition may hold", columns)


def _refused(why: str, columns: Collection[str] = ()) -> DataError:
    return DataError([Problem("where", why, fix=f"Columns: {', '.join(columns)}" if columns else None)])
