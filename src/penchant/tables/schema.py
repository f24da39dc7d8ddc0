"""The schema: what each column of the tables means. Kept in ``schema.toml``, drafted by `Schema.infer`.

[users]                                           the users, or the users' part of a flat table
id = "user_id"                                    its key; without one, distinct rows are users
name = "nickname"                                 optional: what people read instead of the key
[users.columns]
user_id = "id"                                    short form: a kind
past = "history"                                  no column: the user's earlier items, from the interactions
age = { kind = "numeric", unit = "years" }        long form: a kind and its options
[items]                                           likewise
[interactions]
user = "user_id"
item = "movie_id"
label = "label"
time = "timestamp"                                optional
weight = "weight"                                 optional
[interactions.columns]                            optional: context columns
"""

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import polars as pl

from penchant.errors import Problem, SchemaError
from penchant.storage import write_atomic
from penchant.tables import _draft, _toml
from penchant.tables._field import HISTORY, KIND_NAMES, SECTIONS, SIDES, Field, Side, nearest

__all__ = ["KIND_NAMES", "SECTIONS", "SIDES", "Field", "Schema", "Side"]

_KEYS: dict[str, tuple[str, ...]] = {
    "users": ("id", "name", "columns"),
    "items": ("id", "name", "columns"),
    "interactions": ("user", "item", "label", "time", "weight", "columns"),
}
_WANTED: dict[str, tuple[tuple[type, ...], str]] = {
    "min_count": ((int,), "a whole number"),
    "last": ((int,), "a whole number"),
    "size": ((int,), "a whole number"),
    "max_terms": ((int,), "a whole number"),
    "half_life": ((int, float), "a number"),
}
_OPTIONS = ("kind", *(f.name for f in fields(Field) if f.name not in ("name", "side", "kind")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Which columns there are, whose they are, and what they mean.

    Raises: SchemaError: a column twice on one side, or the same column in two parts; every problem at once.
    """

    fields: tuple[Field, ...]
    """The features, in the order in which encoders hold them."""
    user_id: str | None = None
    """Key column of the users; None: a flat table without ids, its distinct rows are the users."""
    item_id: str | None = None
    """Key column of the items; None likewise."""
    user: str = ""
    """Column of the interactions that names the user; left empty: the users' key, or ``user_id``."""
    item: str = ""
    """Column of the interactions that names the item; left empty: the items' key, or ``item_id``."""
    label: str = "label"
    """Column of the interactions: 1 liked, 0 not liked."""
    time: str | None = None
    """Column of the interactions: when it happened."""
    weight: str | None = None
    """Column of the interactions: how much the row counts."""
    user_name: str | None = None
    """Column of the users that people read (a nickname); no feature."""
    item_name: str | None = None
    """Column of the items that people read (a title); no feature."""
    notes: tuple[tuple[Side, str], ...] = field(default=(), compare=False, repr=False)
    """Remarks of a draft, by side: what was left out and why. Written as comments; no part of equality."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "user", self.user or self.user_id or "user_id")
        object.__setattr__(self, "item", self.item or self.item_id or "item_id")
        problems = [*self._twice(), *self._clashes()]
        if problems:
            raise SchemaError(problems)

    def side(self, side: Side) -> tuple[Field, ...]:
        """The columns of one side, in order; a history is none."""
        return tuple(f for f in self.fields if f.side == side and f.kind != HISTORY)

    @property
    def history(self) -> Field | None:
        """The field of earlier items, where there is one."""
        return next((f for f in self.fields if f.kind == HISTORY), None)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "Schema":
        """The schema in a TOML file (UTF-8).

        Raises: SchemaError: no such file, not TOML, or not a schema; every problem at once.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise SchemaError([Problem(path.name, f"UTF-8 text expected: {error.reason}")]) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            fix = "Check the path, or draft one with `penchant schema infer`"
            raise SchemaError([Problem(str(path), f"cannot be read: {reason}", fix=fix)]) from error
        return cls.from_toml(text, source=path.name)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the schema as TOML, whole or not at all.

        Raises: StorageError: the folder is not there or not writable.
        """
        write_atomic(Path(path), self.to_toml().encode())

    @classmethod
    def from_toml(cls, text: str, source: str = "schema.toml") -> "Schema":
        """The schema in a TOML text; ``source`` is the name that errors give it.

        Raises: SchemaError: not TOML, or not a schema; every problem at once.
        """
        try:
            document = tomllib.loads(text.removeprefix("\ufeff"))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise SchemaError([Problem(source, f"not TOML: {error}")]) from error
        parser = _Parser(document)
        try:
            schema = cls(**parser.arguments())
            problems = parser.problems
        except SchemaError as error:
            problems = [*parser.problems, *error.problems]
        if problems:
            raise SchemaError(replace(p, table=source) for p in problems)
        return schema

    def to_toml(self) -> str:
        """The schema as TOML, with its notes as comments; `from_toml` gives an equal schema back."""
        parts = []
        heads: dict[Side, dict[str, str | None]] = {
            "user": {"id": self.user_id, "name": self.user_name},
            "item": {"id": self.item_id, "name": self.item_name},
            "context": {k: getattr(self, k) for k in ("user", "item", "label", "time", "weight")},
        }
        for side, head in heads.items():
            given: dict[str, _toml.Value] = {k: v for k, v in head.items() if v is not None}
            parts.append(_toml.section(SECTIONS[side], given))
            columns = {f.name: _short(f) for f in self.fields if f.side == side}
            notes = [text for noted, text in self.notes if noted == side]
            if columns or notes:
                parts.append(_toml.section(f"{SECTIONS[side]}.columns", columns, notes=notes))
        return "\n".join(parts)

    @classmethod
    def infer(
        cls,
        *,
        users: pl.DataFrame | None = None,
        items: pl.DataFrame | None = None,
        interactions: pl.DataFrame | None = None,
        flat: pl.DataFrame | None = None,
        user_id: str | None = None,
        item_id: str | None = None,
        user: str | None = None,
        item: str | None = None,
        label: str | None = None,
        time: str | None = None,
        weight: str | None = None,
        user_columns: Sequence[str] | None = None,
        item_columns: Sequence[str] | None = None,
    ) -> "Schema":
        """Draft a schema from the content of the tables; a person should read it over.

        Names that are not given are found by usual names (``user_id``, ``label``, ``timestamp``, …) and
        by what the tables share. Kinds: two values are binary; lists, and steadily delimited text with
        parts that recur, tags; temporal columns and ISO dates, date; lists of numbers of one length,
        vector. Other numbers are numeric, also few whole ones that may be codes (noted; say ``category``
        if they are). Text with few values (at most 100, and half of the rows) is category, with more
        that recur, id. Long free text (many words a row, that recur in others) is text. Other text that hardly recurs,
        as names and links, and constant columns are left out and noted.
        Large tables are judged by an even sample of 200,000 rows.

        Args:
            users, items, interactions: the tables; or
            flat: one table with all of them. Columns go to a side by the prefixes ``user_`` and
                ``item_``, or by being constant within each user or each item; the rest is context.
            user_id, item_id, user, item, label, time, weight: names of columns, as in the schema.
            user_columns, item_columns: for a flat table, whose columns are whose.

        Raises: SchemaError: no table given, a name that is not there, or a key that cannot be found.
        """
        names = _draft.Names(user_id, item_id, user, item, label, time, weight)
        draft = _draft.draft(
            {"user": users, "item": items, "context": interactions}, flat, names, (user_columns, item_columns)
        )
        return cls(**draft)

    def _twice(self) -> Iterator[Problem]:
        seen: set[tuple[Side, str]] = set()
        headings: set[tuple[Side, str]] = set()
        for f in self.fields:
            if (f.side, f.name) in seen:
                yield Problem("schema", f"twice in [{SECTIONS[f.side]}.columns]", column=f.name)
            elif (f.side, f.heading) in headings:
                fix = "Give each its own title"
                yield Problem("schema", f"the title {f.heading!r} is there twice", column=f.name, fix=fix)
            seen.add((f.side, f.name))
            headings.add((f.side, f.heading))
        for f in [f for f in self.fields if f.kind == HISTORY][1:]:
            yield Problem("schema", "there is a history already: one is all there can be", column=f.name)
        if self.history is not None and self.history.half_life is not None and self.time is None:
            fix = 'Give [interactions] time = "…" (the column)'
            yield Problem("schema", "half_life needs to know when things happened", self.history.name, fix=fix)

    def _clashes(self) -> Iterator[Problem]:
        if self.user == self.item:
            yield Problem("schema", "user and item are the same column of the interactions", column=self.user)
        parts: dict[str, str] = {self.user: "user", self.item: "item"}
        for part in ("label", "time", "weight"):
            name = getattr(self, part)
            if name in parts and (part != "time" or parts[name] == "label"):
                yield Problem("schema", f"{parts[name]} and {part} are the same column", column=name)
            if name is not None:
                parts.setdefault(name, part)
        for f in self.side("context"):
            if f.name == self.label:
                fix = "Leave it out: a model that sees the answer learns nothing"
                yield Problem("schema", "the label cannot be a context column", column=f.name, fix=fix)
            elif f.name in (self.user, self.item):
                fix = f"Put it into [{'users' if f.name == self.user else 'items'}.columns] with kind 'id'"
                yield Problem("schema", "a key cannot be a context column", column=f.name, fix=fix)


def _short(f: Field) -> _toml.Value:
    """A field as it stands in TOML: its kind alone, or an inline table with its options."""
    options = {o.name: getattr(f, o.name) for o in fields(Field) if o.name not in ("name", "side", "kind")}
    defaults = {o.name: o.default for o in fields(Field)}
    given = {name: value for name, value in options.items() if value != defaults[name]}
    return {"kind": f.kind, **given} if given else f.kind


class _Parser:
    """Reads a TOML document and keeps every problem it meets."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def arguments(self) -> dict[str, Any]:
        """The arguments of `Schema`, as far as they can be read."""
        self._unknown("the schema", self.document, tuple(_KEYS))
        users, items, interactions = (self._section(name) for name in _KEYS)
        found = [
            f
            for side, section in zip(SIDES, (users, items, interactions), strict=True)
            for f in self._columns(side, section.get("columns", {}))
        ]
        names = {
            "user_id": self._text("users", users, "id"),
            "user_name": self._text("users", users, "name"),
            "item_id": self._text("items", items, "id"),
            "item_name": self._text("items", items, "name"),
            **{k: self._text("interactions", interactions, k) for k in _KEYS["interactions"][:-1]},
        }
        return {"fields": tuple(found), **{k: v for k, v in names.items() if v is not None}}

    def _problem(self, message: str, column: str | None = None, fix: str | None = None) -> None:
        self.problems.append(Problem("schema", message, column=column, fix=fix))

    def _unknown(self, where: str, given: Mapping[str, Any], known: tuple[str, ...], column: str | None = None) -> None:
        for name in given:
            if name not in known:
                message = f"{where} has no key {name!r}: one of {', '.join(known)} expected"
                self._problem(message, column, nearest(name, known))

    def _section(self, name: str) -> Mapping[str, Any]:
        section = self.document.get(name, {})
        if not isinstance(section, dict):
            self._problem(f"[{name}] must be a section, got {section!r}")
            return {}
        self._unknown(f"[{name}]", section, _KEYS[name])
        return section

    def _text(self, where: str, section: Mapping[str, Any], name: str) -> str | None:
        text = section.get(name)
        if text is None or (isinstance(text, str) and text):
            return text
        self._problem(f"[{where}] {name} must be the name of a column, got {text!r}")
        return None

    def _columns(self, side: Side, columns: object) -> Iterator[Field]:
        if not isinstance(columns, dict):
            self._problem(f"[{SECTIONS[side]}.columns] must be a section, got {columns!r}")
            return
        for name, given in columns.items():
            options = {"kind": given} if isinstance(given, str) else given
            if not isinstance(options, dict):
                self._problem(f"a kind or a table of options expected, got {given!r}", name)
            elif found := self._field(side, name, options):
                yield found

    def _field(self, side: Side, name: str, options: Mapping[str, Any]) -> Field | None:
        before = len(self.problems)
        self._unknown("a column", options, _OPTIONS, name)
        if "kind" not in options:
            self._problem("kind is missing", name, f"Give one of {', '.join(KIND_NAMES)}")
        for option, given in options.items():
            wanted, word = _WANTED.get(option, ((str,), "text"))
            if option in _OPTIONS and type(given) not in wanted:
                self._problem(f"{option} must be {word}, got {given!r}", name)
        if len(self.problems) > before:
            return None
        try:
            return Field(name=name, side=side, **options)
        except SchemaError as error:
            self.problems.extend(error.problems)
            return None
