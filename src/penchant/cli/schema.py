"""``penchant schema infer``: a draft of the schema from the tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penchant.cli._options import Flat, Interactions, Items, Users
from penchant.cli._output import say
from penchant.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["app", "infer"]

app = typer.Typer(no_args_is_help=True, help="What the columns mean: draft a schema.toml.")


@app.callback()
def _group() -> None:
    """What the columns mean: draft a schema.toml."""


@app.command()
def infer(
    users: Users = None,
    items: Items = None,
    interactions: Interactions = None,
    flat: Flat = None,
    user_id: Annotated[str | None, typer.Option(help="Key column of the users.")] = None,
    item_id: Annotated[str | None, typer.Option(help="Key column of the items.")] = None,
    label: Annotated[str | None, typer.Option(help="Column that is 1 for liked and 0 for not.")] = None,
    time: Annotated[str | None, typer.Option(help="Column that says when it happened.")] = None,
    weight: Annotated[str | None, typer.Option(help="Column that says how much a row counts.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it there; else it is printed.")] = None,
    force: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
) -> None:
    """Draft a schema from the content of the tables. Read it over: it is a guess.

    Example: `penchant schema infer --users users.csv --items items.csv --interactions clicks.csv --out schema.toml`
    """
    from penchant.tables import Schema

    if out is not None and out.exists() and not force:
        raise ConfigError(f"{out} is there already: give another name, or --force to replace it")
    schema = Schema.infer(
        users=_frame(users), items=_frame(items), interactions=_frame(interactions), flat=_frame(flat),
        user_id=user_id, item_id=item_id, label=label, time=time, weight=weight,
    )  # fmt: skip
    if out is None:
        typer.echo(schema.to_toml(), nl=False)
        return
    schema.write(out)
    say(f"written to {out}: read it over, then `penchant check --schema {out} …`")


def _frame(path: Path | None) -> "pl.DataFrame | None":
    from penchant.tables import read_frame

    return None if path is None else read_frame(path)
