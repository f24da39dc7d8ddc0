"""Every error penchant raises on purpose.

    PenchantError
    ├── DataError          tables that do not hold what the schema says; carries every problem found
    │   └── SchemaError    a schema that is malformed or names what is not there
    ├── UnknownIdError     an id that is in no table the model has seen (also a KeyError)
    ├── ConfigError        an option outside its range, or options that exclude one another (also a ValueError)
    ├── SpaceError         points of different dimension, or a question a space cannot answer (also a ValueError)
    ├── NotFittedError     a model asked before it was fitted
    └── StorageError       a model directory or a store of events that cannot be read or written
        ├── CorruptModelError        a file that is missing, truncated or altered
        ├── OtherFormatError         written in another format than this version of penchant works with
        │   └── NewerFormatError     written by a later version of penchant
        ├── BusyStoreError           other writers hold it; passes by itself
        ├── UnreachableStoreError    its database does not answer; passes when that comes back
        └── FullStoreError           there is no room left; passes when somebody makes room

The shell turns DataError, UnknownIdError and StorageError into exit code 1, ConfigError into 2.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = [
    "BusyStoreError",
    "ConfigError",
    "CorruptModelError",
    "DataError",
    "FullStoreError",
    "NewerFormatError",
    "NotFittedError",
    "OtherFormatError",
    "PenchantError",
    "Problem",
    "SchemaError",
    "SpaceError",
    "StorageError",
    "UnknownIdError",
    "UnreachableStoreError",
]


class PenchantError(Exception):
    """The root: catch this to catch all that penchant raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the data, said so that it can be mended.

    ``str()`` gives e.g. *items.csv: column 'genres', 3 rows (14, 90, 91): list expected, got 'x'. Set kind = …*
    """

    table: str
    """The table, by the name its owner knows: a file name, or users / items / interactions / schema."""
    message: str
    """What was expected and what was found."""
    column: str | None = None
    """The column, where one is meant."""
    rows: tuple[int, ...] = ()
    """Up to five row numbers, counted from 0 at the first row of data."""
    n_rows: int = 0
    """How many rows are concerned in all."""
    fix: str | None = None
    """What to do about it."""

    def __str__(self) -> str:
        where = self.table
        if self.column is not None:
            where += f": column {self.column!r}"
        if self.n_rows:
            shown = ", ".join(map(str, self.rows)) + (", …" if self.n_rows > len(self.rows) else "")
            where += f", {self.n_rows:,} row{'s' if self.n_rows > 1 else ''} ({shown})"
        return f"{where}: {self.message}." + (f" {self.fix}." if self.fix else "")


class DataError(PenchantError):
    """Tables that do not hold what the schema says.

    Attributes:
        problems: every problem found, not only the first.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: Sequence[Problem] = tuple(problems)
        head = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(f"{head} in the data:\n" + "\n".join(f"  - {p}" for p in self.problems))


class SchemaError(DataError):
    """A schema that is malformed, or that names what is not there."""


class UnknownIdError(PenchantError, KeyError):
    """An id that is in no table the model has seen."""

    __str__ = Exception.__str__  # KeyError would print the message in quotes


class ConfigError(PenchantError, ValueError):
    """An option outside its range, or options that exclude one another."""


class SpaceError(PenchantError, ValueError):
    """Points of different dimension, or a question a space cannot answer."""


class NotFittedError(PenchantError, AttributeError):
    """A model asked before it was fitted."""


class StorageError(PenchantError):
    """A model directory or a store of events that cannot be read or written."""


class CorruptModelError(StorageError):
    """A file of a model directory is missing, truncated or altered."""


class OtherFormatError(StorageError):
    """Written in another format than this version of penchant works with."""


class NewerFormatError(OtherFormatError):
    """A model directory or a store written by a later version of penchant."""


class BusyStoreError(StorageError):
    """Other writers hold a store of events: nothing was stored; ask again a little later."""


class UnreachableStoreError(StorageError):
    """A store's database does not answer, or was lost on the way; the next call connects again."""


class FullStoreError(StorageError):
    """There is no room for what is to be stored: nothing of it was; send it again once there is."""
