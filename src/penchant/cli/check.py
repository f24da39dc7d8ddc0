"""``penchant check``: every problem of the tables, before anything is trained."""

from dataclasses import asdict

from penchant.cli._options import Flat, Interactions, Items, Json, SchemaFile, Users, read_tables, warn
from penchant.cli._output import say, show_frame, show_json

__all__ = ["check"]


def check(
    schema: SchemaFile,
    users: Users = None,
    items: Items = None,
    interactions: Interactions = None,
    flat: Flat = None,
    as_json: Json = False,
) -> None:
    """Check the tables against the schema: all problems at once, each with its table, column, rows and what to do.

    Example: `penchant check --schema schema.toml --users users.csv --items items.csv --interactions clicks.csv`
    """
    tables = read_tables(schema, users, items, interactions, flat)
    summary = tables.summary()
    if as_json:
        show_json({"tables": summary.to_dicts(), "warnings": [asdict(problem) for problem in tables.warnings]})
        return
    show_frame(summary, title="All is well", out=None, as_json=False)
    warn(tables)
    say("no problem found" if not tables.warnings else f"no problem found, {len(tables.warnings)} warnings")
