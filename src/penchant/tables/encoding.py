"""Tables to numbers: the kinds of one side fitted together, and both sides with the interactions' context."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
import polars as pl
from jaxtyping import Float32, Int64

from penchant._spec import UNSEEN, Bag, Features, Layout
from penchant.errors import DataError, Problem, SchemaError
from penchant.tables._direct import encoded_cells
from penchant.tables._field import SECTIONS, SIDES, Field, nearest
from penchant.tables._objects import FAILURES, reason
from penchant.tables._rows import columns_of
from penchant.tables._tables import Tables
from penchant.tables.history import Histories
from penchant.tables.kinds import KINDS, Counts, Encoded, Kind
from penchant.tables.schema import Schema
from penchant.tables.vocabulary import Vocabulary

__all__ = ["EncodedTables", "SideEncoder", "TablesEncoder"]

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class SideEncoder:
    """The fitted fields of one side: rows to `Features`, to portrait vectors, back to values and words."""

    kinds: tuple[Kind, ...]
    """One fitted kind for each field, in the schema's order."""

    @classmethod
    def fit(cls, fields: Sequence[Field], frame: pl.DataFrame) -> "SideEncoder":
        """Fit each field to its column; only training rows may be given.

        Raises: DataError: a column is not there, or of another kind.
        """
        _require(fields, frame)
        return cls(tuple(_asked(f, frame[f.name], partial(KINDS[f.kind].fit, f)) for f in fields))

    def extended(self, frame: pl.DataFrame) -> "SideEncoder":
        """With what later training rows add (see `Kind.extended`): known values keep their codes and coordinates.

        Raises: DataError: a column is not there, or of another kind.
        """
        _require(self.fields, frame)
        return SideEncoder(tuple(_asked(kind.field, frame[kind.field.name], kind.extended) for kind in self.kinds))

    @cached_property
    def layout(self) -> Layout:
        """The fields as networks see them."""
        return Layout(tuple(kind.block() for kind in self.kinds))

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields, in order."""
        return tuple(kind.field for kind in self.kinds)

    def encode(self, frame: pl.DataFrame) -> Features:
        """Each row of the frame as numbers, codes and bags.

        Raises: DataError: a column is not there, or of another kind, or holds vectors of another length.
        """
        _require(self.fields, frame)
        encodings = [_asked(kind.field, frame[kind.field.name], kind.encode) for kind in self.kinds]
        return self._joined(encodings, frame.height)

    def _joined(self, encodings: Sequence[Encoded], n: int) -> Features:
        dense = np.empty((n, self.layout.n_dense), dtype=np.float32)
        codes = np.empty((n, len(self.layout.of("code"))), dtype=np.int64)
        bags: list[Bag] = []
        start = place = 0
        for kind, encoded in zip(self.kinds, encodings, strict=True):
            if isinstance(encoded, Bag):
                bags.append(encoded)
            elif kind.form == "dense":
                dense[:, start : start + encoded.shape[1]] = encoded
                start += encoded.shape[1]
            else:
                codes[:, place] = encoded
                place += 1
        return Features(dense, codes, tuple(bags))

    def encode_rows(self, rows: Sequence[Mapping[str, Any]]) -> Features:
        """Rows that are in no table, given as ``{column: value}``; a field that is left out is missing.

        Raises: DataError: a name that is no field, or a value of another kind; every problem at once.
        """
        rows, known = list(rows), {kind.field.name for kind in self.kinds}
        if not rows or any(type(row) is not dict or not known.issuperset(row) for row in rows):
            return self.encode(columns_of(self.kinds, rows))
        encodings = []
        for kind in self.kinds:
            encoded = encoded_cells(kind, [row.get(kind.field.name) for row in rows])
            if encoded is None:
                encoded = self._by_column(kind, rows)
            encodings.append(encoded)
        return self._joined(encodings, len(rows))

    def _by_column(self, kind: Kind, rows: Sequence[Mapping[str, Any]]) -> Encoded:
        """One field of rows; where there is something wrong, every problem of all fields is told."""
        try:
            column = columns_of([kind], [{kind.field.name: row.get(kind.field.name)} for row in rows])
        except DataError:
            columns_of(self.kinds, rows)
            raise
        return _asked(kind.field, column[kind.field.name], kind.encode)

    def without_ids(self, features: Features) -> Features:
        """The same rows as of somebody or something new: ids in the place of unseen ones, the rest as it is."""
        ids = [j for j, block in enumerate(self.layout.of("code")) if block.likelihood == "none"]
        codes = features.codes.copy()
        codes[:, ids] = UNSEEN
        return replace(features, codes=codes)

    def report(self, frame: pl.DataFrame) -> pl.DataFrame:
        """What is not as in the training rows: field, rows, and how many are missing, unseen and clipped."""
        _require(self.fields, frame)
        counts = ((k.field, _asked(k.field, frame[k.field.name], k.counts)) for k in self.kinds)
        found = [(field.name, frame.height, *counted) for field, counted in counts]
        schema = {"field": pl.String, "rows": pl.Int64, **dict.fromkeys(Counts._fields, pl.Int64)}
        return pl.DataFrame(found, schema=schema, orient="row")

    def portrait(self, features: Features) -> Float32[np.ndarray, "n width"]:
        """The portrait vectors v in [0, 1]; NaN where a field is missing (or a category is unseen)."""
        vectors = np.empty((len(features), self.layout.width), dtype=np.float32)
        places = {block.name: place for block, place in self.layout.places()}
        for kind, encoded in self._parts(features):
            if kind.field.name in places:
                vectors[:, places[kind.field.name]] = kind.portrait(encoded)
        return vectors

    def labels(self) -> tuple[tuple[str, str], ...]:
        """For each coordinate of a portrait: the field's heading, and the word for the coordinate."""
        return tuple((kind.field.heading, label) for kind in self.kinds for label in kind.labels())

    def decode(self, portrait: Float32[np.ndarray, "n width"]) -> pl.DataFrame:
        """Portraits as a table in the fields' own values and units; ids are not in it."""
        return pl.DataFrame([k.decode(portrait[:, s]).alias(k.field.name) for k, s in self._places()])

    def words(self, portrait: Float32[np.ndarray, " width"]) -> dict[str, str]:
        """One portrait for people to read, by heading: ``{"age": "24 years", "genres": "Drama, Comedy"}``."""
        return {kind.field.heading: kind.words(portrait[place]) for kind, place in self._places()}

    def state(self) -> dict[str, Any]:
        """What was learned, by field, as JSON can hold it."""
        return {kind.field.name: kind.state() for kind in self.kinds}

    @classmethod
    def from_state(cls, fields: Sequence[Field], state: Mapping[str, Any]) -> "SideEncoder":
        """The encoder that gave this state.

        Raises: SchemaError: a field's state is not there, or of another kind.
        """
        return cls(tuple(_restored(f, state) for f in fields))

    def _places(self) -> Iterator[tuple[Kind, slice]]:
        kinds = {kind.field.name: kind for kind in self.kinds}
        return ((kinds[block.name], place) for block, place in self.layout.places())

    def _parts(self, features: Features) -> Iterator[tuple[Kind, Encoded]]:
        """Each kind with its part of the features."""
        start = place = bag = 0
        for kind, block in zip(self.kinds, self.layout.blocks, strict=True):
            if block.form == "dense":
                yield kind, features.dense[:, start : start + block.size]
                start += block.size
            elif block.form == "code":
                yield kind, features.codes[:, place]
                place += 1
            else:
                yield kind, features.bags[bag]
                bag += 1


@dataclass(frozen=True, slots=True)
class EncodedTables:
    """Tables as numbers. ``users[user[j]]``, ``items[item[j]]`` and ``context[j]`` describe interaction j."""

    users: Features
    """All rows of the users."""
    items: Features
    """All rows of the items."""
    context: Features | None
    """One row an interaction; None where the schema has no context columns."""
    user: Int64[np.ndarray, " n"]
    """(n) row among the users."""
    item: Int64[np.ndarray, " n"]
    """(n) row among the items."""
    label: Float32[np.ndarray, " n"]
    """(n) 1 liked, 0 not; NaN where the tables hold no labels."""
    weight: Float32[np.ndarray, " n"]
    """(n) how much each counts; 1 where the schema has no weights."""
    since: Float32[np.ndarray, " n"] | None = None
    """(n) time from the latest entry of the user's history, >= 0; None where histories do not fade."""

    def __len__(self) -> int:
        return len(self.user)


@dataclass(frozen=True)
class TablesEncoder:
    """The fitted fields of users, items and context."""

    user: SideEncoder
    """Columns of the users."""
    item: SideEncoder
    """Columns of the items."""
    context: SideEncoder
    """Columns of the interactions; without fields where there are none."""
    histories: Histories | None = None
    """What users liked and disliked earlier, where the schema has a history."""

    @classmethod
    def fit(cls, train: Tables) -> "TablesEncoder":
        """Fit to the users and items that occur in the training interactions, and to these.

        Raises: DataError: there is no interaction.
        """
        schema = train.schema
        users, items, pairs = _trained_on(train)
        return cls(
            SideEncoder.fit(schema.side("user"), users),
            SideEncoder.fit(schema.side("item"), items),
            SideEncoder.fit(schema.side("context"), pairs),
            None if schema.history is None else Histories.fit(schema.history, train),
        )

    def extended(self, train: Tables) -> "TablesEncoder":
        """With what later interactions add: new values, and more of the users' histories.

        Arguments:
            train: the later interactions; its users and items are all there are, those known so far included.

        Raises: DataError: there is no interaction. UnknownIdError: somebody or something known is not in the tables.
        """
        users, items, pairs = _trained_on(train)
        histories = self.histories
        if histories is not None:
            every = Vocabulary(train.user_ids, what="user"), Vocabulary(train.item_ids, what="item")
            histories = histories.extended(train, *every)
        sides = self.user.extended(users), self.item.extended(items), self.context.extended(pairs)
        return TablesEncoder(*sides, histories)

    def encode(self, tables: Tables) -> EncodedTables:
        """Users, items and interactions as numbers.

        Raises:
            DataError: a column is not there.
            UnknownIdError: an interaction names no row of users or items.
        """
        schema, pairs = tables.schema, tables.interactions
        users = Vocabulary(tables.users[_key(schema.user_id)], what="user")
        items = Vocabulary(tables.items[_key(schema.item_id)], what="item")
        n = pairs.height
        return EncodedTables(
            users=self.encode_users(tables.users, tables.user_ids),
            items=self.item.encode(tables.items),
            context=self.context.encode(pairs) if self.context.kinds else None,
            user=users.rows(pairs[schema.user]) if n else np.zeros(0, dtype=np.int64),
            item=items.rows(pairs[schema.item]) if n else np.zeros(0, dtype=np.int64),
            label=_floats(pairs, schema.label, np.nan),
            weight=_floats(pairs, schema.weight, 1.0),
            since=self._since(tables),
        )

    def _since(self, tables: Tables) -> Float32[np.ndarray, " n"] | None:
        schema, pairs, past = tables.schema, tables.interactions, self.histories
        if past is None or past.field.half_life is None or schema.time is None or schema.time not in pairs.columns:
            return None
        return past.since(pairs[schema.user], pairs[schema.time])

    def encode_users(self, frame: pl.DataFrame, keys: pl.Series) -> Features:
        """Rows of users with the history of their keys.

        Raises: DataError: see `SideEncoder.encode`.
        """
        features = self.user.encode(frame)
        return features if self.histories is None else replace(features, history=self.histories.of(keys))

    def encode_user_rows(self, rows: Sequence[Mapping[str, Any]]) -> Features:
        """Users who are in no table, as rows of features, with the history each brings along.

        Raises: DataError: see `SideEncoder.encode_rows`, `Histories.of_rows`. UnknownIdError: an item of a history.
        """
        if self.histories is None:
            return self.user.encode_rows(rows)
        name = self.histories.field.name
        plain = [{k: v for k, v in row.items() if k != name} if isinstance(row, Mapping) else row for row in rows]
        features = self.user.encode_rows(plain)
        return replace(features, history=self.histories.of_rows([row.get(name) for row in rows]))

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON can hold it; the histories are not in it (see `Histories.frame`)."""
        return {"user": self.user.state(), "item": self.item.state(), "context": self.context.state()}

    @classmethod
    def from_state(
        cls, schema: Schema, state: Mapping[str, Any], histories: Histories | None = None
    ) -> "TablesEncoder":
        """The encoder that gave this state, with the histories that belong to it.

        Raises: SchemaError: a field's state is not there, or of another kind.
        """
        user, item, context = (SideEncoder.from_state(schema.side(side), state.get(side, {})) for side in SIDES)
        return cls(user, item, context, histories)


def _require(fields: Sequence[Field], frame: pl.DataFrame) -> None:
    known = tuple(frame.columns)
    problems = [
        Problem(SECTIONS[f.side], "the column is not there", column=f.name, fix=nearest(f.name, known))
        for f in fields
        if f.name not in known
    ]
    if problems:
        raise DataError(problems)


def _asked(field: Field, column: pl.Series, ask: Callable[[pl.Series], _Answer]) -> _Answer:
    """What a kind says of a column. Columns of another kind are named; sound ones cost nothing."""
    try:
        return ask(column)
    except FAILURES as error:
        table = SECTIONS[field.side]
        other = Problem(table, f"cannot be read as {field.kind} ({reason(error)})", field.name, fix="Cast the column")
        raise DataError(KINDS[field.kind].problems(field, column, table) or [other]) from error


def _restored(field: Field, state: Mapping[str, Any]) -> Kind:
    try:
        return KINDS[field.kind].from_state(field, state[field.name])
    except (KeyError, IndexError, AttributeError, *FAILURES) as error:
        fix = "Give the schema with which it was fitted"
        raise SchemaError(
            [Problem("schema", "what was learned does not fit this field", field.name, fix=fix)]
        ) from error


def _trained_on(train: Tables) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The users and items that occur in the interactions, and these.

    Raises: DataError: there is no interaction.
    """
    schema, pairs = train.schema, train.interactions
    if not pairs.height:
        raise DataError([Problem("interactions", "training needs interactions, and there is none")])
    users = _occurring(train.users, _key(schema.user_id), pairs[schema.user])
    return users, _occurring(train.items, _key(schema.item_id), pairs[schema.item]), pairs


def _occurring(frame: pl.DataFrame, key: str, named: pl.Series) -> pl.DataFrame:
    """The rows whose key is named."""
    return frame.filter(frame[key].is_in(named.unique().implode()))


def _floats(frame: pl.DataFrame, column: str | None, default: float) -> Float32[np.ndarray, " n"]:
    if column is None or column not in frame.columns:
        return np.full(frame.height, default, dtype=np.float32)
    return frame[column].cast(pl.Float32).to_numpy().astype(np.float32)


def _key(name: str | None) -> str:
    assert name is not None, "tables always have keys"
    return name
