"""The three tables of a recommender, read and checked."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from penchant.errors import DataError, Problem, SchemaError
from penchant.tables import checks, readers
from penchant.tables._flat import split_flat
from penchant.tables.schema import Schema

__all__ = ["Tables"]


@dataclass(frozen=True)
class Tables:
    """Users, items and interactions with the schema that says what their columns mean.

    Made by `Tables.read`, which checks them; the constructor itself checks nothing.
    """

    schema: Schema
    """Which columns there are; its keys name columns that are there, also for a flat table without ids."""
    users: pl.DataFrame
    """One row a user, key column included."""
    items: pl.DataFrame
    """One row an item, key column included."""
    interactions: pl.DataFrame
    """One row an interaction; may be empty."""
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
    """What is odd, but no error: constant columns, columns that are mostly missing."""

    @classmethod
    def read(
        cls,
        schema: Schema | str | os.PathLike[str],
        *,
        users: Any = None,
        items: Any = None,
        interactions: Any = None,
        flat: Any = None,
        labelled: bool = True,
    ) -> "Tables":
        """Read and check three tables, or one flat table whose rows hold user columns, item columns and the label.

        Arguments:
            schema: a `Schema`, or the path of its TOML file.
            users, items, interactions, flat: each a path (.csv, .tsv, .parquet, .arrow, .feather, .ipc, .json,
                .ndjson), a frame of polars, pandas or pyarrow, or a dictionary of columns. ``interactions`` may be left
                out where nothing is trained or scored.
            labelled: False where pairs are to be predicted: label, time and weight may then be missing.

        Raises:
            DataError: every problem found in any table: table, column, rows, what was expected, what to do.
        """
        schema = _schema(schema)
        given = {"users": users, "items": items, "interactions": interactions}
        if flat is None:
            found = readers.read_three(schema, given)
        elif any(source is not None for source in given.values()):
            fix = "Give one or the other"
            raise DataError([Problem("flat", "a flat table and separate ones were given", fix=fix)])
        else:
            found = split_flat(schema, flat, labelled=labelled)
        errors, warnings = checks.check(found, labelled=labelled)
        if errors:
            raise DataError(errors)
        frames = checks.settled(found.schema, found.frames)
        return cls(found.schema, frames["users"], frames["items"], frames["interactions"], tuple(warnings))

    def __len__(self) -> int:
        """Number of interactions."""
        return self.interactions.height

    @property
    def user_ids(self) -> pl.Series:
        """Keys of all users."""
        return self.users[self.schema.user_id or ""]

    @property
    def item_ids(self) -> pl.Series:
        """Keys of all items."""
        return self.items[self.schema.item_id or ""]

    def with_interactions(self, interactions: pl.DataFrame) -> "Tables":
        """The same users and items with other interactions."""
        return replace(self, interactions=interactions, warnings=())

    def summary(self) -> pl.DataFrame:
        """A row for each table: rows, and what is worth knowing of it."""
        label = self.schema.label
        counted = label in self.interactions.columns and len(self) > 0
        liked = float(self.interactions[label].cast(pl.Float64).to_numpy().mean()) if counted else None
        cells = self.users.height * self.items.height
        facts: Mapping[str, tuple[int, str]] = {
            "users": (self.users.height, f"{len(self.schema.side('user'))} features"),
            "items": (self.items.height, f"{len(self.schema.side('item'))} features"),
            "interactions": (
                len(self),
                (f"{liked:.1%} liked, " if liked is not None else "") + f"density {len(self) / max(1, cells):.2%}",
            ),
        }
        return pl.DataFrame(
            {
                "table": list(facts),
                "rows": [n for n, _ in facts.values()],
                "holds": [text for _, text in facts.values()],
            }
        )


def _schema(given: Any) -> Schema:
    """A schema, or the one in a file."""
    if isinstance(given, Schema):
        return given
    if isinstance(given, str | os.PathLike):
        return Schema.read(given)
    raise SchemaError([Problem("schema", f"a Schema or the path of its file expected, got {type(given).__name__}")])
