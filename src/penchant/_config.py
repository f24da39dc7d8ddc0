"""Options as plain values and back: what config files, model directories and the shell share."""

import dataclasses
import difflib
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from penchant.errors import ConfigError

__all__ = ["build", "from_plain", "plain"]

T = TypeVar("T")

_WORDS = {float: "a number", bool: "true or false", int: "a whole number", str: "text"}


def plain(value: Any) -> Any:
    """Options as JSON or TOML can hold them: dataclasses as dictionaries, tuples as lists, infinity as ``"inf"``."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, float) and math.isinf(value):
        return "inf"
    return value


def from_plain(default: T, given: Any, where: str, kinds: Mapping[str, type[T]] | None = None) -> T:
    """A value like ``default`` from its plain form; a partial dictionary changes only the fields it names.

    ``kinds``: what else it may be, by the value of ``kind`` in the dictionary; one of another kind than the default is
    made of its own defaults and what is given.

    Raises:
        ConfigError: an unknown name (with the nearest known one) or a value of the wrong type, all of them at once.
    """
    for kind in () if kinds is None else kinds.values():
        if isinstance(given, kind):
            return given
    if kinds is not None and isinstance(given, Mapping) and "kind" in given:
        wanted_kind = given["kind"]
        if wanted_kind not in kinds:
            raise ConfigError(f"{where}.kind = {wanted_kind!r}: one of {', '.join(kinds)} expected")
        default = default if type(default) is kinds[wanted_kind] else kinds[wanted_kind]()
    if dataclasses.is_dataclass(default) and not isinstance(default, type):
        if isinstance(given, type(default)):
            return given
        if not isinstance(given, Mapping):
            raise ConfigError(f"{where}: a table of options expected, got {given!r}")
        return build(type(default), {**plain(default), **given}, where)
    wanted = {float: (float, int), bool: (bool,), int: (int,), str: (str,)}.get(type(default), (object,))
    if not isinstance(given, wanted) or (isinstance(given, bool) and type(default) is not bool):
        raise ConfigError(f"{where} = {given!r}: {_WORDS[type(default)]} expected")
    return given  # type: ignore[return-value]


def build(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """A frozen dataclass of options from plain values, checked.

    Raises:
        ConfigError: every unknown name and every value of a wrong type.
    """
    known = [f.name for f in dataclasses.fields(kind) if f.init]  # type: ignore[arg-type]
    problems = [unknown_option(name, known, where) for name in values if name not in known]
    if problems:
        raise ConfigError("; ".join(problems))
    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as error:
        raise ConfigError("; ".join(_sentence(e, where) for e in error.errors())) from error


def unknown_option(name: str, known: list[str], where: str) -> str:
    """The sentence for an option that is not there."""
    near = difflib.get_close_matches(name, known, 1)
    return f"{where}.{name} is no option" + (f": did you mean {near[0]}?" if near else f": one of {', '.join(known)}")


def _sentence(error: Any, where: str) -> str:
    if isinstance(error.get("ctx", {}).get("error"), ConfigError):  # our own check, said in full already
        return str(error["ctx"]["error"])
    place = ".".join([where, *(str(part) for part in error["loc"])])
    return f"{place} = {error['input']!r}: {error['msg']}"
