"""The log as a Parquet file, a page at a time."""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from penchant.dynamics.events.contract import Logged
from penchant.errors import DataError, Problem, StorageError

if TYPE_CHECKING:
    import pyarrow

_ROWS = 32  # pages in one group of rows


class Columns(NamedTuple):
    """The types of the two columns of ids."""

    user: str
    """string or int64."""
    item: str
    """Likewise."""

    @classmethod
    def of(cls, users: tuple[str | None, str | None], items: tuple[str | None, str | None]) -> "Columns":
        """From the first and last name of each; the type is a name's first letter (see `_rows.key`).

        Raises:
            DataError: a column of both types, which no Parquet column can hold.
        """
        found, problems = [], []
        for column, (first, last) in (("user", users), ("item", items)):
            types = {name[0] for name in (first, last) if name}
            found.append("int64" if types == {"i"} else "string")
            if len(types) > 1:
                fix = "A Parquet column has one type: give all ids as text, or all as whole numbers"
                problems.append(Problem("events", "text and whole numbers are mixed", column=column, fix=fix))
        if problems:
            raise DataError(problems)
        return cls(*found)


def write(path: Path, columns: Columns, events: Iterable[Logged], page: int) -> int:
    """Write events beside ``path``, flush, rename; returns how many.

    Raises:
        StorageError: the folder is not there or not writable, or the disk is full; an older file is as it was.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        count = _write(beside, columns, iter(events), page * _ROWS)
        os.replace(beside, path)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        with suppress(OSError):
            beside.unlink()
    return count


def _write(path: Path, columns: Columns, events: Iterator[Logged], rows: int) -> int:
    import pyarrow as arrow  # only whoever exports needs it
    import pyarrow.parquet as parquet

    types = [arrow.type_for_alias(name) for name in (*columns, "int8", "float64", "float64")]
    schema = arrow.schema(list(zip(("user", "item", "label", "time", "weight"), types, strict=True)))
    count = 0
    with path.open("xb") as file:
        with parquet.ParquetWriter(file, schema) as writer:
            while group := list(islice(events, rows)):
                writer.write_table(_table(group, schema))
                count += len(group)
        file.flush()
        os.fsync(file.fileno())
    return count


def _table(group: list[Logged], schema: "pyarrow.Schema") -> "pyarrow.Table":
    import pyarrow as arrow

    rows = [(e.user, e.item, e.label, float(e.time), float(e.weight)) for _, e in group]
    columns = zip(*rows, strict=True)
    arrays = [arrow.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return arrow.table(arrays, schema=schema)
