"""The kinds of field: what a column can be, and how it becomes numbers and is read back.

A kind of your own is a subclass of `Kind`; hold it against `penchant.testing.check_kind`.
"""

from penchant.tables.kinds._base import Counts, Encoded, Kind
from penchant.tables.kinds.binary import Binary
from penchant.tables.kinds.category import Category
from penchant.tables.kinds.date import Date
from penchant.tables.kinds.id import Id
from penchant.tables.kinds.numeric import Numeric
from penchant.tables.kinds.tags import Tags
from penchant.tables.kinds.text import Text
from penchant.tables.kinds.vector import Vector

__all__ = [
    "KINDS",
    "Binary",
    "Category",
    "Counts",
    "Date",
    "Encoded",
    "Id",
    "Kind",
    "Numeric",
    "Tags",
    "Text",
    "Vector",
]

KINDS: dict[str, type[Kind]] = {
    "numeric": Numeric,
    "binary": Binary,
    "category": Category,
    "tags": Tags,
    "vector": Vector,
    "text": Text,
    "date": Date,
    "id": Id,
}
"""Each kind by the name that schemas give it."""
