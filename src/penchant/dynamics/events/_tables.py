"""The tables of a store: made, recognised, brought to this format."""

from collections.abc import Sequence

from penchant._version import __version__
from penchant.dynamics.events import _sql as sql
from penchant.dynamics.events._fold import Session
from penchant.dynamics.events._rows import Row
from penchant.errors import NewerFormatError, OtherFormatError, StorageError


def prepare(session: Session, where: str, *, migrate: bool, tables: Sequence[Row]) -> None:
    """Make the tables in an empty database, or make sure that those there can be used.

    Arguments:
        where: the store, as errors name it.
        migrate: bring an older format to this one.
        tables: names of the tables that are there.

    Raises:
        StorageError: tables of another program only.
        OtherFormatError: of an older format without ``migrate``, or (NewerFormatError) of a later version of penchant.
    """
    if ("penchant_meta",) not in tables:
        if tables:
            raise StorageError(f"{where} holds another program's tables ({tables[0][0]}): give another name")
        for statement in sql.TABLES:
            session.rows(statement)
        session.rows(sql.BEGUN, sql.FORMAT)
        return
    rows = session.rows(sql.FOUND)
    if not rows:
        raise StorageError(f"{where} does not say its format: it is damaged, restore a backup")
    check_format(session, where, int(rows[0][0]), migrate=migrate)


def check_format(session: Session, where: str, found: int, *, migrate: bool = False) -> None:
    """Make sure that tables of a format can be used; bring them to this one where ``migrate``.

    Raises: OtherFormatError: an older format without ``migrate``, or (NewerFormatError) a later one.
    """
    if found > sql.FORMAT:
        text = f"holds events in format {found}; penchant {__version__} reads up to format {sql.FORMAT}"
        raise NewerFormatError(f"{where} {text}: install a later version")
    if found < sql.FORMAT and not migrate:
        text = f"holds events in format {found}, format {sql.FORMAT} expected: make a backup"
        raise OtherFormatError(f"{where} {text}, then open it once with migrate=True")
    for step in range(found, sql.FORMAT):
        for statement in sql.MIGRATIONS[step]:
            session.rows(statement)
        session.rows(sql.PUT_FORMAT, step + 1)
