"""Users who are in no table, given by what they liked and did not like earlier: ``{"liked": ids, "disliked": ids}``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Bool
from scipy import sparse

from penchant._spec import History
from penchant.errors import DataError, Problem
from penchant.tables import Field, Histories, Schema, Vocabulary

__all__ = ["Pasts", "past_names"]

_SIGNS = ("liked", "disliked")
_NONE = np.zeros(0, dtype=np.int64)
_NOBODY = History(_NONE, _NONE, _NONE, _NONE, _NONE, np.zeros(1, dtype=np.int64))


def past_names(schema: Schema) -> tuple[str, ...]:
    """Under what a row may name a past: the schema's history field ("history" where there is none), liked, disliked.

    A column of users that has one of these names is that column, and no past.
    """
    columns = {field.name for field in schema.side("user")}
    names = dict.fromkeys((_field(schema).name, *_SIGNS))
    return tuple(name for name in names if name not in columns)


@dataclass(frozen=True, slots=True)
class Pasts:
    """What the rows of a question say of earlier items; each entry counts 1."""

    rest: list[dict[str, Any]]
    """(q) what else the rows say: features."""
    given: Bool[np.ndarray, " q"]
    """Does the row name a past? It may be an empty one."""
    likes: sparse.csr_array
    """(q, items) 1 where liked."""
    seen: sparse.csr_array
    """(q, items) 1 where liked or disliked."""

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], schema: Schema, users: Vocabulary, items: Vocabulary) -> Self:
        """From rows ``{"liked": ids, "disliked": ids}``, or these or ids of liked items under the history's name.

        An item named twice counts once; where it is both liked and disliked, it counts as disliked.

        Raises:
            DataError: a past that is neither, or given twice. UnknownIdError: an item that is not known.
        """
        names, field = past_names(schema), _field(schema)
        given = [{name: row[name] for name in names if name in row} for row in rows]
        pasts = [_past(one, field.name, number) for number, one in enumerate(given)]
        items_of = Histories(field, users, items, _NOBODY).of_rows(pasts)
        shape, places = (len(rows), len(items)), (items_of.items, items_of.offsets)
        likes = sparse.csr_array((items_of.liked.astype(np.float64), *places), shape=shape, copy=True)
        likes.eliminate_zeros()  # in its own arrays
        seen = sparse.csr_array((np.ones(len(items_of.items), dtype=np.int32), *places), shape=shape)
        rest = [{name: value for name, value in row.items() if name not in names} for row in rows]
        return cls(rest, np.array([bool(one) for one in given], dtype=bool), likes, seen)

    def check_names(self, schema: Schema) -> None:
        """Raises:
        DataError: a row has something else that is no column of users; every one at once.
        """
        known = [field.name for field in schema.side("user")]
        where: dict[str, list[int]] = {}
        for number, row in enumerate(self.rest):
            for name in row.keys() - set(known):
                where.setdefault(str(name), []).append(number)
        message = f"there is no such field; known are {', '.join([*past_names(schema), *known])}"
        problems = [Problem("rows of users", message, name, tuple(at[:5]), len(at)) for name, at in where.items()]
        if problems:
            raise DataError(problems)


def _field(schema: Schema) -> Field:
    return schema.history or Field(name="history", side="user", kind="history")


def _past(given: Mapping[str, Any], name: str, number: int) -> Any:
    """One past, as `Histories.of_rows` takes it."""
    if name in given and len(given) > 1:
        message, fix = "one past expected, got two", f"Give {name}, or liked and disliked"
        raise DataError([Problem("rows of users", message, " and ".join(map(str, given)), (number,), 1, fix)])
    return given[name] if name in given else dict(given)
